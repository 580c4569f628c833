//! The live service around its engine.

mod real_servers;
