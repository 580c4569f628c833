//! What a configuration of a live service says, and whether a service could start with it.

use crate::{error::CliError, output::printable};
use forewarn_server::{CheckedConfig, SourceConfig, WatchConfig, check_config};
use serde_json::{Value, json};
use std::{fmt::Write, path::Path};

/// A configuration as it was found.
pub(crate) struct FoundConfig {
    /// What it says.
    pub(crate) about: Value,
    /// Whether its source is a Prometheus.
    pub(crate) reads_prometheus: bool,
}

/// Reads a configuration and what it names, as a start would; nothing is listened on, and nothing is written.
pub(crate) fn read(path: &Path) -> Result<FoundConfig, CliError> {
    let config = WatchConfig::from_path(path)?;
    let CheckedConfig { models, failure_rule, tokens, .. } = check_config(&config)?;
    let http = config.http.as_ref();
    let about = json!({
        "models": models,
        "shard": config.shard.map(|shard| shard.to_string()),
        "failure_rule": failure_rule,
        "listen": http.map(|http| http.listen.to_string()),
        "tls": http.map(|http| http.tls.is_some()),
        "tokens": tokens.iter().map(|(name, role)| json!({"name": name, "role": role})).collect::<Vec<_>>(),
        "objectives": config.engine().slos.len(),
        "alertmanagers": config.alertmanagers.len(),
        "webhooks": config.webhooks.len(),
    });
    let reads_prometheus = matches!(config.source, SourceConfig::Prometheus(_));
    Ok(FoundConfig { about, reads_prometheus })
}

/// The same for people.
pub(crate) fn text(config: &Value) -> String {
    let names = |field: &str, part: fn(&Value) -> Option<&str>| {
        let all = config[field].as_array().into_iter().flatten();
        all.filter_map(part).map(printable::name).collect::<Vec<_>>().join(", ")
    };
    let mut text = format!("configuration: models {}\n", names("models", Value::as_str));
    if let Some(shard) = config["shard"].as_str() {
        let _ = writeln!(text, "shard: {shard}");
    }
    let rule = config["failure_rule"].as_str().unwrap_or_default();
    let _ = writeln!(text, "failing: {}", printable::text(rule));
    match config["listen"].as_str() {
        Some(listen) => {
            let scheme = if config["tls"] == true { "https" } else { "http" };
            let tokens = names("tokens", |token| token["name"].as_str());
            let tokens = if tokens.is_empty() { "none".to_owned() } else { tokens };
            let _ = writeln!(text, "API: {scheme}://{listen}, tokens: {tokens}");
        }
        None => text += "API: none\n",
    }
    text
}
