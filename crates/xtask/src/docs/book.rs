//! The documentation as a site, by mdBook.
//!
//! Pages link to files outside of `docs/`: READMEs of crates, sources, deployment files. A site has only what it is
//! made of, so it is made of a copy in `target/book/source` that is laid out as the repository and has those files too.

mod site;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use crate::checks::links::links;
use crate::command;
use crate::error::XtaskError;

pub(crate) const HELP: &str = "\
Build the documentation site under target/book/site, and check that every link in it leads somewhere.

Usage: cargo xtask book

Needs mdBook (FOREWARN_MDBOOK, or mdbook on the search path): cargo install mdbook --no-default-features --features search
";

/// Why there is nothing to run.
pub(crate) const NOTHING: &str = "no mdbook is here: `cargo install mdbook`, or set FOREWARN_MDBOOK to one";

/// The mdBook that `FOREWARN_MDBOOK` names, else the one on the search path.
pub(crate) fn find() -> Option<PathBuf> {
    let named = std::env::var_os("FOREWARN_MDBOOK").filter(|named| !named.is_empty()).map(PathBuf::from);
    named.or_else(|| command::on_path(&["mdbook", "mdbook.exe"]))
}

/// Builds the site with the mdBook at hand.
///
/// # Errors
///
/// There is none, or as [`check`].
pub(crate) fn build(root: &Path) -> Result<(), XtaskError> {
    let mdbook = find().ok_or_else(|| XtaskError::Usage { message: NOTHING.to_owned() })?;
    check(root, &mdbook)
}

/// Builds the site and checks its links.
///
/// # Errors
///
/// mdBook's, and links that lead nowhere; each is printed.
pub(crate) fn check(root: &Path, mdbook: &Path) -> Result<(), XtaskError> {
    let folder = root.join("target/book");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(XtaskError::io("remove", &folder))?;
    }
    let source = folder.join("source");
    let pages = gather(root, &source)?;
    write(&source.join("SUMMARY.md"), &summary(&read(&root.join("docs/SUMMARY.md"))?, &pages))?;
    let settings = read(&root.join("docs/book.toml"))?;
    let settings = settings.replace("src = \".\"", "src = \"source\"").replace("../target/book/site", "site");
    write(&folder.join("book.toml"), &settings)?;
    command::run(Command::new(mdbook).arg("build").arg(&folder))?;
    site::check(&folder.join("site"))
}

/// The page that the site begins with: mdBook copies the first one to the site's root, where its links must hold too.
const FRONT: &str = "README.md";

/// A page outside of `docs/`: its path and its title.
type Pages = BTreeMap<String, String>;

/// Copies `docs/` and all that its pages lead to, and gives the pages among the latter.
fn gather(root: &Path, source: &Path) -> Result<Pages, XtaskError> {
    let mut git = Command::new("git");
    let listed = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let files = command::output(git.current_dir(root).args(listed))?;
    let files: BTreeSet<&str> = files.lines().collect();
    let docs = files.iter().filter(|file| file.starts_with("docs/"));
    let mut open: VecDeque<String> = docs.chain([&FRONT]).map(|&file| file.to_owned()).collect();
    let (mut seen, mut outside) = (BTreeSet::new(), Pages::new());
    while let Some(path) = open.pop_front() {
        if !seen.insert(path.clone()) {
            continue;
        }
        if !path.ends_with(".md") {
            let to = source.join(&path);
            make_parent(&to)?;
            fs::copy(root.join(&path), &to).map_err(XtaskError::io("copy", &to))?;
            continue;
        }
        let mut text = read(&root.join(&path))?;
        if !path.starts_with("docs/") && path != FRONT {
            outside.insert(path.clone(), title(&text).unwrap_or(&path).to_owned());
            text = without_names(&text);
        }
        let targets: BTreeSet<String> = links(&text).map(|link| link.file.to_owned()).collect();
        for target in targets {
            let Some(place) = resolved(&path, &target) else { continue };
            if files.contains(place.as_str()) {
                open.push_back(place);
                continue;
            }
            let below: Vec<&str> =
                files.iter().copied().filter(|file| Path::new(file).starts_with(&place)).collect();
            if below.is_empty() {
                continue;
            }
            // A site cannot show a folder: its README does, or a page that lists it.
            let has_readme = below.contains(&format!("{place}/README.md").as_str());
            let name = if has_readme { "README.md" } else { "FILES.md" };
            let listing = format!("{place}/{name}");
            if has_readme {
                open.push_back(listing);
            } else if seen.insert(listing.clone()) {
                write(&source.join(&listing), &list(&place, &below))?;
                outside.insert(listing, format!("Files of {place}"));
                open.extend(below.into_iter().map(str::to_owned));
            }
            let to = format!("{}/{name}", target.trim_end_matches('/'));
            text = text.replace(&format!("]({target})"), &format!("]({to})"));
        }
        write(&source.join(&path), &text)?;
    }
    Ok(outside)
}

