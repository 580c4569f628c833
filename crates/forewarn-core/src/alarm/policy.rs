use crate::{CoreError, Score, WindowSpec};
use serde::{Deserialize, Serialize};

/// How scores become alarms, checked. A value: compare it, store it, send it to where the scores are.
///
/// An alarm is raised at a score of at least the threshold, when
/// - of the last *n* steps at least *k* had such a score ([`AlarmSettings::with_votes`]; by default one of one),
/// - at least this many of them had a score at all ([`AlarmSettings::with_evidence`]; by default one),
/// - the last alarm was raised at least the refractory period ago, and
/// - it no longer stands, where there is a clear threshold ([`AlarmSettings::with_clear`]). It stands until a score
///   falls below that, or nothing is heard for longer than both the refractory period and *n* steps; when the
///   condition returns within [`AlarmSettings::with_merge`] steps it is the same alarm again. Without a clear
///   threshold an alarm is a moment, and a standing condition raises one each refractory period.
///
/// It is read and written as its [`AlarmSettings`], and checked where it is read.
///
/// # Examples
/// ```
/// use forewarn_core::{AlarmPolicy, AlarmSettings, Score};
///
/// let settings = AlarmSettings::new(Score::new(0.5)?, 5).with_votes(2, 3).with_clear(Score::new(0.25)?);
/// let policy = AlarmPolicy::from_settings(settings)?;
/// assert_eq!(policy.votes(), (2, 3));
/// # Ok::<(), forewarn_core::CoreError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AlarmSettings", into = "AlarmSettings")]
pub struct AlarmPolicy {
    settings: AlarmSettings,
}

/// The settings of an [`AlarmPolicy`], which checks them ([`AlarmPolicy::from_settings`]).
///
/// | setting | meaning | default | range |
/// |---|---|---|---|
/// | `threshold` | least score of an alarm | given | 0 to 1 |
/// | `refractory` | least steps between two alarms; 0 and 1 let every step raise one | given | |
/// | [`votes`](Self::with_votes) | `needed` of the last `of` steps at the threshold | 1 of 1 | 1 <= needed <= of <= 64 |
/// | [`evidence`](Self::with_evidence) | how many of these steps must have a score | 1 | up to `of` |
/// | [`clear`](Self::with_clear) | score below which an alarm ends | none: an alarm is a moment | up to the threshold |
/// | [`merge`](Self::with_merge) | steps within which a condition that returns continues an alarm | 0 | 0 without `clear` |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmSettings {
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

impl AlarmSettings {
    /// Alarms at `score >= threshold`, at least `refractory` steps apart.
    #[must_use]
    pub fn new(threshold: Score, refractory: usize) -> Self {
        Self { threshold, refractory, needed: 1, of: 1, evidence: 1, clear: None, merge: 0 }
    }

    /// Alarms only when at least `needed` of the last `of` steps reached the threshold.
    #[must_use]
    pub fn with_votes(self, needed: usize, of: usize) -> Self {
        Self { needed, of, ..self }
    }

    /// Alarms only when at least `scores` of the last *n* steps had a score: after a gap or a restart the machine
    /// waits.
    #[must_use]
    pub fn with_evidence(self, scores: usize) -> Self {
        Self { evidence: scores, ..self }
    }

    /// Hysteresis: an alarm stands, and no other is raised, until a score falls below `clear`.
    #[must_use]
    pub fn with_clear(self, clear: Score) -> Self {
        Self { clear: Some(clear), ..self }
    }

    /// A condition that returns within `steps` after an alarm ended continues that alarm, silently.
    #[must_use]
    pub fn with_merge(self, steps: usize) -> Self {
        Self { merge: steps, ..self }
    }

    fn check(&self) -> Result<(), CoreError> {
        let Self { threshold, needed, of, evidence, clear, merge, .. } = *self;
        let refuse = |name, value: String, expected| Err(CoreError::InvalidSetting { name, value, expected });
        if !(1 <= needed && needed <= of && of <= AlarmPolicy::MOST_VOTES) {
            let expected = "at least one needed, of no fewer and at most 64 steps";
            return refuse("votes of an alarm policy", format!("{needed} of {of}"), expected);
        }
        if evidence > of {
            let expected = "no more scores than steps that vote";
            return refuse("evidence of an alarm policy", format!("{evidence} of {of}"), expected);
        }
        if let Some(clear) = clear.filter(|&clear| clear > threshold) {
            return refuse("clear threshold", clear.get().to_string(), "at most the threshold");
        }
        if merge > 0 && clear.is_none() {
            return refuse("merge of an alarm policy", merge.to_string(), "0 without a clear threshold");
        }
        Ok(())
    }
}

impl AlarmPolicy {
    /// Most steps that votes are taken of.
    pub const MOST_VOTES: usize = 64;

    /// Alarms at `score >= threshold`, at least `refractory` steps apart; 0 and 1 both let every step raise one.
    #[must_use]
    pub fn new(threshold: Score, refractory: usize) -> Self {
        Self { settings: AlarmSettings::new(threshold, refractory) }
    }

    /// A policy of these settings.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for a setting out of the range that [`AlarmSettings`] lists.
    pub fn from_settings(settings: AlarmSettings) -> Result<Self, CoreError> {
        settings.check()?;
        Ok(Self { settings })
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
        let clear = self.settings.clear.map(|clear| clear.min(threshold));
        Self { settings: AlarmSettings { threshold, clear, ..self.settings } }
    }

    /// Its settings, to make another policy of.
    #[must_use]
    pub fn settings(&self) -> AlarmSettings {
        self.settings
    }

    /// An alarm is raised when `score >= threshold`.
    #[must_use]
    pub fn threshold(&self) -> Score {
        self.settings.threshold
    }

    /// After an alarm the next one is at least this many steps away.
    #[must_use]
    pub fn refractory(&self) -> usize {
        self.settings.refractory
    }

    /// How many steps must have reached the threshold, of how many.
    #[must_use]
    pub fn votes(&self) -> (usize, usize) {
        (self.settings.needed, self.settings.of)
    }

    /// How many of the steps that vote must have a score.
    #[must_use]
    pub fn evidence(&self) -> usize {
        self.settings.evidence
    }

    /// Below which score an alarm ends; `None` where alarms are moments.
    #[must_use]
    pub fn clear(&self) -> Option<Score> {
        self.settings.clear
    }

    /// Within how many steps after its end a condition that returns continues an alarm.
    #[must_use]
    pub fn merge(&self) -> usize {
        self.settings.merge
    }
}

impl TryFrom<AlarmSettings> for AlarmPolicy {
    type Error = CoreError;

    fn try_from(settings: AlarmSettings) -> Result<Self, CoreError> {
        Self::from_settings(settings)
    }
}

impl From<AlarmPolicy> for AlarmSettings {
    fn from(policy: AlarmPolicy) -> Self {
        policy.settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_checked_when_it_is_made_and_read() {
        let score = |value| Score::new(value).unwrap();
        let plain = AlarmSettings::new(score(0.5), 5);
        for wrong in [
            plain.with_votes(0, 3),
            plain.with_votes(4, 3),
            plain.with_votes(1, 65),
            plain.with_evidence(2),
            plain.with_clear(score(0.6)),
            plain.with_merge(1),
        ] {
            assert!(AlarmPolicy::from_settings(wrong).is_err(), "{wrong:?}");
        }
        // In any order: they are checked together.
        let full = plain.with_merge(4).with_clear(score(0.25)).with_evidence(3).with_votes(2, 3);
        let (plain, full) = (AlarmPolicy::new(score(0.5), 5), AlarmPolicy::from_settings(full).unwrap());
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
