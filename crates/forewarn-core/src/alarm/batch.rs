//! Alarms and outcomes of whole lists: what a machine and a matcher say of them, at the cost of what stands out.

use super::machine::{steps, steps_between};
use super::{
    Alarm, AlarmMachine, AlarmOutcome, AlarmPolicy, FailureOutcome, JudgedAlarm, JudgedFailure,
    OutcomeMatcher, Settled,
};
use crate::{CoreError, Score, WindowSpec};
use forewarn_schema::{Episode, Episodes, Step, Timestamp};

/// Scores that are looked at together: none of most groups reaches a threshold.
const GROUP: usize = 64;

impl AlarmPolicy {
    /// The alarms that these scores raise, in order: [`AlarmMachine`] over the whole list. Scores that are not later
    /// than those before them are passed over.
    pub fn replay(
        self,
        step: Step,
        scores: impl IntoIterator<Item = (Timestamp, Score)>,
    ) -> impl Iterator<Item = Alarm> {
        AlarmMachine::new(self, step).replay(scores)
    }

    /// The alarms of [`replay`](Self::replay) for scores in lists, one score a time, the times strictly ascending. A
    /// policy of a single vote and without hysteresis only looks at the times of scores that reach the threshold.
    #[must_use]
    pub fn alarms(self, step: Step, times: &[Timestamp], scores: &[Score]) -> Vec<Alarm> {
        if self.votes() != (1, 1) || self.clear().is_some() {
            let scored = times.iter().copied().zip(scores.iter().copied());
            return AlarmMachine::new(self, step).replay(scored).collect();
        }
        let (threshold, refractory) = (self.threshold().get(), steps(self.refractory()));
        let mut alarms: Vec<Alarm> = Vec::new();
        for (times, scores) in times.chunks(GROUP).zip(scores.chunks(GROUP)) {
            if !scores.iter().fold(false, |found, score| found | (score.get() >= threshold)) {
                continue;
            }
            for (&time, &score) in times.iter().zip(scores).filter(|(_, score)| score.get() >= threshold) {
                let is_too_soon = |last: &Alarm| steps_between(step, last.time, time) < refractory;
                if !alarms.last().is_some_and(is_too_soon) {
                    alarms.push(Alarm { time, score });
                }
            }
        }
        alarms
    }
}

/// The outcomes of all alarms and all failures of one service, each in order of time, where everything is known: an
/// [`OutcomeMatcher`] over whole lists.
///
/// `scored` has the time of every score, in order, and the alarm that it raised. Failures outside the scored time are
/// [out of reach](FailureOutcome::OutOfReach). `O((n + e) log e)` for `n` scores and `e` failures.
///
/// # Errors
/// [`CoreError::NotLater`] unless the times of the scores strictly ascend.
pub fn match_outcomes(
    spec: WindowSpec,
    step: Step,
    scored: impl IntoIterator<Item = (Timestamp, Option<Alarm>)>,
    episodes: &Episodes,
) -> Result<(Vec<JudgedAlarm>, Vec<JudgedFailure>), CoreError> {
    let mut matcher = OutcomeMatcher::new(spec, step);
    let mut settled = Vec::new();
    // Nothing is settled before the first score, so every failure may be told beforehand.
    for episode in episodes {
        matcher.begin(episode.onset())?;
        matcher.end(episode.end())?;
    }
    for (time, alarm) in scored {
        match alarm {
            Some(alarm) => matcher.alarm(alarm)?,
            None => matcher.score(time)?,
        }
        matcher.settle_into(time.millis(), &mut settled);
    }
    matcher.settle_into(i64::MAX, &mut settled);
    let (mut alarms, mut failures) = (Vec::new(), Vec::new());
    for outcome in settled {
        match outcome {
            Settled::Alarm(alarm) => alarms.push(alarm),
            Settled::Failure(failure) => failures.push(failure),
        }
    }
    // A late alarm is settled at once, those before it perhaps later.
    alarms.sort_by_key(|judged| judged.alarm.time);
    Ok((alarms, failures))
}

/// What became of alarms, each in order of time, where everything is known: as
/// [`match_outcomes`] says, without a look at the scores that raised none. `O(log e)` an alarm.
#[must_use]
pub fn judge_alarms(spec: WindowSpec, step: Step, alarms: &[Alarm], episodes: &Episodes) -> Vec<JudgedAlarm> {
    let judged = |&alarm: &Alarm| {
        let time = alarm.time.millis();
        let (after, last) =
            (time.saturating_add(span(step, spec.lead())), time.saturating_add(span(step, spec.horizon())));
        let begun = episodes.partition_point(|episode| episode.onset() <= alarm.time);
        let outcome = if is_failing(episodes, begun, alarm.time) {
            AlarmOutcome::Late
        } else {
            // The next failure, or one after it where a lead lies between.
            let mut next = episodes[begun..].iter().skip_while(|episode| episode.onset().millis() <= after);
            match next.next().map(Episode::onset) {
                Some(onset) if onset.millis() <= last => AlarmOutcome::Hit { onset },
                _ => AlarmOutcome::False,
            }
        };
        JudgedAlarm { alarm, outcome }
    };
    alarms.iter().map(judged).collect()
}

