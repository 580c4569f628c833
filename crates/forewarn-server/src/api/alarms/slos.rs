//! Service level objectives.

use crate::api::{
    Shared,
    words::{BurnLevel, Time},
};
use crate::http::{Params, Problem};
use axum::{Json, extract::State};
use forewarn_live::SloView;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A service level objective of a service.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Objective {
    /// Of which service.
    pub(crate) service: String,
    /// The objective's name.
    pub(crate) objective: String,
    /// Share of events that should be good.
    pub(crate) target: f64,
    /// Days over which the error budget is counted.
    pub(crate) window_days: u32,
    /// Part of the error budget that is left, below 0 where more was used; null without events.
    pub(crate) budget_left: Option<f64>,
    /// How fast it burns, window by window.
    pub(crate) burn_rates: Vec<Burn>,
    /// Whether it burns too fast.
    pub(crate) level: BurnLevel,
    /// Row time from which on it has stood at this level.
    pub(crate) since: Option<Time>,
    /// Whether it burns too fast, or the budget is used up.
    pub(crate) violated: bool,
    /// What is to be expected.
    pub(crate) forecast: BurnForecast,
}

/// How fast an error budget burned in the last minutes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Burn {
    /// Length of the window.
    pub(crate) window_minutes: u32,
    /// Times faster than the objective allows; null for a window without events.
    pub(crate) rate: Option<f64>,
}

/// What is to be expected of an error budget.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct BurnForecast {
    /// Minutes until it is used up at the pace of the last hour; null where it lasts.
    pub(crate) minutes_to_exhaustion: Option<f64>,
    /// Probability that a failure begins in the prediction period; null where the model cannot tell.
    pub(crate) probability: Option<f64>,
}

impl Objective {
    pub(crate) fn of(view: &SloView) -> Self {
        let standing = &view.standing;
        let burn =
            |burn: &forewarn_label::WindowBurn| Burn { window_minutes: burn.window_minutes, rate: burn.rate };
        Self {
            service: standing.service.clone(),
            objective: standing.slo.clone(),
            target: standing.target,
            window_days: standing.period_days,
            budget_left: standing.budget_left,
            burn_rates: standing.burn_rates.iter().map(burn).collect(),
            level: standing.level.into(),
            since: view.since.map(Time),
            violated: standing.exhausted || standing.level != forewarn_label::SloLevel::Met,
            forecast: BurnForecast {
                minutes_to_exhaustion: standing.minutes_to_exhaustion,
                probability: view.probability,
            },
        }
    }
}

/// Which objectives to give.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SlosQuery {
    /// Of this service only.
    service: Option<String>,
    /// Violated ones only, or only those that are not.
    violated: Option<bool>,
}

/// The service level objectives, by service in order of name.
#[utoipa::path(get, path = "/api/v1/slos", tag = "slos", params(SlosQuery),
    responses((status = 200, body = Vec<Objective>)))]
pub(crate) async fn list(
    State(api): State<Shared>,
    Params(query): Params<SlosQuery>,
) -> Result<Json<Vec<Objective>>, Problem> {
    let snapshot = api.view();
    let objectives = snapshot.view.slos.iter().map(Objective::of).filter(|objective| {
        query.service.as_ref().is_none_or(|service| *service == objective.service)
            && query.violated.is_none_or(|violated| violated == objective.violated)
    });
    Ok(Json(objectives.collect()))
}
