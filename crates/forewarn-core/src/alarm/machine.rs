use super::{Alarm, AlarmPolicy, Fixed, Threshold};
use crate::{CoreError, Score};
use forewarn_schema::{Step, Timestamp};
use serde::{Deserialize, Serialize};

/// An alarm policy at work on one service: push each score as it comes. A live service and a replay run this same code.
///
/// Time is counted on the clock, not in pushes, so missing scores neither stretch the refractory period nor vote. It
/// is counted in steps, to the nearest: scores that come a little early or late, as those of scraped metrics do,
/// raise the alarms of a regular clock. Scores less than half a step apart share a vote. Written and read in the
/// middle of a stream it goes on as if nothing had happened. Constant memory, constant time a push.
///
/// The threshold of each step comes from a [`Threshold`]: by default the policy's own, for ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmMachine<T = Fixed> {
    policy: AlarmPolicy,
    #[serde(default)]
    threshold: T,
    step: Step,
    /// Time of the last score.
    heard: Option<Timestamp>,
    /// Time of the first score that has the newest vote.
    voted: Option<Timestamp>,
    /// Which of the last 64 steps had a score, the newest in the lowest bit.
    scored: u64,
    /// Which of them reached the threshold.
    reached: u64,
    /// When the last alarm was raised.
    raised: Option<Timestamp>,
    standing: Standing,
}

/// Whether the last alarm's condition goes on. Stays `Over` without a clear threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    Standing,
    Over { since: Option<Timestamp> },
}

impl AlarmMachine {
    /// A machine with the policy's threshold that has heard nothing yet.
    #[must_use]
    pub fn new(policy: AlarmPolicy, step: Step) -> Self {
        Self::with_threshold(policy, step, Fixed)
    }
}

impl<T: Threshold> AlarmMachine<T> {
    /// A machine that asks `threshold` at every score and has heard nothing yet.
    #[must_use]
    pub fn with_threshold(policy: AlarmPolicy, step: Step, threshold: T) -> Self {
        let standing = Standing::Over { since: None };
        Self {
            policy,
            threshold,
            step,
            heard: None,
            voted: None,
            scored: 0,
            reached: 0,
            raised: None,
            standing,
        }
    }

    /// Takes the score at `time`, and says whether it raises an alarm.
    ///
    /// # Errors
    /// [`CoreError::NotLater`] for a time that is not after the last one's, which leaves the machine as it was.
    pub fn push(&mut self, time: Timestamp, score: Score) -> Result<Option<Alarm>, CoreError> {
        match self.heard {
            Some(last) if time <= last => Err(CoreError::NotLater { what: "score", time, last }),
            _ => Ok(self.hear(time, score)),
        }
    }

    /// [`push`](Self::push) of a score that is later than the last one.
    fn hear(&mut self, time: Timestamp, score: Score) -> Option<Alarm> {
        self.pass_time(time);
        // A clear threshold is never above the threshold, wherever that has moved.
        let policy = self.policy.at(self.threshold.at(time, self.policy.threshold()));
        let reached = score >= policy.threshold() && !self.threshold.is_silent();
        self.scored |= 1;
        self.reached |= u64::from(reached);
        self.heard = Some(time);
        if self.standing == Standing::Standing && policy.clear().is_some_and(|clear| score < clear) {
            self.standing = Standing::Over { since: Some(time) };
        }
        if !reached || !self.has_votes() {
            return None;
        }
        match self.standing {
            Standing::Standing => return None,
            Standing::Over { since: Some(end) }
                if policy.merge() > 0 && !self.is_past(end, policy.merge(), time) =>
            {
                self.standing = Standing::Standing;
                return None;
            }
            Standing::Over { .. } => {}
        }
        if self.raised.is_some_and(|raised| self.steps(raised, time) < steps(policy.refractory())) {
            return None;
        }
        self.raised = Some(time);
        if policy.clear().is_some() {
            self.standing = Standing::Standing;
        }
        Some(Alarm { time, score })
    }

