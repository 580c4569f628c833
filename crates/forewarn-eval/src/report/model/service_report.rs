use super::ServiceIntervals;
use crate::{BlockBootstrap, EvalError, Events, LeadTimes, ScoredSet, roc_auc};
use forewarn_core::Score;
use forewarn_core::average_precision;
use serde::{Deserialize, Serialize};

/// What a model is worth on one service of the test part, at the threshold that holds for all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceReport {
    /// Service.
    pub service: String,
    /// Scored windows.
    pub windows: usize,
    /// Positive ones among them.
    pub positives: usize,
    /// Average precision; `None` where the service lacks windows of one class.
    pub pr_auc: Option<f64>,
    /// Area under the ROC curve; `None` where the service lacks windows of one class.
    pub roc_auc: Option<f64>,
    /// Failures within reach.
    pub episodes: usize,
    /// Failures that no scored window could have announced.
    pub episodes_out_of_reach: usize,
    /// Failures detected.
    pub episodes_caught: usize,
    /// Their share of those within reach; `None` where there is none.
    pub event_recall: Option<f64>,
    /// How long before the onset the first alarm came, in minutes.
    pub lead_time_minutes: LeadTimes,
    /// Alarms raised.
    pub alarms: usize,
    /// Alarms without a failure in their period.
    pub false_alarms: usize,
    /// False alarms a day; `None` where nothing was scored.
    pub false_alarms_per_service_day: Option<f64>,
    /// Alarms raised while the service was failing already.
    pub late_alarms: usize,
    /// Where these figures lie; `None` where the service was scored on too few days to draw from.
    #[serde(default)]
    pub intervals: Option<ServiceIntervals>,
}

impl ServiceReport {
    /// One entry a service of several; none for a single one, of which the model's report says all. `events` are
    /// those of the set, at `threshold`.
    pub(super) fn all(
        test: &ScoredSet,
        threshold: Score,
        events: &Events,
        bootstrap: &BlockBootstrap,
    ) -> Result<Vec<Self>, EvalError> {
        if test.series().len() < 2 {
            return Ok(Vec::new());
        }
        (0..test.series().len()).map(|index| Self::new(test, index, threshold, events, bootstrap)).collect()
    }

    fn new(
        test: &ScoredSet,
        index: usize,
        threshold: Score,
        events: &Events,
        bootstrap: &BlockBootstrap,
    ) -> Result<Self, EvalError> {
        let (series, matched) = (&test.series()[index], &events.services[index]);
        let (scores, positive) = (series.scores(), series.positive());
        let counts = matched.counts(test.step());
        let positives = positive.iter().filter(|&&label| label).count();
        let is_ranked = positives > 0 && positives < positive.len();
        let alone = ScoredSet::new(test.spec(), test.step(), vec![series.clone()])?;
        Ok(Self {
            service: series.service().to_owned(),
            windows: scores.len(),
            positives,
            pr_auc: is_ranked.then(|| average_precision(scores, positive)).transpose()?,
            roc_auc: is_ranked.then(|| roc_auc(scores, positive)).transpose()?,
            episodes: counts.episodes,
            episodes_out_of_reach: counts.out_of_reach,
            episodes_caught: counts.caught(),
            event_recall: counts.recall(),
            alarms: counts.alarms,
            false_alarms: counts.false_alarms,
            false_alarms_per_service_day: counts.false_alarms_per_service_day(),
            late_alarms: counts.late_alarms,
            lead_time_minutes: LeadTimes::new(counts.leads_minutes),
            intervals: ServiceIntervals::new(&alone, threshold, &events.of_service(index), bootstrap)?,
        })
    }
}
