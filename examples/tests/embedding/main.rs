//! Programs of other people, run: each takes a stage or two of forewarn into a program of its own.

mod from_memory;
mod label_alone;
mod laws;
mod own_model;
#[expect(dead_code, unreachable_pub, reason = "the program of a page in full, its `main` included")]
mod serve_in_axum;
mod served;
mod topology_alone;
mod window_alone;
