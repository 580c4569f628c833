#![doc = include_str!("../README.md")]

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
