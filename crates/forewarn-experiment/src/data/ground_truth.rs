use crate::{Data, ExperimentError, data::truth::Truth};
use forewarn_core::FailureRule;
use forewarn_schema::{Episode, Timestamp};
use forewarn_sim::fleet::Causes;
use serde::Serialize;
use std::io::{self, Write};

/// What really failed in a data set, and, where the metrics were simulated, why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroundTruth {
    /// The failure rule, as a sentence.
    pub rule: String,
    /// Every failure, by onset, then by service.
    pub failures: Vec<TrueFailure>,
}

/// One failure, with the fault behind it where that is known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrueFailure {
    /// The service that failed.
    pub service: String,
    /// First minute of the sustained run of violations.
    pub onset: Timestamp,
    /// Minute in which the rule was first satisfied.
    pub confirmed_at: Timestamp,
    /// First minute after the failure.
    pub end: Timestamp,
    /// Kind of the fault but for which it would not have happened; `None` where no single fault was needed, or the
    /// metrics were not simulated by faults.
    pub kind: Option<String>,
    /// The service that this fault struck.
    pub root: Option<String>,
    /// Other services that failed of the same fault, in order of name.
    pub victims: Vec<String>,
}

impl GroundTruth {
    /// As CSV with the columns `service`, `onset`, `confirmed_at`, `end`, `kind`, `root` and `victims` (names separated
    /// by blanks); empty where nothing is known.
    ///
    /// # Errors
    /// The writer's own.
    pub fn write_csv(&self, to: impl Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(to);
        writer.write_record(["service", "onset", "confirmed_at", "end", "kind", "root", "victims"])?;
        for failure in &self.failures {
            let times = [failure.onset, failure.confirmed_at, failure.end].map(|time| time.to_string());
            let [onset, confirmed_at, end] = &times;
            writer.write_record([
                &*failure.service,
                onset,
                confirmed_at,
                end,
                failure.kind.as_deref().unwrap_or_default(),
                failure.root.as_deref().unwrap_or_default(),
                &failure.victims.join(" "),
            ])?;
        }
        writer.flush()
    }
}

impl Data {
    /// What failed by `rule`, and why, as far as it is known.
    ///
    /// For a simulated fleet every fault is followed in a world without it: as long as simulating a few times over.
    ///
    /// # Errors
    /// [`ExperimentError::Simulate`] and [`ExperimentError::Core`] for metrics that the rule cannot be applied to.
    pub fn truth(&self, rule: &dyn FailureRule) -> Result<GroundTruth, ExperimentError> {
        let mut failures = match &self.truth {
            Some(Truth::Fleet(fleet)) => {
                let names: Vec<&str> =
                    fleet.blueprint().services().iter().map(|service| service.name.as_str()).collect();
                of_causes(&fleet.causes(rule)?, &names)
            }
            Some(Truth::StressWalk(_)) | None => {
                let mut failures = Vec::new();
                for frame in self.frames.frames() {
                    for episode in &rule.assess(frame)?.episodes {
                        failures.push(TrueFailure::new(frame.service(), episode));
                    }
                }
                failures
            }
        };
        failures.sort_by(|a, b| (a.onset, &a.service).cmp(&(b.onset, &b.service)));
        Ok(GroundTruth { rule: rule.describe(), failures })
    }
}

impl TrueFailure {
    fn new(service: &str, episode: &Episode) -> Self {
        Self {
            service: service.to_owned(),
            onset: episode.onset(),
            confirmed_at: episode.confirmed_at(),
            end: episode.end(),
            kind: None,
            root: None,
            victims: Vec::new(),
        }
    }
}

fn of_causes(causes: &Causes, names: &[&str]) -> Vec<TrueFailure> {
    let explained = causes.failures.iter().map(|failure| {
        let mut found = TrueFailure::new(names[failure.service], &failure.episode);
        if let Some(fault) = failure.root.and_then(|root| causes.fault(root)) {
            found.kind = Some(fault.injection.kind.name().to_owned());
            found.root = Some(fault.injection.target.clone());
            let others = causes.of(fault.id).map(|other| names[other.service]);
            let mut victims: Vec<String> =
                others.filter(|other| *other != fault.injection.target).map(str::to_owned).collect();
            victims.sort_unstable();
            victims.dedup();
            found.victims = victims;
        }
        found
    });
    explained.collect()
}
