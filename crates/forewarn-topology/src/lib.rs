#![doc = include_str!("../README.md")]

mod amplification;
mod cascade;
mod critical;
mod dependency;
mod edge_list;
mod error;
mod file;
mod graph;
mod health;
mod learn;
mod ranking_quality;
mod root;
mod samples;
#[cfg(any(test, feature = "proptest"))]
pub mod strategies;
mod strengths;
mod text;

pub use amplification::{Amplification, Hop};
pub use cascade::{Cascade, Estimate, Method, Worlds};
pub use critical::{CriticalPath, CriticalPaths, LatencyKind, Stop};
pub use dependency::{DependencyHealth, SystemHealth};
pub use error::TopologyError;
pub use graph::{Call, ServiceGraph, Traffic};
pub use health::{BoundHealthRules, HealthRules, Status, Watch};
pub use learn::LearnStrengths;
pub use ranking_quality::RankingQuality;
pub use root::{RootRanking, Suspect};
pub use samples::CallSamples;
pub use strengths::Strengths;
