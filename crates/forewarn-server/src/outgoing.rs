//! What every request to another server has: an address, who asks, and how long to wait before another try.

mod address;
mod backoff;
mod credentials;

pub(crate) use address::{base_address, check_address};
pub(crate) use backoff::Backoff;
pub(crate) use credentials::{Credentials, read_secret};
