//! How saved features are made again.

use crate::{
    Calendar, Cycle, Deltas, Ewma, FeatureExt, Features, Impute, ImputedMask, Logs, Metrics, Normaliser,
    Pipeline, RatioOf, RecentNormal, Rolling, SeasonalProfile, SeasonalResidual, Select, Statistic,
    WindowError, impute::Filling,
};
use forewarn_core::{Feature, ModelFileError, NestedReader, Registry};
use forewarn_schema::UtcOffset;
use serde::{Deserialize, Serialize, de, ser};
use serde_json::Value;

/// Every feature of this crate by its settings, as its [`Feature::saved`] writes them.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Saved {
    Metrics,
    Deltas { steps: usize, select: Select },
    Rolling { statistic: Statistic, steps: usize, at_least: usize, select: Select },
    Ewma { half_life_steps: f64, select: Select },
    RecentNormal { steps: usize, limit: f64, select: Select },
    SeasonalResidual { season_steps: usize, memory_seasons: usize, select: Select },
    SeasonalProfile(SeasonalProfile),
    Calendar { cycles: Vec<Cycle>, utc_offset_minutes: UtcOffset },
    Logs { select: Select },
    Ratio { metric: String, by: String },
    Impute { filling: Filling, select: Select },
    ImputedMask { select: Select },
    Then([Value; 2]),
    List(Vec<Value>),
}

/// What the features of this crate are called where they are saved.
const KINDS: [&str; 14] = [
    "metrics",
    "deltas",
    "rolling",
    "ewma",
    "recent_normal",
    "seasonal_residual",
    "seasonal_profile",
    "calendar",
    "logs",
    "ratio",
    "impute",
    "imputed_mask",
    "then",
    "list",
];

/// The registry with all features of this crate more.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    KINDS.into_iter().fold(registry, |registry, kind| registry.with_feature(kind, read))
}

fn read(saved: &Value, inside: &NestedReader<'_>) -> Result<Box<dyn Feature>, ModelFileError> {
    let saved = Saved::deserialize(saved).map_err(|error| ModelFileError::not_a_model(error.to_string()))?;
    saved.feature(inside).map_err(|error| match error {
        WindowError::ModelFile(error) => error,
        error => ModelFileError::outside("reading a feature", error),
    })
}

impl Saved {
    /// The feature, through the same checks as one that is written in a program.
    fn feature(self, inside: &NestedReader<'_>) -> Result<Box<dyn Feature>, WindowError> {
        Ok(match self {
            Self::Metrics => Box::new(Metrics),
            Self::Deltas { steps, select } => {
                Box::new(Deltas::default().with_metrics(select).with_steps(steps)?)
            }
            Self::Rolling { statistic, steps, at_least, select } => {
                Box::new(Rolling::new(statistic, steps)?.with_least_samples(at_least).with_metrics(select))
            }
            Self::Ewma { half_life_steps, select } => {
                Box::new(Ewma::half_life(half_life_steps)?.with_metrics(select))
            }
            Self::RecentNormal { steps, limit, select } => {
                Box::new(RecentNormal::new(steps)?.with_limit(limit)?.with_metrics(select))
            }
            Self::SeasonalResidual { season_steps, memory_seasons, select } => Box::new(
                SeasonalResidual::new(season_steps)?.with_memory(memory_seasons)?.with_metrics(select),
            ),
            Self::SeasonalProfile(profile) => Box::new(profile),
            Self::Calendar { cycles, utc_offset_minutes } => {
                Box::new(Calendar::of(&cycles, utc_offset_minutes))
            }
            Self::Logs { select } => Box::new(Logs::of(select)),
            Self::Ratio { metric, by } => Box::new(RatioOf::new(metric, by)),
            Self::Impute { filling, select } => Box::new(Impute::filling(filling)?.with_metrics(select)),
            Self::ImputedMask { select } => Box::new(ImputedMask::of(select)),
            Self::Then([first, next]) => Box::new(inside.feature(&first)?.then(inside.feature(&next)?)),
            Self::List(features) => Box::new(list(&features, inside)?),
        })
    }
}

fn list(saved: &[Value], inside: &NestedReader<'_>) -> Result<Features, WindowError> {
    saved.iter().try_fold(Features::new(), |features, value| Ok(features.with(inside.feature(value)?)))
}

impl Features {
    /// Features from the values of [`Feature::saved`]; `registry` knows their kinds, those of other crates too. Where
    /// all are of this crate, `Features` is read like other data, by serde.
    ///
    /// # Errors
    /// [`WindowError::ModelFile`]; settings are checked as when they are given in a program.
    pub fn from_saved(saved: &[Value], registry: &Registry) -> Result<Self, WindowError> {
        list(saved, &registry.reader())
    }
}

