//! Whether the program understands every command line of its own that the repository's pages and deployment files show.

use super::Command;
use clap::{Parser, error::ErrorKind};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Read when the tests run: a package of this crate has no pages, and its tests shall pass.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Folders that no reader opens.
const LEFT_OUT: &[&str] = &["target", "node_modules", "dist"];

/// Languages of blocks in which commands stand.
const LANGUAGES: &[&str] = &["bash", "sh", "console", "text"];

/// Whether this is a package, without the repository around it.
fn is_packaged() -> bool {
    !Path::new(ROOT).join("docs/how-to").is_dir()
}

/// Files with this end of name, below some folders of the repository.
fn files(folders: &[&str], extension: &str) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), folders.iter().map(|name| Path::new(ROOT).join(name)).collect());
    let open: &mut Vec<PathBuf> = &mut open;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let inside = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
            open.extend(inside.filter(|path| !LEFT_OUT.iter().any(|name| path.ends_with(name))));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The commands of a script, as words: quotes are taken off, remarks left out, lines that end in a backslash joined.
fn commands(script: &str) -> Vec<Vec<String>> {
    let (mut found, mut words, mut word) = (Vec::new(), Vec::new(), None::<String>);
    let mut signs = script.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '\'' | '"' => {
                word.get_or_insert_default().extend(signs.by_ref().take_while(|next| *next != sign));
            }
            '\\' => match signs.next() {
                Some('\n') | None => words.extend(word.take()),
                Some(plain) => word.get_or_insert_default().push(plain),
            },
            '#' if word.is_none() => while signs.next_if(|next| *next != '\n').is_some() {},
            '\n' | ';' | '|' | '&' | '>' | '<' => {
                words.extend(word.take());
                found.push(std::mem::take(&mut words));
            }
            blank if blank.is_whitespace() => words.extend(word.take()),
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    found.push(words);
    found
}

/// What the program is given, where a command runs it.
fn arguments(command: &[String]) -> Option<Vec<String>> {
    let command = match command.first().map(String::as_str) {
        Some("$" | "do" | "then") => command.get(1..)?,
        _ => command,
    };
    match command.first().map(String::as_str)? {
        "forewarn" => Some(command.to_vec()),
        "cargo" if command.get(1)? == "run" && !command.iter().any(|word| word.starts_with("--example")) => {
            let begin = command.iter().position(|word| word == "--")?;
            Some([&["forewarn".to_owned()], command.get(begin + 1..)?].concat())
        }
        _ => None,
    }
}

/// Blocks of a page that may have commands.
fn blocks(page: &str) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), None::<Option<String>>);
    for line in page.lines() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(LANGUAGES.contains(&language.trim()).then(String::new));
            }
            (Some(_), Some(_)) => found.extend(open.take().flatten()),
            // A table of crates begins with the name of one.
            (Some(Some(text)), None) if !line.starts_with("forewarn  ") => text.extend([line, "\n"]),
            _ => {}
        }
    }
    found
}

/// Command lines in sentences, which may name options without what they need.
fn mentions(page: &str) -> Vec<Vec<String>> {
    let mut is_block = false;
    let lines = page.lines().filter(|line| {
        is_block ^= line.trim_start().starts_with("```");
        !is_block
    });
    let text: String = lines.flat_map(|line| [line.trim(), " "]).collect();
    let spans = text.split('`').skip(1).step_by(2);
    // A word in capitals stands for what a reader chooses.
    let is_whole = |words: &Vec<String>| words.get(1).is_some_and(|word| word != &word.to_uppercase());
    spans.filter_map(|span| arguments(commands(span).first()?)).filter(is_whole).collect()
}

/// What is wrong with a command line, in a word.
fn refusal(arguments: &[String]) -> Option<ErrorKind> {
    let kind = Command::try_parse_from(arguments).err()?.kind();
    (!matches!(kind, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)).then_some(kind)
}

#[test]
fn the_program_understands_every_command_of_the_pages() {
    if is_packaged() {
        return;
    }
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for page in files(&["README.md", "docs", "crates", "examples", "benches", "fuzz"], "md") {
        let text = fs::read_to_string(&page).unwrap();
        for arguments in
            blocks(&text).iter().flat_map(|block| commands(block)).filter_map(|words| arguments(&words))
        {
            seen += 1;
            let refused = refusal(&arguments);
            wrong
                .extend(refused.map(|kind| format!("{}: {}: {kind:?}", page.display(), arguments.join(" "))));
        }
        for arguments in mentions(&text) {
            // Values may be missing, or stand for others.
            let refused = refusal(&arguments).filter(|kind| {
                !matches!(
                    kind,
                    ErrorKind::MissingRequiredArgument
                        | ErrorKind::MissingSubcommand
                        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                        | ErrorKind::InvalidValue
                        | ErrorKind::ValueValidation
                )
            });
            wrong.extend(
                refused.map(|kind| format!("{}: `{}`: {kind:?}", page.display(), arguments.join(" "))),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen >= 60, "{seen} command lines in pages");
}

#[test]
fn deployment_files_start_the_program_as_it_understands() {
    if is_packaged() {
        return;
    }
    let deploy = Path::new(ROOT).join("crates/forewarn-server/deploy");
    let mut seen = Vec::new();
    let unit = fs::read_to_string(deploy.join("systemd/forewarn.service")).unwrap();
    for line in unit.lines().filter_map(|line| line.strip_prefix("Exec")?.split_once("=/usr/local/bin/")) {
        seen.extend(commands(line.1));
    }
    let image = fs::read_to_string(deploy.join("container/Containerfile")).unwrap();
    let image = image.lines().find_map(|line| line.strip_prefix("CMD ")).unwrap();
    let image: Vec<String> = serde_json::from_str(image).unwrap();
    seen.push([&["forewarn".to_owned()], &image[..]].concat());
    let manifests = fs::read_to_string(deploy.join("kubernetes/forewarn.yaml")).unwrap();
    let manifests = manifests.lines().map(str::trim).skip_while(|line| *line != "args:").skip(1);
    let arguments = manifests.map_while(|line| line.strip_prefix("- ").map(str::to_owned));
    seen.push(["forewarn".to_owned()].into_iter().chain(arguments).collect());
    assert_eq!(seen.len(), 4, "{seen:?}");
    for arguments in seen {
        assert!(arguments.len() > 2 && refusal(&arguments).is_none(), "{arguments:?}");
    }
}

#[test]
fn commands_are_found_in_scripts() {
    let script = "forewarn train --rule 'error_rate >= 0.05' \\\n  --quiet > out   # a remark; forewarn no\n\
                  for n in 1 2; do forewarn watch --config s-$n.toml; done\n\
                  $ cargo run --release -- graph \"a b\"\ncargo run --example forewarn -- x\nforewarn-io   a crate\n";
    let found: Vec<Vec<String>> = commands(script).iter().filter_map(|command| arguments(command)).collect();
    assert_eq!(
        found,
        [
            &["forewarn", "train", "--rule", "error_rate >= 0.05", "--quiet"][..],
            &["forewarn", "watch", "--config", "s-$n.toml"],
            &["forewarn", "graph", "a b"],
        ]
    );
    let page = "`forewarn\ntrain --save`, `forewarn`, `forewarn COMMAND`\n```bash\nforewarn a\n```\n\
                ```toml\nforewarn b\n```\n";
    assert_eq!(mentions(page), [["forewarn", "train", "--save"]]);
    assert_eq!(blocks(page), ["forewarn a\n"]);
    assert!(refusal(&["forewarn".into(), "train".into(), "--no-such".into()]).is_some());
}
