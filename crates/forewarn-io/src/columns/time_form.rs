//! Times of files, by the settings.

use crate::{IoError, ReadOptions};
#[cfg(feature = "parquet")]
pub(crate) use forewarn_core::table::EpochUnit;
use forewarn_core::table::UnknownZone;
pub(crate) use forewarn_core::table::{
    Moment, ShownOrder, TimeReader, is_compact_date, is_spreadsheet_time, is_text_time, shown_order,
};

/// A reader of one file's times.
pub(crate) fn time_reader(options: &ReadOptions) -> Result<TimeReader, IoError> {
    TimeReader::new(options.timezone.as_deref(), options.date_order).map_err(|error| IoError::Setting {
        option: "timezone",
        value: error.name,
        expected: UnknownZone::EXPECTED.to_owned(),
    })
}
