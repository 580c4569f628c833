//! Series under one name each, as `CloudWatch` and Graphite answer.

use super::{
    records::Records,
    sample_cells::{SampleCells, same_number},
    series::Sample,
};
use crate::{
    IoError,
    assemble::Assembler,
    columns::{
        cells::{CellReader, RowValues},
        legend::{self, Series},
        time_form::{Moment, time_reader},
    },
    csv::Input,
    error::clip,
};
use serde::Deserialize;
use std::io::Read;

/// One series of either program.
#[derive(Deserialize)]
struct Named {
    #[serde(alias = "Label")]
    target: String,
    /// Values with their times behind them.
    #[serde(default)]
    datapoints: Vec<(Sample, f64)>,
    #[serde(default, rename = "Timestamps")]
    timestamps: Vec<String>,
    #[serde(default, rename = "Values")]
    values: Vec<Sample>,
}

/// Whether the fields of a record, each with whether it is an array, are those of such a series.
pub(super) fn is_named<'a>(fields: &(impl Iterator<Item = (&'a str, bool)> + Clone)) -> bool {
    let has = |wanted: &str, array: bool| {
        fields.clone().any(|(name, is_array)| name == wanted && is_array == array)
    };
    has("target", false) && has("datapoints", true)
        || has("Label", false) && has("Timestamps", true) && has("Values", true)
}

/// Reads records that are such series. Each is a service where the settings name the metric; else its name says both,
/// or is that of a metric.
pub(super) fn read<R: Read>(
    mut records: Records<R>,
    input: &Input<'_>,
    assembler: &mut Assembler,
) -> Result<(), IoError> {
    let (origin, options) = (input.origin, input.options);
    let (reader, mut row, mut times) =
        (CellReader::new(options), RowValues::default(), time_reader(options)?);
    let v1 = forewarn_schema::Schema::v1();
    let is_known =
        |name: &str| v1.position(name).is_some() || options.metrics.iter().any(|spec| spec.name == name);
    while let Some((line, text)) = records.advance()? {
        let not_json = |source: forewarn_core::BoxError| IoError::NotJson { place: origin.at(line), source };
        let Named { target, datapoints, timestamps, values } =
            serde_json::from_slice(text).map_err(|error| not_json(error.into()))?;
        same_number(timestamps.len(), values.len()).map_err(not_json)?;
        let said = legend::all_series(&[&target], is_known, false).and_then(|all| all.into_iter().next());
        let Series { service, metric } = match (&options.metric, said) {
            (Some(metric), Some(said)) => Series { service: said.service, metric: metric.clone() },
            (Some(metric), None) => Series { service: target, metric: metric.clone() },
            (None, Some(said)) => said,
            (None, None) => Series { service: input.service.to_owned(), metric: target },
        };
        let Some(name) = assembler.slots.taken(&metric, options) else { continue };
        let slot = assembler.metric(line, name)?;
        let (row, service) = (&mut row, &service);
        let mut cells = SampleCells { input, reader: &reader, row, line, service, name, slot };
        let mut push = |moment: Option<Moment>, shown: String, expected: &'static str, value: f64| {
            let moment = moment.ok_or_else(|| IoError::InvalidTime {
                place: origin.at(line),
                column: "timestamps".to_owned(),
                text: clip(&shown),
                expected,
            })?;
            cells.push(moment, value, assembler)
        };
        for (sample, time) in datapoints {
            let moment = times.float(time);
            push(moment, time.to_string(), "seconds since 1970", sample.value)?;
        }
        for (time, sample) in timestamps.iter().zip(values) {
            let moment = times.text(time);
            push(moment, time.clone(), times.expected(time), sample.value)?;
        }
    }
    assembler.note("read as series, each with a name and samples".to_owned());
    times.note().into_iter().for_each(|note| assembler.note(note));
    Ok(())
}
