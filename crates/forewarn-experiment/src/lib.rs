#![doc = include_str!("../README.md")]

mod data;
mod error;
mod experiment;
mod memory;
mod model;
mod progress;
mod results;
mod roots;
mod rule_notes;
mod run;
mod sample;
mod train;

pub use data::{
    Data,
    fleet_graph::fleet_graph,
    ground_truth::{GroundTruth, TrueFailure},
    simulated::Simulated,
};
pub use error::{ExperimentError, NotSaved};
pub use experiment::{Experiment, VerdictColumns};
pub use model::standard::StandardModels;
pub use model::{Blending, Model, ModelRows};
pub use progress::text_observer::TextObserver;
pub use progress::{Observer, Phase, Progress};
pub use results::Results;
pub use results::files::{prepare_file, prepare_folder, write_file, write_model};
pub use roots::RootCase;
pub use sample::{
    LabelCounts, MetricSums, SampleAbout, SampleQuestion, Sampled, SampledService, schema_fingerprint,
};
pub use train::{Trained, TrainedModel, TrainingSummary};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_kept_or_shared_is_send_and_sync() {
        fn check<T: Send + Sync>() {}
        check::<Experiment>();
        check::<Model>();
        check::<StandardModels>();
        check::<Data>();
        check::<Results>();
        check::<GroundTruth>();
        check::<Trained>();
        check::<TrainingSummary>();
        check::<RootCase>();
        check::<ExperimentError>();
        check::<NotSaved>();
        check::<TextObserver<Vec<u8>>>();
    }
}
