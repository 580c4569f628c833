//! The page's building blocks.

use crate::drawing::svg::escape;
use std::fmt::Write;

/// A text with a full stop, whether it had one or not.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() || text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// A page under construction. What is pushed raw is markup; all else is escaped here.
#[derive(Default)]
pub(crate) struct Page(String);

impl Page {
    pub(crate) fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    pub(crate) fn heading(&mut self, text: &str) {
        let _ = writeln!(self.0, "<h2>{}</h2>", escape(text));
    }

    /// A column's heading; a hyphen in it does not end a line.
    pub(crate) fn column(&mut self, name: &str) {
        let _ = write!(self.0, "<th scope=\"col\">{}</th>", escape(name).replace('-', "\u{2011}"));
    }

    pub(crate) fn card(&mut self, what: &str, value: &str, detail: &str) {
        let (what, value, detail) = (escape(what), escape(value), escape(detail));
        let _ =
            writeln!(self.0, "<div class=\"card\"><dt>{what}</dt><dd>{value}</dd><dd>{detail}</dd></div>");
    }

    /// A table row with a name and cells, filled up to `columns` of them.
    pub(crate) fn row(&mut self, class: &str, name: &str, cells: &[String], columns: usize) {
        let _ = write!(self.0, "<tr class=\"{class}\"><th scope=\"row\">{}</th>", escape(name));
        for index in 0..columns {
            let _ =
                write!(self.0, "<td>{}</td>", cells.get(index).map_or_else(String::new, |cell| escape(cell)));
        }
        self.0.push_str("</tr>\n");
    }

    pub(crate) fn key(&mut self, class: &str, name: &str, value: &str) {
        let value = if value.is_empty() { String::new() } else { format!(" <b>{}</b>", escape(value)) };
        let _ = writeln!(
            self.0,
            "<li><span class=\"key {class}\"></span><span>{}{value}</span></li>",
            escape(name)
        );
    }

    /// A table with these columns, the first of them a row's name. Rows come with a class.
    pub(crate) fn table(&mut self, columns: &[&str], rows: &[(&str, String, Vec<String>)]) {
        self.raw("<div class=\"scroll\"><table>\n<thead><tr>");
        columns.iter().for_each(|name| self.column(name));
        self.raw("</tr></thead>\n<tbody>\n");
        for (class, name, cells) in rows {
            self.row(class, name, cells, columns.len() - 1);
        }
        self.raw("</tbody></table></div>\n");
    }

    pub(crate) fn into_html(self) -> String {
        self.0
    }
}
