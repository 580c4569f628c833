//! Snappy in its block format.

use crate::{Limits, PrometheusError};

/// No element of a block makes more of its bytes: a copy of three bytes repeats 64.
const MOST_A_BYTE: usize = 22;

/// The content of a block, if it is not larger than the limits allow or than a block of its size can be.
pub(super) fn inflate(body: &[u8], limits: &Limits) -> Result<Vec<u8>, PrometheusError> {
    let snappy = |error: snap::Error| PrometheusError::Snappy { reason: error.to_string() };
    let declared = snap::raw::decompress_len(body).map_err(snappy)?;
    limits.bytes(declared)?;
    if declared > body.len().saturating_mul(MOST_A_BYTE) {
        let reason = format!("{} bytes cannot hold the {declared} that it declares", body.len());
        return Err(PrometheusError::Snappy { reason });
    }
    snap::raw::Decoder::new().decompress_vec(body).map_err(snappy)
}

pub(super) fn deflate(message: &[u8]) -> Result<Vec<u8>, PrometheusError> {
    snap::raw::Encoder::new()
        .compress_vec(message)
        .map_err(|error| PrometheusError::Snappy { reason: error.to_string() })
}
