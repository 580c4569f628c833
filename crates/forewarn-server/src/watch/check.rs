use crate::{
    Role, ServerError, WatchConfig, http::check_tokens, log::filter, runtime::Sharding, sink, watch::models,
};
use forewarn_live::{Engine, EngineModels};
use std::sync::Arc;

/// What a configuration names, as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckedConfig {
    /// The models by name, the main one first.
    pub models: Vec<String>,
    /// What counts as failing.
    pub failure_rule: String,
    /// Names and roles of the tokens.
    pub tokens: Vec<(String, Role)>,
}

/// Does what a start would do before it touches the store: reads models, tokens, certificates, secrets and
/// templates, and builds an engine. Nothing is listened on, and nothing is written.
///
/// # Errors
/// [`ServerError`] as a start would have it, for a model, rule, objective, token or certificate that cannot be used.
pub fn check_config(config: &WatchConfig) -> Result<CheckedConfig, ServerError> {
    filter(&config.log)?;
    check_tokens(config)?;
    sink::check(config)?;
    Sharding::open(config)?;
    let models = models(config)?;
    let names = models.iter().map(|(name, _)| name.clone()).collect();
    let mut all = models.into_iter();
    let Some((name, main)) = all.next() else {
        return Err(ServerError::Config { reason: "model.path: expected a model".to_owned() });
    };
    let engine_models = all.fold(EngineModels::new(name, Arc::clone(&main)), |models, (name, model)| {
        models.with_shadow(name, model)
    });
    let engine = Engine::new(config.engine(), engine_models)?;
    Ok(CheckedConfig {
        models: names,
        failure_rule: engine.rule().to_string(),
        tokens: config.tokens.iter().map(|token| (token.name.clone(), token.role)).collect(),
    })
}
