use super::{is_text_time, lines::LineEnds, number};
use serde::{Deserialize, Serialize};

/// What separates the whole part of a number from its fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decimal {
    /// `1.5`
    Point,
    /// `1,5`
    Comma,
}

/// How a table of text is written, as found in its first lines or as asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dialect {
    /// Between two cells: a comma, a semicolon, a tab, a vertical bar or any number of blanks, unless another was asked
    /// for.
    pub separator: u8,
    /// How numbers are written; `None` while none with a fraction has been seen.
    pub decimal: Option<Decimal>,
    /// Whether the text is annotated CSV, as `InfluxDB` writes it.
    pub annotated: bool,
    pub(super) line_ends: LineEnds,
    /// Whether lines that begin with `#` are left out.
    pub(super) comments: bool,
    /// Rows before the header: a line `sep=;`, comments before a header that is one itself, and titles.
    pub(super) rows_before_header: usize,
    /// Lines of text above the header that are no part of the table.
    pub titles: usize,
    /// Whether the header begins with `#`.
    pub(super) marked_header: bool,
    /// Empty cells at the end of all rows, or of the header, that have none on the other side.
    pub surplus: Surplus,
}

/// Separators at the end of lines that separate nothing: some programs write one behind each value, and none behind the
/// names, or the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surplus {
    /// Header and rows have as many cells as one another.
    None,
    /// Each row has this many empty cells more than the header.
    OfRows(usize),
    /// The header ends with this many empty names more than rows have cells.
    OfHeader(usize),
}

/// Separators that are looked for, the likeliest first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Lines that are looked at.
const SAMPLE_LINES: usize = 200;

impl Dialect {
    /// Finds the dialect of a text from its first bytes.
    #[must_use]
    pub fn sniff(prefix: &[u8], separator: Option<u8>, decimal: Option<Decimal>) -> Self {
        let text = prefix.strip_prefix(b"\xef\xbb\xbf").unwrap_or(prefix);
        let carriage_return = text.contains(&b'\r') && !text.contains(&b'\n');
        let (line_ends, end) =
            if carriage_return { (LineEnds::CarriageReturn, b'\r') } else { (LineEnds::LineFeed, b'\n') };
        let mut lines: Vec<&[u8]> = text.split(|&byte| byte == end).take(SAMPLE_LINES + 1).collect();
        // What the prefix cuts off says nothing, unless it is all there is.
        if lines.len() > 1 {
            lines.pop();
        }
        lines.retain(|line| !line.trim_ascii().is_empty() && !is_frame(line));
        let mut dialect = Self {
            separator: separator.unwrap_or(b','),
            decimal,
            annotated: false,
            line_ends,
            comments: false,
            rows_before_header: 0,
            titles: 0,
            marked_header: false,
            surplus: Surplus::None,
        };
        let mut lines = lines.as_slice();
        let mut named = separator;
        if let Some((first, rest)) = lines.split_first()
            && let Some(&[mark, ..]) = first.trim_ascii_start().strip_prefix(b"sep=")
        {
            named = named.or(Some(mark));
            (lines, dialect.rows_before_header) = (rest, 1);
        }
        let comments = lines.iter().take_while(|line| line.starts_with(b"#")).count();
        let (before, rest) = lines.split_at(comments);
        dialect.annotated = before.iter().any(|line| {
            [&b"#group"[..], b"#datatype", b"#default"].iter().any(|mark| line.starts_with(mark))
        });
        if comments > 0 {
            let begins_with_digit = rest.first().is_some_and(|line| {
                line.trim_ascii_start().first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'"')
            });
            let is_header = begins_with_digit || is_header_of(before[comments - 1], rest, named);
            if !dialect.annotated && is_header {
                lines = &lines[comments - 1..];
                dialect.rows_before_header += comments - 1;
                dialect.marked_header = true;
            } else {
                lines = rest;
                dialect.comments = true;
            }
        }
        dialect.separator = named.unwrap_or_else(|| find_separator(lines));
        // A first line like which hardly any other is may be a title.
        if !dialect.annotated && alike(lines, dialect.separator) * 2 < lines.len().clamp(1, 21) {
            let candidates: &[u8] = match &named {
                Some(separator) => std::slice::from_ref(separator),
                None => &SEPARATORS,
            };
            let found = candidates.iter().find_map(|&mark| titles(lines, mark).map(|titles| (mark, titles)));
            if let Some((separator, titles)) = found {
                (dialect.separator, dialect.titles) = (separator, titles);
                dialect.rows_before_header += titles;
                lines = &lines[titles..];
            } else if named.is_none() && is_blank_separated(lines) {
                dialect.separator = b' ';
            }
        }
        if !dialect.annotated {
            dialect.surplus = surplus(lines, dialect.separator);
        }
        if decimal.is_none() {
            dialect.decimal = find_decimal(lines.get(1..).unwrap_or_default(), dialect.separator);
        }
        dialect
    }
}

