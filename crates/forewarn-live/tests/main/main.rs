//! Models and pipelines from files, and live rows.

mod saved;
