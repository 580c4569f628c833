//! What pages of the documentation say is configuration, is configuration.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use forewarn::schema::Step;
use forewarn_server::{PrometheusConfig, PrometheusQueries, WatchConfig};

/// Pages about what a service is connected to.
const PAGES: [&str; 5] =
    ["connect-prometheus", "send-to-alertmanager", "webhooks", "prometheus-recipes", "run-live"];

/// Tables that every configuration has, where a part of one lacks them.
const BASE: [(&str, &str); 4] = [
    ("[model]", "[model]\npath = \"m\"\n"),
    ("[store]", "[store]\npath = \"s\"\n"),
    ("[events]", "[events]\npath = \"e\"\n"),
    (
        "[source]",
        "[source]\nkind = \"prometheus\"\nurl = \"http://p\"\nrecipes = [\"istio\", \"kubernetes\"]\n",
    ),
];

/// The blocks of TOML of a page.
fn blocks(page: &str) -> Vec<String> {
    let path = format!("{}/../docs/how-to/{page}.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(path).unwrap();
    let parts = page.split("```toml\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_part_of_a_configuration_is_one() {
    let mut parts = 0;
    for name in PAGES.into_iter().filter(|name| *name != "prometheus-recipes") {
        for block in blocks(name).into_iter().filter(|block| !block.starts_with("name =")) {
            let has = |table: &str| {
                block.lines().any(|line| line.split('#').next().unwrap_or_default().trim() == table)
            };
            let missing = BASE.iter().filter(|(table, _)| !has(table)).map(|(_, text)| *text);
            let mut whole: String = missing.collect();
            if has("[receive]") && !has("[http]") {
                whole += "[http]\n";
            }
            whole += &block;
            let read = WatchConfig::from_toml(&whole);
            assert!(read.is_ok(), "{name}: {}\n{whole}", read.unwrap_err());
            parts += 1;
        }
    }
    assert!(parts >= 11, "{parts}");
}

#[test]
fn every_whole_recipe_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.toml");
    let mut recipes = 0;
    for name in PAGES {
        for block in blocks(name).into_iter().filter(|block| block.starts_with("name =")) {
            std::fs::write(&path, &block).unwrap();
            let config = PrometheusConfig::new("http://p", [path.to_string_lossy()]);
            let queries = PrometheusQueries::new(&config, Step::MINUTE);
            assert!(queries.is_ok(), "{name}: {}\n{block}", queries.unwrap_err());
            recipes += 1;
        }
    }
    assert!(recipes >= 3, "{recipes}");
}