/// The page without its links to names of the code, which only rustdoc follows.
fn without_names(page: &str) -> String {
    let mut parts = page.split("](");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_name = |target: &str| target.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':'));
        match part.split_once(')') {
            Some((target, rest)) if !target.is_empty() && is_name(target) => text.extend(["]", rest]),
            _ => text.extend(["](", part]),
        }
    }
    text
}

fn list(folder: &str, files: &[&str]) -> String {
    let mut page = format!("# Files of {folder}\n\n");
    for file in files {
        let name = file.strip_prefix(folder).unwrap_or(file).trim_start_matches('/');
        // Text to a `String` cannot fail.
        let _ = writeln!(page, "- [{name}]({name})");
    }
    page
}

/// The path in the repository that a link of a page leads to; `None` for the page itself and what is outside.
fn resolved(page: &str, link: &str) -> Option<String> {
    if link.is_empty() || link.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Path::new(page).parent()?.iter().filter_map(|part| part.to_str()).collect();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => drop(parts.pop()?),
            Component::Normal(name) => parts.push(name.to_str()?),
            _ => {}
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// The summary of the copy: that of `docs/`, and the pages outside of it.
fn summary(docs: &str, outside: &Pages) -> String {
    let docs = docs.replace("](", "](docs/");
    let mut text = docs.replacen("\n[", &format!("\n[forewarn]({FRONT})\n["), 1);
    text.push_str("\n# Of the repository\n\n");
    for (path, title) in outside {
        let _ = writeln!(text, "- [{title}]({path})");
    }
    text
}

fn title(page: &str) -> Option<&str> {
    page.lines().find_map(|line| line.strip_prefix("# "))
}

fn read(path: &Path) -> Result<String, XtaskError> {
    fs::read_to_string(path).map_err(XtaskError::io("read", path))
}

fn write(path: &Path, text: &str) -> Result<(), XtaskError> {
    make_parent(path)?;
    fs::write(path, text).map_err(XtaskError::io("write", path))
}

fn make_parent(path: &Path) -> Result<(), XtaskError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(XtaskError::io("make", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_of_docs_is_in_the_summary_and_the_other_way_round() {
        let root = crate::root();
        let summary = read(&root.join("docs/SUMMARY.md")).unwrap();
        let named: BTreeSet<String> = links(&summary).map(|link| format!("docs/{}", link.file)).collect();
        let mut found = BTreeSet::new();
        let mut open = vec![root.join("docs")];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else if path.extension().is_some_and(|kind| kind == "md") && !path.ends_with("SUMMARY.md") {
                    found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"));
                }
            }
        }
        assert_eq!(named, found);
    }

    #[test]
    fn links_are_resolved_from_their_page() {
        let page = "docs/how-to/a.md";
        assert_eq!(resolved(page, "b.md").as_deref(), Some("docs/how-to/b.md"));
        assert_eq!(
            resolved(page, "../../crates/forewarn/README.md").as_deref(),
            Some("crates/forewarn/README.md")
        );
        assert_eq!(resolved(page, "../../../other"), None);
        assert_eq!(resolved(page, ""), None);
    }

    #[test]
    fn links_to_names_of_the_code_are_text() {
        let page = "[a](Name) [b](crate::Name) [c](c.md) [d](#part)";
        assert_eq!(without_names(page), "[a] [b] [c](c.md) [d](#part)");
    }

    #[test]
    fn pages_outside_follow_those_of_the_docs() {
        let pages = Pages::from([("crates/a/README.md".to_owned(), "a".to_owned())]);
        let text = summary("# S\n\n[Zero](zero.md)\n- [One](one.md)\n", &pages);
        let docs = "# S\n\n[forewarn](README.md)\n[Zero](docs/zero.md)\n- [One](docs/one.md)\n";
        assert_eq!(text, format!("{docs}\n# Of the repository\n\n- [a](crates/a/README.md)\n"));
    }
}
