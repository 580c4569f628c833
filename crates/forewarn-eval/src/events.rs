//! Alarms matched with failures: what was detected, how early, of which class, and whether chance would do as well.

mod chance;
mod classes;
mod lead;
mod matched;

pub use chance::{Skill, skill_over_chance};
pub use classes::EpisodeClasses;
pub use lead::{Delays, LeadTimes};
pub use matched::{EventCounts, Events, ServiceEvents};

pub(crate) use chance::Persistence;
pub(crate) use matched::{false_alarms, is_failing, is_warned, span, warned};
