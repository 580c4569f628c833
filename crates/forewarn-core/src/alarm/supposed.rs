//! What other thresholds would have raised.

use super::machine::{steps, steps_between};
use super::{AlarmOutcome, AlarmPolicy, Shift, release};
use crate::Score;
use forewarn_schema::{Step, Timestamp};
use serde::{Deserialize, Serialize};
use thin_vec::ThinVec;

/// The thresholds that a [`BudgetController`](super::BudgetController) weighs: rungs at fixed distances from a
/// policy's own threshold, in log-odds.
#[derive(Clone, Debug, PartialEq)]
pub struct Ladder {
    policy: AlarmPolicy,
    rungs: [Score; Self::RUNGS],
}

impl Ladder {
    /// Number of rungs: a set of them is the bits of a `u64`, the lowest rung in the lowest bit.
    pub const RUNGS: usize = 64;
    /// Log-odds of the lowest rung above the policy's threshold.
    pub const LOWEST: f64 = -2.0;
    /// Log-odds from one rung to the next.
    pub const STEP: f64 = 0.125;

    /// The rungs about the threshold of a policy.
    #[must_use]
    pub fn new(policy: AlarmPolicy) -> Self {
        let rung = |rung: usize| Shift::new(Self::shift(rung)).over(policy.threshold());
        Self { policy, rungs: std::array::from_fn(rung) }
    }

    /// How far a rung lies above the policy's threshold, in log-odds.
    #[must_use]
    pub fn shift(rung: usize) -> f64 {
        Self::LOWEST + Self::STEP * rung as f64
    }

    /// The rungs that a score reaches.
    #[must_use]
    pub fn reached(&self, score: Score) -> u64 {
        let count = self.rungs.partition_point(|&rung| rung <= score) as u32;
        u64::MAX.checked_shl(count).map_or(u64::MAX, |above| !above)
    }
}

/// The alarms that each rung of a [`Ladder`] would have raised for one service: whether they are false can be known
/// without raising them.
///
/// Each rung is an [`AlarmMachine`](super::AlarmMachine) with that threshold, whose votes, refractory period and clear
/// threshold count; the number of scores that must be there, and merging, do not.
///
/// Memory: 40 bytes, and while scores reach a rung at most 24 for each rung that they reached within the refractory
/// period or the time that it takes to judge an alarm; a policy with votes takes 16 for each step that votes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupposedAlarms {
    /// Rungs whose last alarm stands, for a policy with a clear threshold.
    standing: u64,
    heard: Option<Timestamp>,
    /// Rungs reached at the steps that vote, the newest last; empty for a policy content with one vote.
    votes: ThinVec<(Timestamp, u64)>,
    raised: ThinVec<Raised>,
}

/// Rungs that would have raised an alarm at a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Raised {
    time: Timestamp,
    rungs: u64,
    /// Whether it is not judged yet.
    is_open: bool,
}

impl SupposedAlarms {
    /// Takes the score at `time`, later than those before. Constant time; for a score below all rungs after others
    /// like it, a comparison.
    pub fn push(&mut self, ladder: &Ladder, step: Step, time: Timestamp, score: Score) {
        if score < ladder.rungs[0] && self.is_quiet() {
            self.heard = Some(time);
            return;
        }
        let policy = ladder.policy;
        let (needed, of) = policy.votes();
        let refractory = steps(policy.refractory());
        let patience = refractory.max(steps(of));
        if self.heard.is_some_and(|heard| steps_between(step, heard, time) > patience) {
            self.standing = 0;
        }
        self.heard = Some(time);
        let reached = ladder.reached(score);
        if policy.clear().is_some_and(|clear| score < clear) {
            self.standing &= reached;
        }
        self.raised.retain(|one| one.is_open || steps_between(step, one.time, time) < refractory);
        let recent = self.raised.iter().filter(|one| steps_between(step, one.time, time) < refractory);
        let waiting = recent.fold(0, |rungs, one| rungs | one.rungs);
        let rungs = self.voted(reached, (needed, of), step, time) & !waiting & !self.standing;
        if rungs != 0 {
            self.raised.push(Raised { time, rungs, is_open: true });
        }
        release(&mut self.raised);
        release(&mut self.votes);
        if policy.clear().is_some() {
            self.standing |= rungs;
        }
    }

    /// Rungs of those that are reached now that have enough votes.
    fn voted(&mut self, reached: u64, (needed, of): (usize, usize), step: Step, time: Timestamp) -> u64 {
        if needed < 2 {
            return reached;
        }
        self.votes.retain(|&(voted, _)| steps_between(step, voted, time) < steps(of));
        if reached != 0 {
            self.votes.push((time, reached));
        }
        // Rungs that are reached are all below one: the needed-th highest set has the votes.
        let mut sets: Vec<u64> = self.votes.iter().map(|&(_, rungs)| rungs).collect();
        sets.sort_unstable_by(|a, b| b.cmp(a));
        reached & sets.get(needed - 1).copied().unwrap_or(0)
    }

