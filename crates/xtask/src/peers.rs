//! Tests beside other programs: servers, browsers, Python, libtorch.

pub(super) mod browser;
pub(super) mod libtorch;
pub(super) mod neon;
pub(super) mod promtool;
pub(super) mod python;
pub(super) mod pytorch;
pub(super) mod real_servers;
pub(super) mod schemathesis;
pub(super) mod sklearn;
pub(super) mod wheel;
