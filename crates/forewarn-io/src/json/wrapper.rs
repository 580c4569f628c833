//! Objects around the records, as the answers of servers have them.

use super::tables::{end_of, skip_blanks};
use crate::columns::is_time_name;
use forewarn_core::table::PREFIX_BYTES;

/// Objects around an array that are looked into.
const DEPTH: usize = 8;

/// Names of arrays that describe the columns of the records: these lie in another.
const DESCRIPTIONS: [&str; 7] = ["meta", "metadata", "schema", "columns", "fields", "header", "headers"];

/// Where the records begin in a text that is one object around an array of them, such as `{"data": [{...}, ...]}`;
/// `None` where the objects of the text are the records themselves. `prefix` is the start of the text, or all of it.
pub(super) fn records_within(prefix: &[u8]) -> Option<usize> {
    let begin = prefix.iter().position(|&byte| byte == b'{')?;
    if prefix[..begin].contains(&b'[') {
        return None;
    }
    // Where a second object follows the first, each is a record.
    match end_of(prefix, begin) {
        Some(end) if !prefix[end..].trim_ascii().is_empty() => return None,
        None if prefix.len() < PREFIX_BYTES => return None,
        _ => {}
    }
    let (mut at, mut depth, mut described) = (begin + 1, 1, None);
    loop {
        at = skip_blanks(prefix, at);
        match *prefix.get(at)? {
            b',' => at += 1,
            b'}' => {
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return described;
                }
            }
            b'"' => {
                let end = end_of(prefix, at)?;
                let name = str::from_utf8(&prefix[at + 1..end - 1]).ok()?;
                at = skip_blanks(prefix, end);
                if depth == 1 && is_time_name(name) || *prefix.get(at)? != b':' {
                    return None;
                }
                at = skip_blanks(prefix, at + 1);
                match *prefix.get(at)? {
                    b'{' if depth < DEPTH => {
                        depth += 1;
                        at += 1;
                    }
                    b'[' if prefix.get(skip_blanks(prefix, at + 1)) == Some(&b'{') => {
                        let end = end_of(prefix, at);
                        match end.filter(|_| DESCRIPTIONS.iter().any(|word| name.eq_ignore_ascii_case(word)))
                        {
                            Some(end) => {
                                described = described.or(Some(at + 1));
                                at = end;
                            }
                            None => return Some(at + 1),
                        }
                    }
                    b'{' | b'[' | b'"' => at = end_of(prefix, at)?,
                    _ => at += prefix[at..].iter().position(|byte| matches!(byte, b',' | b'}'))?,
                }
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_of_records_are_found_in_the_objects_around_them() {
        for (text, found) in [
            (r#"{"data":[{"a":1}]}"#, true),
            (r#" {"status":"ok, {[","n":[1,[2]],"data":{"type":"matrix","result": [ {"a":1}]}}"#, true),
            (r#"{"a":1}"#, false),
            (r#"{"time":"2024-01-01T00:00:00Z","tags":[{"a":1}]}"#, false),
            ("{\"b\":[{\"a\":1}]}\n{\"b\":[{\"a\":1}]}", false),
            (r#"[{"b":[{"a":1}]}]"#, false),
            (r#"{"data":[1,2]}"#, false),
            (r#"{"data":[{"a":1}"#, false),
            (r#"{"meta":[{"name":"a"}],"data":[{"a":1}],"rows":1}"#, true),
            (r#"{"schema":{"fields":[{"name":"a"}]},"data":[{"a":1}]}"#, true),
            (r#"{"columns":[{"a":1}]}"#, true),
            ("{", false),
        ] {
            let at = records_within(text.as_bytes());
            assert_eq!(at.is_some(), found, "{text}");
            if let Some(at) = at {
                assert!(text[at..].trim_start().starts_with(r#"{"a":1}"#), "{text}");
            }
        }
    }
}
