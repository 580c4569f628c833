use forewarn_core::{Labels, WindowSpec};
use forewarn_schema::{Episodes, Step};
use std::collections::BTreeMap;

/// What is known of the failures that scores are judged by.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum KnownFailures<'a> {
    /// What a rule made of metrics, row by row: windows, step and target are theirs, and what the metrics leave open
    /// is unknown.
    Labels(&'a Labels),
    /// A list of failures, as an [`EpisodeFile`](super::EpisodeFile) has it. Every service in it was watched for as
    /// long as there are scores of it; of a service that it does not name nothing is known.
    List {
        /// Each service's failures.
        episodes: &'a BTreeMap<String, Episodes>,
        /// Which steps after its time a score is about.
        spec: WindowSpec,
        /// Length of a step; `None` takes that of the scores.
        step: Option<Step>,
    },
    /// The labels in the file of scores, which say when the service was failing
    /// ([`LabelMeaning::Failing`](super::LabelMeaning::Failing)).
    InScores {
        /// Which steps after its time a score is about.
        spec: WindowSpec,
        /// Length of a step; `None` takes that of the scores.
        step: Option<Step>,
    },
}

/// What a `label` of 1 in a file of scores says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelMeaning {
    /// A failure begins in the prediction period of this row: the label that a predictor is trained with.
    #[default]
    Begins,
    /// The service is failing at the time of this row.
    Failing,
}
