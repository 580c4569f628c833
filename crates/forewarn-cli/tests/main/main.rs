//! The program as users run it: a process with arguments, streams and exit codes.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod bad_input;
mod chain;
mod check;
mod demo;
mod judge;
mod real_servers;
mod requests;
mod roots;
mod serve;
mod shards;
mod streams;
mod support;
mod watch;
