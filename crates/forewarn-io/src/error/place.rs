use crate::Format;
use std::{fmt, sync::Arc};

/// One row of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as the caller named it.
    pub file: Arc<str>,
    /// Its format, which decides how rows are counted.
    pub format: Format,
    /// From 1: in text the line as an editor shows it, header included; in Parquet and in memory the row.
    pub row: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.format {
            Format::Parquet | Format::Memory => "row",
            _ => "line",
        };
        write!(f, "{}, {unit} {}", self.file, self.row)
    }
}

/// An earlier row, as seen from a later one: the file is named where it is another.
pub(super) fn earlier(place: &Place, earlier: &Place) -> String {
    match earlier.format {
        _ if place.file != earlier.file => earlier.to_string(),
        Format::Parquet | Format::Memory => format!("row {}", earlier.row),
        _ => format!("line {}", earlier.row),
    }
}

/// The file that rows come from, for errors that name it.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) file: Arc<str>,
    pub(crate) format: Format,
}

impl Origin {
    pub(crate) fn new(file: &str, format: Format) -> Self {
        Self { file: file.into(), format }
    }

    pub(crate) fn file(&self) -> String {
        self.file.as_ref().to_owned()
    }

    pub(crate) fn at(&self, row: u64) -> Place {
        Place { file: Arc::clone(&self.file), format: self.format, row }
    }
}
