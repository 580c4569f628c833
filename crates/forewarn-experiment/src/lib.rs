#![doc = include_str!("../README.md")]

mod audit;
mod classes;
mod data;
mod error;
mod evaluate;
mod experiment;
mod files;
mod fit;
mod fleet_graph;
mod folds;
mod ground_truth;
mod material;
mod memory;
mod model;
mod models;
mod progress;
mod results;
mod roots;
mod rule_notes;
mod run;
mod running;
mod saving;
mod side_by_side;
mod simulated;
mod standard;
mod text_observer;
mod train;
mod truth;
mod walk;
mod wide;

pub use data::Data;
pub use error::ExperimentError;
pub use experiment::{Experiment, VerdictColumns};
pub use files::{prepare_file, prepare_folder, write_file, write_model};
pub use fleet_graph::fleet_graph;
pub use ground_truth::{GroundTruth, TrueFailure};
pub use model::{Blending, Model, Rows};
pub use models::NotSaved;
pub use progress::{Observer, Phase, Progress};
pub use results::Results;
pub use roots::RootCase;
pub use simulated::Simulated;
pub use standard::StandardModels;
pub use text_observer::TextObserver;
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
