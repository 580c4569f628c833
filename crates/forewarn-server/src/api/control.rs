//! What people do to the service, and how it does itself.

pub(super) mod chaos;
pub(super) mod limits;
pub(super) mod models;
pub(super) mod operations;
pub(super) mod receive;
pub(super) mod session;
pub(super) mod status;
pub(super) mod targets;
