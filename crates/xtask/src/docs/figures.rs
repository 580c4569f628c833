//! Tables of README and docs, made by the commands that stand beside them.
//!
//! A table stands in its page between two comments, `<!-- figures: NAME -->` and `<!-- end of figures: NAME -->`, which a
//! reader of the page does not see. What is between them is replaced.

mod page;
mod parts;
mod report;
mod trees;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{cargo, output, run as run_command};
use crate::error::XtaskError;
pub(crate) use parts::Part;
use parts::{PARTS, Source};
use trees::Seconds;

pub(crate) const HELP: &str = "\
Make the tables of README and docs again.

Usage: cargo xtask figures [OPTIONS] [PART]

Runs the commands that stand beside the tables, and writes what they give between the marks in the pages. The same code
gives the same tables. All parts together take hours of processor time; a part is named as in --list.

Options:
      --list    List the parts with their pages and commands, and run nothing
      --reuse   Take what an earlier call has left in target/figures, and run only what is missing
      --check   Write nothing: fail where a page has another table; a build is not timed
  -h, --help    Show this help
";

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// One part; all without it.
    pub(crate) part: Option<&'static str>,
    pub(crate) list: bool,
    pub(crate) reuse: bool,
    pub(crate) check: bool,
}

/// The name of a part, for an argument.
pub(crate) fn named(name: &str) -> Option<&'static str> {
    PARTS.iter().map(|part| part.name).find(|known| *known == name)
}

/// # Errors
/// A program that fails, a result that cannot be read, a page without the marks, or, with `--check`, a page with other
/// tables.
pub(crate) fn run(root: &Path, wanted: Figures) -> Result<(), XtaskError> {
    let parts = PARTS.iter().filter(|part| wanted.part.is_none_or(|name| name == part.name));
    if wanted.list {
        for part in parts {
            println!("{:<18} {:<36} {}", part.name, part.page, part.source.command());
        }
        return Ok(());
    }
    let seconds = if wanted.reuse || wanted.check { Seconds::Kept } else { Seconds::Measured };
    let mut maker = Maker { root, reuse: wanted.reuse, seconds, printed: BTreeMap::new() };
    let mut differ = Vec::new();
    for part in parts {
        let path = root.join(part.page);
        let text = std::fs::read_to_string(&path).map_err(XtaskError::io("read", &path))?;
        let table = maker.table(part, &text)?;
        let new = page::with_table(&text, part.name, &table).map_err(|reason| part.error(reason))?;
        if new == text {
            println!("{}: {} stays as it is", part.page, part.name);
        } else if wanted.check {
            println!("{}: {} differs", part.page, part.name);
            differ.push(part.name);
        } else {
            std::fs::write(&path, new).map_err(XtaskError::io("write", &path))?;
            println!("{}: {} written", part.page, part.name);
        }
    }
    if differ.is_empty() { Ok(()) } else { Err(XtaskError::Figures { parts: differ.join(", ") }) }
}

struct Maker<'a> {
    root: &'a Path,
    reuse: bool,
    seconds: Seconds,
    /// What programs printed, by their arguments: some print several tables.
    printed: BTreeMap<&'static str, String>,
}

impl Maker<'_> {
    /// The table of a part, whose page has this text.
    fn table(&mut self, part: &Part, text: &str) -> Result<String, XtaskError> {
        match part.source {
            Source::Evaluations { runs, columns } => {
                let mut reports = Vec::with_capacity(runs.len());
                for run in runs {
                    let text = self.report(run.name, run.options)?;
                    reports.push((run.heading, report::parse(&text).map_err(|reason| part.error(reason))?));
                }
                report::table(&reports, columns, &part.source.command()).map_err(|reason| part.error(reason))
            }
            Source::Printed { name, arguments, table, without } => {
                let text = self.printed(name, arguments)?;
                page::printed_table(text, table, without)
                    .map(|table| {
                        format!(
                            "{table}\n{}\n",
                            page::filled(&format!("Made by `{}`.", part.source.command()))
                        )
                    })
                    .ok_or_else(|| part.error(format!("the program printed fewer than {} tables", table + 1)))
            }
            Source::Trees => {
                let old = page::between(text, part.name).map_err(|reason| part.error(reason))?;
                trees::table(self.root, old, self.seconds)
            }
        }
    }

    /// `report.json` of an evaluation.
    fn report(&self, name: &str, options: &str) -> Result<String, XtaskError> {
        let folder = self.folder()?.join(name);
        let file = folder.join("report.json");
        if !(self.reuse && file.is_file()) {
            let mut evaluate = self.release(&["--bin", "forewarn", "--", "evaluate", "--quiet"]);
            evaluate.args(options.split_whitespace()).arg("--output").arg(&folder);
            run_command(&mut evaluate)?;
        }
        std::fs::read_to_string(&file).map_err(XtaskError::io("read", &file))
    }

    /// What an example or a benchmark prints.
    fn printed(&mut self, name: &'static str, arguments: &'static str) -> Result<&str, XtaskError> {
        if !self.printed.contains_key(arguments) {
            let file = self.folder()?.join(format!("{name}.txt"));
            let text = if self.reuse && file.is_file() {
                std::fs::read_to_string(&file).map_err(XtaskError::io("read", &file))?
            } else {
                println!("$ cargo {arguments}");
                let mut program = cargo();
                program.current_dir(self.root).args(arguments.split_whitespace());
                let text = output(&mut program)?;
                std::fs::write(&file, &text).map_err(XtaskError::io("write", &file))?;
                text
            };
            self.printed.insert(arguments, text);
        }
        Ok(self.printed.get(arguments).map_or("", String::as_str))
    }

    fn release(&self, arguments: &[&str]) -> Command {
        let mut program = cargo();
        program.current_dir(self.root).args(["run", "--release", "--quiet"]).args(arguments);
        program
    }

    fn folder(&self) -> Result<PathBuf, XtaskError> {
        let folder = self.root.join("target/figures");
        std::fs::create_dir_all(&folder).map_err(XtaskError::io("make", &folder))?;
        Ok(folder)
    }
}

impl Part {
    fn error(&self, reason: String) -> XtaskError {
        XtaskError::Figure { part: self.name, page: self.page, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_its_place_and_every_place_its_part() {
        let root = crate::root();
        let mut pages: Vec<&str> = PARTS.iter().map(|part| part.page).collect();
        pages.dedup();
        let mut places = Vec::new();
        for page in pages {
            let text = std::fs::read_to_string(root.join(page)).unwrap();
            places.extend(page::names(&text).map(|name| (page.to_owned(), name.to_owned())));
        }
        places.sort();
        let mut parts: Vec<(String, String)> =
            PARTS.iter().map(|part| (part.page.to_owned(), part.name.to_owned())).collect();
        parts.sort();
        assert_eq!(places, parts);
        parts.dedup_by(|a, b| a.1 == b.1);
        assert_eq!(parts.len(), PARTS.len(), "two parts of one name");
    }

    #[test]
    fn a_part_is_known_by_its_name() {
        assert!(PARTS.iter().all(|part| named(part.name) == Some(part.name)));
        assert_eq!(named("no such part"), None);
    }
}
