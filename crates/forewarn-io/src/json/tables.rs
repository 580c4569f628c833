//! Tables in JSON: the names of the columns once, and an array for each row.

use forewarn_core::table::is_text_time;
use serde::Deserialize;
use std::collections::{BTreeMap, VecDeque};

/// What the names of the columns are under.
const NAMES: [&str; 8] =
    ["columns", "column_names", "fields", "header", "headers", "names", "meta", "schema"];

/// What the rows are under.
const ROWS: [&str; 6] = ["rows", "data", "values", "datarows", "records", "dataset"];

/// What a column's name is under, where it is described by an object.
const NAME: [&str; 5] = ["name", "columnname", "text", "field", "label"];

/// Objects around a table that are looked into.
const DEPTH: usize = 16;

/// The columns of a table whose rows follow.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TableColumns {
    pub(super) names: Vec<String>,
    /// Fields of every row, such as the tags of a series.
    pub(super) tags: Vec<(String, String)>,
    /// The name of the index and what it holds for the rows to come, where that is more than their number.
    pub(super) index: Option<(String, VecDeque<String>)>,
    /// What the index holds for the row at hand.
    pub(super) index_cell: Option<String>,
    /// Whether the rows lie in an array, and not one after another.
    pub(super) in_array: bool,
}

/// What a text holds.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// A table whose rows begin here.
    Table(TableColumns, usize),
    /// None.
    Nothing,
    /// The text ends before it says.
    More,
    /// Rows before the names of their columns, or without.
    Unnamed,
}

/// An object around a table, as far as it has been read.
#[derive(Default)]
struct Around {
    columns: Vec<String>,
    tags: Vec<(String, String)>,
    index: Option<(String, VecDeque<String>)>,
    /// Whether it is an array around objects.
    is_array: bool,
    /// Whether rows came before names.
    has_rows: bool,
}

/// Finds a table at the beginning of a text.
pub(super) fn find(text: &[u8]) -> Found {
    let begin = skip_blanks(text, 0);
    let begin = if text[begin..].starts_with(b"\xef\xbb\xbf") { skip_blanks(text, begin + 3) } else { begin };
    match text.get(begin) {
        Some(b'{') => within(text, begin + 1, false),
        Some(b'[') => rows_alone(text, begin),
        _ => Found::Nothing,
    }
}

/// Finds the next table of a text behind the rows of one.
pub(super) fn find_next(text: &[u8]) -> Found {
    within(text, 0, true)
}

/// A header and rows as arrays, in an array or one after another.
fn rows_alone(text: &[u8], begin: usize) -> Found {
    let inside = skip_blanks(text, begin + 1);
    let in_array = text.get(inside) == Some(&b'[');
    let header = if in_array { inside } else { begin };
    if text.get(skip_blanks(text, header + 1)) != Some(&b'"') {
        return Found::Nothing;
    }
    let Some(end) = end_of(text, header) else { return Found::More };
    let next = skip_blanks(text, end + usize::from(text.get(skip_blanks(text, end)) == Some(&b',')));
    let names = serde_json::from_slice::<Vec<String>>(&text[header..end]).ok();
    match names.filter(|names| names.iter().all(|name| !is_text_time(name))) {
        Some(names) if next >= text.len() || matches!(text[next], b'[' | b',' | b']') => {
            Found::Table(TableColumns { names, in_array, ..TableColumns::default() }, end)
        }
        _ => Found::Nothing,
    }
}

/// Looks into the objects of a text from a place within one. `goes_on` where tables came before: then what closes the
/// objects around these is passed over, and nothing more is found at the end only.
fn within(text: &[u8], begin: usize, goes_on: bool) -> Found {
    let (mut at, mut around) = (begin, vec![Around::default()]);
    loop {
        at = skip_blanks(text, at);
        let Some(&byte) = text.get(at) else { return Found::More };
        match byte {
            b',' => at += 1,
            b'}' | b']' => {
                at += 1;
                around.pop();
                // The objects of an array are alike: where the first is no table, none is.
                if !goes_on && around.last().is_none_or(|around| around.is_array) {
                    return Found::Nothing;
                }
                if around.is_empty() {
                    around.push(Around::default());
                }
            }
            b'{' if around.len() < DEPTH => {
                around.push(Around::default());
                at += 1;
            }
            b'"' => {
                let Some(end) = end_of(text, at) else { return Found::More };
                let key: String = serde_json::from_slice(&text[at..end]).unwrap_or_default();
                let colon = skip_blanks(text, end);
                let value = skip_blanks(text, colon + 1);
                let (Some(&mark), Some(&first)) = (text.get(colon), text.get(value)) else {
                    return Found::More;
                };
                if mark != b':' {
                    return Found::Nothing;
                }
                match field(text, &key, (value, first), &mut around) {
                    Field::Next(next) => at = next,
                    Field::Rows(end) if goes_on || end.is_none() => {
                        return if goes_on { Found::Unnamed } else { Found::Nothing };
                    }
                    Field::Rows(end) => at = end.unwrap_or(at),
                    Field::End(found) => return found,
                }
            }
            _ => return Found::Nothing,
        }
    }
}

