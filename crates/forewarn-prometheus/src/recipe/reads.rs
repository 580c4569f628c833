//! Which series a query reads.

use std::collections::BTreeSet;

use super::matchers::is_series_name;

/// Names before `{` or `[` outside of text, which is how a query selects series when it says which or over what range.
pub(super) fn names(query: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut word = String::new();
    let mut quote = None;
    let mut escaped = false;
    for c in query.chars() {
        if let Some(end) = quote {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if c == end => quote = None,
                _ => {}
            }
            continue;
        }
        match c {
            '"' | '\'' | '`' => quote = Some(c),
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | ':' => {
                word.push(c);
                continue;
            }
            '{' | '[' if is_series_name(&word) => {
                names.insert(word.clone());
            }
            _ => {}
        }
        word.clear();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn names_are_found_and_text_is_not() {
        let query = r#"sum by (job) (rate(a_total{x="b{c[",y='d{'}[5m])) / (e:f[1m] or up{}) > 0"#;
        let found = names(query);
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ["a_total", "e:f", "up"]);
    }
}
