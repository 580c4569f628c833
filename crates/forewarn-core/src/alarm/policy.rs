use super::{Alarm, AlarmMachine};
use crate::{CoreError, Score, WindowSpec};
use forewarn_schema::{Step, Timestamp};
use serde::{Deserialize, Serialize};

/// How scores become alarms. A value: compare it, store it, send it to where the scores are.
///
/// An alarm is raised at a score of at least the threshold, when
/// - of the last *n* steps at least *k* had such a score ([`with_votes`](Self::with_votes); by default one of one),
/// - at least this many of them had a score at all ([`with_evidence`](Self::with_evidence); by default one),
/// - the last alarm was raised at least the refractory period ago, and
/// - it no longer stands, where there is a clear threshold ([`with_clear`](Self::with_clear)). It stands until a
///   score falls below that, or nothing is heard for longer than both the refractory period and *n* steps; when the
///   condition returns within [`with_merge`](Self::with_merge) steps it is the same alarm again. Without a clear
///   threshold an alarm is a moment, and a standing condition raises one each refractory period.
///
/// | setting | meaning | default | range |
/// |---|---|---|---|
/// | `threshold` | least score of an alarm | given | 0 to 1 |
/// | `refractory` | least steps between two alarms; 0 and 1 let every step raise one | given; the period in [`for_window`](Self::for_window) | |
/// | [`votes`](Self::with_votes) | `needed` of the last `of` steps at the threshold | 1 of 1 | 1 <= needed <= of <= 64 |
/// | [`evidence`](Self::with_evidence) | how many of these steps must have a score | 1 | up to `of` |
/// | [`clear`](Self::with_clear) | score below which an alarm ends | none: an alarm is a moment | up to the threshold |
/// | [`merge`](Self::with_merge) | steps within which a condition that returns continues an alarm | 0 | 0 without `clear` |
///
/// A value out of range is [`CoreError::InvalidSetting`], also where a policy is read from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PolicyFields", into = "PolicyFields")]
pub struct AlarmPolicy {
    fields: PolicyFields,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFields {
    threshold: Score,
    refractory: usize,
    #[serde(default = "one")]
    needed: usize,
    #[serde(default = "one")]
    of: usize,
    #[serde(default = "one")]
    evidence: usize,
    #[serde(default)]
    clear: Option<Score>,
    #[serde(default)]
    merge: usize,
}

fn one() -> usize {
    1
}

impl AlarmPolicy {
    /// Most steps that votes are taken of.
    pub const MOST_VOTES: usize = 64;

    /// Alarms at `score >= threshold`, at least `refractory` steps apart; 0 and 1 both let every step raise one.
    #[must_use]
    pub fn new(threshold: Score, refractory: usize) -> Self {
        let fields =
            PolicyFields { threshold, refractory, needed: 1, of: 1, evidence: 1, clear: None, merge: 0 };
        Self { fields }
    }

    /// The default for a window: a refractory period as long as the prediction period.
    ///
    /// With it, one standing condition makes one alarm a prediction period, and the minutes that those alarms speak
    /// about lie end to end: each is covered once.
    #[must_use]
    pub fn for_window(threshold: Score, spec: WindowSpec) -> Self {
        Self::new(threshold, spec.period())
    }

    /// The same with another threshold. A clear threshold above it comes down with it.
    #[must_use]
    pub fn at(self, threshold: Score) -> Self {
        let clear = self.fields.clear.map(|clear| clear.min(threshold));
        Self { fields: PolicyFields { threshold, clear, ..self.fields } }
    }

    /// Alarms only when at least `needed` of the last `of` steps reached the threshold.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] unless `1 <= needed <= of <= 64`.
    pub fn with_votes(self, needed: usize, of: usize) -> Result<Self, CoreError> {
        Self::checked(PolicyFields { needed, of, ..self.fields })
    }

    /// Alarms only when at least `scores` of the last *n* steps had a score: after a gap or a restart the machine
    /// waits.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for more than the steps that vote. Call it after
    /// [`with_votes`](Self::with_votes).
    pub fn with_evidence(self, scores: usize) -> Result<Self, CoreError> {
        Self::checked(PolicyFields { evidence: scores, ..self.fields })
    }

    /// Hysteresis: an alarm stands, and no other is raised, until a score falls below `clear`.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for a clear threshold above the threshold.
    pub fn with_clear(self, clear: Score) -> Result<Self, CoreError> {
        Self::checked(PolicyFields { clear: Some(clear), ..self.fields })
    }

