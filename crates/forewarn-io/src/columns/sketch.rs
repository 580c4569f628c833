use super::names::{TIME_NAMES, is_one_of};
use crate::{
    DateOrder,
    columns::time_form::{ShownOrder, is_compact_date, is_spreadsheet_time, is_text_time, shown_order},
};
use forewarn_core::table::{Decimal, exponent_digits, is_missing, number};

/// What the first cells of a column hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sketch {
    numbers: u64,
    /// Numbers that are one more than the one before.
    consecutive: u64,
    pub(super) fractions: u64,
    last: Option<f64>,
    pub(super) times: u64,
    texts: u64,
    pub(super) others: bool,
    /// Numbers that are neither 0 nor 1.
    pub(super) measures: u64,
    /// Numbers that may be dates, and days with a fraction as spreadsheets count them.
    dates: u64,
    days: u64,
    /// Whole numbers that may be such days.
    whole_days: u64,
    /// Most digits of a number with an exponent.
    pub(super) exponent_digits: usize,
    /// Which number of its dates is the day, where one of them shows it.
    pub(super) order: Option<DateOrder>,
}

impl Sketch {
    /// Adds a cell.
    pub(crate) fn push(&mut self, text: &str, decimal: Option<Decimal>) {
        if is_missing(text) {
            return;
        }
        if is_text_time(text) {
            self.times += 1;
            if let (None, Some(ShownOrder::Order(order))) = (self.order, shown_order(text)) {
                self.order = Some(order);
            }
        } else if let Ok(value) = number(text, decimal) {
            self.numbers += 1;
            self.exponent_digits = self.exponent_digits.max(exponent_digits(text).unwrap_or(0));
            self.fractions += u64::from(value.fract() != 0.0);
            self.dates += u64::from(is_compact_date(text));
            self.days += u64::from(is_spreadsheet_time(text));
            self.whole_days += u64::from(value.fract() == 0.0 && (30_000.0..60_000.0).contains(&value));
            self.measures += u64::from(value != 0.0 && value != 1.0);
            self.consecutive += u64::from(self.last.is_some_and(|last| value == last + 1.0));
            self.last = Some(value);
        } else if text.trim().starts_with(|c: char| c.is_ascii_digit()) {
            // A number with a unit.
            self.numbers += 1;
            self.fractions += 1;
        } else {
            self.texts += 1;
        }
    }

    /// That of a column of text, which may be times where it is called so.
    pub(crate) fn of_text(name: &str) -> Self {
        match is_one_of(name, &TIME_NAMES) {
            true => Self::of_time(),
            false => Self { texts: 1, ..Self::default() },
        }
    }

    /// That of a column that holds neither numbers, times nor text.
    pub(crate) fn of_other() -> Self {
        Self { others: true, ..Self::default() }
    }

    pub(crate) fn of_time() -> Self {
        Self { times: 1, ..Self::default() }
    }

    /// That of a column of numbers, whole ones or not.
    pub(crate) fn of_number(is_whole: bool) -> Self {
        Self { numbers: 2, fractions: u64::from(!is_whole), ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.numbers + self.times + self.texts == 0 && !self.others
    }

    pub(super) fn is_text(&self) -> bool {
        self.numbers == 0 && self.texts > 0
    }

    /// Whether it holds what is neither a number, a time nor text.
    pub(crate) fn holds_others(&self) -> bool {
        self.others
    }

    pub(crate) fn is_time(&self) -> bool {
        self.times > 0 && self.numbers + self.texts == 0
    }

    /// Whether all its numbers may be dates.
    pub(super) fn may_be_dates(&self) -> bool {
        self.dates > 0 && self.dates == self.numbers && self.texts + self.times == 0
    }

    /// Whether its numbers are days as spreadsheets count them: one has a fraction, or the column is called so.
    pub(super) fn counts_days(&self, is_called_date: bool) -> bool {
        self.numbers > 0
            && self.days + self.whole_days == self.numbers
            && self.texts + self.times == 0
            && (self.days > 0 || is_called_date)
    }

    /// Whether all its numbers are 0 or 1, as far as is known.
    pub(super) fn may_be_flags(&self) -> bool {
        self.numbers > 0 && self.texts + self.times + self.fractions + self.measures == 0 && !self.others
    }

    pub(super) fn counts_rows(&self) -> bool {
        self.numbers > 0
            && self.texts + self.times + self.fractions == 0
            && self.consecutive + 1 == self.numbers
    }
}
