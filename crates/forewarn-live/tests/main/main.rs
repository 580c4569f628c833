//! Models and pipelines from files, live rows, and the engine.

mod engine;
mod restarts;
mod saved;
mod world;
