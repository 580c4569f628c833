//! What an engine shows of itself: for pages and APIs.

use crate::engine::{
    CannotTell, Counters, Engine, LedgerCounts, MissingReason, Risk, RiskLevel, SloEvent, SourceStatus,
    model::warning_id,
};
use forewarn_core::Score;
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An engine at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineView {
    /// The minute that is closed next; `None` before anything came.
    pub next: Option<Timestamp>,
    /// What counts as failing, as a sentence.
    pub failure_rule: String,
    /// Metrics of a row, in order.
    pub metrics: Vec<String>,
    /// The services in order of name.
    pub services: Vec<ServiceView>,
    /// The models, the main one first.
    pub models: Vec<ModelView>,
    /// Incidents that are not closed.
    pub incidents: Vec<IncidentView>,
    /// Service level objectives, by service in order of name.
    pub slos: Vec<SloView>,
    /// Who calls whom: client and server.
    pub calls: Vec<(String, String)>,
    /// The sources that said something of themselves.
    pub sources: BTreeMap<String, SourceStatus>,
    /// What was refused or met.
    pub counters: Counters,
}

/// A service as the main model sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceView {
    /// Its name.
    pub name: String,
    /// Values of its last row, `None` where missing.
    pub row: Vec<Option<f32>>,
    /// Why the row, or something of it, is missing.
    pub missing: Option<MissingReason>,
    /// The last minute of which something came.
    pub heard: Timestamp,
    /// Probability that a failure begins in the prediction period; `None` where the model cannot tell.
    pub probability: Option<f64>,
    /// How serious that is.
    pub level: Option<RiskLevel>,
    /// Id of the warning that fires.
    pub warning: Option<String>,
    /// Id of the warning that is pending.
    pub pending: Option<String>,
    /// How often a failure of the service begins in a prediction period, whatever its metrics say.
    pub base_rate: f64,
    /// Services that call it, directly or through others.
    pub dependents: usize,
    /// Onset of the failure that goes on.
    pub failing_since: Option<Timestamp>,
    /// Until when an operator wants no warnings.
    pub silenced_until: Option<Timestamp>,
    /// What became of its alarms and failures.
    pub ledger: LedgerCounts,
}

/// A model and its ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelView {
    /// Its name.
    pub name: String,
    /// Whether it only runs beside the main one.
    pub shadow: bool,
    /// Probability from which on it warns now.
    pub threshold: f64,
    /// What the budget adds to the log-odds of its own threshold.
    pub threshold_shift: f64,
    /// What became of its alarms and failures, over all time and services.
    pub ledger: LedgerCounts,
    /// Median lead of the detected failures, in minutes.
    pub median_lead_minutes: Option<f64>,
    /// Detected failures by seconds of lead, in order of lead.
    pub leads: Vec<(i64, u64)>,
    /// False alarms per service and week that are accepted.
    pub budget_per_service_week: f64,
    /// False alarms per service and week so far.
    pub realised_per_service_week: Option<f64>,
    /// Weeks of services watched.
    pub service_weeks: f64,
}

/// An incident that is not closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentView {
    /// Its id.
    pub id: String,
    /// Row time of its first warning or failure.
    pub since: Timestamp,
    /// Its services in order of joining.
    pub services: Vec<String>,
    /// Where it probably began, best first.
    pub suspects: Vec<(String, f64)>,
    /// Services that may follow.
    pub victims: Vec<(String, f64)>,
}

/// A service level objective of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SloView {
    /// How it stands after the last row.
    #[serde(flatten)]
    pub standing: SloEvent,
    /// Row time from which on it has stood at this level; `None` where it never changed.
    pub since: Option<Timestamp>,
    /// Probability that a failure begins in the prediction period; `None` where the main model cannot tell.
    pub probability: Option<f64>,
}

impl Engine {
    /// What an engine shows of itself. Linear in services; the state stays as it is.
    #[must_use]
    pub fn view(&self) -> EngineView {
        let mut models: Vec<ModelView> = (0..self.models.len()).map(|index| self.model_view(index)).collect();
        models[..=self.main].rotate_right(1);
        let incidents = self.incidents.open().iter().map(|incident| IncidentView {
            id: incident.id.clone(),
            since: incident.since,
            services: incident.services.clone(),
            suspects: incident.suspects.clone(),
            victims: incident.victims.clone(),
        });
        EngineView {
            next: self.next,
            failure_rule: self.rule.to_string(),
            metrics: self.metrics.names().map(str::to_owned).collect(),
            services: self.by_name.values().map(|&slot| self.service_view(slot)).collect(),
            models,
            incidents: incidents.collect(),
            slos: self.slo_views(),
            calls: self.calls.clone(),
            sources: self.sources.clone(),
            counters: self.counters,
        }
    }

    fn model_view(&self, index: usize) -> ModelView {
        let run = &self.models[index];
        ModelView {
            name: run.name.to_string(),
            shadow: index != self.main,
            threshold: f64::from(run.budget.threshold().over(run.policy.threshold()).get()),
            threshold_shift: run.budget.shift(),
            ledger: run.ledger.counts,
            median_lead_minutes: run.ledger.median_lead_minutes(),
            leads: run.ledger.leads().collect(),
            budget_per_service_week: run.budget.settings().per_service_week,
            realised_per_service_week: run.budget.realised_per_service_week(),
            service_weeks: run.budget.service_weeks(),
        }
    }

    fn service_view(&self, slot: usize) -> ServiceView {
        let (service, run) = (&self.services[slot], &self.models[self.main]);
        let (state, width) = (&run.services[slot], self.metrics.len());
        let row = self.rows.get(slot * width..(slot + 1) * width).unwrap_or_default();
        let tells = self.tells(slot).is_none();
        let score = run.fleet.scores()[slot].filter(|_| tells);
        let threshold = run.budget.threshold().over(run.policy.threshold());
        ServiceView {
            name: service.name.to_string(),
            row: row.iter().map(|value| Some(*value).filter(|value| !value.is_nan())).collect(),
            missing: service.missing,
            heard: service.heard,
            probability: score.map(|score| f64::from(score.get())),
            level: score.map(|score| self.risk(slot, score, threshold).level()),
            warning: state.firing.as_ref().map(|firing| warning_id(&service.name, firing.first)),
            pending: state.pending.map(|first| warning_id(&service.name, first)),
            base_rate: service.onsets.base_rate(&self.onsets, run.fleet.model().window().period()),
            dependents: self.incidents.dependents(&service.name).0,
            failing_since: service.failing,
            silenced_until: service.silenced_until,
            ledger: state.counts,
        }
    }

    /// What decides how serious a score of the main model is.
    fn risk(&self, slot: usize, score: Score, threshold: Score) -> Risk {
        let (service, period) =
            (&self.services[slot], self.models[self.main].fleet.model().window().period());
        let (dependents, services) = self.incidents.dependents(&service.name);
        Risk {
            probability: f64::from(score.get()),
            threshold: f64::from(threshold.get()),
            base_rate: service.onsets.base_rate(&self.onsets, period),
            dependents,
            services,
        }
    }

    /// Why the main model cannot tell anything of a service's last row, if it cannot.
    pub(in crate::engine) fn tells(&self, slot: usize) -> Option<CannotTell> {
        let width = self.metrics.len();
        let row = self.rows.get(slot * width..(slot + 1) * width).unwrap_or_default();
        let run = &self.models[self.main];
        crate::engine::minute::score::cannot_tell(
            run,
            &self.services[slot],
            row,
            run.fleet.scores()[slot],
            self.config.far_factor,
        )
    }
}
