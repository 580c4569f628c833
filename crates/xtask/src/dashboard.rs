//! The web page: built by node from its sources, and compared with what is committed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::error::XtaskError;

pub(crate) const HELP: &str = "\
Build the web page of crates/forewarn-dashboard from its sources: dist/ and src/files.rs, which are committed.

Usage: cargo xtask dashboard

Needs node (20.19 or later) and npm on the search path; npm fetches the packages that package-lock.json names.
";

/// Why steps that need node are skipped.
pub(crate) const NOTHING: &str =
    "no npm and node (20.19 or later) are on the search path to build the page with";

/// The oldest node that builds the page: major and minor version.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// The npm of a node that is new enough.
pub(crate) fn find() -> Option<PathBuf> {
    let npm = command::on_path(&["npm", "npm.cmd"])?;
    let node = command::on_path(&["node", "node.exe"])?;
    let version = Command::new(node).arg("--version").output().ok()?;
    is_new_enough(std::str::from_utf8(&version.stdout).ok()?).then_some(npm)
}

/// Whether `v20.19.1` and the like are not older than [`OLDEST_NODE`].
fn is_new_enough(version: &str) -> bool {
    let mut parts = version.trim().trim_start_matches('v').split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST_NODE,
        _ => false,
    }
}

/// Builds the page into the crate.
///
/// # Errors
///
/// No node, or npm's.
pub(crate) fn build(root: &Path) -> Result<(), XtaskError> {
    let npm = find().ok_or_else(|| XtaskError::Usage { message: NOTHING.to_owned() })?;
    command::run(install(&mut in_web(root, &npm)))?;
    command::run(in_web(root, &npm).args(["run", "build"]))
}

/// Tests the page's logic, builds it beside what is committed, and compares.
///
/// # Errors
///
/// npm's, or a file that differs.
pub(crate) fn check(root: &Path, npm: &Path) -> Result<(), XtaskError> {
    let fresh = root.join("target").join("dashboard");
    command::run(install(&mut in_web(root, npm)))?;
    command::run(in_web(root, npm).arg("test"))?;
    command::run(in_web(root, npm).args(["run", "build"]).env("DASHBOARD_OUT", &fresh))?;
    let home = home(root);
    let mut committed = files(&home.join("dist"))?;
    let table = home.join("src").join("files.rs");
    committed.insert("files.rs".to_owned(), std::fs::read(&table).map_err(XtaskError::io("read", &table))?);
    let different = differences(&committed, &files(&fresh)?);
    for file in &different {
        println!("{file} is not what the sources give");
    }
    if different.is_empty() { Ok(()) } else { Err(XtaskError::Dashboard { files: different.len() }) }
}

/// Opens every page in the browser, from a stand-in for the server, and then from the program itself, which is built.
/// Packages are there since [`check`].
///
/// # Errors
///
/// The tests'.
pub(crate) fn check_pages(root: &Path, npm: &Path, browser: &Path) -> Result<(), XtaskError> {
    let program = command::release_program(root)?;
    let mut pages = in_web(root, npm);
    pages.args(["run", "e2e"]).env("FOREWARN_BROWSER", browser).env("FOREWARN_PROGRAM", program);
    command::run(&mut pages)
}

fn home(root: &Path) -> PathBuf {
    root.join("crates").join("forewarn-dashboard")
}

fn in_web(root: &Path, npm: &Path) -> Command {
    let mut command = Command::new(npm);
    command.current_dir(home(root).join("web"));
    command
}

fn install(npm: &mut Command) -> &mut Command {
    npm.args(["ci", "--prefer-offline"])
}

/// Files by their path below a folder. Packed ones are left out: how they are packed depends on node's zlib, and that
/// they hold what they should is tested in the crate.
fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, XtaskError> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(place) = folders.pop() {
        for entry in std::fs::read_dir(&place).map_err(XtaskError::io("read", &place))? {
            let path = entry.map_err(XtaskError::io("read", &place))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none_or(|extension| extension != "gz") {
                let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                let bytes = std::fs::read(&path).map_err(XtaskError::io("read", &path))?;
                found.insert(name, bytes);
            }
        }
    }
    Ok(found)
}

/// Names that are on one side only, or whose content differs.
fn differences(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let on_one_side = b.keys().filter(|name| !a.contains_key(*name));
    a.iter()
        .filter(|(name, bytes)| b.get(*name) != Some(bytes))
        .map(|(name, _)| name)
        .chain(on_one_side)
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_are_compared_by_number() {
        for version in ["v20.19.0\n", "v20.20.2", "v22.1.0", "v100.0.0"] {
            assert!(is_new_enough(version), "{version}");
        }
        for version in ["v20.9.0", "v18.20.1", "v20", "", "node"] {
            assert!(!is_new_enough(version), "{version}");
        }
    }

    #[test]
    fn a_file_that_is_missing_added_or_changed_is_named() {
        let side = |list: &[(&str, &str)]| {
            list.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
        };
        let committed = side(&[("a", "1"), ("b", "2"), ("c", "3")]);
        assert_eq!(differences(&committed, &committed), Vec::<String>::new());
        assert_eq!(differences(&committed, &side(&[("a", "1"), ("b", "x"), ("d", "4")])), ["b", "c", "d"]);
    }

    #[test]
    fn packed_files_are_left_out() {
        let found = files(&home(crate::root()).join("dist")).unwrap();
        assert!(found.contains_key("index.html") && found.contains_key("assets/app.js"));
        assert!(!found.keys().any(|name| name.ends_with(".gz")));
    }
}
