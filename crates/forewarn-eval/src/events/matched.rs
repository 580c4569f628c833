use crate::{ScoredSeries, ScoredSet, series::days};
use forewarn_core::{
    Alarm, AlarmOutcome, AlarmPolicy, FailureOutcome, JudgedAlarm, WindowSpec, judge_alarms, match_alarms,
};
use forewarn_schema::{Episode, Episodes, Step, Timestamp};
use std::ops::Range;

/// The alarms and failures of one service, matched.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ServiceEvents {
    /// Service.
    pub service: String,
    /// Scored windows.
    pub windows: usize,
    /// Scored windows that lie in the prediction period of an alarm: while a warning was on.
    pub warned_windows: usize,
    /// Every alarm in order, judged.
    pub alarms: Vec<(Alarm, AlarmOutcome)>,
    /// Every failure whose onset lies after the first scored time, and not beyond the prediction period of the last.
    pub episodes: Vec<(Episode, FailureOutcome)>,
}

/// Alarms matched with failures, for all services.
///
/// An alarm at `t`, with `lead` and `period` of the window, warns of a failure whose onset lies from `t + lead + 1`
/// to `t + lead + period` steps. A failure is caught at most once: by the first alarm that warns of it. An alarm
/// raised in the middle of a failure is [late](AlarmOutcome::Late), whatever follows; one that warns of nothing is
/// [false](AlarmOutcome::False). By the same measure a failure is within reach when a window that was scored while
/// the service was well is close enough before its onset. So, with an alarm at every scored window, everything within
/// reach is caught.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Events {
    /// One entry a service.
    pub services: Vec<ServiceEvents>,
    step: Step,
}

impl Events {
    /// Raises the alarms that `policy` makes of the scores and matches them with the failures.
    ///
    /// `O(n)` time for the `n` windows of services with a score that reaches the threshold, and a binary search for
    /// each alarm and each failure.
    #[must_use]
    pub fn new(set: &ScoredSet, policy: AlarmPolicy) -> Self {
        let (spec, step) = (set.spec(), set.step());
        let services = set
            .series()
            .iter()
            .map(|series| judge_service(series, spec, step, &raised(series, step, policy)))
            .collect();
        Self { services, step }
    }

    /// Matches alarms that were raised elsewhere on these scores, in order of time, with the failures: one list a
    /// series.
    pub(crate) fn of_alarms(set: &ScoredSet, alarms: &[Vec<Alarm>]) -> Self {
        let (spec, step) = (set.spec(), set.step());
        let services = set.series().iter().zip(alarms);
        let services = services.map(|(series, alarms)| judge_service(series, spec, step, alarms)).collect();
        Self { services, step }
    }

    /// The counts of all services together.
    #[must_use]
    pub fn totals(&self) -> EventCounts {
        self.services
            .iter()
            .map(|service| service.counts(self.step))
            .fold(EventCounts::default(), EventCounts::plus)
    }

    /// The failures for which `keep` holds, with the alarms in the middle of them; false alarms and watched time are
    /// all there.
    pub(crate) fn select(&self, keep: impl Fn(&str, &Episode) -> bool) -> Self {
        let services = self.services.iter().map(|service| {
            let is_kept = |episode: &Episode| keep(&service.service, episode);
            let is_of_another = |alarm: &Alarm| {
                let holds = |(episode, _): &&(Episode, FailureOutcome)| episode.contains(alarm.time);
                service.episodes.iter().find(holds).is_some_and(|(episode, _)| !is_kept(episode))
            };
            let alarms = service.alarms.iter().filter(|(alarm, _)| !is_of_another(alarm));
            let episodes = service.episodes.iter().filter(|(episode, _)| is_kept(episode));
            ServiceEvents {
                service: service.service.clone(),
                windows: service.windows,
                warned_windows: service.warned_windows,
                alarms: alarms.copied().collect(),
                episodes: episodes.copied().collect(),
            }
        });
        Self { services: services.collect(), step: self.step }
    }

    /// Length of a step.
    #[must_use]
    pub fn step(&self) -> Step {
        self.step
    }

    /// The events of one service by its position.
    pub(crate) fn of_service(&self, index: usize) -> Self {
        Self { services: self.services[index..=index].to_vec(), step: self.step }
    }