    /// Asks what would have become of each alarm that is not judged yet, and gives the rungs of each false one.
    /// `outcome` says `None` for a time of which it is not known yet.
    pub fn judge(&mut self, outcome: impl Fn(Timestamp) -> Option<AlarmOutcome>, mut give: impl FnMut(u64)) {
        for one in self.raised.iter_mut().filter(|one| one.is_open) {
            let Some(found) = outcome(one.time) else { break };
            one.is_open = false;
            if found == AlarmOutcome::False {
                give(one.rungs);
            }
        }
    }

    /// What is not judged of the time up to `time` will not be: somebody acted, or another program knew better.
    pub fn excuse(&mut self, time: Timestamp) {
        self.raised.iter_mut().filter(|one| one.time <= time).for_each(|one| one.is_open = false);
    }

    /// Whether no alarm waits for its outcome, nor for the end of a refractory period.
    fn is_quiet(&self) -> bool {
        self.raised.is_empty() && self.votes.is_empty() && self.standing == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::{AlarmMachine, AlarmSettings};
    use proptest::prelude::*;

    fn score(log_odds: f64) -> Score {
        Score::from_logit(log_odds).unwrap()
    }

    fn minute(minute: usize) -> Timestamp {
        Timestamp::from_millis(minute as i64 * 60_000).unwrap()
    }

    #[test]
    fn a_score_reaches_the_rungs_up_to_it() {
        let ladder = Ladder::new(AlarmPolicy::new(Score::new(0.5).unwrap(), 5));
        assert_eq!(ladder.reached(score(-2.1)), 0);
        assert_eq!(ladder.reached(score(-1.9)), 1);
        assert_eq!(ladder.reached(score(0.1)).count_ones(), 17);
        assert_eq!(ladder.reached(Score::ONE).count_ones() as usize, Ladder::RUNGS);
    }

    #[test]
    fn what_is_excused_or_unknown_is_not_false() {
        let ladder = Ladder::new(AlarmPolicy::new(Score::new(0.5).unwrap(), 5));
        let mut supposed = SupposedAlarms::default();
        let mut count = 0;
        supposed.push(&ladder, Step::MINUTE, minute(1), score(0.1));
        supposed.judge(|_| None, |_| count += 1);
        supposed.excuse(minute(1));
        supposed.judge(|_| Some(AlarmOutcome::False), |_| count += 1);
        supposed.push(&ladder, Step::MINUTE, minute(6), score(0.1));
        supposed.judge(|_| Some(AlarmOutcome::Censored), |_| count += 1);
        supposed.push(&ladder, Step::MINUTE, minute(11), score(0.1));
        supposed.judge(|_| Some(AlarmOutcome::Hit { onset: minute(12) }), |_| count += 1);
        assert_eq!(count, 0);
        supposed.push(&ladder, Step::MINUTE, minute(16), score(0.1));
        supposed.judge(|_| Some(AlarmOutcome::False), |rungs| count += rungs.count_ones());
        assert_eq!(count, 17);
    }

    proptest! {
        /// Against a machine for each rung.
        #[test]
        fn each_rung_alarms_as_a_machine_with_its_threshold_does(
            scores in proptest::collection::vec((1usize..4, -3.0f64..7.0), 1..200),
            refractory in 0usize..7, needed in 1usize..4, more in 0usize..4,
            clear in proptest::option::of(0.1f32..0.5),
        ) {
            let mut settings =
                AlarmSettings::new(Score::new(0.5).unwrap(), refractory).with_votes(needed, needed + more);
            if let Some(clear) = clear {
                settings = settings.with_clear(Score::new(clear).unwrap());
            }
            let policy = AlarmPolicy::from_settings(settings).unwrap();
            let ladder = Ladder::new(policy);
            let mut machines: Vec<_> = (0..Ladder::RUNGS)
                .map(|rung| AlarmMachine::new(policy.at(ladder.rungs[rung]), Step::MINUTE))
                .collect();
            let (mut supposed, mut time) = (SupposedAlarms::default(), 0);
            for (wait, log_odds) in scores {
                time += wait;
                let mut expected = 0u64;
                for (rung, machine) in machines.iter_mut().enumerate() {
                    let raised = machine.push(minute(time), score(log_odds)).unwrap().is_some();
                    expected |= u64::from(raised) << rung;
                }
                supposed.push(&ladder, Step::MINUTE, minute(time), score(log_odds));
                let mut found = 0;
                supposed.judge(|_| Some(AlarmOutcome::False), |rungs| found |= rungs);
                prop_assert_eq!(found, expected);
            }
        }
    }
}
