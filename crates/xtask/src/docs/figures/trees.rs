//! What a crate costs whoever takes it alone: the crates in its tree, and the processor seconds of a first build.
//!
//! The rows of the table are written by hand; these two columns are filled in. A row names a package and, if it is about
//! more than the default, features: `` `forewarn-io` with `parquet` ``.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::command::{cargo, line, output};
use crate::error::XtaskError;

/// Headings of the columns that are filled in, and of the one that says what of.
const CRATE: &str = "crate";
const COUNT: &str = "crates in its tree";
const SECONDS: &str = "processor seconds to build";

/// Where the seconds come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seconds {
    /// A build of each row from nothing, one after the other.
    Measured,
    /// The table that is there, for they differ from run to run; what it lacks is measured.
    Kept,
}

/// The table with both columns.
///
/// # Errors
/// A table without these columns, or a crate that is not there or does not build.
pub(crate) fn table(root: &Path, old: &str, seconds: Seconds) -> Result<String, XtaskError> {
    filled(old, |taken, _, known| {
        let count = count(root, taken)?;
        let kept = known.filter(|_| seconds == Seconds::Kept);
        Ok((count, kept.map_or_else(|| build(root, taken), Ok)?))
    })
}

/// The package and the features of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Taken<'a> {
    package: &'a str,
    features: Vec<&'a str>,
}

impl<'a> Taken<'a> {
    /// What stands in backticks.
    fn in_cell(cell: &'a str) -> Option<Self> {
        let mut names = cell.split('`').skip(1).step_by(2);
        Some(Self { package: names.next()?, features: names.collect() })
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--package".to_owned(), self.package.to_owned()];
        if !self.features.is_empty() {
            arguments.extend(["--features".to_owned(), self.features.join(",")]);
        }
        arguments
    }
}

/// The lines of a table in which `cost` has filled in crates and seconds; it is given those that stand there.
fn filled(
    old: &str,
    mut cost: impl FnMut(&Taken, Option<usize>, Option<u64>) -> Result<(usize, u64), XtaskError>,
) -> Result<String, XtaskError> {
    let wrong = |reason: &str| XtaskError::Usage { message: format!("the table of crates {reason}") };
    let lines = old.lines().filter(|line| line.starts_with('|'));
    let mut rows: Vec<Vec<String>> = lines.map(cells).collect();
    let head = rows.first().ok_or_else(|| wrong("is not there"))?;
    let place = |heading: &str| {
        let found = head.iter().position(|cell| cell == heading);
        found.ok_or_else(|| wrong(&format!("has no column {heading:?}")))
    };
    let [of, count, seconds] = [place(CRATE)?, place(COUNT)?, place(SECONDS)?];
    for row in rows.iter_mut().skip(2) {
        let cell = row.get(of).cloned().unwrap_or_default();
        let taken = Taken::in_cell(&cell).ok_or_else(|| wrong(&format!("names no crate in {cell:?}")))?;
        let counted = row.get(count).and_then(|cell| cell.parse().ok());
        let known = row.get(seconds).and_then(|cell| cell.parse().ok());
        let (crates, took) = cost(&taken, counted, known)?;
        row.resize(row.len().max(count.max(seconds) + 1), String::new());
        row[count] = crates.to_string();
        row[seconds] = took.to_string();
    }
    Ok(rows.iter().map(|row| written(row)).collect())
}

fn cells(line: &str) -> Vec<String> {
    line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

fn written(row: &[String]) -> String {
    let is_rule = row.iter().all(|cell| cell.starts_with("---"));
    let space = if is_rule { "" } else { " " };
    let cells: Vec<String> = row.iter().map(|cell| format!("{space}{cell}{space}")).collect();
    format!("|{}|\n", cells.join("|"))
}

/// The processor and system that trees are counted for, so that every machine counts the same.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Would turn on what other crates of the workspace ask for.
const UNIFICATION: &str = "CARGO_RESOLVER_FEATURE_UNIFICATION";

/// The crates in a tree, itself included.
fn count(root: &Path, taken: &Taken) -> Result<usize, XtaskError> {
    let mut tree = cargo();
    tree.current_dir(root).args(["tree", "--edges", "normal", "--prefix", "none", "--target", TARGET]);
    tree.args(taken.arguments()).env_remove(UNIFICATION);
    let tree = output(&mut tree)?;
    let crates: BTreeSet<&str> =
        tree.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.is_empty()).collect();
    Ok(crates.len())
}