    /// A failure that tells how warnings went: the caught one with the middle lead time, or, where none was caught, the
    /// first within reach. With its service; `None` without a failure within reach.
    #[must_use]
    pub fn typical_episode(&self) -> Option<(&str, Episode)> {
        let all = || {
            self.services.iter().flat_map(|one| one.episodes.iter().map(|pair| (one.service.as_str(), pair)))
        };
        let mut caught: Vec<_> = all()
            .filter_map(|(service, (episode, outcome))| match outcome {
                FailureOutcome::Detected(time) => {
                    Some((episode.onset().millis() - time.millis(), service, *episode))
                }
                _ => None,
            })
            .collect();
        caught.sort_by_key(|&(lead, ..)| lead);
        let missed = || all().find(|(_, (_, outcome))| *outcome == FailureOutcome::Missed);
        match caught.get(caught.len() / 2) {
            Some(&(_, service, episode)) => Some((service, episode)),
            None => missed().map(|(service, (episode, _))| (service, *episode)),
        }
    }
}

impl ServiceEvents {
    /// This service's counts; `step` is the length of a scored window's share of time.
    #[must_use]
    pub fn counts(&self, step: Step) -> EventCounts {
        let judged = |wanted| self.alarms.iter().filter(|(_, outcome)| *outcome == wanted).count();
        let leads = self.episodes.iter().filter_map(|(episode, outcome)| match outcome {
            FailureOutcome::Detected(time) => Some(episode.onset().minutes_since(*time)),
            FailureOutcome::Missed | FailureOutcome::OutOfReach => None,
        });
        let out_of_reach =
            self.episodes.iter().filter(|(_, outcome)| *outcome == FailureOutcome::OutOfReach).count();
        EventCounts {
            alarms: self.alarms.len(),
            false_alarms: judged(AlarmOutcome::False),
            late_alarms: judged(AlarmOutcome::Late),
            episodes: self.episodes.len() - out_of_reach,
            out_of_reach,
            leads_minutes: leads.collect(),
            windows: self.windows,
            warned_windows: self.warned_windows,
            service_days: days(self.windows, step),
        }
    }
}

/// How many alarms and failures of which sort.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventCounts {
    /// Alarms of any verdict.
    pub alarms: usize,
    /// Alarms without a failure in their period.
    pub false_alarms: usize,
    /// Alarms raised while the service was failing already.
    pub late_alarms: usize,
    /// Failures within reach of the scores.
    pub episodes: usize,
    /// Failures between the first and the last score that no scored window could have announced.
    pub out_of_reach: usize,
    /// Achieved lead time of each caught failure, in minutes, in order of service and time: its onset minus the time
    /// of the first alarm before it.
    pub leads_minutes: Vec<f64>,
    /// Scored windows.
    pub windows: usize,
    /// Scored windows that lie in the prediction period of an alarm: while a warning was on.
    pub warned_windows: usize,
    /// Time watched, in days: each scored window counts for one step.
    pub service_days: f64,
}

impl EventCounts {
    /// Failures detected.
    #[must_use]
    pub fn caught(&self) -> usize {
        self.leads_minutes.len()
    }

    /// Share of the failures within reach that were caught; `None` where there is none.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        (self.episodes > 0).then(|| self.caught() as f64 / self.episodes as f64)
    }

    /// False alarms per service and day; `None` where nothing was scored.
    #[must_use]
    pub fn false_alarms_per_service_day(&self) -> Option<f64> {
        (self.service_days > 0.0).then(|| self.false_alarms as f64 / self.service_days)
    }

    /// Share of the alarms that were right, late ones left aside; `None` where there is neither a right nor a false
    /// one.
    #[must_use]
    pub fn alarm_precision(&self) -> Option<f64> {
        let judged = self.alarms - self.late_alarms;
        (judged > 0).then(|| (judged - self.false_alarms) as f64 / judged as f64)
    }

    /// Share of the time watched in which a warning was on; `None` where nothing was scored.
    #[must_use]
    pub fn time_in_warning(&self) -> Option<f64> {
        (self.windows > 0).then(|| self.warned_windows as f64 / self.windows as f64)
    }

    pub(crate) fn plus(mut self, other: Self) -> Self {
        self.alarms += other.alarms;
        self.false_alarms += other.false_alarms;
        self.late_alarms += other.late_alarms;
        self.episodes += other.episodes;
        self.out_of_reach += other.out_of_reach;
        self.leads_minutes.extend(other.leads_minutes);
        self.windows += other.windows;
        self.warned_windows += other.warned_windows;
        self.service_days += other.service_days;
        self
    }
}

/// The alarms that the scores of a service raise.
fn raised(series: &ScoredSeries, step: Step, policy: AlarmPolicy) -> Vec<Alarm> {
    if series.highest() < policy.threshold() {
        return Vec::new();
    }
    policy.alarms(step, series.times(), series.scores())
}

