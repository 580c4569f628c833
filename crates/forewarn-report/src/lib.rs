#![doc = include_str!("../README.md")]

mod drawing;
mod headline;
mod html;
mod judge;
mod pictures;
mod services;
mod table;
mod text;
mod uncertainty;
mod view;

pub use judge::GivenScores;
pub use pictures::{CurveKind, Mark, MetricTrack, Pictures, PrCurve, ServiceOnsets, Timeline};
pub use view::Present;
