//! Rows between the header and the values: units, types, descriptions.

use crate::{
    IoError, Shape,
    assemble::Assembler,
    columns::{Columns, Role, renamed},
    csv::Input,
    error::clip,
    options::Conversion,
};
use forewarn_core::table::{Decimal, is_text_time, number};
use forewarn_schema::Unit;

/// Most rows of this kind.
const MOST: usize = 3;

/// Most words of such a row that a note shows.
const SHOWN: usize = 6;

/// Rows below the header that hold words only, where rows with numbers or times follow.
#[derive(Debug, Default)]
pub(super) struct Legend {
    rows: Vec<LegendRow>,
    /// Whether there were too many.
    is_void: bool,
}

#[derive(Debug)]
struct LegendRow {
    line: u64,
    cells: Vec<String>,
}

impl Legend {
    /// How many rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Adds a row; false for one that has a number or a time, and for one too many, after which there is none.
    pub(super) fn take(&mut self, line: u64, cells: Vec<String>, decimal: Option<Decimal>) -> bool {
        let is_value = |cell: &String| is_text_time(cell) || number(cell, decimal).is_ok();
        if self.is_void || cells.iter().any(is_value) {
            return false;
        }
        if self.rows.len() == MOST {
            // Where nothing but words follows, they are what the table holds.
            *self = Self { is_void: true, ..Self::default() };
            return false;
        }
        self.rows.push(LegendRow { line, cells });
        true
    }

    /// The first row that says units, if one does. Some words for them are also ones for how values came about.
    fn units(&self) -> Option<&LegendRow> {
        let is_unit = |cell: &String| match unit(cell) {
            ("min" | "m" | "count", _) => false,
            (_, Conversion { unit, .. }) => !matches!(unit, Unit::Other(_) | Unit::Dimensionless),
        };
        self.rows.iter().find(|row| row.cells.iter().any(is_unit))
    }

    /// Tells the metrics their units, before they are defined.
    ///
    /// # Errors
    /// [`IoError::Setting`] where another file has said otherwise.
    pub(super) fn teach(
        &self,
        names: &[String],
        input: &Input<'_>,
        assembler: &mut Assembler,
    ) -> Result<(), IoError> {
        let units = self.units();
        if units.is_none() && !assembler.slots.has_units_of_files() {
            return Ok(());
        }
        for (column, name) in names.iter().enumerate() {
            let symbol = units.and_then(|row| row.cells.get(column)).map_or("", |cell| unit(cell).0);
            assembler.slots.learn_unit(&renamed(name.clone(), input.options), symbol)?;
        }
        Ok(())
    }

    /// Says what became of the rows.
    ///
    /// # Errors
    /// [`IoError::Setting`] for units of a file whose columns are no metrics.
    pub(super) fn note(&self, columns: &Columns, assembler: &mut Assembler) -> Result<(), IoError> {
        let units = self.units();
        for row in &self.rows {
            let cells = columns.names.iter().zip(&columns.roles).zip(&row.cells);
            let is_unit_row = units.is_some_and(|units| units.line == row.line);
            let shown: Vec<String> = cells
                .filter(|((_, role), cell)| {
                    !cell.is_empty() && (!is_unit_row || matches!(role, Role::Metric(_)))
                })
                .map(|((name, _), cell)| format!("{} {:?}", clip(name), clip(cell)))
                .collect();
            if is_unit_row && columns.shape != Shape::Records {
                return Err(IoError::Setting {
                    option: "units",
                    value: shown_words(&shown),
                    expected: format!(
                        "the unit of the metric as a setting (--unit METRIC=UNIT): line {} says units, but columns \
                         are no metrics; take that line away",
                        row.line
                    ),
                });
            }
            let line = row.line;
            assembler.note(match is_unit_row {
                true => format!("line {line}, below the header, says units: {}", shown_words(&shown)),
                false => format!(
                    "line {line}, below the header, holds no values and was left out: {}",
                    shown_words(&shown)
                ),
            });
        }
        Ok(())
    }
}

fn shown_words(words: &[String]) -> String {
    let more = match words.len().checked_sub(SHOWN) {
        None | Some(0) => String::new(),
        Some(more) => format!(" and {more} more"),
    };
    format!("{}{more}", words[..words.len().min(SHOWN)].join(", "))
}

/// The symbol of a cell such as `[ms]`, and what it means; nothing for a dash.
fn unit(cell: &str) -> (&str, Conversion) {
    let cell = cell.trim();
    let within = [('[', ']'), ('(', ')'), ('{', '}'), ('<', '>')]
        .into_iter()
        .find_map(|(open, close)| cell.strip_prefix(open)?.strip_suffix(close));
    let symbol = match within.unwrap_or(cell).trim() {
        "-" | "--" | "\u{2013}" | "n/a" => "",
        symbol => symbol,
    };
    (symbol, Conversion::of(symbol))
}
