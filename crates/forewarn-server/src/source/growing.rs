//! Text that grows: CSV with a header, or JSON lines, taken piece by piece.

use super::{Minute, Row, late::added};
use crate::ServerError;
use forewarn_io::{Duplicates, ReadOptions, read_from};
use forewarn_schema::{FrameSet, Schema, Step, Timestamp};
use std::collections::BTreeMap;

/// Bytes of whole lines that are read once more with the next piece, so that counters have what to grow from.
const AGAIN_BYTES: usize = 64 << 10;
/// Rows of a service from which the time between them can be told.
const ROWS_THAT_TELL: usize = 5;
/// Bytes that are looked through for a header, and that a line may have.
const LONGEST_LINE: usize = 16 << 20;

/// Minutes of a text of which only the beginning is known. Each line is a record: no cell holds a line break.
pub(super) struct GrowingText {
    name: String,
    metrics: Schema,
    step: Step,
    options: ReadOptions,
    /// Lines before the first record; `None` until they are whole. Empty for JSON.
    header: Option<Vec<u8>>,
    /// The last whole lines.
    again: Vec<u8>,
    /// A line without its end, yet.
    rest: Vec<u8>,
    minutes: BTreeMap<Timestamp, BTreeMap<String, Vec<f32>>>,
    given: Option<Timestamp>,
    /// The last minute that an earlier text had: rows up to it may be those of that text.
    begun_after: Option<Timestamp>,
    /// Whether the time between rows was found to be the model's.
    has_right_step: bool,
    /// Whether every metric that the model reads has been there.
    has_had_all: bool,
    /// Rows of minutes that had been given.
    late: Vec<Row>,
}

impl GrowingText {
    /// `name` stands for it in errors.
    pub(super) fn new(name: String, metrics: Schema, step: Step) -> Self {
        let options = ReadOptions::default().with_step(step).with_duplicates(Duplicates::First);
        Self {
            name,
            metrics,
            step,
            options,
            header: None,
            again: Vec::new(),
            rest: Vec::new(),
            minutes: BTreeMap::new(),
            given: None,
            begun_after: None,
            has_right_step: false,
            has_had_all: false,
            late: Vec::new(),
        }
    }

