use crate::{
    CellChange, IoError, ReadOptions,
    columns::slots::{Counter, Slot, Slots},
    error::{Place, clip},
    options::Conversion,
};
use forewarn_core::table::{self, Decimal, NotANumber};
use forewarn_schema::{Unit, ValidRange};

/// How far outside its range a value may be by rounding, of the range's end or of one, whichever is larger.
const ROUNDING: f32 = 1e-6;

/// Reads the cells of files as values of metrics.
#[derive(Debug)]
pub(crate) struct CellReader {
    pub(crate) decimal: Option<Decimal>,
    missing_words: Vec<String>,
    unknown_labels: Vec<String>,
    outcome_equals: Option<String>,
}

/// Why a cell has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Text,
    Ambiguous,
    OutOfRange,
    NoOutcome,
}

/// The values of one row.
#[derive(Debug, Default)]
pub(crate) struct RowValues {
    /// By slot, NaN where missing.
    pub(crate) sample: Vec<f32>,
    /// By counter, as the file has them.
    pub(crate) raws: Vec<f64>,
    /// What became of cells that were not taken as they are.
    pub(crate) changes: Vec<(usize, CellChange)>,
}

impl RowValues {
    /// Nothing but missing values.
    pub(crate) fn clear(&mut self, slots: &Slots) {
        self.sample.clear();
        self.sample.resize(slots.len(), f32::NAN);
        self.raws.clear();
        self.raws.resize(slots.counters.len(), f64::NAN);
        self.changes.clear();
    }
}

impl CellReader {
    pub(crate) fn new(options: &ReadOptions) -> Self {
        Self {
            decimal: options.decimal,
            missing_words: options.missing_words.clone(),
            unknown_labels: options.unknown_labels.clone(),
            outcome_equals: options.outcome_equals.clone(),
        }
    }

    /// Takes a cell as the value of the metric in `slot` where it is what a file mostly has: few digits, with a point or
    /// not, within their range. False where it has to be read as [`text`](Self::text).
    #[inline]
    pub(crate) fn digits(&self, slots: &Slots, slot: usize, cell: &[u8], row: &mut RowValues) -> bool {
        let place = &slots.slots[slot];
        match short_number(cell.trim_ascii()) {
            Some(value)
                if self.decimal != Some(Decimal::Comma)
                    && place.is_plain()
                    && place.metric.range.contains(value) =>
            {
                row.sample[slot] = value;
                true
            }
            _ => false,
        }
    }

    /// Reads a cell of text as the value of the metric in `slot`.
    #[inline]
    pub(crate) fn text(
        &self,
        slots: &Slots,
        slot: usize,
        text: &str,
        row: &mut RowValues,
    ) -> Result<(), Fault> {
        let place = &slots.slots[slot];
        // What a file mostly has: digits with a point, without blanks, within their range.
        if self.decimal != Some(Decimal::Comma)
            && let Ok(value) = text.parse::<f32>()
            && place.metric.range.contains(value)
            && place.is_plain()
        {
            row.sample[slot] = value;
            return Ok(());
        }
        self.odd_text(place, slot, text.trim(), row)
    }

    fn odd_text(&self, place: &Slot, slot: usize, text: &str, row: &mut RowValues) -> Result<(), Fault> {
        let is = |words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        if table::is_missing(text) || is(&self.missing_words) {
            return Ok(());
        }
        if place.is_outcome() {
            if !is(&self.unknown_labels) {
                row.sample[slot] = f32::from(u8::from(self.outcome(text).ok_or(Fault::NoOutcome)?));
            }
            return Ok(());
        }
        let plain = match table::number(text, self.decimal) {
            Ok(value) => Ok(value),
            Err(NotANumber::Ambiguous) => return Err(Fault::Ambiguous),
            Err(_) => Err(()),
        };
        let (value, factor) = match plain {
            Ok(value) => (value, place.factor),
            Err(()) => {
                let (value, factor) = self.with_unit(place, text).ok_or(Fault::Text)?;
                row.changes.push((slot, CellChange::Converted));
                (value, factor)
            }
        };
        let is_word = value.is_infinite() && !text.bytes().any(|byte| byte.is_ascii_digit());
        if value.is_infinite() && !is_word {
            return Err(Fault::OutOfRange);
        }
        if factor == 1.0 && place.counter == Counter::No && !is_word {
            // Rounded once, and not by way of double precision.
            let value = table::number_f32(text, self.decimal).unwrap_or(value as f32);
            if value.is_infinite() {
                return Err(Fault::OutOfRange);
            }
            return put_f32(place, slot, value, row);
        }
        put(place, slot, value * factor, row)
    }

