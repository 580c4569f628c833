#![doc = include_str!("../README.md")]

#[cfg(feature = "experiment")]
pub mod experiment;
pub mod prelude;
#[cfg(all(feature = "label", feature = "window"))]
mod saved_feature;
#[cfg(feature = "serve")]
pub mod serve;

pub use forewarn_core as core;
pub use forewarn_schema as schema;

#[cfg(feature = "baseline")]
pub use forewarn_baseline as baseline;
#[cfg(feature = "eval")]
pub use forewarn_eval as eval;
#[cfg(feature = "io")]
pub use forewarn_io as io;
#[cfg(feature = "label")]
pub use forewarn_label as label;
#[cfg(feature = "recurrent")]
pub use forewarn_recurrent as recurrent;
#[cfg(feature = "sim")]
pub use forewarn_sim as sim;
#[cfg(feature = "topology")]
pub use forewarn_topology as topology;
#[cfg(feature = "window")]
pub use forewarn_window as window;
#[cfg(all(feature = "label", feature = "window"))]
pub use saved_feature::saved_feature;
