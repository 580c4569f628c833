//! Models: the one that warns, and those that run beside it.

use crate::api::{Shared, alarms::ledger::ModelLedger, state::Api};
use crate::{
    http::{Body, Name, Problem},
    runtime::Snapshot,
};
use axum::{Json, extract::State};
use forewarn_live::{Action, Input, OutcomeKind};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// A model.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Model {
    /// Its name.
    pub(crate) name: String,
    /// Whether it is the one that warns.
    pub(crate) main: bool,
    /// Probability from which on it warns now.
    pub(crate) threshold: f64,
    /// What the budget adds to the log-odds of its own threshold.
    pub(crate) threshold_shift: f64,
    /// What it was trained on, if its file says so.
    pub(crate) trained: Option<String>,
    /// The metrics that it reads.
    pub(crate) metrics: Vec<String>,
    /// Steps that it looks at.
    pub(crate) observation: usize,
    /// Steps between a score and the period that it speaks about.
    pub(crate) lead: usize,
    /// Steps of that period.
    pub(crate) period: usize,
    /// Which model it is: equal for files of equal bytes.
    pub(crate) fingerprint: String,
    /// What else its file says.
    #[schema(value_type = Object)]
    pub(crate) metadata: BTreeMap<String, Value>,
    /// What became of its warnings.
    pub(crate) ledger: ModelLedger,
}

/// A model beside the main one, on the same failures of the ledger's entries in memory.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Comparison {
    /// The model beside.
    pub(crate) shadow: String,
    /// Failures that both detected.
    pub(crate) both: usize,
    /// Failures that only the main model detected.
    pub(crate) only_main: usize,
    /// Failures that only the model beside detected.
    pub(crate) only_shadow: usize,
    /// Failures that neither detected.
    pub(crate) neither: usize,
    /// False alarms of the main model.
    pub(crate) main_false: usize,
    /// False alarms of the model beside.
    pub(crate) shadow_false: usize,
}

/// The models.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Models {
    /// The models, the main one first.
    pub(crate) items: Vec<Model>,
    /// Each model beside the main one compared with it; null where there is none.
    pub(crate) comparison: Option<Vec<Comparison>>,
}

impl Models {
    fn of(api: &Api, snapshot: &Snapshot) -> Self {
        let (day, book) = (api.day(snapshot), api.ledger(snapshot));
        let items = snapshot.view.models.iter().map(|view| {
            let served = snapshot.about.model(&view.name);
            let metadata = served.map(|model| model.metadata().clone()).unwrap_or_default();
            let window = served.map(|model| model.window());
            Model {
                name: view.name.clone(),
                main: !view.shadow,
                threshold: view.threshold,
                threshold_shift: view.threshold_shift,
                trained: metadata.get("trained_on").and_then(Value::as_str).map(str::to_owned),
                metrics: served
                    .map(|model| model.metrics().names().map(str::to_owned).collect())
                    .unwrap_or_default(),
                observation: window.map_or(0, |window| window.observation()),
                lead: window.map_or(0, |window| window.lead()),
                period: window.map_or(0, |window| window.period()),
                fingerprint: served
                    .and_then(|model| serde_json::to_string(&model.fingerprint()).ok())
                    .unwrap_or_default(),
                metadata,
                ledger: ModelLedger::of(view, &day, &book),
            }
        });
        let shadows: Vec<&str> = snapshot
            .view
            .models
            .iter()
            .filter(|model| model.shadow)
            .map(|model| model.name.as_str())
            .collect();
        let main = snapshot.view.models.first().map_or("", |model| model.name.as_str());
        let comparison = (!shadows.is_empty())
            .then(|| shadows.iter().map(|shadow| compare(snapshot, main, shadow)).collect());
        Self { items: items.collect(), comparison }
    }
}

fn compare(snapshot: &Snapshot, main: &str, shadow: &str) -> Comparison {
    type Failures<'a> = BTreeSet<(&'a str, Timestamp)>;
    let (mut all, mut by_main, mut by_shadow) = (Failures::new(), Failures::new(), Failures::new());
    let (mut main_false, mut shadow_false) = (0, 0);
    for record in snapshot.recent.outcomes() {
        let event = &record.event;
        let is_main = event.model == main;
        if !is_main && event.model != shadow {
            continue;
        }
        let failure = event.onset.map(|onset| (event.service.as_str(), onset));
        match event.outcome {
            OutcomeKind::Detected => {
                all.extend(failure);
                if is_main { &mut by_main } else { &mut by_shadow }.extend(failure);
            }
            OutcomeKind::Missed => all.extend(failure),
            OutcomeKind::False => *(if is_main { &mut main_false } else { &mut shadow_false }) += 1,
            _ => {}
        }
    }
    Comparison {
        shadow: shadow.to_owned(),
        both: by_main.intersection(&by_shadow).count(),
        only_main: by_main.difference(&by_shadow).count(),
        only_shadow: by_shadow.difference(&by_main).count(),
        neither: all
            .iter()
            .filter(|failure| !by_main.contains(*failure) && !by_shadow.contains(*failure))
            .count(),
        main_false,
        shadow_false,
    }
}

/// The models, the main one first, and how those beside it compare.
#[utoipa::path(get, path = "/api/v1/models", tag = "models", responses((status = 200, body = Models)))]
pub(crate) async fn list(State(api): State<Shared>) -> Json<Models> {
    Json(Models::of(&api, &api.view()))
}

/// Why a model is promoted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Promotion {
    /// For the log.
    #[schema(min_length = 1, max_length = 1_000)]
    reason: String,
}

/// Makes a model that runs beside the main one the one that warns.
#[utoipa::path(post, path = "/api/v1/models/{name}/promote", tag = "models", request_body = Promotion,
    params(("name" = String, Path, description = "The model")),
    responses((status = 200, body = Models)))]
pub(crate) async fn promote(
    State(api): State<Shared>,
    Name(name): Name,
    Body(promotion): Body<Promotion>,
) -> Result<Json<Models>, Problem> {
    let snapshot = api.view();
    if !snapshot.view.models.iter().any(|model| model.name == name) {
        return Err(Problem::not_found("model", &name));
    }
    let reason = text("reason", promotion.reason, 1)?;
    let snapshot = api.act(Input::Action(Action::Promote { model: name, reason })).await?;
    Ok(Json(Models::of(&api, &snapshot)))
}

/// A text that a person wrote, for logs.
///
/// # Errors
/// A problem for fewer than `least` and more than 1,000 characters.
pub(crate) fn text(field: &str, text: String, least: usize) -> Result<String, Problem> {
    const MOST: usize = 1_000;
    let characters = text.chars().count();
    if !(least..=MOST).contains(&characters) {
        let detail = format!("{field} has {characters} characters: expected {least} to {MOST}");
        return Err(Problem::invalid(detail));
    }
    Ok(text)
}
