use std::collections::BTreeMap;

use prost::Message;

use super::block::deflate;
use super::message::{Label, Request2, Sample, TimeSeries, TimeSeries2, WriteRequest};
use crate::{PrometheusError, Series};

/// The body of a remote write 1.0 of series' samples. Native histograms are not written.
///
/// # Errors
/// [`PrometheusError::Snappy`] for a message of 4 GiB and more.
pub fn encode_remote_write(series: &[Series]) -> Result<Vec<u8>, PrometheusError> {
    let labels = |one: &Series| {
        one.labels
            .iter()
            .map(|(name, value)| Label { name: name.to_owned(), value: value.to_owned() })
            .collect()
    };
    let timeseries = series.iter().map(|one| TimeSeries { labels: labels(one), samples: samples(one) });
    deflate(&WriteRequest { timeseries: timeseries.collect() }.encode_to_vec())
}

/// The body of a remote write 2.0 of series' samples. Native histograms are not written.
///
/// # Errors
/// [`PrometheusError::Snappy`] for a message of 4 GiB and more.
pub fn encode_remote_write_2(series: &[Series]) -> Result<Vec<u8>, PrometheusError> {
    let mut symbols = vec![String::new()];
    let mut known = BTreeMap::from([(String::new(), 0u32)]);
    let mut reference = |word: &str| match known.get(word) {
        Some(&reference) => reference,
        None => {
            let next = symbols.len() as u32;
            symbols.push(word.to_owned());
            known.insert(word.to_owned(), next);
            next
        }
    };
    let mut timeseries = Vec::with_capacity(series.len());
    for one in series {
        let labels_refs =
            one.labels.iter().flat_map(|(name, value)| [name, value]).map(&mut reference).collect();
        timeseries.push(TimeSeries2 { labels_refs, samples: samples(one), metadata: None });
    }
    deflate(&Request2 { symbols, timeseries }.encode_to_vec())
}

fn samples(series: &Series) -> Vec<Sample> {
    let sample = |one: &crate::Sample| Sample { value: one.value, timestamp: one.time.millis() };
    series.samples.iter().map(sample).collect()
}