    /// A condition that returns within `steps` after an alarm ended continues that alarm, silently.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] without a clear threshold: such alarms do not end.
    pub fn with_merge(self, steps: usize) -> Result<Self, CoreError> {
        Self::checked(PolicyFields { merge: steps, ..self.fields })
    }

    fn checked(fields: PolicyFields) -> Result<Self, CoreError> {
        let PolicyFields { threshold, needed, of, evidence, clear, merge, .. } = fields;
        if !(1 <= needed && needed <= of && of <= Self::MOST_VOTES) {
            let expected = "at least one needed, of no fewer and at most 64 steps";
            return Err(invalid("votes of an alarm policy", format!("{needed} of {of}"), expected));
        }
        if evidence > of {
            let expected = "no more scores than steps that vote";
            return Err(invalid("evidence of an alarm policy", format!("{evidence} of {of}"), expected));
        }
        if let Some(clear) = clear.filter(|&clear| clear > threshold) {
            let value = clear.get().to_string();
            return Err(invalid("clear threshold", value, "at most the threshold"));
        }
        if merge > 0 && clear.is_none() {
            return Err(invalid(
                "merge of an alarm policy",
                merge.to_string(),
                "0 without a clear threshold",
            ));
        }
        Ok(Self { fields })
    }

    /// An alarm is raised when `score >= threshold`.
    #[must_use]
    pub fn threshold(&self) -> Score {
        self.fields.threshold
    }

    /// After an alarm the next one is at least this many steps away.
    #[must_use]
    pub fn refractory(&self) -> usize {
        self.fields.refractory
    }

    /// How many steps must have reached the threshold, of how many.
    #[must_use]
    pub fn votes(&self) -> (usize, usize) {
        (self.fields.needed, self.fields.of)
    }

    /// How many of the steps that vote must have a score.
    #[must_use]
    pub fn evidence(&self) -> usize {
        self.fields.evidence
    }

    /// Below which score an alarm ends; `None` where alarms are moments.
    #[must_use]
    pub fn clear(&self) -> Option<Score> {
        self.fields.clear
    }

    /// Within how many steps after its end a condition that returns continues an alarm.
    #[must_use]
    pub fn merge(&self) -> usize {
        self.fields.merge
    }

    /// The alarms that these scores raise, in order: [`AlarmMachine`] over the whole list. Scores that are not later
    /// than those before them are passed over.
    pub fn replay(
        self,
        step: Step,
        scores: impl IntoIterator<Item = (Timestamp, Score)>,
    ) -> impl Iterator<Item = Alarm> {
        AlarmMachine::new(self, step).replay(scores)
    }
}

fn invalid(name: &'static str, value: String, expected: &'static str) -> CoreError {
    CoreError::InvalidSetting { name, value, expected }
}

impl TryFrom<PolicyFields> for AlarmPolicy {
    type Error = CoreError;

    fn try_from(fields: PolicyFields) -> Result<Self, CoreError> {
        Self::checked(fields)
    }
}

impl From<AlarmPolicy> for PolicyFields {
    fn from(policy: AlarmPolicy) -> Self {
        policy.fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_checked_when_it_is_made_and_read() {
        let score = |value| Score::new(value).unwrap();
        let plain = AlarmPolicy::new(score(0.5), 5);
        assert!(plain.with_votes(0, 3).is_err() && plain.with_votes(4, 3).is_err());
        assert!(plain.with_votes(1, 65).is_err() && plain.with_evidence(2).is_err());
        assert!(plain.with_clear(score(0.6)).is_err() && plain.with_merge(1).is_err());
        let full = plain.with_votes(2, 3).unwrap().with_evidence(3).unwrap();
        let full = full.with_clear(score(0.25)).unwrap().with_merge(4).unwrap();
        let json = serde_json::to_string(&full).unwrap();
        let expected =
            r#"{"threshold":0.5,"refractory":5,"needed":2,"of":3,"evidence":3,"clear":0.25,"merge":4}"#;
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_str::<AlarmPolicy>(&json).unwrap(), full);
        assert_eq!(
            serde_json::from_str::<AlarmPolicy>(r#"{"threshold":0.5,"refractory":5}"#).unwrap(),
            plain
        );
        assert_eq!(full.at(score(0.1)).clear(), Some(score(0.1)));
        for wrong in [
            r#"{"threshold":1.1,"refractory":5}"#,
            r#"{"threshold":0.1,"refractory":-1}"#,
            r#"{"threshold":0.1}"#,
            r#"{"threshold":0.1,"refractory":5,"needed":2}"#,
            r#"{"threshold":0.1,"refractory":5,"clear":0.2}"#,
        ] {
            assert!(serde_json::from_str::<AlarmPolicy>(wrong).is_err(), "{wrong}");
        }
    }
}
