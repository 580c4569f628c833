use forewarn_core::table::{DateOrder, TableSettings};

/// How a file of scores or of failures is to be read, where that is not to be found out.
///
/// | name | meaning | default |
/// |---|---|---|
/// | `table` | separator and decimal mark | found from the first rows |
/// | `timezone` | zone of times that have none: an IANA name, or an offset such as `+02:00` | UTC |
/// | `date_order` | which number of dates such as `1/2/2024` is the day | as one of the first rows shows |
/// | `time_columns` | the columns of the time, joined with a blank | their usual names |
/// | `service_columns` | the columns of the service, joined with `/` | their usual names |
/// | `missing_words` | further cells that mean missing, in any case | none |
/// | `lasting_millis` | how long a failure lasts whose end the list does not say | a minute |
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileSettings {
    /// Separator and decimal mark.
    pub table: TableSettings,
    /// The zone of times that do not name one.
    pub timezone: Option<String>,
    /// Which number of dates such as `1/2/2024` is the day.
    pub date_order: Option<DateOrder>,
    /// The columns of times, of a file of scores.
    pub time_columns: Vec<String>,
    /// The columns of services.
    pub service_columns: Vec<String>,
    /// Words that mean a missing value, besides the usual ones.
    pub missing_words: Vec<String>,
    /// How long a failure lasts whose end is not known.
    pub lasting_millis: i64,
}

impl Default for FileSettings {
    fn default() -> Self {
        Self {
            table: TableSettings::default(),
            timezone: None,
            date_order: None,
            time_columns: Vec::new(),
            service_columns: Vec::new(),
            missing_words: Vec::new(),
            lasting_millis: 60_000,
        }
    }
}

impl FileSettings {
    /// With this separator and decimal mark.
    #[must_use]
    pub fn with_table(mut self, table: TableSettings) -> Self {
        self.table = table;
        self
    }

    /// With times that name no zone in this one.
    #[must_use]
    pub fn with_timezone(mut self, zone: impl Into<String>) -> Self {
        self.timezone = Some(zone.into());
        self
    }

    /// With dates such as `1/2/2024` in this order.
    #[must_use]
    pub fn with_date_order(mut self, order: DateOrder) -> Self {
        self.date_order = Some(order);
        self
    }

    /// With these columns as the time, joined with a blank.
    #[must_use]
    pub fn with_time_columns<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.time_columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// With these columns as the service, joined with `/`.
    #[must_use]
    pub fn with_service_columns<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.service_columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// With these further words for a missing value.
    #[must_use]
    pub fn with_missing_words<S: Into<String>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.missing_words = words.into_iter().map(Into::into).collect();
        self
    }

    /// With failures without an end as long as this.
    #[must_use]
    pub fn with_lasting_millis(mut self, millis: i64) -> Self {
        self.lasting_millis = millis;
        self
    }
}
