//! The stress walk as its users see it.

mod figures;
mod refusals;
mod stability;