    /// Takes the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), ServerError> {
        self.rest.extend_from_slice(bytes);
        let Some(end) = self.rest.iter().rposition(|&byte| byte == b'\n') else {
            return if self.rest.len() > LONGEST_LINE {
                Err(self.refuse(format!("a line has no end within {} MiB", LONGEST_LINE >> 20)))
            } else {
                Ok(())
            };
        };
        let rest = self.rest.split_off(end + 1);
        let lines = std::mem::replace(&mut self.rest, rest);
        self.read(lines)
    }

    /// Another text goes on where this one was: with a header of its own, and nothing of the minutes up to the last
    /// one given, which it may repeat.
    pub(super) fn begin_again(&mut self) {
        self.begun_after = self.given;
        (self.header, self.has_right_step, self.has_had_all) = (None, false, false);
        self.again.clear();
        self.rest.clear();
    }

    /// The text has ended: what is left is its last line.
    pub(super) fn end(&mut self) -> Result<(), ServerError> {
        let mut rest = std::mem::take(&mut self.rest);
        if rest.is_empty() {
            return Ok(());
        }
        rest.push(b'\n');
        self.read(rest)
    }

    /// The next minute. The newest is held back, since rows of it may still come, unless `has_ended`.
    pub(super) fn next(&mut self, has_ended: bool) -> Option<Minute> {
        if self.minutes.len() < 2 && !has_ended {
            return None;
        }
        let (time, rows) = self.minutes.pop_first()?;
        self.given = Some(time);
        Some(Minute { time, rows: rows.into_iter().collect() })
    }

    /// Rows of minutes that had been given, since they were taken last.
    pub(super) fn take_late(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.late)
    }

    fn read(&mut self, lines: Vec<u8>) -> Result<(), ServerError> {
        let lines = match &self.header {
            Some(_) => lines,
            None => match header_bytes(&lines) {
                Some(bytes) => {
                    self.header = Some(lines[..bytes].to_vec());
                    lines[bytes..].to_vec()
                }
                None => {
                    // Comments so far: what comes next decides.
                    self.rest.splice(..0, lines);
                    return Ok(());
                }
            },
        };
        if lines.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let header = self.header.as_deref().unwrap_or_default();
        let text = [header, &self.again, &lines].concat();
        self.expect_step(&text)?;
        let frames = read_from(&text[..], &self.name, &self.options)?.frames;
        let columns: Vec<_> = self.metrics.names().map(|name| frames.schema().index_of(name)).collect();
        if let Some(error) = columns.iter().find_map(|column| column.as_ref().err())
            && !self.has_had_all
        {
            return Err(self.refuse(format!("the model reads what it lacks: {error}")));
        }
        self.has_had_all = true;
        // Records name what they have: lines in which nothing has a metric are no reason to end.
        let columns: Vec<Option<usize>> = columns.into_iter().map(Result::ok).collect();
        let values = |row: &[f32]| {
            columns.iter().map(|column| column.map_or(f32::NAN, |column| row[column])).collect::<Vec<f32>>()
        };
        let given = self.given;
        for Row { time, service, values } in
            added(None, &frames, values, |time| given.is_none_or(|given| time > given))
        {
            let own = self.minutes.entry(time).or_default();
            match own.get_mut(&service) {
                // Read again: a counter may have found its growth.
                Some(known) => known.iter_mut().zip(values).for_each(|(known, value)| {
                    if known.is_nan() {
                        *known = value;
                    }
                }),
                None => drop(own.insert(service, values)),
            }
        }
        if let Some(given) = given {
            self.find_late(&frames, values, given);
        }
        self.again.extend_from_slice(&lines);
        if self.again.len() > AGAIN_BYTES {
            let from = self.again.len() - AGAIN_BYTES;
            let line =
                self.again[from..].iter().position(|&byte| byte == b'\n').map_or(from, |at| from + at + 1);
            self.again.drain(..line);
        }
        Ok(())
    }

    /// Keeps rows up to the minute `given` that only the new lines have. A repeated one is told where the lines that
    /// are read once more no longer have it.
    fn find_late(&mut self, frames: &FrameSet, values: impl Fn(&[f32]) -> Vec<f32>, given: Timestamp) {
        let begun_after = self.begun_after;
        let is_late = |time| time <= given && begun_after.is_none_or(|before| time > before);
        let mut known = None;
        if !self.again.is_empty() {
            let text = [self.header.as_deref().unwrap_or_default(), &self.again].concat();
            // Lines that are nothing by themselves, such as comments, have no rows to compare with.
            let Ok(read) = read_from(&text[..], &self.name, &self.options) else { return };
            known = Some(read.frames);
        }
        self.late.extend(added(known.as_ref(), frames, values, is_late));
    }

    /// Whether there are rows to [take](Self::take_late).
    pub(super) fn has_late(&self) -> bool {
        !self.late.is_empty()
    }

    /// Refuses rows that are nearer to each other, or further apart, than those that the model was trained on.
    fn expect_step(&mut self, text: &[u8]) -> Result<(), ServerError> {
        if self.has_right_step {
            return Ok(());
        }
        let options = ReadOptions::default().with_duplicates(Duplicates::First);
        // With a row or two nothing can be told yet, and that is no error.
        let Ok(found) = read_from(text, &self.name, &options) else { return Ok(()) };
        let layout = found.frames.layout();
        if layout.services().iter().all(|service| service.rows().len() < ROWS_THAT_TELL) {
            return Ok(());
        }
        self.has_right_step = true;
        if layout.step() == self.step {
            return Ok(());
        }
        Err(self.refuse(format!(
            "rows are {} s apart, and the model was trained on rows {} s apart",
            layout.step().millis() as f64 / 1000.0,
            self.step.millis() as f64 / 1000.0
        )))
    }

    fn refuse(&self, reason: String) -> ServerError {
        ServerError::Source { what: self.name.clone(), reason }
    }
}