    /// A number that is followed by a unit, and the factor that makes it the metric's.
    fn with_unit(&self, place: &Slot, text: &str) -> Option<(f64, f64)> {
        let end = text.rfind(|c: char| c.is_ascii_digit() || c == '.')? + 1;
        let (head, symbol) = text.split_at(end);
        let (value, symbol) = (table::number(head, self.decimal).ok()?, symbol.trim());
        let conversion = Conversion::of(symbol);
        match (&conversion.unit, &place.metric.unit) {
            (Unit::Other(_) | Unit::Dimensionless | Unit::CountPerStep, _) => None,
            (cell, metric) if cell == metric => Some((value, conversion.factor)),
            // Of a column whose unit is not known, per cent stay what they are, and times become milliseconds.
            (Unit::Ratio, _) if place.open_unit => Some((value, 1.0)),
            (Unit::Milliseconds | Unit::KilobytesPerSecond, _) if place.open_unit => {
                Some((value, conversion.factor))
            }
            _ => None,
        }
    }

    /// Whether an outcome cell says that the service was failing.
    fn outcome(&self, text: &str) -> Option<bool> {
        let Some(failing) = &self.outcome_equals else { return table::flag(text) };
        let failing = failing.trim();
        if failing.eq_ignore_ascii_case(text) {
            return Some(true);
        }
        if let (Ok(a), Ok(b)) = (table::number(failing, self.decimal), table::number(text, self.decimal)) {
            return Some(a == b);
        }
        if let (Some(a), Some(b)) = (table::flag(failing), table::flag(text)) {
            return Some(a == b);
        }
        Some(false)
    }

    /// Takes a number as the value of the metric in `slot`.
    pub(crate) fn number(
        &self,
        slots: &Slots,
        slot: usize,
        value: f64,
        row: &mut RowValues,
    ) -> Result<(), Fault> {
        let place = &slots.slots[slot];
        if value.is_nan() {
            return Ok(());
        }
        if place.is_outcome() {
            let unknown =
                |word: &String| table::number(word, self.decimal).is_ok_and(|unknown| unknown == value);
            if !self.unknown_labels.iter().any(unknown) {
                let outcome = match &self.outcome_equals {
                    Some(_) => self.outcome(&value.to_string()),
                    None if value == 0.0 || value == 1.0 => Some(value == 1.0),
                    None => None,
                };
                row.sample[slot] = f32::from(u8::from(outcome.ok_or(Fault::NoOutcome)?));
            }
            return Ok(());
        }
        put(place, slot, value * place.factor, row)
    }

    /// Takes a number in single precision.
    pub(crate) fn number_f32(
        &self,
        slots: &Slots,
        slot: usize,
        value: f32,
        row: &mut RowValues,
    ) -> Result<(), Fault> {
        let place = &slots.slots[slot];
        if place.counter == Counter::No && place.factor == 1.0 && !place.is_outcome() {
            if value.is_nan() {
                return Ok(());
            }
            return put_f32(place, slot, value, row);
        }
        self.number(slots, slot, f64::from(value), row)
    }
}

