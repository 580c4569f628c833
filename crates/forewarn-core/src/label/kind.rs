use crate::CoreError;
use serde::{Deserialize, Serialize};

/// What a label states about the prediction period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A failure *begins* in the period. Windows that end in the middle of one are excluded: once the first bad minute
    /// is visible, prediction is nearly free.
    #[default]
    Onset,
    /// The rule is satisfied in at least one minute of the period; nothing is excluded for being in a failure already.
    /// The target of many published tables; kept to compare with them.
    Active,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Onset => "onset",
            Self::Active => "active",
        })
    }
}

impl std::str::FromStr for Target {
    type Err = CoreError;

    fn from_str(text: &str) -> Result<Self, CoreError> {
        match text {
            "onset" => Ok(Self::Onset),
            "active" => Ok(Self::Active),
            _ => Err(CoreError::InvalidSetting {
                name: "target",
                value: text.to_owned(),
                expected: "onset or active",
            }),
        }
    }
}

/// Why a window has no label. There are no other reasons: a count of what is left out has a place for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// The service is failing already: `onset <= t < end`.
    Ongoing,
    /// The prediction period, or what confirms an onset in it, runs past the data.
    Censored,
    /// Missing samples leave open whether the service failed in the period, or there is no sample at `t` at all.
    Missing,
}

impl Exclusion {
    /// The reason's name, as it is serialised.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ongoing => "ongoing",
            Self::Censored => "censored",
            Self::Missing => "missing",
        }
    }
}

/// The label of one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    /// What the target asks for happens in the period.
    Positive,
    /// It does not.
    Negative,
    /// Not known, or not a prediction.
    Excluded(Exclusion),
}

/// How many windows have no label, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExclusionCounts {
    /// See [`Exclusion::Ongoing`].
    pub ongoing: usize,
    /// See [`Exclusion::Censored`].
    pub censored: usize,
    /// See [`Exclusion::Missing`].
    pub missing: usize,
}

impl ExclusionCounts {
    /// Counts one more.
    pub fn add(&mut self, reason: Exclusion) {
        match reason {
            Exclusion::Ongoing => self.ongoing += 1,
            Exclusion::Censored => self.censored += 1,
            Exclusion::Missing => self.missing += 1,
        }
    }

    /// Windows excluded for any reason.
    #[must_use]
    pub fn total(&self) -> usize {
        self.ongoing + self.censored + self.missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_takes_one_byte() {
        assert_eq!(size_of::<Label>(), 1);
    }

    #[test]
    fn targets_are_read_as_they_are_written() {
        for target in [Target::Onset, Target::Active] {
            assert_eq!(target.to_string().parse::<Target>().unwrap(), target);
        }
        assert!("Onset?".parse::<Target>().is_err());
    }
}