/// Whether a comment is the header of the rows below it: it has as many cells as they, words all of them, and the first
/// row has a number or a time.
fn is_header_of(comment: &[u8], rows: &[&[u8]], separator: Option<u8>) -> bool {
    let separator = separator.unwrap_or_else(|| {
        let mut lines = vec![comment];
        lines.extend(rows.iter().filter(|row| !row.starts_with(b"#")));
        find_separator(&lines)
    });
    let names = comment.strip_prefix(b"#").unwrap_or(comment);
    let count = cells(names, separator).count();
    let is_word = |cell: &[u8]| !cell.trim_ascii().is_empty() && !cell.trim_ascii()[0].is_ascii_digit();
    let is_value =
        |cell: &[u8]| str::from_utf8(cell).is_ok_and(|cell| is_text_time(cell) || number(cell, None).is_ok());
    rows.first().is_some_and(|first| {
        count > 1
            && cells(first, separator).count() == count
            && cells(names, separator).all(is_word)
            && cells(first, separator).any(is_value)
    })
}

/// Empty cells that all rows have behind the header's, or that the header has behind theirs.
fn surplus(lines: &[&[u8]], separator: u8) -> Surplus {
    // Blanks at the end of a line separate nothing anyway.
    let Some((header, rows)) = lines.split_first().filter(|_| separator != b' ') else {
        return Surplus::None;
    };
    let count = |line: &[u8]| cells(line, separator).count();
    let is_blank = |cell: &[u8]| matches!(cell.trim_ascii(), b"" | b"\"\"");
    let expected = count(header);
    let mut rows = rows.iter().filter(|row| !row.starts_with(b"#")).take(20).peekable();
    let Some(got) = rows.peek().map(|row| count(row)).filter(|_| expected > 1) else { return Surplus::None };
    if got > expected {
        let mut alike = rows.filter(|row| count(row) == got);
        let are_empty = alike.all(|row| cells(row, separator).skip(expected).all(is_blank));
        return if are_empty { Surplus::OfRows(got - expected) } else { Surplus::None };
    }
    let are_unnamed = got < expected && cells(header, separator).skip(got).all(is_blank);
    if are_unnamed && rows.all(|row| count(row) == got) {
        Surplus::OfHeader(expected - got)
    } else {
        Surplus::None
    }
}

/// Whether a line is one of the frame that terminals draw around tables, as in `|-----|-----|`.
fn is_frame(line: &[u8]) -> bool {
    line.windows(2).any(|marks| marks == b"--")
        && line.trim_ascii().iter().all(|byte| b"-+=:| ".contains(byte))
}

/// The separator that cuts the header into cells, and the rows into as many.
fn find_separator(lines: &[&[u8]]) -> u8 {
    let Some((header, rows)) = lines.split_first() else { return b',' };
    let score = |&separator: &u8| {
        let cells = cells(header, separator).count();
        let alike = rows.iter().take(20).filter(|row| self::cells(row, separator).count() == cells).count();
        (cells > 1, alike, cells)
    };
    // The first of those with the best score.
    SEPARATORS.into_iter().rev().max_by_key(score).unwrap_or(b',')
}

/// Rows that have as many cells as the first line, if that is more than one.
fn alike(lines: &[&[u8]], separator: u8) -> usize {
    let Some((header, rows)) = lines.split_first() else { return 0 };
    let count = cells(header, separator).count();
    rows.iter().take(20).filter(|row| count > 1 && cells(row, separator).count() == count).count()
}

/// Most titles above a header.
const TITLES: usize = 10;

/// Lines above the header of a table: they have another number of cells than it, and it has as many as the rows after
/// it, all of them words where the rows have numbers.
fn titles(lines: &[&[u8]], separator: u8) -> Option<usize> {
    let digit = |cell: &[u8]| {
        let cell = cell.trim_ascii();
        cell.strip_prefix(b"\"").unwrap_or(cell).first().is_some_and(u8::is_ascii_digit)
    };
    let count = |line: &[u8]| cells(line, separator).count();
    (1..=TITLES.min(lines.len().saturating_sub(2))).find(|&at| {
        let (header, rows) = (lines[at], &lines[at + 1..lines.len().min(at + 6)]);
        let expected = count(header);
        expected > 1
            && lines[..at].iter().all(|line| count(line) != expected)
            && rows.iter().all(|row| count(row) == expected && cells(row, separator).any(digit))
            && cells(header, separator).all(|cell| !cell.trim_ascii().is_empty() && !digit(cell))
    })
}

