//! Where tables stand in a page, and in what a program prints.

const BEGIN: &str = "<!-- figures: ";
const END: &str = "<!-- end of figures: ";
const CLOSE: &str = " -->";

/// The names between the marks of a page, in order.
#[cfg(test)]
pub(crate) fn names(page: &str) -> impl Iterator<Item = &str> {
    page.lines().filter_map(|line| line.strip_prefix(BEGIN)?.strip_suffix(CLOSE))
}

/// The page with another text between the marks of this name.
///
/// # Errors
/// The mark that is missing.
pub(crate) fn with_table(page: &str, name: &str, table: &str) -> Result<String, String> {
    let (begin, end) = (format!("{BEGIN}{name}{CLOSE}\n"), format!("{END}{name}{CLOSE}"));
    let (before, rest) = page.split_once(&begin).ok_or_else(|| missing(&begin))?;
    let (_, after) = rest.split_once(&end).ok_or_else(|| missing(&end))?;
    Ok(format!("{before}{begin}\n{}\n\n{end}{after}", table.trim()))
}

/// What stands between the marks of this name.
///
/// # Errors
/// The mark that is missing.
pub(crate) fn between<'a>(page: &'a str, name: &str) -> Result<&'a str, String> {
    let (begin, end) = (format!("{BEGIN}{name}{CLOSE}\n"), format!("{END}{name}{CLOSE}"));
    let (_, rest) = page.split_once(&begin).ok_or_else(|| missing(&begin))?;
    rest.split_once(&end).map(|(table, _)| table).ok_or_else(|| missing(&end))
}

fn missing(mark: &str) -> String {
    format!("the page has no line {:?}", mark.trim_end())
}

/// A paragraph in lines of the pages' width. A break within a command in backticks is a blank to a reader of the page.
pub(crate) fn filled(paragraph: &str) -> String {
    const WIDTH: usize = 118;
    let mut lines: Vec<String> = Vec::new();
    for word in paragraph.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

/// Table number `table` of a printed text, counted from 0, without the columns of these headings.
pub(crate) fn printed_table(text: &str, table: usize, without: &[&str]) -> Option<String> {
    let mut tables: Vec<Vec<&str>> = vec![Vec::new()];
    for line in text.lines().map(str::trim) {
        match (line.starts_with('|'), tables.last_mut()) {
            (true, Some(last)) => last.push(line),
            (false, Some(last)) if !last.is_empty() => tables.push(Vec::new()),
            _ => {}
        }
    }
    let lines = tables.into_iter().filter(|lines| lines.len() > 2).nth(table)?;
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let head = cells(lines.first()?);
    let kept = |place: usize| head.get(place).is_none_or(|name| !without.contains(&name.as_str()));
    let mut out = String::new();
    for line in &lines {
        out.push('|');
        for (place, cell) in cells(line).iter().enumerate().filter(|(place, _)| kept(*place)) {
            let is_rule = cell.len() > 2 && cell.chars().all(|c| matches!(c, '-' | ':'));
            let space = if is_rule || cell.is_empty() && place > 0 { "" } else { " " };
            out.push_str(&format!("{space}{cell}{}|", if is_rule { "" } else { " " }));
        }
        out.push('\n');
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_replaced_between_its_marks_only() {
        let page = "before\n<!-- figures: a -->\nold\n<!-- end of figures: a -->\nafter\n<!-- figures: b -->\n<!-- end of figures: b -->\n";
        let new = with_table(page, "a", "| new |\n").unwrap();
        assert!(
            new.starts_with("before\n<!-- figures: a -->\n\n| new |\n\n<!-- end of figures: a -->\nafter\n"),
            "{new}"
        );
        // Once more changes nothing.
        assert_eq!(with_table(&new, "a", "| new |\n").unwrap(), new);
        assert!(with_table(page, "c", "").unwrap_err().contains("figures: c"));
        assert_eq!(between(page, "a"), Ok("old\n"));
        assert_eq!(between(page, "b"), Ok(""));
        assert!(between(page, "c").unwrap_err().contains("figures: c"));
    }

    #[test]
    fn a_long_command_goes_on_in_the_next_line() {
        assert_eq!(filled("Made by `cargo run`."), "Made by `cargo run`.");
        let long = format!("Made by `cargo run -- {}`.", ["--seed 7"; 20].join(" "));
        let lines = filled(&long);
        assert!(lines.lines().count() == 2 && lines.lines().all(|line| line.len() <= 118), "{lines}");
        assert_eq!(lines.replace('\n', " "), long);
    }

    #[test]
    fn tables_of_a_printed_text_are_counted_and_lose_columns() {
        let text =
            "words\n| a | s | b |\n|---|---|---|\n| 1 | 9 | 2 |\n\nmore\n| c | d |\n|---|---:|\n| 3 | |\n";
        assert_eq!(printed_table(text, 0, &["s"]).unwrap(), "| a | b |\n|---|---|\n| 1 | 2 |\n");
        assert_eq!(printed_table(text, 1, &[]).unwrap(), "| c | d |\n|---|---:|\n| 3 | |\n");
        assert_eq!(printed_table(text, 2, &[]), None);
    }
}
