//! The commands of the tutorial, run as they stand: what a newcomer types is what is tested.

use std::path::Path;
use std::process::Command;

use crate::command;
use crate::error::XtaskError;

/// Where its pages lie.
const FOLDER: &str = "docs/tutorial";

/// Runs every line of every `sh` block of the tutorial from the workspace's root, page after page in order of name.
///
/// The pages write below `target/` only, which git ignores.
///
/// # Errors
///
/// The first command that fails; pages without a command, which would test nothing.
pub(crate) fn run(root: &Path) -> Result<(), XtaskError> {
    let folder = root.join(FOLDER);
    let mut lines = Vec::new();
    for page in &command::pages_in(&folder)? {
        let text = std::fs::read_to_string(page).map_err(XtaskError::io("read", page))?;
        lines.extend(commands(&text));
    }
    if lines.is_empty() {
        return Err(XtaskError::NoCommands { folder });
    }
    for line in lines {
        println!("$ {line}");
        command::run_quietly(Command::new("sh").current_dir(root).args(["-euc", &line]))?;
    }
    Ok(())
}

/// The lines of all ```` ```sh ```` blocks of a page, each without its comment; lines that end in a backslash go on in
/// the next.
fn commands(page: &str) -> Vec<String> {
    let (mut lines, mut unfinished, mut inside) = (Vec::new(), String::new(), false);
    for line in page.lines() {
        let trimmed = line.trim();
        if let Some(language) = trimmed.strip_prefix("```") {
            inside = !inside && language == "sh";
            continue;
        }
        if !inside || trimmed.starts_with('#') {
            continue;
        }
        let command = trimmed.split_once(" #").map_or(trimmed, |(command, _)| command.trim_end());
        if let Some(begun) = command.strip_suffix('\\') {
            unfinished.push_str(begun);
        } else if !command.is_empty() {
            lines.push(std::mem::take(&mut unfinished) + command);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_the_lines_of_sh_blocks() {
        let page = "\
# Title
`cargo run` in a sentence
```sh
cargo run -- check   # what is read
# a remark

cargo run -- train \\
  --save a.safetensors
```
```text
$ not a command
```
```rust
let none = 1;
```
1. In a list:
   ```sh
   ls target
   ```
```
neither
```
";
        assert_eq!(
            commands(page),
            ["cargo run -- check", "cargo run -- train --save a.safetensors", "ls target"]
        );
    }

    #[test]
    fn what_follows_a_block_of_another_language_is_no_command() {
        assert!(commands("```toml\na = 1\n```\nsh\n```\nsh\n```\n").is_empty());
    }

    #[test]
    fn every_command_of_the_tutorial_is_the_program_or_an_example_and_writes_below_target_only() {
        let folder = crate::root().join(FOLDER);
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            for line in commands(&std::fs::read_to_string(entry.unwrap().path()).unwrap()) {
                assert!(line.starts_with("cargo run --release "), "{line}");
                let words: Vec<&str> = line.split_whitespace().collect();
                for pair in words.windows(2) {
                    if ["--output", "--save", "--truth"].contains(&pair[0]) {
                        assert!(pair[1].starts_with("target/tutorial/"), "{line}");
                    }
                }
                let writes = ["evaluate", "train", "simulate"].iter().any(|command| words.contains(command));
                assert!(!writes || line.contains("target/tutorial/"), "{line}");
                seen += 1;
            }
        }
        assert!(seen >= 5, "{seen} commands");
    }
}
