//! Series, as Prometheus answers queries and VictoriaMetrics exports them: the labels of one, and all its samples.

use super::{
    records::Records,
    sample_cells::{SampleCells, same_number},
};
use crate::{
    IoError,
    assemble::Assembler,
    columns::{
        cells::{CellReader, RowValues},
        service_label,
        time_form::time_reader,
    },
    csv::Input,
    error::clip,
};
use serde::{
    Deserialize,
    de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor},
};
use std::{collections::BTreeMap, fmt, io::Read};

/// The label that names the metric.
const NAME: &str = "__name__";

/// One series. Samples are pairs of a time and a value, or values beside as many `timestamps`.
#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<Sample>,
    #[serde(default)]
    value: Option<Sample>,
    #[serde(default)]
    timestamps: Vec<f64>,
}

/// A value, with its time where they are a pair; NaN for what is not there.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    pub(super) time: f64,
    pub(super) value: f64,
}

/// Whether the fields of a record are those of a series.
pub(super) fn is_series<'a>(fields: impl Iterator<Item = (&'a str, bool)> + Clone) -> bool {
    let mut arrays = fields.clone().filter(|(_, is_array)| *is_array);
    let has_samples = arrays.any(|(name, _)| name == "values" || name == "value");
    let mut fields = fields;
    has_samples && fields.any(|(name, is_array)| name.starts_with("metric.") || name == "metric" && is_array)
}

/// Reads records that are series.
pub(super) fn read<R: Read>(
    mut records: Records<R>,
    input: &Input<'_>,
    assembler: &mut Assembler,
) -> Result<(), IoError> {
    let (origin, options) = (input.origin, input.options);
    let (reader, mut row, mut times) =
        (CellReader::new(options), RowValues::default(), time_reader(options)?);
    while let Some((line, text)) = records.advance()? {
        let not_json = |source: forewarn_core::BoxError| IoError::NotJson { place: origin.at(line), source };
        let series: Series = serde_json::from_slice(text).map_err(|error| not_json(error.into()))?;
        let Series { metric: mut labels, mut values, value, timestamps } = series;
        values.extend(value);
        if !timestamps.is_empty() {
            same_number(timestamps.len(), values.len()).map_err(not_json)?;
            values.iter_mut().zip(timestamps).for_each(|(sample, time)| sample.time = time);
        }
        labels.extend(input.folders.iter().cloned());
        let name = options.metric.as_deref().or_else(|| labels.get(NAME).map(String::as_str)).ok_or_else(|| {
            let found: Vec<&str> = labels.keys().map(String::as_str).collect();
            not_json(
                format!(
                    "a series without the label {NAME}, which names its metric: its labels are {}; name the metric as the option `metric`",
                    clip(&found.join(", "))
                )
                .into(),
            )
        })?;
        let Some(name) = assembler.slots.taken(name, options) else { continue };
        let slot = assembler.metric(line, name)?;
        let service = service(&labels, input)?;
        if let Some(label) = service.label {
            assembler.note(format!("label {label:?} was read as the service"));
        }
        let (row, service) = (&mut row, service.name.as_str());
        let mut cells = SampleCells { input, reader: &reader, row, line, service, name, slot };
        for sample in values {
            let moment = times.float(sample.time).ok_or_else(|| IoError::InvalidTime {
                place: origin.at(line),
                column: "values".to_owned(),
                text: sample.time.to_string(),
                expected: "a number of seconds or milliseconds since 1970 for each value",
            })?;
            cells.push(moment, sample.value, assembler)?;
        }
    }
    assembler.note("read as series, each with labels and samples".to_owned());
    times.note().into_iter().for_each(|note| assembler.note(note));
    Ok(())
}

/// The service of a series, and the label that was taken for it.
struct Service<'a> {
    name: String,
    label: Option<&'a str>,
}

fn service<'a>(labels: &'a BTreeMap<String, String>, input: &Input<'_>) -> Result<Service<'a>, IoError> {
    let wanted = &input.options.service_columns;
    if wanted.is_empty() {
        let label = service_label(&labels.keys().map(String::as_str));
        let name = label.and_then(|label| labels.get(label)).map_or(input.service, String::as_str);
        return Ok(Service { name: name.to_owned(), label: label.filter(|label| *label != "service") });
    }
    let parts: Result<Vec<&str>, IoError> = wanted
        .iter()
        .map(|label| {
            labels.get(label).map(String::as_str).ok_or_else(|| IoError::UnknownColumn {
                file: input.origin.file(),
                column: label.clone(),
                available: labels.keys().cloned().collect(),
            })
        })
        .collect();
    Ok(Service { name: parts?.join("/"), label: None })
}

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Sample;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a pair of a time and a value")
            }
            fn visit_unit<E: Error>(self) -> Result<Sample, E> {
                self.visit_f64(f64::NAN)
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Sample, E> {
                self.visit_f64(value as f64)
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Sample, E> {
                self.visit_f64(value as f64)
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Sample, E> {
                Ok(Sample { time: f64::NAN, value })
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Sample, E> {
                let value = text
                    .trim()
                    .parse()
                    .map_err(|_| E::custom(format!("{:?} is not a number", clip(text))))?;
                self.visit_f64(value)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Sample, A::Error> {
                let time: Option<f64> = pair.next_element()?;
                let sample: Option<Sample> = pair.next_element()?;
                let (Some(time), Some(Sample { value, .. }), None) =
                    (time, sample, pair.next_element::<IgnoredAny>()?)
                else {
                    return Err(A::Error::custom("expected a pair of a time and a value"));
                };
                Ok(Sample { time, value })
            }
        }
        from.deserialize_any(Any)
    }
}
