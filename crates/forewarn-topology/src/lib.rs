#![doc = include_str!("../README.md")]

mod cascade;
mod error;
mod features;
mod graph;
mod health;
mod limit;
mod overview;
mod paths;
mod root;
mod samples;
#[cfg(any(test, feature = "proptest"))]
pub mod strategies;
mod text;

pub use cascade::{Cascade, CascadeEstimate, CascadeMethod, Worlds};
pub use error::TopologyError;
pub use features::{FleetColumns, Group, TopologyFeatures, TopologyStream};
pub use graph::learn::LearnStrengths;
pub use graph::names::NameComparison;
pub use graph::strengths::Strengths;
pub use graph::{Call, ServiceGraph, Traffic};
pub use health::dependency::{DependencyHealth, SystemHealth};
pub use health::{BoundHealthRules, HealthMarks, HealthRules, Status};
pub use limit::RowLimit;
pub use overview::{Overview, Scores};
pub use paths::amplification::{Amplification, Hop};
pub use paths::critical::{CriticalPath, CriticalPaths, LatencyKind, Stop};
pub use root::ranking_quality::RankingQuality;
pub use root::root_search::{RootFindings, RootSearch, RootSuspect, Worse};
pub use root::{RootRanking, Suspect};
pub use samples::CallSamples;