/// A number of up to seven digits, with a point or not, as the standard library reads it: digits and the power of ten are
/// exact, so that their quotient is rounded once.
#[inline]
fn short_number(text: &[u8]) -> Option<f32> {
    const POWERS: [f32; 8] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7];
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let (mut number, mut count, mut behind) = (0u32, 0usize, None);
    // Seven digits and the point.
    if digits.len() > 8 {
        return None;
    }
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                number = 10 * number + u32::from(byte - b'0');
                count += 1;
            }
            b'.' if behind.is_none() => behind = Some(count),
            _ => return None,
        }
    }
    if count == 0 || count == 8 {
        return None;
    }
    let value = number as f32 / POWERS[behind.map_or(0, |behind| count - behind)];
    Some(if is_negative { -value } else { value })
}

fn put(place: &Slot, slot: usize, value: f64, row: &mut RowValues) -> Result<(), Fault> {
    if value.is_infinite() {
        row.changes.push((slot, CellChange::Infinite));
        return Ok(());
    }
    if place.counter != Counter::No {
        row.raws[place.counter_at] = value;
        return Ok(());
    }
    let single = value as f32;
    if single.is_infinite() { Err(Fault::OutOfRange) } else { put_f32(place, slot, single, row) }
}

fn put_f32(place: &Slot, slot: usize, value: f32, row: &mut RowValues) -> Result<(), Fault> {
    let range = place.metric.range;
    if range.contains(value) {
        row.sample[slot] = value;
    } else if value.is_infinite() {
        row.changes.push((slot, CellChange::Infinite));
    } else {
        row.sample[slot] = clamped(range, value).ok_or(Fault::OutOfRange)?;
        row.changes.push((slot, CellChange::Clamped));
    }
    Ok(())
}

/// The end of a range that a value is beyond by no more than rounding.
fn clamped(range: ValidRange, value: f32) -> Option<f32> {
    [range.min(), range.max()]
        .into_iter()
        .find(|end| end.is_finite() && (value - end).abs() <= ROUNDING * end.abs().max(1.0))
}

