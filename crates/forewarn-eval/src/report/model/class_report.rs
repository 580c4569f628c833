use super::operations::failure_parts;
use crate::uncertainty::parts;
use crate::{BlockBootstrap, EpisodeClasses, Events, Interval, LeadTimes, ScoredSet};
use serde::{Deserialize, Serialize};

/// What a model is worth on the failures of one class. False alarms warn of nothing, so they are of no class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClassReport {
    /// What the class is by, such as `fault kind` or `failure rule`.
    pub by: String,
    /// The class; `None` for failures of none.
    pub class: Option<String>,
    /// Failures within reach.
    pub episodes: usize,
    /// Failures that no scored window could have announced.
    pub episodes_out_of_reach: usize,
    /// Failures detected.
    pub episodes_caught: usize,
    /// Their share of those within reach; `None` where there is none.
    pub event_recall: Option<f64>,
    /// Where that share lies.
    pub event_recall_interval: Option<Interval>,
    /// How long before the onset the first alarm came, in minutes.
    pub lead_time_minutes: LeadTimes,
    /// Alarms raised in the middle of such a failure.
    pub late_alarms: usize,
}

impl ClassReport {
    /// One entry a class with a failure on test, in order of the classes' names, and one for failures without a class
    /// where there are any.
    pub(super) fn all(
        set: &ScoredSet,
        events: &Events,
        classes: &[EpisodeClasses],
        bootstrap: &BlockBootstrap,
    ) -> Vec<Self> {
        let each = |classes: &EpisodeClasses| -> Vec<Self> {
            let names = classes.names().map(Some).chain([None]);
            let entries = names
                .map(|class| Self::new(set, &classes.select(events, class), classes.by(), class, bootstrap));
            entries.filter(|entry| entry.episodes + entry.episodes_out_of_reach > 0).collect()
        };
        classes.iter().filter(|classes| !classes.is_empty()).flat_map(each).collect()
    }

    fn new(
        set: &ScoredSet,
        events: &Events,
        by: &str,
        class: Option<&str>,
        bootstrap: &BlockBootstrap,
    ) -> Self {
        let totals = events.totals();
        Self {
            by: by.to_owned(),
            class: class.map(str::to_owned),
            episodes: totals.episodes,
            episodes_out_of_reach: totals.out_of_reach,
            episodes_caught: totals.caught(),
            event_recall: totals.recall(),
            event_recall_interval: parts::share_interval(&failure_parts(events), set, bootstrap),
            late_alarms: totals.late_alarms,
            lead_time_minutes: LeadTimes::new(totals.leads_minutes),
        }
    }
}