/// What to do behind the name of a field.
enum Field {
    Next(usize),
    /// Rows without names before them, and where they end, if that is known.
    Rows(Option<usize>),
    End(Found),
}

fn field(text: &[u8], key: &str, (value, first): (usize, u8), around: &mut Vec<Around>) -> Field {
    let is = |names: &[&str]| names.iter().any(|name| key.eq_ignore_ascii_case(name));
    let inner = skip_blanks(text, value + 1);
    if first == b'[' && is(&ROWS) {
        match text.get(inner) {
            None => return Field::End(Found::More),
            Some(b'[') => {
                let Some(last) = around.last_mut() else { return Field::End(Found::Nothing) };
                if last.columns.is_empty() {
                    last.has_rows = true;
                    return Field::Rows(end_of(text, value));
                }
                let Around { columns, tags, index, .. } = std::mem::take(last);
                let columns = TableColumns { names: columns, tags, index, index_cell: None, in_array: true };
                return Field::End(Found::Table(columns, value + 1));
            }
            Some(_) => {}
        }
    }
    let Some(last) = around.last_mut() else { return Field::End(Found::Nothing) };
    let is_array = first == b'[';
    let (is_names, is_index, is_tags) =
        (is_array && is(&NAMES), is_array && is(&["index"]), first == b'{' && is(&["tags"]));
    if is_names || is_index || is_tags {
        let Some(end) = end_of(text, value) else { return Field::End(Found::More) };
        let text = &text[value..end];
        if is_names && let Some(names) = names(text) {
            if last.has_rows {
                return Field::End(Found::Unnamed);
            }
            last.columns = names;
            return Field::Next(end);
        }
        if is_index && let Some(cells) = cells(text) {
            last.index = index(cells);
            return Field::Next(end);
        }
        if is_tags && let Ok(tags) = serde_json::from_slice::<BTreeMap<String, String>>(text) {
            last.tags = tags.into_iter().collect();
            return Field::Next(end);
        }
    }
    match (first, text.get(inner)) {
        (b'{', _) if around.len() < DEPTH => {
            around.push(Around::default());
            Field::Next(value + 1)
        }
        (b'[', None) => Field::End(Found::More),
        // The objects of an array.
        (b'[', Some(b'{')) if around.len() < DEPTH => {
            around.push(Around { is_array: true, ..Around::default() });
            Field::Next(inner)
        }
        (b'{' | b'[' | b'"', _) => end_of(text, value).map_or(Field::End(Found::More), Field::Next),
        _ => {
            let rest = text[value..].iter().position(|byte| matches!(byte, b',' | b'}' | b']'));
            rest.map_or(Field::End(Found::More), |rest| Field::Next(value + rest))
        }
    }
}

/// Names of columns: texts, or objects with a name each.
fn names(text: &[u8]) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Column {
        Name(String),
        Described(BTreeMap<String, serde_json::Value>),
    }
    let columns: Vec<Column> = serde_json::from_slice(text).ok()?;
    let name = |column| match column {
        Column::Name(name) => Some(name),
        Column::Described(fields) => NAME.iter().find_map(|wanted| {
            let (_, name) = fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(wanted))?;
            name.as_str().map(str::to_owned)
        }),
    };
    let names = columns.into_iter().map(name).collect::<Option<Vec<String>>>()?;
    (!names.is_empty()).then_some(names)
}

/// The cells of an array of texts and numbers.
fn cells(text: &[u8]) -> Option<VecDeque<String>> {
    let values: Vec<serde_json::Value> = serde_json::from_slice(text).ok()?;
    let cell = |value| match value {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    values.into_iter().map(cell).collect()
}

/// What an index holds; nothing for one that counts rows.
fn index(cells: VecDeque<String>) -> Option<(String, VecDeque<String>)> {
    let counts = cells.iter().enumerate().all(|(row, cell)| *cell == row.to_string());
    // As spreadsheets and pandas have it, without a name; numbers since 1970 would not be known as times.
    let is_number = cells.iter().all(|cell| cell.parse::<f64>().is_ok());
    let name = if is_number { "timestamp" } else { "" };
    (!counts).then(|| (name.to_owned(), cells))
}

/// The first place from `from` on that is no blank.
pub(super) fn skip_blanks(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from.min(text.len()) + rest.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(rest.len())
}

/// The end of the string, the object or the array that begins at `begin`; `None` where the text ends before it.
pub(super) fn end_of(text: &[u8], begin: usize) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (at, &byte) in text.iter().enumerate().skip(begin) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 && !quoted && !escaped {
            return Some(at + 1);
        }
    }
    None
}
