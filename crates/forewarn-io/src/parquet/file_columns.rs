use super::{chunk::Nullable, layout::Holds};
use crate::{columns::Columns, error::Origin};

/// What the columns of a file are.
pub(super) struct FileColumns {
    pub(super) origin: Origin,
    pub(super) columns: Columns,
    pub(super) holds: Vec<Holds>,
    /// Columns of a long or wide file that are no metrics of their own.
    pub(super) others: Vec<usize>,
    /// Columns that counters may be in.
    pub(super) counters: Vec<usize>,
    pub(super) nullable: Vec<Nullable>,
}

/// Which columns of a file are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Everything,
    /// Times, services and counters: where rows belong, and whether counters are any.
    Places,
}
