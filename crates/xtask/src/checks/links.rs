//! Whether what the pages point to is there: files and headings by relative links, examples by the commands that run
//! them.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use cargo_metadata::MetadataCommand;

use crate::command;
use crate::error::XtaskError;

/// Checks all pages that git knows.
///
/// # Errors
///
/// A link or a command that leads nowhere; each is printed.
pub(crate) fn check(root: &Path) -> Result<(), XtaskError> {
    let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
    let targets = metadata.packages.iter().flat_map(|package| &package.targets);
    let examples: BTreeSet<&str> = targets.map(|target| target.name.as_str()).collect();
    let mut git = Command::new("git");
    let pages = command::output(git.current_dir(root).args(["ls-files", "--cached", "*.md"]))?;
    let mut broken = 0;
    for page in pages.lines().map(|page| root.join(page)) {
        let text = std::fs::read_to_string(&page).map_err(XtaskError::io("read", &page))?;
        let folder = page.parent().unwrap_or(root);
        let is_packaged = is_packaged(root, &page);
        let mut files = Vec::new();
        for Link { file, heading } in links(&text) {
            let place = if file.is_empty() { page.clone() } else { folder.join(file) };
            if is_packaged && !file.is_empty() {
                files.push(format!(
                    "{file} is not there for readers of the package: write its name, without a link"
                ));
            } else if !place.exists() {
                files.push(format!("no file {file}"));
            } else if let Some(heading) = heading
                && place.extension().is_some_and(|extension| extension == "md")
            {
                let target = std::fs::read_to_string(&place).map_err(XtaskError::io("read", &place))?;
                if !headings(&target).any(|found| found == heading) {
                    files.push(format!("no heading {file}#{heading}"));
                }
            }
        }
        let missing = named_examples(&text).filter(|name| !examples.contains(*name));
        for what in files.into_iter().chain(missing.map(|name| format!("no example {name}"))) {
            println!("{}: {what}", page.strip_prefix(root).unwrap_or(&page).display());
            broken += 1;
        }
    }
    if broken == 0 { Ok(()) } else { Err(XtaskError::Links { broken }) }
}

/// Whether a page is the front page of a crate, which is read on documentation sites as well, where no other file is.
fn is_packaged(root: &Path, page: &Path) -> bool {
    page.ends_with("README.md")
        && page.parent().and_then(Path::parent).is_some_and(|folder| folder == root.join("crates"))
}

/// Where a link leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link<'a> {
    /// A file, relative to the page's folder; empty for the page itself.
    pub(crate) file: &'a str,
    /// A heading of it, as an anchor.
    heading: Option<&'a str>,
}

/// Links and pictures within the repository. Names of the code, which rustdoc checks, are left out.
pub(crate) fn links(text: &str) -> impl Iterator<Item = Link<'_>> {
    let targets = text.split("](").skip(1).filter_map(|after| after.split(')').next());
    targets.filter_map(|target| {
        let (file, heading) =
            target.split_once('#').map_or((target, None), |(file, heading)| (file, Some(heading)));
        let is_page = file.is_empty() && heading.is_some();
        let is_file = file.contains(['/', '.']) && !file.contains([':', '(', ' ']);
        (is_page || is_file).then_some(Link { file, heading })
    })
}

/// The anchors of a page's headings: lower case, signs left out, blanks as hyphens.
fn headings(page: &str) -> impl Iterator<Item = String> {
    let mut is_code = false;
    let lines = page.lines().filter(move |line| {
        is_code ^= line.trim_start().starts_with("```");
        !is_code
    });
    lines.filter_map(|line| {
        let heading = line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#'))?;
        let sign = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let kept = heading.trim().chars().filter(sign).map(|c| if c == ' ' { '-' } else { c });
        Some(kept.flat_map(char::to_lowercase).collect())
    })
}

/// Names after `--example`.
fn named_examples(text: &str) -> impl Iterator<Item = &str> {
    let names = text.split("--example").skip(1).filter_map(|after| {
        let name = after.trim_start();
        let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len());
        name.get(..end)
    });
    names.filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_of_this_repository_point_to_what_is_there() {
        check(crate::root()).unwrap();
    }

    #[test]
    fn links_to_files_and_headings_are_told_from_others() {
        let text =
            "[a](docs/a.md) ![b](b.png) [c](a.md#part) [d](#part) [e](https://x.y/z) [`F`](crate::F) [g](F)";
        let found: Vec<_> = links(text).map(|link| (link.file, link.heading)).collect();
        let part = Some("part");
        assert_eq!(found, [("docs/a.md", None), ("b.png", None), ("a.md", part), ("", part)]);
    }

    #[test]
    fn front_pages_of_crates_are_told_from_others() {
        let root = Path::new("/workspace");
        let packaged =
            ["crates/forewarn/README.md", "README.md", "docs/README.md", "crates/forewarn/docs/README.md"]
                .map(|page| is_packaged(root, &root.join(page)));
        assert_eq!(packaged, [true, false, false, false]);
    }

    #[test]
    fn headings_are_anchors_as_the_repository_shows_them() {
        let page =
            "# Why did it fail?\n#no\n```sh\n# a remark\n```\n## `report.json`, version 1\ntext # not\n";
        assert!(headings(page).eq(["why-did-it-fail", "reportjson-version-1"]));
    }

    #[test]
    fn examples_are_found_in_commands() {
        let text = "`cargo run --example\nquick_start -- --days 3`, cargo run --example chaos.";
        assert!(named_examples(text).eq(["quick_start", "chaos"]));
    }
}
