#![doc = include_str!("../README.md")]

mod amplification;
mod cascade;
mod critical;
mod dependency;
mod edge_columns;
mod edge_list;
mod error;
mod features;
mod file;
mod graph;
mod health;
mod learn;
mod limit;
mod names;
mod overview;
mod ranking_quality;
mod root;
mod root_search;
mod samples;
#[cfg(any(test, feature = "proptest"))]
pub mod strategies;
mod strengths;
mod text;

pub use amplification::{Amplification, Hop};
pub use cascade::{Cascade, CascadeEstimate, CascadeMethod, Worlds};
pub use critical::{CriticalPath, CriticalPaths, LatencyKind, Stop};
pub use dependency::{DependencyHealth, SystemHealth};
pub use error::TopologyError;
pub use features::{FleetColumns, Group, TopologyFeatures, TopologyStream};
pub use graph::{Call, ServiceGraph, Traffic};
pub use health::{BoundHealthRules, HealthMarks, HealthRules, Status};
pub use learn::LearnStrengths;
pub use limit::RowLimit;
pub use names::NameComparison;
pub use overview::{Overview, Scores};
pub use ranking_quality::RankingQuality;
pub use root::{RootRanking, Suspect};
pub use root_search::{RootFindings, RootSearch, RootSuspect, Worse};
pub use samples::CallSamples;
pub use strengths::Strengths;
