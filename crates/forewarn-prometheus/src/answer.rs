//! Answers of the HTTP API `/api/v1/`, as bytes.

mod build_info;
mod envelope;
mod native;
mod point;
mod result;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Limits, PrometheusError, Sample, Series};
pub use build_info::{BuildInfo, Flavour};
use envelope::read;
use result::{Parts, ResultType};

/// What a server answered, and what it says of its answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answer<T> {
    /// What was asked for.
    pub data: T,
    /// What went wrong on the way: a store that did not answer, a limit that cut the answer. Short and without control
    /// characters.
    pub warnings: Vec<String>,
    /// What could be better about the query, such as `rate()` of what is not a counter. It does not make the answer
    /// partial.
    pub infos: Vec<String>,
    /// Whether data may be missing: the server warned, or said `isPartial` as VictoriaMetrics does. A row made of a
    /// partial answer is not final.
    pub partial: bool,
}

impl<T> Answer<T> {
    fn with<U>(self, data: U) -> Answer<U> {
        Answer { data, warnings: self.warnings, infos: self.infos, partial: self.partial }
    }
}

/// What a query gives.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum QueryData {
    /// Series at one time, of `/api/v1/query`: one sample or histogram each.
    Vector(Vec<Series>),
    /// Series over time, of `/api/v1/query_range`.
    Matrix(Vec<Series>),
    /// One number.
    Scalar(Sample),
    /// Text, at a time.
    Text(String),
}

impl QueryData {
    /// The series of a vector or matrix.
    ///
    /// # Errors
    /// [`PrometheusError::OtherResult`] for a scalar or text.
    pub fn into_series(self) -> Result<Vec<Series>, PrometheusError> {
        let found = match self {
            Self::Vector(series) | Self::Matrix(series) => return Ok(series),
            Self::Scalar(_) => "scalar",
            Self::Text(_) => "string",
        };
        Err(PrometheusError::OtherResult { expected: "vector or matrix", found: found.to_owned() })
    }
}

/// What a server knows of a metric, from the programs that export it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MetricMetadata {
    /// `counter`, `gauge`, `histogram`, `summary`, or another word.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its help text.
    #[serde(default)]
    pub help: String,
    /// Its unit, mostly empty.
    #[serde(default)]
    pub unit: String,
}

/// Reads the answer to a query: of `/api/v1/query` a vector, scalar or text, of `/api/v1/query_range` a matrix.
///
/// Numbers stay in `f64` with their bits, so that NaN, infinities and native histograms come through; times are rounded
/// to milliseconds.
///
/// # Errors
/// [`PrometheusError::Server`] with the server's words, [`PrometheusError::NotAnAnswer`],
/// [`PrometheusError::OtherResult`] for a kind of result that is none of these, [`PrometheusError::Limit`].
pub fn read_query(body: &[u8], limits: &Limits) -> Result<Answer<QueryData>, PrometheusError> {
    let mut answer = read::<result::Data>(body, limits)?;
    let parts = std::mem::take(&mut answer.data.parts);
    let data = match (&answer.data.kind, parts) {
        (ResultType::Vector, Parts::Series(series)) => QueryData::Vector(series),
        (ResultType::Matrix, Parts::Series(series)) => QueryData::Matrix(series),
        (ResultType::Scalar, Parts::Scalar(sample)) => QueryData::Scalar(sample),
        (ResultType::String, Parts::Text(text)) => QueryData::Text(text),
        (kind, _) => {
            let expected = "vector, matrix, scalar or string with a result of that kind";
            return Err(PrometheusError::OtherResult { expected, found: kind.to_string() });
        }
    };
    if let QueryData::Vector(series) | QueryData::Matrix(series) = &data {
        limits.series(series.len())?;
        limits.samples(series.iter().map(|one| one.samples.len() + one.histograms.len()).sum())?;
        let widest = series.iter().flat_map(|one| &one.histograms).map(|one| one.buckets.len()).max();
        limits.buckets(widest.unwrap_or(0))?;
    }
    Ok(answer.with(data))
}

/// Reads the answer of `/api/v1/label/NAME/values`, or of `/api/v1/labels`: names in the server's order.
///
/// # Errors
/// As [`read_query`].
pub fn read_names(body: &[u8], limits: &Limits) -> Result<Answer<Vec<String>>, PrometheusError> {
    let answer = read::<Option<Vec<String>>>(body, limits)?;
    // Where there is nothing, some servers say null.
    let names = answer.data.clone().unwrap_or_default();
    Ok(answer.with(names))
}

/// Reads the answer of `/api/v1/metadata`: by metric what each exporter says of it.
///
/// # Errors
/// As [`read_query`].
pub fn read_metadata(
    body: &[u8],
    limits: &Limits,
) -> Result<Answer<BTreeMap<String, Vec<MetricMetadata>>>, PrometheusError> {
    read(body, limits)
}

/// Reads the answer of `/api/v1/status/buildinfo`.
///
/// # Errors
/// As [`read_query`].
pub fn read_build_info(body: &[u8], limits: &Limits) -> Result<Answer<BuildInfo>, PrometheusError> {
    read(body, limits)
}

#[cfg(test)]
mod tests;
