//! Whether every configuration that the repository's pages show is one that a start would take.

use super::WatchConfig;
use std::{fs, path::Path};
use toml::{Table, Value};

/// Read when the tests run: a package of this crate has no pages, and its tests shall pass.
const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

/// What a page leaves out because it stands on another.
const REST: &str = r#"
[model]
path = "model.safetensors"
[source]
kind = "prometheus"
url = "http://127.0.0.1:9090"
recipes = ["istio"]
[store]
path = "store"
[events]
path = "events.ndjson"
[http]
listen = "127.0.0.1:8080"
[[token]]
name = "somebody"
role = "viewer"
file = "token"
"#;

/// Tables of other files: rules, recipes, graphs, scenarios, manifests of cargo.
const OF_OTHERS: &[&str] = &[
    "when",
    "episodes",
    "fragments",
    "watch",
    "services",
    "calls",
    "inject",
    "dev-dependencies",
    "dependencies",
    "features",
    "service",
];

/// The `toml` blocks of a page.
fn blocks(page: &str) -> Vec<String> {
    let blocks = page.split("\n```toml\n").skip(1);
    blocks.filter_map(|after| Some(after.split_once("\n```")?.0.to_owned())).collect()
}

/// The block as a whole configuration, with what it leaves out; none where it is another file.
fn whole(block: &Table) -> Option<Table> {
    // A recipe has a table for each metric, a configuration has settings of its own metrics.
    let is_recipe = block
        .get("metrics")
        .and_then(Value::as_table)
        .is_some_and(|metrics| metrics.values().any(Value::is_table));
    if is_recipe || OF_OTHERS.iter().any(|name| block.contains_key(*name)) {
        return None;
    }
    let mut whole: Table = REST.parse().unwrap();
    for (name, value) in block {
        match (whole.get_mut(name), value) {
            // A table of a few settings beside those that another block of the page has.
            (Some(Value::Table(all)), Value::Table(some)) if !some.contains_key("kind") => {
                all.extend(some.clone());
            }
            _ => drop(whole.insert(name.clone(), value.clone())),
        }
    }
    Some(whole)
}

#[test]
fn a_start_takes_every_configuration_of_the_pages() {
    let Ok(folders) = fs::read_dir(DOCS) else { return };
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for folder in folders.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let pages = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for page in pages.filter(|page| page.extension() == Some("md".as_ref())) {
            for text in blocks(&fs::read_to_string(&page).unwrap()) {
                // Hashes on pages are cut short.
                let text = text.replace("\"3b0c...\"", &format!("\"{}\"", "3b".repeat(32)));
                let name = Path::new(page.file_name().unwrap()).display();
                let refused = match text.parse::<Table>() {
                    Ok(block) => whole(&block).and_then(|whole| {
                        seen += 1;
                        WatchConfig::from_toml(&whole.to_string()).err().map(|error| error.to_string())
                    }),
                    Err(error) => Some(error.to_string()),
                };
                wrong.extend(refused.map(|error| format!("{name}: {error}\n{text}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(seen >= 20, "{seen} configurations in pages");
}

#[test]
fn what_no_start_would_take_is_found() {
    let refusal = |text: &str| {
        let whole = whole(&text.parse().unwrap()).unwrap();
        WatchConfig::from_toml(&whole.to_string()).unwrap_err().to_string()
    };
    assert!(refusal("[budgte]\nmode = \"static\"").contains("budgte"));
    assert!(refusal("[alerts]\nlabel = { cluster = \"eu\" }").contains("label"));
    assert!(whole(&"[metrics.a]\nform = \"count\"".parse().unwrap()).is_none());
    assert_eq!(blocks("a\n```toml\nb = 1\n```\n```text\nc\n```\n"), ["b = 1"]);
}