/// The processor seconds of a build from nothing by two jobs, in the dev profile. Unlike those of a clock they are about
/// the same whatever else the machine does.
fn build(root: &Path, taken: &Taken) -> Result<u64, XtaskError> {
    let folder = root.join("target/figures/build");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(XtaskError::io("remove", &folder))?;
    }
    let mut cargo = cargo();
    cargo.args(["build", "--quiet", "--jobs", "2"]).args(taken.arguments());
    println!("$ {}", line(&cargo));
    // Bash's own `time` says what a program and all that it starts have used.
    let mut timed = Command::new("bash");
    timed.args(["-c", TIMED, "timed"]).arg(cargo.get_program()).args(cargo.get_args());
    timed.current_dir(root).env("CARGO_TARGET_DIR", &folder).env_remove(UNIFICATION);
    let printed = output(&mut timed)?;
    let seconds: f64 = printed.split_whitespace().filter_map(|part| part.parse::<f64>().ok()).sum();
    let took = seconds.round().max(1.0) as u64;
    println!("{took} s");
    std::fs::remove_dir_all(&folder).map_err(XtaskError::io("remove", &folder))?;
    Ok(took)
}

/// Prints the seconds that a command spends in its own code and in the system's; what it prints goes to standard error.
const TIMED: &str = r#"exec 3>&1 4>&2; TIMEFORMAT="%U %S"; { time "$@" >&4 2>&4 3>&- 4>&-; } 2>&3"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::figures::page;

    const TABLE: &str = "\
| to | crate | crates in its tree | processor seconds to build |
|---|---|---|---|
| read | `forewarn-io` | 1 | 12 |
| read more | `forewarn-io` with `parquet`, `ndarray` | | |
";

    #[test]
    fn both_columns_are_filled_in_and_seconds_may_be_kept() {
        let mut seen = Vec::new();
        let table = filled(TABLE, |taken, _, known| {
            seen.push((taken.arguments().join(" "), known));
            Ok((30 + seen.len(), known.unwrap_or(99)))
        });
        let expected = "\
| to | crate | crates in its tree | processor seconds to build |
|---|---|---|---|
| read | `forewarn-io` | 31 | 12 |
| read more | `forewarn-io` with `parquet`, `ndarray` | 32 | 99 |
";
        assert_eq!(table.unwrap(), expected);
        let with_features = "--package forewarn-io --features parquet,ndarray".to_owned();
        assert_eq!(seen, [("--package forewarn-io".to_owned(), Some(12)), (with_features, None)]);
    }

    #[test]
    fn what_a_command_uses_is_printed_and_its_failure_is_kept() {
        let timed = |command: &str| {
            let mut bash = Command::new("bash");
            bash.args(["-c", TIMED, "timed", "bash", "-c", command]).output().unwrap()
        };
        let counted = timed("echo to nobody; for ((i = 0; i < 300000; i++)); do :; done");
        let printed = String::from_utf8(counted.stdout).unwrap();
        let parts: Vec<f64> = printed.split_whitespace().map(|part| part.parse().unwrap()).collect();
        assert!(matches!(parts[..], [user, _] if user > 0.0), "{printed:?}");
        assert_eq!(String::from_utf8(counted.stderr).unwrap(), "to nobody\n");
        assert_eq!(timed("exit 7").status.code(), Some(7));
    }

    #[test]
    fn a_table_without_its_columns_is_refused() {
        for (table, named) in [
            ("no table", "not there"),
            ("| crate |\n|---|\n", "crates in its tree"),
            (&TABLE.replace("`forewarn-io` |", "io |"), "\"io\""),
        ] {
            let error = filled(table, |_, _, _| Ok((1, 1))).unwrap_err();
            assert!(error.to_string().contains(named), "{table}: {error}");
        }
    }

    #[test]
    fn the_table_of_the_facade_counts_the_crates_that_there_are() {
        let path = crate::root().join("crates/forewarn/README.md");
        let text = std::fs::read_to_string(&path).unwrap();
        let old = page::between(&text, "crates").unwrap();
        let mut rows = 0;
        let new = filled(old, |taken, counted, known| {
            rows += 1;
            let count = count(crate::root(), taken)?;
            assert_eq!(counted, Some(count), "{taken:?}: cargo xtask figures crates --reuse");
            Ok((count, known.unwrap_or_default()))
        });
        new.unwrap();
        assert!(rows > 20, "{rows}");
    }
}
