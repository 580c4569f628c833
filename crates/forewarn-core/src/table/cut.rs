/// Rows of a [`Table`](super::Table) that were cut into cells together, in memory that is used again: they can be read
/// on another thread than the one that cuts.
///
/// ```
/// use forewarn_core::table::{CutRows, Table, TableSettings};
///
/// let mut table = Table::open("a,b\n1,2\n3,4\n".as_bytes(), &TableSettings::default())?;
/// let mut rows = CutRows::default();
/// assert!(!table.cut(&mut rows, 1 << 16)?);
/// let row = rows.get(1).ok_or("a row")?;
/// assert_eq!((row.line(), row.cell(0), row.cell(1)), (3, &b"3"[..], &b"4"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CutRows {
    /// All cells, each with a byte behind it.
    text: Vec<u8>,
    /// Where each cell ends.
    ends: Vec<usize>,
    lines: Vec<u64>,
    /// Cells of each row.
    width: usize,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct CutRow<'a> {
    text: &'a [u8],
    begin: usize,
    ends: &'a [usize],
    line: u64,
}

/// What became of a line.
pub(super) enum Line {
    /// Its cells were added; it has this number of bytes.
    Added(usize),
    /// It has quotes.
    Quoted,
    /// It goes on behind the text.
    Unended,
}

/// Where rows end that are there already.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    text: usize,
    ends: usize,
}

impl CutRows {
    /// Drops all rows; new ones have `width` cells.
    pub(super) fn clear(&mut self, width: usize) {
        self.text.clear();
        self.ends.clear();
        self.lines.clear();
        self.width = width;
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { text: self.text.len(), ends: self.ends.len() }
    }

    /// Drops the cells behind a mark.
    pub(super) fn drop_from(&mut self, mark: Mark) {
        self.text.truncate(mark.text);
        self.ends.truncate(mark.ends);
    }

    /// The cells behind a mark as a row, which may have any number of them.
    pub(super) fn row_from(&self, mark: Mark, line: u64) -> CutRow<'_> {
        CutRow { text: &self.text, begin: mark.text, ends: &self.ends[mark.ends..], line }
    }

    /// Drops the last cells, which are this many.
    pub(super) fn drop_cells(&mut self, cells: usize) {
        if cells == 0 {
            return;
        }
        self.ends.truncate(self.ends.len().saturating_sub(cells));
        self.text.truncate(self.ends.last().map_or(0, |end| end + 1));
    }

    /// Makes the cells behind the last row one.
    pub(super) fn end_row(&mut self, line: u64) {
        self.lines.push(line);
    }

    /// Bytes of cells and of what separates them.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Adds the cells of the first line of a text, where it ends in it, or with it, and has no quotes.
    pub(super) fn push_line(&mut self, text: &[u8], ended: bool, separator: u8) -> Line {
        let (begin, before) = (self.text.len(), self.ends.len());
        for (at, &byte) in text.iter().enumerate() {
            if byte == separator {
                self.ends.push(begin + at);
            } else if byte == b'\n' {
                self.ends.push(begin + at);
                self.text.extend_from_slice(&text[..=at]);
                return Line::Added(at + 1);
            } else if byte == b'"' {
                self.ends.truncate(before);
                return Line::Quoted;
            }
        }
        if ended {
            self.text.extend_from_slice(text);
            self.end_cell();
            return Line::Added(text.len());
        }
        self.ends.truncate(before);
        Line::Unended
    }

    /// Adds a part of a cell.
    pub(super) fn push_text(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
    }

    /// Ends a cell.
    pub(super) fn end_cell(&mut self) {
        self.ends.push(self.text.len());
        self.text.push(b'\n');
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The row at a position; `None` beyond the last.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<CutRow<'_>> {
        let &line = self.lines.get(index)?;
        let first = index * self.width;
        let begin = first.checked_sub(1).map_or(0, |before| self.ends[before] + 1);
        Some(CutRow { text: &self.text, begin, ends: &self.ends[first..first + self.width], line })
    }
}

impl<'a> CutRow<'a> {
    /// Line on which the row begins.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// How many cells it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The cells as they are.
    pub fn cells(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (text, mut begin) = (self.text, self.begin);
        self.ends.iter().map(move |&end| {
            let cell = &text[begin..end];
            begin = end + 1;
            cell
        })
    }

    /// A cell as it is; empty beyond the last.
    #[must_use]
    pub fn cell(&self, column: usize) -> &'a [u8] {
        let Some(&end) = self.ends.get(column) else { return &[] };
        let begin = column.checked_sub(1).map_or(self.begin, |before| self.ends[before] + 1);
        &self.text[begin..end]
    }

    /// Whether no cell holds anything but blanks, or a line of a frame as in `-----+-----`.
    pub(super) fn is_blank(&self) -> bool {
        let is_line = |cell: &[u8]| cell.len() > 1 && cell.iter().all(|byte| b"-+=:".contains(byte));
        self.cells().map(<[u8]>::trim_ascii).all(|cell| cell.is_empty() || is_line(cell))
    }
}