impl Fault {
    /// The error for a cell of a column.
    pub(crate) fn at(self, place: Place, column: &str, text: &str, slot: &Slot) -> IoError {
        let (column, text) = (clip(column), clip(text.trim()));
        match self {
            Self::Text => IoError::NotANumber { place, column, text },
            Self::Ambiguous => IoError::AmbiguousNumber { place, column, text },
            Self::NoOutcome => IoError::InvalidOutcome { place, column, value: text },
            Self::OutOfRange => {
                let (range, unit) = (slot.metric.range, slot.metric.unit.clone());
                IoError::OutOfRange { place, column, value: text, range, unit }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(options: &ReadOptions, metric: &str, text: &str) -> Result<(f32, Vec<CellChange>), Fault> {
        let mut slots = Slots::new(options).unwrap();
        let slot = slots.find_or_add(metric).unwrap();
        let mut row = RowValues::default();
        row.clear(&slots);
        CellReader::new(options).text(&slots, slot, text, &mut row)?;
        let value = row.raws.first().map_or(row.sample[slot], |raw| *raw as f32);
        Ok((value, row.changes.into_iter().map(|(_, change)| change).collect()))
    }

    proptest! {
        #[test]
        fn short_numbers_are_those_of_the_standard_library(
            text in "-?[0-9]{0,5}\\.?[0-9]{0,5}", other in "[-+0-9.e]{0,4}"
        ) {
            for text in [text, other] {
                if let Some(value) = short_number(text.as_bytes()) {
                    prop_assert_eq!(Ok(value.to_bits()), text.parse::<f32>().map(f32::to_bits), "{}", text);
                }
            }
        }

        #[test]
        fn seven_digits_are_short(number in 0u32..10_000_000, digits in 0usize..8) {
            let text = format!("{number:07}");
            let text = format!("{}.{}", &text[..digits.min(7)], &text[digits.min(7)..]);
            prop_assert_eq!(short_number(text.as_bytes()), text.parse().ok(), "{}", text);
        }
    }

    #[test]
    fn numbers_are_rounded_once() {
        let plain = ReadOptions::default();
        for (text, expected) in [
            (" +1.5e-3\r", 0.0015),
            ("1.00000005960464477540", 1.000_000_1),
            (" 1.00000005960464477540 ", 1.000_000_1),
        ] {
            assert_eq!(read(&plain, "x", text), Ok((expected, vec![])), "{text}");
        }
        assert_eq!(read(&plain, "x", "1e39"), Err(Fault::OutOfRange));
        assert_eq!(read(&plain, "x", "1e399"), Err(Fault::OutOfRange));
    }

    #[test]
    fn infinities_are_missing_and_rounding_is_put_right() {
        let plain = ReadOptions::default();
        for text in ["+Inf", "-inf", "Infinity", "\u{221e}"] {
            let (value, changes) = read(&plain, "p99_latency", text).unwrap();
            assert!(value.is_nan() && changes == [CellChange::Infinite], "{text}");
        }
        assert_eq!(read(&plain, "error_rate", "-1e-17"), Ok((0.0, vec![CellChange::Clamped])));
        assert_eq!(read(&plain, "error_rate", "1.0000009"), Ok((1.0, vec![CellChange::Clamped])));
        assert_eq!(read(&plain, "error_rate", "1.00001"), Err(Fault::OutOfRange));
        assert_eq!(read(&plain, "error_rate", "-0.001"), Err(Fault::OutOfRange));
    }

    #[test]
    fn units_in_cells_and_of_columns() {
        let plain = ReadOptions::default();
        let converted = |value| Ok((value, vec![CellChange::Converted]));
        assert_eq!(read(&plain, "error_rate", "5 %"), converted(0.05));
        assert_eq!(read(&plain, "error_rate", "5%"), converted(0.05));
        assert_eq!(read(&plain, "p99_latency", "245 ms"), converted(245.0));
        assert_eq!(read(&plain, "p99_latency", "1.5s"), converted(1500.0));
        assert_eq!(read(&plain, "queue", "12 %"), converted(12.0));
        assert_eq!(read(&plain, "queue", "3 s"), converted(3000.0));
        assert_eq!(read(&plain, "error_rate", "5 ms"), Err(Fault::Text));
        assert_eq!(read(&plain, "queue", "5 apples"), Err(Fault::Text));
        let seconds = ReadOptions::default().with_unit("p99_latency", "s").with_unit("error_rate", "%");
        assert_eq!(read(&seconds, "p99_latency", "0.25"), Ok((250.0, vec![])));
        assert_eq!(read(&seconds, "p99_latency", "250 ms"), converted(250.0));
        assert_eq!(read(&seconds, "error_rate", "5"), Ok((0.05, vec![])));
        assert!(
            Slots::new(&ReadOptions::default().with_unit("error_rate", "s"))
                .unwrap()
                .find_or_add("error_rate")
                .is_err()
        );
    }

    #[test]
    fn outcomes_may_be_any_words() {
        let plain = ReadOptions::default().with_outcome_column("down");
        for (text, expected) in [("yes", 1.0), ("No", 0.0), ("TRUE", 1.0), ("0.0", 0.0)] {
            assert_eq!(read(&plain, "down", text), Ok((expected, vec![])), "{text}");
        }
        assert!(read(&plain, "down", "<NA>").unwrap().0.is_nan());
        assert_eq!(read(&plain, "down", "-1"), Err(Fault::NoOutcome));
        let unknown = plain.with_unknown_labels(["-1"]);
        assert!(read(&unknown, "down", "-1").unwrap().0.is_nan());
        let up = ReadOptions::default().with_outcome_column("up").with_outcome_equals("0");
        for (text, expected) in [("0", 1.0), ("1", 0.0), ("0.0", 1.0), ("false", 1.0)] {
            assert_eq!(read(&up, "up", text), Ok((expected, vec![])), "{text}");
        }
        let state = ReadOptions::default().with_outcome_column("state").with_outcome_equals("critical");
        assert_eq!(read(&state, "state", "Critical"), Ok((1.0, vec![])));
        assert_eq!(read(&state, "state", "ok"), Ok((0.0, vec![])));
    }
}
