//! Times and words of the API, with their schemas.

use forewarn_label::SloLevel;
use forewarn_live::{CannotTell, IncidentState, MissingReason, OutcomeKind, ProbableKind, RiskLevel};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type},
    },
};

/// A time: RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Time(pub(crate) Timestamp);

impl From<Timestamp> for Time {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let date_time = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        ObjectBuilder::new().schema_type(Type::String).format(Some(date_time)).into()
    }
}

impl ToSchema for Time {}

/// A word of the engine, with the list of those that there are.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident($of:ty): $($word:literal)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(pub(crate) $of);

        impl $name {
            const WORDS: &[&str] = &[$($word),*];
        }

        impl From<$of> for $name {
            fn from(word: $of) -> Self {
                Self(word)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Self::WORDS.iter().copied())).into()
            }
        }

        impl ToSchema for $name {}
    };
}

word! {
    /// How serious a score is.
    Level(RiskLevel): "low" "medium" "high" "critical"
}
word! {
    /// Why a model cannot tell.
    WhyUnknown(CannotTell): "source_down" "too_few_rows" "missing_row" "no_traffic" "far_from_training"
}
word! {
    /// Why a row is missing.
    WhyMissing(MissingReason): "source_down" "service_silent" "no_traffic" "out_of_range"
}
word! {
    /// What kind of failure a warning looks like.
    FailureKind(ProbableKind): "latency" "errors" "cpu" "memory" "traffic" "restarts" "dependency" "unknown"
}
word! {
    /// What became of a warning or a failure.
    Outcome(OutcomeKind): "hit" "late" "false" "censored" "averted" "detected" "missed"
}
word! {
    /// State of an incident.
    IncidentWord(IncidentState): "opened" "updated" "closed"
}
word! {
    /// Whether an error budget burns too fast.
    BurnLevel(SloLevel): "met" "ticket" "page"
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::DeserializeOwned;

    fn understood<T: DeserializeOwned + Serialize>(words: &[&str]) {
        for word in words {
            let value: T = serde_json::from_value((*word).into()).unwrap();
            assert_eq!(serde_json::to_value(value).unwrap(), *word);
        }
    }

    #[test]
    fn every_listed_word_is_one_of_the_engine() {
        understood::<Level>(Level::WORDS);
        understood::<WhyUnknown>(WhyUnknown::WORDS);
        understood::<WhyMissing>(WhyMissing::WORDS);
        understood::<FailureKind>(FailureKind::WORDS);
        understood::<Outcome>(Outcome::WORDS);
        understood::<IncidentWord>(IncidentWord::WORDS);
        understood::<BurnLevel>(BurnLevel::WORDS);
    }
}
