//! Benchmarks of the forewarn workspace. Run them with `cargo bench -p forewarn-benches`.
