//! The commands of the guide connect-prometheus.md, which joins forewarn to Prometheus, in the order in which a reader
//! types them.

use super::{
    history::History,
    minutes_ago,
    servers::{program, prometheus},
};
use crate::support::done;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Read when the tests run: the package has no pages, and its tests shall build.
fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/how-to/connect-prometheus.md");
    fs::read_to_string(path).unwrap()
}

/// The address that the page has for every server.
const SERVER: &str = "http://127.0.0.1:9090";

/// Blocks of code in a language, in order.
fn blocks(language: &str) -> Vec<String> {
    let (mut blocks, mut block) = (Vec::new(), None::<String>);
    for line in page().lines() {
        match &mut block {
            Some(_) if line == "```" => blocks.extend(block.take()),
            Some(text) => *text += &format!("{line}\n"),
            None if line.strip_prefix("```") == Some(language) => block = Some(String::new()),
            None => {}
        }
    }
    blocks
}

/// The words of a command line, of which some are in single quotes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut is_quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words
}

/// Every command of the page that begins with `forewarn`, without that word.
fn commands() -> Vec<Vec<String>> {
    let blocks = blocks("text");
    let lines = blocks.iter().flat_map(|block| block.lines());
    let commands: Vec<_> = lines.filter_map(|line| line.strip_prefix("forewarn ")).map(words).collect();
    assert!(commands.len() >= 6, "{commands:?}");
    commands
}

/// Runs the service until a warning or a score is in its events, and ends it as Ctrl-C does.
fn watch(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forewarn"));
    let command = command.args(arguments).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let started = Instant::now();
    let has_scores = || {
        let events = fs::read_to_string(folder.join("events.ndjson")).unwrap_or_default();
        events.contains("\"event\":\"score\"") && events.contains("\"probability\":0.")
    };
    while !has_scores() {
        assert!(started.elapsed() < Duration::from_secs(120), "no score came");
        assert!(child.try_wait().unwrap().is_none(), "the service ended by itself");
        thread::sleep(Duration::from_millis(200));
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success() && child.wait().unwrap().success());
}

/// Adds what the page's shop exports, of the last two hours.
fn add_shop(samples: &Path) {
    let text = fs::read_to_string(samples).unwrap();
    let mut text = text.trim_end_matches("# EOF\n").to_owned();
    let name = "shop_http_request_duration_seconds";
    for (app, code, growth) in [("web", "200", 40), ("web", "500", 1), ("cart", "200", 25)] {
        for scrape in 0..480 {
            let time = minutes_ago(120) + 15 * scrape;
            let count = growth * scrape;
            for (bound, share) in [("0.1", 0.5), ("1", 0.98), ("+Inf", 1.0)] {
                let bucket = count as f64 * share;
                text += &format!(
                    "{name}_bucket{{app=\"{app}\",code=\"{code}\",le=\"{bound}\"}} {bucket} {time}\n"
                );
            }
            text += &format!("{name}_count{{app=\"{app}\",code=\"{code}\"}} {count} {time}\n");
        }
    }
    fs::write(samples, text + "# EOF\n").unwrap();
}

#[test]
#[ignore = "needs Prometheus: run by cargo xtask test"]
fn every_command_of_the_page_works_as_typed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let samples = at.join("samples");
    History { from: minutes_ago(3 * 1440), to: minutes_ago(-5), step: 15 }.write(&samples);
    add_shop(&samples);
    let server = prometheus(&samples, at);
    let page = |text: &str| text.replace(SERVER, &server.url);
    let file = blocks("toml").into_iter().find(|block| block.starts_with("[model]")).unwrap();
    let recipe = blocks("toml").into_iter().find(|block| block.starts_with("name =")).unwrap();
    fs::write(at.join("shop.toml"), recipe).unwrap();
    let own_source = |text: &str| text.contains("--config forewarn.toml");
    let mut typed = 0;
    for command in commands() {
        let command: Vec<String> = command.iter().map(|word| page(word)).collect();
        let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        let line = command.join(" ");
        if own_source(&line) || arguments[0] == "watch" {
            fs::write(at.join("forewarn.toml"), page(&file)).unwrap();
        }
        match arguments[0] {
            "watch" => watch(at, &arguments),
            "train" => {
                // What is not on the page: quick models, and a rule that this history breaks now and then.
                arguments.extend(["--models", "logistic_snapshot", "--quiet"]);
                arguments.extend(["--rule", "error_rate >= 0.06 for 2 steps"]);
                drop(done(at, &arguments));
            }
            _ => drop(done(at, &arguments)),
        }
        typed += 1;
    }
    assert!(typed >= 7 && at.join("past").is_dir() && at.join("forewarn.rules.yml").exists());
    done(at, &["check", "--config", "forewarn.toml"]);
    // Warnings may not have come; other events have the same form.
    let looked_for = blocks("text").into_iter().find(|block| block.starts_with("grep ")).unwrap();
    assert!(looked_for.contains("\"event\":\"warning\""));
    let grep = looked_for.replace("warning", "score");
    assert!(
        Command::new("sh")
            .args(["-c", &grep])
            .current_dir(at)
            .stdout(Stdio::null())
            .status()
            .unwrap()
            .success()
    );
    let mut promtool = Command::new(program("FOREWARN_PROMTOOL", "promtool"));
    let checked = promtool.args(["check", "rules", "forewarn.rules.yml"]).current_dir(at).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}
