//! Models and pipelines from files, and live rows.

mod hostile_tmp;
mod saved;