/// The outcomes of all alarms and all failures of one service, as [`match_outcomes`] says, for
/// lists: the times of all scores and the alarms that were raised at some of them, both in order of time. `O(log n +
/// h)` a failure and `O(log e)` an alarm, for `n` scores, `e` failures and `h` scores within a horizon.
#[must_use]
pub fn match_alarms(
    spec: WindowSpec,
    step: Step,
    times: &[Timestamp],
    alarms: &[Alarm],
    episodes: &Episodes,
) -> (Vec<JudgedAlarm>, Vec<JudgedFailure>) {
    let judged = judge_alarms(spec, step, alarms, episodes);
    let is_well = |time: Timestamp| {
        !is_failing(episodes, episodes.partition_point(|episode| episode.onset() <= time), time)
    };
    let failure = |episode: &Episode| {
        let onset = episode.onset();
        let earliest = onset.millis().saturating_sub(span(step, spec.horizon()));
        let latest = onset.millis().saturating_sub(span(step, spec.lead()));
        let within = |time: &Timestamp| time.millis() < latest;
        let from = judged.partition_point(|judged| judged.alarm.time.millis() < earliest);
        let warnings = judged[from..].iter().filter(|judged| judged.outcome != AlarmOutcome::Late);
        let detected = warnings.map(|judged| judged.alarm.time).next().filter(within);
        let from = times.partition_point(|time| time.millis() < earliest);
        let is_watched = || times[from..].iter().take_while(|time| within(time)).any(|&time| is_well(time));
        let outcome = match detected {
            Some(alarm) => FailureOutcome::Detected(alarm),
            None if is_watched() => FailureOutcome::Missed,
            None => FailureOutcome::OutOfReach,
        };
        JudgedFailure { onset, outcome }
    };
    let failures = episodes.iter().map(failure).collect();
    (judged, failures)
}

/// Whether the last of `begun` failures, all that have begun by `time`, goes on then.
fn is_failing(episodes: &Episodes, begun: usize, time: Timestamp) -> bool {
    begun.checked_sub(1).is_some_and(|last| episodes[last].contains(time))
}

fn span(step: Step, count: usize) -> i64 {
    step.millis().saturating_mul(steps(count))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{coarse_score, minute};
    use super::*;
    use crate::AlarmSettings;
    use proptest::{collection::btree_map, prelude::*};

    proptest! {
        #[test]
        fn lists_give_what_the_machine_and_the_matcher_give(
            scores in btree_map(0i64..300, coarse_score(), 0..250),
            spans in btree_map(0i64..310, 1i64..9, 0..12),
            threshold in coarse_score(), refractory in 0usize..12, (needed, more) in (1usize..3, 0usize..3),
            clear in proptest::option::of(coarse_score()), (lead, period) in (0usize..4, 1usize..8),
        ) {
            let mut settings = AlarmSettings::new(threshold, refractory).with_votes(needed, needed + more);
            if let Some(clear) = clear {
                settings = settings.with_clear(clear.min(threshold));
            }
            let policy = AlarmPolicy::from_settings(settings).unwrap();
            let spec = WindowSpec::new(3, lead, period).unwrap();
            let mut episodes: Vec<Episode> = Vec::new();
            for (onset, length) in spans {
                let (from, to) = (minute(onset), minute(onset + length));
                if episodes.last().is_none_or(|last| last.end() <= from) {
                    episodes.push(Episode::new(from, from, to).unwrap());
                }
            }
            let episodes = Episodes::new(episodes).unwrap();
            let (times, scores): (Vec<_>, Vec<_>) =
                scores.into_iter().map(|(time, score)| (minute(time), score)).unzip();

            let mut machine = AlarmMachine::new(policy, Step::MINUTE);
            let raised: Vec<_> =
                times.iter().zip(&scores).map(|(&time, &score)| (time, machine.push(time, score).unwrap())).collect();
            let alarms = policy.alarms(Step::MINUTE, &times, &scores);
            prop_assert_eq!(&alarms, &raised.iter().filter_map(|(_, alarm)| *alarm).collect::<Vec<_>>());
            let expected = match_outcomes(spec, Step::MINUTE, raised, &episodes).unwrap();
            prop_assert_eq!(match_alarms(spec, Step::MINUTE, &times, &alarms, &episodes), expected);
        }
    }
}
