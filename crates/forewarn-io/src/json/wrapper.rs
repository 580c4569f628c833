//! Objects around the records, as the answers of servers have them.

use crate::columns::is_time_name;
use forewarn_core::table::PREFIX_BYTES;

/// Objects around an array that are looked into.
const DEPTH: usize = 8;

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
    let (mut at, mut depth) = (begin + 1, 1);
    loop {
        at = skip_blanks(prefix, at);
        match *prefix.get(at)? {
            b',' => at += 1,
            b'}' => {
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return None;
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
                    b'[' if prefix.get(skip_blanks(prefix, at + 1)) == Some(&b'{') => return Some(at + 1),
                    b'{' | b'[' | b'"' => at = end_of(prefix, at)?,
                    _ => at += prefix[at..].iter().position(|byte| matches!(byte, b',' | b'}'))?,
                }
            }
            _ => return None,
        }
    }
}

fn skip_blanks(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(rest.len())
}

/// The end of the string, the object or the array that begins at `begin`; `None` where the text ends before it.
fn end_of(text: &[u8], begin: usize) -> Option<usize> {
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
