//! Whether what the pages point to is there: files by relative links, examples by the commands that run them.

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
        // Links are those of the place where a page is read: the first page is a link to that of a crate.
        let folder = if page.ends_with(FRONT) { root } else { page.parent().unwrap_or(root) };
        let files =
            links(&text).filter(|link| !folder.join(link).exists()).map(|link| format!("no file {link}"));
        let missing = named_examples(&text).filter(|name| !examples.contains(*name));
        for what in files.chain(missing.map(|name| format!("no example {name}"))) {
            println!("{}: {what}", page.strip_prefix(root).unwrap_or(&page).display());
            broken += 1;
        }
    }
    if broken == 0 { Ok(()) } else { Err(XtaskError::Links { broken }) }
}

/// What the `README.md` of the root is a link to.
const FRONT: &str = "crates/forewarn/README.md";

/// Targets of links and pictures within the repository, without their anchors. Names of the code, which rustdoc checks, are none.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|after| after.split(')').next());
    let files = targets.filter_map(|target| target.split('#').next());
    files.filter(|file| file.contains(['/', '.']) && !file.contains([':', '(', ' ']))
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
    fn links_to_files_are_told_from_others() {
        let text =
            "[a](docs/a.md) ![b](b.png) [c](a.md#part) [d](#part) [e](https://x.y/z) [`F`](crate::F) [g](F)";
        assert!(links(text).eq(["docs/a.md", "b.png", "a.md"]));
    }

    #[test]
    fn examples_are_found_in_commands() {
        let text = "`cargo run --example\nquick_start -- --days 3`, cargo run --example chaos.";
        assert!(named_examples(text).eq(["quick_start", "chaos"]));
    }
}
