//! Remote write 1.0 and 2.0: a snappy block around a protobuf message.

mod block;
mod encode;
mod message;
mod native;
mod refused;
mod v1;
mod v2;

use crate::{FamilyKind, Limits, PrometheusError, Series};
pub use encode::{encode_remote_write, encode_remote_write_2};
pub use refused::{RefusedWrites, Written};

/// Which message a body holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoteWriteVersion {
    /// `prometheus.WriteRequest` of remote write 1.0.
    #[default]
    V1,
    /// `io.prometheus.write.v2.Request` of remote write 2.0.
    V2,
}

impl RemoteWriteVersion {
    /// The version that a `Content-Type` names; `None` for one that is not remote write, which is answered with 415.
    /// Without the parameter `proto` it is 1.0.
    #[must_use]
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        let mut parts = content_type.split(';').map(str::trim);
        if !parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/x-protobuf")) {
            return None;
        }
        let proto = parts.find_map(|part| part.strip_prefix("proto="));
        match proto.map(|proto| proto.trim_matches('"')) {
            None | Some("prometheus.WriteRequest") => Some(Self::V1),
            Some("io.prometheus.write.v2.Request") => Some(Self::V2),
            Some(_) => None,
        }
    }

    /// The `Content-Type` of a message.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::V1 => "application/x-protobuf;proto=prometheus.WriteRequest",
            Self::V2 => "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        }
    }
}

/// What was written, as far as it can be taken.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct WriteRequest {
    /// Series with their samples and native histograms. A series may come twice in one request.
    pub series: Vec<Series>,
    /// What the sender says of families of metrics.
    pub metadata: Vec<FamilyMetadata>,
    /// What was refused, by reason. Anything here is answered with 400, once the rest has been stored.
    pub refused: RefusedWrites,
}

/// What a sender says of a family of metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyMetadata {
    /// Name of the family.
    pub family: String,
    /// Its kind.
    pub kind: FamilyKind,
    /// Its help text.
    pub help: String,
    /// Its unit, mostly empty.
    pub unit: String,
}

impl WriteRequest {
    /// How much was taken: what the `X-Prometheus-Remote-Write-*-Written` headers of 2.0 say. Exemplars are not kept.
    #[must_use]
    pub fn written(&self) -> Written {
        let sum = |of: fn(&Series) -> usize| self.series.iter().map(of).sum::<usize>() as u64;
        Written {
            samples: sum(|one| one.samples.len()),
            histograms: sum(|one| one.histograms.len()),
            exemplars: 0,
        }
    }
}

/// Reads the body of a remote write.
///
/// A request that is sound as a whole is read as far as the limits and the specification allow: series and samples that
/// cannot be taken are left out, counted in [`WriteRequest::refused`], and the first reason is kept. The declared
/// size of the block is checked before it is inflated, counts before they are decoded.
///
/// # Errors
/// [`PrometheusError::Snappy`], [`PrometheusError::Protobuf`], and [`PrometheusError::Limit`] for more bytes than
/// allowed: nothing of the body can be taken.
pub fn read_remote_write(
    body: &[u8],
    version: RemoteWriteVersion,
    limits: &Limits,
) -> Result<WriteRequest, PrometheusError> {
    let message = block::inflate(body, limits)?;
    match version {
        RemoteWriteVersion::V1 => v1::read(&message, limits),
        RemoteWriteVersion::V2 => v2::read(&message, limits),
    }
}

#[cfg(test)]
mod tests;