/// Whether header and rows have as many cells as one another, and more than one, if blanks separate them.
fn is_blank_separated(lines: &[&[u8]]) -> bool {
    let count = |line: &[u8]| {
        let (mut count, mut quoted, mut within) = (0, false, false);
        for &byte in line {
            let is_blank = !quoted && byte.is_ascii_whitespace();
            count += usize::from(!is_blank && !within);
            within = !is_blank;
            quoted ^= byte == b'"';
        }
        count
    };
    let Some((header, rows)) = lines.split_first() else { return false };
    let expected = count(header);
    expected > 1 && !rows.is_empty() && rows.iter().take(20).all(|row| count(row) == expected)
}

/// The cells of a line, with their quotes.
fn cells(line: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    line.split(move |&byte| {
        quoted ^= byte == b'"';
        byte == separator && !quoted
    })
}

/// How the numbers in these lines are written; `None` where none has a fraction, and where they could be either.
fn find_decimal(lines: &[&[u8]], separator: u8) -> Option<Decimal> {
    // What may be thousands as well says little: `1.234` beside `0,5` is above one thousand.
    let (mut point, mut perhaps_point, mut comma) = (false, false, false);
    for cell in lines.iter().flat_map(|line| cells(line, separator)) {
        let cell = cell.trim_ascii();
        let cell = cell.strip_prefix(b"\"").and_then(|cell| cell.strip_suffix(b"\"")).unwrap_or(cell);
        let Ok(cell) = str::from_utf8(cell) else { continue };
        if let Some((whole, fraction)) = split_fraction(cell, '.') {
            perhaps_point = true;
            point |= !could_be_thousands(whole, fraction);
        }
        comma |=
            split_fraction(cell, ',').is_some_and(|(whole, fraction)| !could_be_thousands(whole, fraction));
    }
    match (point, comma) {
        (true, _) => Some(Decimal::Point),
        (false, true) => Some(Decimal::Comma),
        (false, false) => perhaps_point.then_some(Decimal::Point),
    }
}

/// Digits before and after the one `mark` of a number.
pub(super) fn split_fraction(text: &str, mark: char) -> Option<(&str, &str)> {
    let (whole, fraction) = text.strip_prefix(['+', '-']).unwrap_or(text).split_once(mark)?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(fraction)).then_some((whole, fraction))
}

/// Whether `1,234` may be one thousand and more.
pub(super) fn could_be_thousands(whole: &str, fraction: &str) -> bool {
    fraction.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sniff(text: &str) -> (char, Option<Decimal>) {
        let dialect = Dialect::sniff(text.as_bytes(), None, None);
        (dialect.separator.into(), dialect.decimal)
    }

    #[test]
    fn separators_and_decimals_are_found() {
        for (text, expected) in [
            ("a,b\n1,2\n", (',', None)),
            ("a;b\n0,5;2\n", (';', Some(Decimal::Comma))),
            ("a;b\n0.5;2\n", (';', Some(Decimal::Point))),
            ("a;b\n1,234;2\n", (';', None)),
            ("a;b\n1.234;0,5\n", (';', Some(Decimal::Comma))),
            ("a;b\n1.234;5\n", (';', Some(Decimal::Point))),
            ("a\tb\r\n1\t2,25\r\n", ('\t', Some(Decimal::Comma))),
            ("a,b\n\"1,5\",2\n", (',', Some(Decimal::Comma))),
            ("a,b\n\"1,234\",2.5\n", (',', Some(Decimal::Point))),
            ("sep=;\na;b,c\n1;2\n", (';', None)),
            ("\u{feff}\"a;x\",b\n1,2\n", (',', None)),
            ("a|b|c\n1|2|3\n", ('|', None)),
            ("lonely\n1\n", (',', None)),
            ("", (',', None)),
            ("a;b\r1;2\r", (';', None)),
            ("a b  c\n1 2  3.5\n 4 5 6\n", (' ', Some(Decimal::Point))),
            ("a b\n1\n", (',', None)),
            ("a b,c d\n1 2,3 4\n", (',', None)),
        ] {
            assert_eq!(sniff(text), expected, "{text:?}");
        }
        assert_eq!(Dialect::sniff(b"a;b", Some(b'x'), None).separator, b'x');
    }

    #[test]
    fn titles_above_a_header_are_told_from_it() {
        for (text, expected) in [
            ("Export, 2024\n\ntime;a;b\n1;2;3\n4;5;6\n", (';', 1)),
            ("Export\nof May\ntime,a\n1,2\n3,4\n", (',', 2)),
            ("time,a\n1,2\n", (',', 0)),
            ("Export,May\nOf,web\ntime,a,b\n1,2,3\n2,3,4\n3,4,5\n4,5,6\n", (',', 2)),
            // A header that is too short is not a title, and rows of words are not known to be rows.
            ("time,a\n1,2,3\n4,5,6\n", (',', 0)),
            ("Export, 2024\ntime,a,b\nx,y,z\n", (',', 0)),
        ] {
            let found = Dialect::sniff(text.as_bytes(), None, None);
            assert_eq!((char::from(found.separator), found.titles), expected, "{text:?}");
        }
    }
}
