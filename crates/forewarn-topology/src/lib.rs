#![doc = include_str!("../README.md")]

mod amplification;
mod cascade;
mod critical;
mod dependency;
mod edge_list;
mod error;
mod features;
mod file;
mod graph;
mod health;
mod learn;
mod overview;
mod ranking_quality;
mod root;
mod samples;
mod slo;
#[cfg(any(test, feature = "proptest"))]
pub mod strategies;
mod strengths;
mod text;

pub use amplification::{Amplification, Hop};
pub use cascade::{Cascade, Estimate, Method, Worlds};
pub use critical::{CriticalPath, CriticalPaths, LatencyKind, Stop};
pub use dependency::{DependencyHealth, SystemHealth};
pub use error::TopologyError;
pub use features::{Group, TopologyFeatures, TopologyStream};
pub use graph::{Call, ServiceGraph, Traffic};
pub use health::{BoundHealthRules, HealthRules, Status, Watch};
pub use learn::LearnStrengths;
pub use overview::{Overview, Scores};
pub use ranking_quality::RankingQuality;
pub use root::{RootRanking, Suspect};
pub use samples::CallSamples;
pub use slo::{BurnRate, Indicator, Slo, SloReport, SloTracker};
pub use strengths::Strengths;