/// Times of the false alarms that the scores of a service raise: those of [`Events::new`], without a look at failures
/// that no alarm is near.
pub(crate) fn false_alarms(
    series: &ScoredSeries,
    spec: WindowSpec,
    step: Step,
    policy: AlarmPolicy,
) -> impl Iterator<Item = Timestamp> {
    let judged = judge_alarms(spec, step, &raised(series, step, policy), series.episodes());
    judged.into_iter().filter(|one| one.outcome == AlarmOutcome::False).map(|one| one.alarm.time)
}

/// Judges the alarms that the scores of a service raised.
fn judge_service(series: &ScoredSeries, spec: WindowSpec, step: Step, alarms: &[Alarm]) -> ServiceEvents {
    let episodes = series.episodes();
    let (alarms, failures) = match_alarms(spec, step, series.times(), alarms, episodes);
    let alarms: Vec<_> =
        alarms.into_iter().map(|JudgedAlarm { alarm, outcome, .. }| (alarm, outcome)).collect();
    // Other parts of a split have failures too: those that these scores are not about stay out of the count.
    let concerned = match (series.times().first(), series.times().last()) {
        (Some(first), Some(last)) => {
            let end = last.millis().saturating_add(span(step, spec.horizon()));
            episodes.partition_point(|e| e.onset() <= *first)
                ..episodes.partition_point(|e| e.onset().millis() <= end)
        }
        _ => 0..0,
    };
    let episodes = episodes[concerned.clone()]
        .iter()
        .copied()
        .zip(failures[concerned].iter().map(|judged| judged.outcome));
    ServiceEvents {
        service: series.service().to_owned(),
        windows: series.times().len(),
        warned_windows: warned(series.times(), &alarms, spec, step).map(|windows| windows.len()).sum(),
        alarms,
        episodes: episodes.collect(),
    }
}

/// Runs of `times`, in order and apart, that lie in the prediction period of one of these alarms, which are in order.
pub(crate) fn warned(
    times: &[Timestamp],
    alarms: &[(Alarm, AlarmOutcome)],
    spec: WindowSpec,
    step: Step,
) -> impl Iterator<Item = Range<usize>> {
    let (lead, horizon) = (span(step, spec.lead()), span(step, spec.horizon()));
    let mut done = 0;
    alarms.iter().filter_map(move |(alarm, _)| {
        let ends = |after: i64| {
            let until = alarm.time.millis().saturating_add(after);
            move |time: &Timestamp| time.millis() <= until
        };
        let from = done + times[done..].partition_point(ends(lead));
        done = from + times[from..].partition_point(ends(horizon));
        (from < done).then_some(from..done)
    })
}

/// Whether `time` lies in the prediction period of one of these alarms, which are in order.
pub(crate) fn is_warned(
    alarms: &[(Alarm, AlarmOutcome)],
    time: Timestamp,
    spec: WindowSpec,
    step: Step,
) -> bool {
    let latest = time.millis().saturating_sub(span(step, spec.lead()));
    let earliest = time.millis().saturating_sub(span(step, spec.horizon()));
    let before = alarms.partition_point(|(alarm, _)| alarm.time.millis() < latest);
    before > 0 && alarms[before - 1].0.time.millis() >= earliest
}

/// Whether `time` lies in a failure.
pub(crate) fn is_failing(episodes: &Episodes, time: Timestamp) -> bool {
    let begun = episodes.partition_point(|episode| episode.onset() <= time);
    begun > 0 && episodes[begun - 1].contains(time)
}

/// Milliseconds of a number of steps.
pub(crate) fn span(step: Step, steps: usize) -> i64 {
    step.millis().saturating_mul(i64::try_from(steps).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::minute;
    use forewarn_core::Score;
    use proptest::{collection::btree_set, prelude::*};

    proptest! {
        #[test]
        fn runs_of_warned_windows_hold_each_window_in_a_period_once(
            times in btree_set(0i64..120, 0..100), alarms in btree_set(0i64..120, 0..20),
            lead in 0usize..4, period in 1usize..9,
        ) {
            let times: Vec<Timestamp> = times.into_iter().map(minute).collect();
            let alarm = |time| (Alarm::new(minute(time), Score::ONE), AlarmOutcome::False);
            let alarms: Vec<_> = alarms.into_iter().map(alarm).collect();
            let spec = WindowSpec::new(3, lead, period).unwrap();
            let found: Vec<usize> = warned(&times, &alarms, spec, Step::MINUTE).flatten().collect();
            let expected = (0..times.len()).filter(|&at| is_warned(&alarms, times[at], spec, Step::MINUTE));
            prop_assert_eq!(found, expected.collect::<Vec<_>>());
        }
    }
}