/// Bytes of the lines before the first record: comments and the names of columns. `None` while the names have not come.
fn header_bytes(lines: &[u8]) -> Option<usize> {
    let mut bytes = 0;
    for line in lines.split_inclusive(|&byte| byte == b'\n') {
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
        match text.first() {
            Some(b'{' | b'[') => return Some(bytes),
            Some(b'#') | None => bytes += line.len(),
            Some(_) => return Some(bytes + line.len()),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Kind, Metric, Unit, ValidRange};

    fn schema() -> Schema {
        let metric = |name| Metric::new(name, Unit::Ratio, Kind::Ratio, ValidRange::UNIT);
        Schema::new(vec![metric("error_rate")]).unwrap()
    }

    fn text() -> GrowingText {
        GrowingText::new("text".to_owned(), schema(), Step::MINUTE)
    }

    type Rows = Vec<(String, Vec<f32>)>;

    fn drained(text: &mut GrowingText, has_ended: bool) -> Vec<(i64, Rows)> {
        std::iter::from_fn(|| text.next(has_ended))
            .map(|minute| (minute.time.millis() / 60_000, minute.rows))
            .collect()
    }

    fn csv(minutes: std::ops::Range<i64>) -> String {
        let row = |minute: i64| {
            let time = Timestamp::from_millis(minute * 60_000).unwrap();
            ["web", "api"].map(|service| format!("{time},{service},0.{:03}\n", minute % 1000)).concat()
        };
        minutes.map(row).collect()
    }

    #[test]
    fn pieces_of_any_size_give_the_minutes_of_the_whole() {
        let base = 29_000_000;
        let whole = format!("# from a test\ntimestamp,service,error_rate\n{}", csv(base..base + 300));
        let mut expected = text();
        expected.push(whole.as_bytes()).unwrap();
        let expected = drained(&mut expected, true);
        assert_eq!(expected.len(), 300);
        for size in [1_000, 4_093, 100_000] {
            let (mut growing, mut found) = (text(), Vec::new());
            for piece in whole.as_bytes().chunks(size) {
                growing.push(piece).unwrap();
                found.extend(drained(&mut growing, false));
            }
            assert_eq!(found.len(), 299, "the newest minute is held back");
            growing.end().unwrap();
            found.extend(drained(&mut growing, true));
            assert_eq!(found, expected);
            assert_eq!(growing.take_late(), []);
        }
    }

    #[test]
    fn json_lines_need_no_header_and_late_rows_are_told_once() {
        let line = |minute: i64, service: &str| {
            let time = minute * 60;
            format!("{{\"timestamp\":{time},\"service\":\"{service}\",\"error_rate\":0.5}}\n")
        };
        let base = 29_000_000;
        let mut growing = text();
        for minute in base..base + 4 {
            growing.push(line(minute, "web").as_bytes()).unwrap();
        }
        assert_eq!(drained(&mut growing, false).len(), 3);
        growing.push(line(base, "api").as_bytes()).unwrap();
        growing.push(line(base + 4, "web").as_bytes()).unwrap();
        assert_eq!(drained(&mut growing, false).len(), 1);
        let time = Timestamp::from_millis(base * 60_000).unwrap();
        assert_eq!(growing.take_late(), [Row { time, service: "api".to_owned(), values: vec![0.5] }]);
        assert_eq!(growing.take_late(), []);
    }

    #[test]
    fn lines_without_a_metric_and_repeated_ones_are_no_trouble() {
        let metric = |name| Metric::new(name, Unit::Ratio, Kind::Ratio, ValidRange::UNIT);
        let schema = Schema::new(vec![metric("error_rate"), metric("cpu")]).unwrap();
        let mut growing = GrowingText::new("text".to_owned(), schema, Step::MINUTE);
        let base = 29_000_000_i64;
        let line = |minute: i64, rest: &str| {
            let time = minute * 60;
            format!("{{\"timestamp\":{time},\"service\":\"web\",\"error_rate\":0.5{rest}}}\n")
        };
        for minute in base..base + 3 {
            growing.push(line(minute, ",\"cpu\":0.25").as_bytes()).unwrap();
        }
        assert_eq!(drained(&mut growing, false).len(), 2);
        growing.push(line(base + 3, "").as_bytes()).unwrap();
        growing.push(line(base + 1, ",\"cpu\":0.25").as_bytes()).unwrap();
        assert_eq!(growing.take_late(), [], "it was given");
        // More than is read once more, and nothing has it any longer.
        let without = |minute| line(base + 4 + minute, "");
        let text: String = (0..2000).map(without).collect();
        growing.push(text.as_bytes()).unwrap();
        growing.push(without(2000).as_bytes()).unwrap();
        let found: Vec<_> = drained(&mut growing, true).into_iter().take(2).collect();
        let known = |row: &[f32]| row.iter().map(|value| !value.is_nan()).collect::<Vec<_>>();
        let found: Vec<_> = found.iter().map(|(minute, rows)| (minute - base, known(&rows[0].1))).collect();
        assert_eq!(found, [(2, vec![true, true]), (3, vec![true, false])]);
    }

    #[test]
    fn another_text_goes_on_where_the_first_was() {
        let base = 29_000_000;
        let mut growing = text();
        growing.push(format!("timestamp,service,error_rate\n{}", csv(base..base + 10)).as_bytes()).unwrap();
        assert_eq!(drained(&mut growing, false).len(), 9);
        growing.begin_again();
        growing
            .push(format!("service,timestamp,error_rate\nweb,{},0.5\n", (base + 12) * 60).as_bytes())
            .unwrap();
        let found = drained(&mut growing, true);
        assert_eq!(found.iter().map(|(minute, _)| minute - base).collect::<Vec<_>>(), [9, 12]);
        // What the first may have had is not told once more; what came since is.
        for minute in [base + 5, base + 11] {
            growing.push(format!("api,{},0.25\n", minute * 60).as_bytes()).unwrap();
        }
        let late = growing.take_late();
        assert_eq!(late.iter().map(|row| row.time.millis() / 60_000 - base).collect::<Vec<_>>(), [11]);
    }

    #[test]
    fn what_the_model_lacks_and_lines_without_end_are_told() {
        let mut growing = text();
        let error = growing.push(b"timestamp,service,cpu\n2026-01-01T00:00:00Z,web,0.1\n").unwrap_err();
        assert!(error.to_string().contains("error_rate"), "{error}");
        let near: String = (0..20).map(|row| format!("2026-01-01T00:00:{:02}Z,web,0.1\n", 3 * row)).collect();
        let error = text().push(format!("timestamp,service,error_rate\n{near}").as_bytes()).unwrap_err();
        assert!(error.to_string().contains("3 s apart"), "{error}");
        let mut growing = text();
        let long = vec![b'x'; LONGEST_LINE + 1];
        assert!(growing.push(&long).unwrap_err().to_string().contains("no end"));
    }
}