impl Pipeline {
    /// A pipeline from the value that serde made of it; see [`Features::from_saved`].
    ///
    /// # Errors
    /// [`WindowError::ModelFile`]; [`WindowError::UnreadablePipeline`], also for a normaliser that is damaged;
    /// settings are checked as when they are given in a program.
    pub fn from_saved(saved: &Value, registry: &Registry) -> Result<Self, WindowError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Parts {
            features: Vec<Value>,
            normaliser: Normaliser,
        }
        let Parts { features, normaliser } = Parts::deserialize(saved)
            .map_err(|error| WindowError::UnreadablePipeline { reason: error.to_string() })?;
        Ok(Self::new(Features::from_saved(&features, registry)?, normaliser))
    }
}

impl Serialize for Features {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.values().ok_or_else(|| {
            ser::Error::custom("one of the features cannot be saved: its `Feature::saved` gives nothing")
        })?;
        values.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Features {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let registry = register(Registry::new());
        Self::from_saved(&Vec::deserialize(deserializer)?, &registry).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_core::{FeatureState, Origin};
    use forewarn_schema::{Metric, Schema, SchemaError};

    /// A feature of someone else.
    struct Twice;

    impl Feature for Twice {
        fn outputs(&self, _: &Schema) -> Result<Vec<Metric>, SchemaError> {
            Ok(vec![Metric::gauge("twice")])
        }

        fn start(&self, _: &Schema, _: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
            #[derive(Clone, Debug)]
            struct State;
            impl FeatureState for State {
                fn push(&mut self, row: &[f32], out: &mut [f32]) {
                    out[0] = 2.0 * row[0];
                }

                crate::features::per_column::nothing_to_save!();
            }
            Ok(Box::new(State))
        }

        fn saved(&self) -> Option<Value> {
            Some(serde_json::json!({ "twice": {} }))
        }
    }

    #[test]
    fn features_of_others_are_read_by_who_knows_them() {
        let features = Features::new().with(Metrics).with(Twice.then(Logs::default()));
        let text = serde_json::to_string(&features).unwrap();
        assert_eq!(text, r#"["metrics",{"then":[{"twice":{}},{"logs":{"select":"all"}}]}]"#);
        let error = serde_json::from_str::<Features>(&text).err().unwrap().to_string();
        assert!(error.contains("twice") && error.contains("calendar, deltas"), "{error}");
        let values: Vec<Value> = serde_json::from_str(&text).unwrap();
        let own = register(Registry::new()).with_feature("twice", |_, _| Ok(Box::new(Twice)));
        let read = Features::from_saved(&values, &own).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        let normaliser = serde_json::json!({ "own": 1 });
        let error = Pipeline::from_saved(&serde_json::json!({ "features": values }), &own).err().unwrap();
        assert_eq!(error.to_string(), "a saved pipeline cannot be read: missing field `normaliser`");
        let wrong = serde_json::json!({ "features": values, "normaliser": normaliser });
        assert!(matches!(Pipeline::from_saved(&wrong, &own), Err(WindowError::UnreadablePipeline { .. })));
    }

    #[test]
    fn every_kind_of_this_crate_is_registered() {
        let error = Saved::deserialize(serde_json::json!({ "unheard_of": {} })).err().unwrap().to_string();
        let (_, known) = error.split_once("expected one of ").unwrap();
        let known: Vec<&str> = known.split(", ").map(|kind| kind.trim_matches('`')).collect();
        assert_eq!(known, KINDS);
    }

    #[test]
    fn features_that_lie_too_deep_are_refused() {
        let deep = |levels: usize| {
            (0..levels)
                .fold(serde_json::json!("metrics"), |inside, _| serde_json::json!({ "list": [inside] }))
        };
        let registry = register(Registry::new());
        assert!(registry.feature(&deep(NestedReader::MOST_NESTED)).is_ok());
        let error = registry.feature(&deep(NestedReader::MOST_NESTED + 1)).err().unwrap();
        assert!(matches!(error, ModelFileError::TooDeep { .. }), "{error}");
    }

    #[test]
    fn what_a_program_could_not_write_is_not_read() {
        for wrong in [
            r#"[{"deltas":{"steps":0,"select":"all"}}]"#,
            r#"[{"ewma":{"half_life_steps":-1.0,"select":"all"}}]"#,
            r#"[{"calendar":{"cycles":["day"],"utc_offset_minutes":9999}}]"#,
            r#"[{"calendar":{"cycles":["day"],"utc_offset_minutes":-2147483648}}]"#,
            r#"[{"impute":{"filling":{"last":{"at_most":0}},"select":"all"}}]"#,
            r#"[{"then":["metrics",{"deltas":{"steps":0,"select":"all"}}]}]"#,
            r#"[{"deltas":{"steps":1,"select":"all","more":1}}]"#,
            r#"[{"unheard_of":{}}]"#,
        ] {
            assert!(serde_json::from_str::<Features>(wrong).is_err(), "{wrong}");
        }
    }
}
