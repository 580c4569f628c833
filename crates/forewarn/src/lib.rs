//! Predicts microservice failures minutes before they begin, from the metrics that services already export.
//!
//! forewarn reads the last ten minutes of a service's metrics and predicts with what probability a failure **begins** in
//! the next five. This crate re-exports the libraries of the workspace behind features, and has a short [`prelude`]. The
//! program `forewarn`, in the package `forewarn-cli`, does the whole job on files.
//!
//! ```
//! use forewarn::{baseline::Input, prelude::*};
//!
//! // Three weeks of one simulated service, one sample a minute; `forewarn::io::read` takes a file.
//! let run = StressWalk::new(21 * 24 * 60, 7)?.run();
//! let frames = FrameSet::from_frames(vec![run.frame])?;
//!
//! // Failing is an error rate of 5 % for two minutes. Does a failure begin in the next five?
//! let labels = label(&frames, &ThresholdRule::v1(), WindowSpec::default(), Target::Onset)?;
//! let split = chronological(&labels, Fractions::default())?;
//!
//! // The ten metrics and their changes, normalised by training rows only.
//! let features = Features::default().apply(&frames)?;
//! let features = ZScore::fit(split.train(), &features, Scope::Service)?.apply(features)?;
//!
//! let (train, validation) = (split.train().on(&features)?, split.validation().on(&features)?);
//! let model = LogisticRegression::new(Input::Snapshot).fit(train, validation, &mut Silent)?;
//!
//! let test = split.test().on(&features)?;
//! let scores = model.score_all(test.windows())?;
//! let no_skill = test.positives() as f64 / test.positive().len() as f64;
//! assert!(average_precision(&scores, test.positive())? > no_skill);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`schema`] | metrics, raw samples, frames, failure episodes |
//! | [`core`](crate::core) | the traits to implement, windows, labels, splits, scores, saved models, alarms |
//! | [`io`] | frames from and to CSV, JSON and Parquet (feature `parquet`) |
//! | [`sim`] | a fleet that fails for reasons, chaos experiments, and the ceiling on simulated metrics |
//! | [`label`] | failure rules as values: conditions, shapes, burn rates; episodes and labels, live or in batch |
//! | [`window`] | regular frames from raw samples, derived features, normalisers, splits, sampling |
//! | [`baseline`] | thresholds, rolling mean, trend and other controls; logistic regression, boosted trees |
//! | [`recurrent`] | LSTM and GRU, trained in pure Rust or through libtorch (feature `libtorch`) |
//! | [`ensemble`] | around any model: calibration, blending, stacking, "cannot tell", occlusion |
//! | [`topology`] | the service graph: health with servers, cascade risk, critical path, root ranking |
//! | [`eval`] | window and event measures with intervals, alarm budgets, leak audits |
//! | [`experiment`] | fits many models on one data set, chooses on validation, evaluates, compares |
//! | [`report`] | an evaluation as a table, JSON and one HTML page |
//! | [`live`] | scores live rows by a model from a file |
//! | [`numerics`] | sliding windows, moments, ranking with ties, logistic fits |
//!
//! Each has a feature of its name, all on by default; `schema`, `core` and `numerics` are always there.
//!
//! Status: names may still change before 1.0.

/// The page of the repository: its code is tested here, its links work there.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod prelude;

#[doc(inline)]
pub use forewarn_core as core;
#[doc(inline)]
pub use forewarn_numerics as numerics;
#[doc(inline)]
pub use forewarn_schema as schema;

#[cfg(feature = "baseline")]
#[doc(inline)]
pub use forewarn_baseline as baseline;
#[cfg(feature = "ensemble")]
#[doc(inline)]
pub use forewarn_ensemble as ensemble;
#[cfg(feature = "eval")]
#[doc(inline)]
pub use forewarn_eval as eval;
#[cfg(feature = "experiment")]
#[doc(inline)]
pub use forewarn_experiment as experiment;
#[cfg(feature = "io")]
#[doc(inline)]
pub use forewarn_io as io;
#[cfg(feature = "label")]
#[doc(inline)]
pub use forewarn_label as label;
#[cfg(feature = "live")]
#[doc(inline)]
pub use forewarn_live as live;
#[cfg(feature = "prometheus")]
#[doc(inline)]
pub use forewarn_prometheus as prometheus;
#[cfg(feature = "recurrent")]
#[doc(inline)]
pub use forewarn_recurrent as recurrent;
#[cfg(feature = "report")]
#[doc(inline)]
pub use forewarn_report as report;
#[cfg(feature = "sim")]
#[doc(inline)]
pub use forewarn_sim as sim;
#[cfg(feature = "topology")]
#[doc(inline)]
pub use forewarn_topology as topology;
#[cfg(feature = "window")]
#[doc(inline)]
pub use forewarn_window as window;
