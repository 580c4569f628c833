use super::{DateOrder, Decimal, ShownOrder, Table, TableError, is_text_time, shown_order};
use std::{collections::VecDeque, io::Read};

/// Rows of cells under a header, whatever they come from: a [`Table`] of text, or the records of another format, whose
/// cells are then what text would have in their place. A time in UTC has its zone, and what is missing is empty.
pub trait TableRows {
    /// The names of the columns.
    fn header(&self) -> &[String];

    /// Goes to the next row; false at the end.
    ///
    /// # Errors
    /// [`TableError`].
    fn advance(&mut self) -> Result<bool, TableError>;

    /// A cell of the current row without blanks around it; empty beyond the last column.
    ///
    /// # Errors
    /// [`TableError`] for a cell that is no text or number.
    fn text(&self, column: usize) -> Result<&str, TableError>;

    /// The line on which the current row begins, or its number where the format has no lines; from 1.
    fn line(&self) -> u64;

    /// How numbers are written; `None` while none with a fraction has been seen.
    fn decimal(&self) -> Option<Decimal>;

    /// The file of the current row, where errors do not know it.
    fn file(&self) -> Option<&str> {
        None
    }

    /// Columns that rows had and the header has not: a record may bring a field that none before it had.
    fn late_columns(&self) -> &[String] {
        &[]
    }
}

impl<R: Read> TableRows for Table<R> {
    fn header(&self) -> &[String] {
        self.header()
    }

    fn advance(&mut self) -> Result<bool, TableError> {
        self.advance()
    }

    fn text(&self, column: usize) -> Result<&str, TableError> {
        self.text(column)
    }

    fn line(&self) -> u64 {
        self.line()
    }

    fn decimal(&self) -> Option<Decimal> {
        self.dialect().decimal
    }
}

impl<T: TableRows + ?Sized> TableRows for Box<T> {
    fn header(&self) -> &[String] {
        (**self).header()
    }

    fn advance(&mut self) -> Result<bool, TableError> {
        (**self).advance()
    }

    fn text(&self, column: usize) -> Result<&str, TableError> {
        (**self).text(column)
    }

    fn line(&self) -> u64 {
        (**self).line()
    }

    fn decimal(&self) -> Option<Decimal> {
        (**self).decimal()
    }

    fn file(&self) -> Option<&str> {
        (**self).file()
    }

    fn late_columns(&self) -> &[String] {
        (**self).late_columns()
    }
}

/// Rows of which the first have been looked at, and which are all still to come.
pub struct SeenRows<T> {
    rows: T,
    seen: VecDeque<SeenRow>,
    current: Option<SeenRow>,
    /// What came behind the rows that were seen.
    then: Option<Result<bool, TableError>>,
}

struct SeenRow {
    line: u64,
    file: Option<String>,
    cells: Vec<String>,
}

impl<T: TableRows> SeenRows<T> {
    /// Looks at up to `most` rows.
    pub fn new(mut rows: T, most: usize) -> Self {
        let (mut seen, mut then) = (VecDeque::new(), None);
        while seen.len() < most && then.is_none() {
            match rows.advance() {
                Ok(true) => match SeenRow::of(&rows) {
                    Ok(row) => seen.push_back(row),
                    // What is wrong with a cell is said where it is asked for.
                    Err(_) => then = Some(Ok(true)),
                },
                end => then = Some(end),
            }
        }
        Self { rows, seen, current: None, then }
    }

    /// Which number of dates such as `1/2/2024` is the day, where one of the rows that were seen shows it.
    #[must_use]
    pub fn date_order(&self) -> Option<DateOrder> {
        let cells = self.seen.iter().flat_map(|row| &row.cells);
        let times = cells.map(String::as_str).filter(|cell| is_text_time(cell));
        times.filter_map(shown_order).find_map(|shown| match shown {
            ShownOrder::Order(order) => Some(order),
            ShownOrder::Nothing => None,
        })
    }
}

impl SeenRow {
    fn of<T: TableRows>(rows: &T) -> Result<Self, TableError> {
        let cells = (0..rows.header().len()).map(|column| rows.text(column).map(str::to_owned));
        let cells = cells.collect::<Result<_, _>>()?;
        Ok(Self { line: rows.line(), file: rows.file().map(str::to_owned), cells })
    }
}

impl<T: TableRows> TableRows for SeenRows<T> {
    fn header(&self) -> &[String] {
        self.rows.header()
    }

    fn advance(&mut self) -> Result<bool, TableError> {
        self.current = self.seen.pop_front();
        match self.current {
            Some(_) => Ok(true),
            None => self.then.take().unwrap_or_else(|| self.rows.advance()),
        }
    }

    fn text(&self, column: usize) -> Result<&str, TableError> {
        match &self.current {
            Some(row) => Ok(row.cells.get(column).map_or("", String::as_str)),
            None => self.rows.text(column),
        }
    }

    fn line(&self) -> u64 {
        self.current.as_ref().map_or_else(|| self.rows.line(), |row| row.line)
    }

    fn decimal(&self) -> Option<Decimal> {
        self.rows.decimal()
    }

    fn file(&self) -> Option<&str> {
        match &self.current {
            Some(row) => row.file.as_deref(),
            None => self.rows.file(),
        }
    }

    fn late_columns(&self) -> &[String] {
        self.rows.late_columns()
    }
}