    /// Since when an alarm stands; `None` where none does, and for a policy without a clear threshold.
    #[must_use]
    pub fn standing_since(&self) -> Option<Timestamp> {
        self.raised.filter(|_| self.standing == Standing::Standing)
    }

    /// Whether scores reached the threshold since the last alarm, and the policy waits for more of them. Never for a
    /// policy that is content with one.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        let (needed, of) = self.policy.votes();
        if needed < 2 || self.standing == Standing::Standing {
            return false;
        }
        let since = self.raised.zip(self.voted).map_or(of, |(raised, voted)| {
            usize::try_from(self.steps(raised, voted)).map_or(0, |steps| steps.min(of))
        });
        let window = if since == 0 { 0 } else { u64::MAX >> (AlarmPolicy::MOST_VOTES - since) };
        self.reached & window != 0
    }

    /// The alarms that these scores raise, in order. Scores that are not later than those before them are passed over.
    pub fn replay(
        mut self,
        scores: impl IntoIterator<Item = (Timestamp, Score)>,
    ) -> impl Iterator<Item = Alarm> {
        scores.into_iter().filter_map(move |(time, score)| self.push(time, score).ok().flatten())
    }

    /// The policy, with the threshold that it began with.
    #[must_use]
    pub fn policy(&self) -> AlarmPolicy {
        self.policy
    }

    /// What gives the threshold of each step.
    #[must_use]
    pub fn threshold(&self) -> &T {
        &self.threshold
    }

    /// What gives the threshold of each step, to be told what became of earlier alarms.
    pub fn threshold_mut(&mut self) -> &mut T {
        &mut self.threshold
    }

    /// Forgets every score and alarm, for a service that was restarted. The threshold stays where it is.
    pub fn reset(&mut self) {
        let standing = Standing::Over { since: None };
        (self.heard, self.voted, self.raised, self.standing) = (None, None, None, standing);
        (self.scored, self.reached) = (0, 0);
    }

    /// Moves the votes on to `time`, and ends an alarm of which nothing was heard for too long.
    fn pass_time(&mut self, time: Timestamp) {
        let passed = self.voted.map_or(1, |voted| self.steps(voted, time));
        // A vote that is shared keeps its time, or scores that come too often would share one for ever.
        if passed > 0 {
            self.voted = Some(time);
        }
        let shift = u32::try_from(passed).unwrap_or(u32::MAX);
        self.scored = self.scored.checked_shl(shift).unwrap_or(0);
        self.reached = self.reached.checked_shl(shift).unwrap_or(0);
        let patience = self.policy.refractory().max(self.policy.votes().1);
        if let Some(heard) = self.heard.filter(|_| self.standing == Standing::Standing)
            && self.is_past(heard, patience, time)
        {
            self.standing = Standing::Over { since: Some(heard) };
        }
    }

    fn has_votes(&self) -> bool {
        let (needed, of) = self.policy.votes();
        let window = u64::MAX >> (AlarmPolicy::MOST_VOTES - of);
        (self.reached & window).count_ones() as usize >= needed
            && (self.scored & window).count_ones() as usize >= self.policy.evidence()
    }

    /// Steps from one time to a later one, to the nearest.
    fn steps(&self, from: Timestamp, to: Timestamp) -> i64 {
        steps_between(self.step, from, to)
    }

    /// Whether `to` lies more than `count` steps after `from`.
    fn is_past(&self, from: Timestamp, count: usize, to: Timestamp) -> bool {
        self.steps(from, to) > steps(count)
    }
}

/// Steps from one time to a later one, to the nearest.
pub(super) fn steps_between(step: Step, from: Timestamp, to: Timestamp) -> i64 {
    let (passed, step) = (to.millis().saturating_sub(from.millis()), step.millis());
    passed / step + i64::from(passed % step >= step - step / 2)
}

pub(super) fn steps(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
