//! The program beside a real Prometheus: `cargo xtask test` runs this where it is installed.

#[path = "../../../forewarn-server/tests/main/real_servers/history.rs"]
mod history;
#[expect(dead_code, reason = "shared with tests that push")]
#[path = "../../../forewarn-server/tests/main/real_servers/servers.rs"]
mod servers;
mod typed;

use crate::support::{done, refused};
use history::History;
use serde_json::Value;
use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

/// The time on the clock of minutes that is at or before now less `minutes`, in seconds.
fn minutes_ago(minutes: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    now - now.rem_euclid(60) - 60 * minutes
}

#[test]
#[ignore = "needs Prometheus: run by cargo xtask test"]
fn from_a_server_to_a_model_that_knows_its_queries() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let samples = at.join("samples");
    History { from: minutes_ago(8 * 1440), to: minutes_ago(-5), step: 60 }.write(&samples);
    let server = servers::prometheus(&samples, at);
    let url = ["--prometheus", &server.url, "--scrape-interval", "60"];

    let checked = done(at, &[&["check", "--format", "json"], &url[..]].concat());
    let found: Value = serde_json::from_str(&checked).unwrap();
    assert_eq!(found["prometheus"]["chosen"], serde_json::json!(["opentelemetry"]), "{checked}");
    assert_eq!(found["prometheus"]["is_usable"], true);
    let text = done(at, &[&["check", "--recording-rules", "forewarn.rules.yml"], &url[..]].concat());
    let rules = fs::read_to_string(at.join("forewarn.rules.yml")).unwrap();
    assert!(rules.contains("record: forewarn:error_rate") && rules.contains("[240s]"), "{rules}");
    assert!(text.contains("shop/cart, shop/web") && text.contains("usable: rows would come"), "{text}");
    let error = refused(at, 1, &["check", "--prometheus", "http://127.0.0.1:1"]);
    assert!(error.is_empty(), "what is wrong is a finding: {error}");

    // Two days, then three: the two that are there are not asked for again.
    let days = |days| [&["backfill", "--days", days, "--output", "past", "--quiet"], &url[..]].concat();
    let first = done(at, &days("2"));
    assert!(
        first.starts_with("3 days read, 0 were there") || first.starts_with("2 days read, 0 were there"),
        "{first}"
    );
    let second = done(at, &days("4"));
    let there: usize =
        second.split("read, ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap();
    assert!(there >= 1, "{second}");
    let other = [&["backfill", "--days", "2", "--output", "past", "--step", "2m"], &url[..]].concat();
    assert!(refused(at, 1, &other).contains("another step"));

    // In one go, and by way of the folder: the same queries are in both models.
    let train = ["--models", "logistic_snapshot", "--quiet", "--rule", "error_rate >= 0.06 for 2 steps"];
    done(at, &[&["train", "--days", "7", "--save", "a.safetensors"], &train[..], &url[..]].concat());
    done(at, &[&["backfill", "--days", "7", "--output", "week", "--quiet"], &url[..]].concat());
    done(at, &[&["train", "--input", "week", "--save", "b.safetensors"], &train[..]].concat());
    let queries = |model: &str| {
        let checked = done(at, &["check", "--model", model, "--format", "json"]);
        let checked: Value = serde_json::from_str(&checked).unwrap();
        checked["model"]["metadata"]["queries"].clone()
    };
    assert_eq!(queries("a.safetensors"), queries("b.safetensors"));
    assert!(queries("a.safetensors")["fingerprint"].as_str().unwrap().len() == 16);

    // Served by other queries it is refused.
    let config = |interval: u32| {
        let text = format!(
            "[model]\npath = \"a.safetensors\"\n[source]\nkind = \"prometheus\"\nurl = \"{}\"\n\
             recipes = [\"opentelemetry\"]\nscrape_interval_secs = {interval}\n[store]\npath = \"store\"\n[events]\n\
             path = \"events.ndjson\"\n",
            server.url
        );
        fs::write(at.join("forewarn.toml"), text).unwrap();
    };
    config(15);
    let error = refused(at, 1, &["watch", "--config", "forewarn.toml"]);
    assert!(error.contains("other queries"), "{error}");
    config(60);
    done(at, &["check", "--config", "forewarn.toml", "--model", "a.safetensors"]);
}
