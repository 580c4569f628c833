//! The commands of the how-to guides, run as they stand on files of the names that they use.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command;
use crate::error::XtaskError;

/// Where the pages lie.
const FOLDERS: &[&str] = &["docs/how-to", "docs/reference"];

/// Makes the files that the pages speak of.
const PREPARE: &str = include_str!("pages/prepare.sh");

/// What stands for the program, and for the cargo that runs it.
const PROGRAMS: &[(&str, &str)] =
    &[("forewarn", include_str!("pages/forewarn.sh")), ("cargo", include_str!("pages/cargo.sh"))];

/// Pages whose files are of one real incident: tests of the program run the same command on such files.
const LEFT_OUT: &[&str] = &["find-roots"];

/// Runs the `bash` blocks of every guide, each page in a folder of its own. A `toml` block before one is written to the
/// first file of that kind that the block names, unless that is there; a whole configuration is written whatever is
/// there.
///
/// # Errors
///
/// The first command that fails; pages without a command.
pub(crate) fn run(root: &Path) -> Result<(), XtaskError> {
    let real = command::release_program(root)?;
    let folder = root.join("target/pages");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(XtaskError::io("remove", &folder))?;
    }
    let (programs, files) = (folder.join("bin"), folder.join("files"));
    for made in [&programs, &files] {
        fs::create_dir_all(made).map_err(XtaskError::io("make", made))?;
    }
    for (name, text) in PROGRAMS {
        let program = programs.join(name);
        write(&program, text)?;
        command::run_quietly(Command::new("chmod").arg("+x").arg(&program))?;
    }
    let path = std::env::join_paths(
        [programs].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    let path = path.unwrap_or_default();
    let shell = |script: &str, at: &Path| {
        let mut sh = Command::new("bash");
        sh.current_dir(at).args(["-euo", "pipefail", "-c", script]);
        command::run_quietly(sh.env("PATH", &path).env("FOREWARN", &real).env("QUIET", "1"))
    };
    println!("$ prepare.sh");
    shell(PREPARE, &files)?;
    let mut pages = Vec::new();
    for folder in FOLDERS {
        pages.extend(command::pages_in(&root.join(folder))?);
    }
    let mut count = 0;
    for page in &pages {
        let text = fs::read_to_string(page).map_err(XtaskError::io("read", page))?;
        let found = blocks(&text);
        let name = page.file_stem().unwrap_or_default();
        if !found.iter().any(|block| block.language == "bash") {
            continue;
        }
        if LEFT_OUT.iter().any(|left_out| name == *left_out) {
            println!("left out: {}", name.display());
            continue;
        }
        let place = folder.join(name);
        command::run_quietly(Command::new("cp").arg("-r").arg(&files).arg(&place))?;
        for (index, block) in found.iter().enumerate().filter(|(_, block)| block.language == "bash") {
            if let Some(before) = found[..index].last().filter(|before| before.language == "toml")
                && let Some(file) = toml_file(&block.text)
                && (!place.join(file).exists() || before.text.contains("[model]\n"))
            {
                write(&place.join(file), &before.text)?;
            }
            println!("$ {}: {}", name.display(), block.text.trim_end());
            shell(&block.text, &place)?;
            count += 1;
        }
    }
    if count == 0 { Err(XtaskError::NoCommands { folder: root.join(FOLDERS[0]) }) } else { Ok(()) }
}

fn write(path: &Path, text: &str) -> Result<(), XtaskError> {
    fs::write(path, text).map_err(XtaskError::io("write", path))
}

/// A block of code of a page.
pub(super) struct Block {
    pub(super) language: String,
    pub(super) text: String,
}

/// The blocks of code of a page, in order.
pub(super) fn blocks(page: &str) -> Vec<Block> {
    let (mut found, mut open) = (Vec::new(), None::<Block>);
    for line in page.lines() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(language)) => {
                open = Some(Block { language: language.trim().to_owned(), text: String::new() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => block.text.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    found
}

/// The first word of a script that is the name of a TOML file in this folder.
fn toml_file(script: &str) -> Option<&str> {
    let mut words = script.split_whitespace();
    words.find(|word| word.ends_with(".toml") && !word.contains(['/', '$', '=']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_the_files_that_they_name_are_found() {
        let found =
            blocks("# A\n```toml\na = 1\n```\ntext\n```bash\nforewarn check --rule-file rule.toml\n```\n");
        let languages: Vec<&str> = found.iter().map(|block| block.language.as_str()).collect();
        assert_eq!(languages, ["toml", "bash"]);
        assert_eq!(found[0].text, "a = 1\n");
        assert_eq!(toml_file(&found[1].text), Some("rule.toml"));
        assert_eq!(toml_file("forewarn check --config /etc/a.toml"), None);
    }

    #[test]
    fn most_guides_have_commands_that_are_run() {
        let folder = crate::root().join(FOLDERS[0]);
        let pages = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()));
        let with_commands = pages
            .filter(|page| blocks(page.as_ref().unwrap()).iter().any(|block| block.language == "bash"))
            .count();
        assert!(with_commands >= 15, "{with_commands}");
    }
}
