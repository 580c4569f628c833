//! What a folder of a backfill says of itself.

use crate::{
    error::{About, CliError},
    output::files::NewFile,
};
use forewarn::{
    core::{SMALL_FILE_BYTES, read_text_file},
    io::MetricSpec,
    schema::{Metric, Step, Timestamp},
};
use forewarn_server::{PastDay, PrometheusQueries};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

/// What a folder holds, beside its files. The name begins so that it is not taken for data.
const MANIFEST: &str = "_forewarn.json";
pub(super) const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: u32,
    pub(super) step: Step,
    pub(super) metrics: Vec<String>,
    /// The same metrics with their units, which the files do not have. Empty in folders of earlier versions.
    #[serde(default)]
    pub(super) schema: Vec<Metric>,
    /// As a model's metadata hold them.
    pub(super) queries: Value,
    /// By date.
    pub(super) days: BTreeMap<String, Entry>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) services: usize,
    pub(super) rows: usize,
    /// Whether the server said that its answer was not complete.
    pub(super) partial: bool,
}

impl Manifest {
    pub(super) fn write(&self, folder: &Path) -> Result<(), CliError> {
        let mut file = NewFile::create(&folder.join(MANIFEST), &[])?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.finish()
    }
}

impl Entry {
    pub(super) fn holds(&self, day: PastDay) -> bool {
        self.first == day.first && self.last == day.last
    }
}

pub(super) fn read_manifest(folder: &Path) -> Result<Option<Manifest>, CliError> {
    let path = folder.join(MANIFEST);
    let text = match read_text_file(&path, SMALL_FILE_BYTES) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).about(path.display()),
    };
    let manifest: Manifest = serde_json::from_str(&text).about(path.display())?;
    if manifest.format > FORMAT {
        return Err(CliError::failed(format!(
            "{}: format {} is of a newer version; this one reads up to {FORMAT}",
            path.display(),
            manifest.format
        )));
    }
    Ok(Some(manifest))
}

/// What a model's metadata are to hold that is trained on a folder of a backfill; `None` for any other input.
pub(crate) fn queries_of(inputs: &[PathBuf]) -> Result<Option<(&'static str, Value)>, CliError> {
    match inputs {
        [folder] if folder.is_dir() => {
            Ok(read_manifest(folder)?.map(|manifest| (PrometheusQueries::KEY, manifest.queries)))
        }
        _ => Ok(None),
    }
}

/// The metrics of a backfill's folder, in their units; none for any other input.
pub(crate) fn metrics_of(inputs: &[PathBuf]) -> Result<Vec<MetricSpec>, CliError> {
    let [folder] = inputs else { return Ok(Vec::new()) };
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let metrics = read_manifest(folder)?.map(|manifest| manifest.schema).unwrap_or_default();
    let spec = |metric: Metric| {
        let mut spec = MetricSpec::new(metric.name);
        spec.unit = Some(metric.unit.to_string());
        (spec.kind, spec.range) = (Some(metric.kind), Some(metric.range));
        spec
    };
    Ok(metrics.into_iter().map(spec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn::schema::{Kind, Unit, ValidRange};
    use std::fs;

    #[test]
    fn a_folder_says_in_which_units_its_metrics_are() {
        let folder = tempfile::tempdir().unwrap();
        let metric = |name, unit| Metric::new(name, unit, Kind::Gauge, ValidRange::NON_NEGATIVE);
        let schema =
            vec![metric("wait", Unit::Milliseconds), metric("depth", Unit::Other("jobs".to_owned()))];
        let manifest = Manifest {
            format: FORMAT,
            step: Step::MINUTE,
            metrics: vec!["wait".to_owned(), "depth".to_owned()],
            schema,
            queries: Value::Null,
            days: BTreeMap::new(),
        };
        let text = serde_json::to_string(&manifest).unwrap();
        fs::write(folder.path().join(MANIFEST), &text).unwrap();
        let inputs = [folder.path().to_owned()];
        let specs = metrics_of(&inputs).unwrap();
        let units: Vec<_> = specs.iter().map(|spec| (spec.name.as_str(), spec.unit.as_deref())).collect();
        assert_eq!(units, [("wait", Some("ms")), ("depth", Some("jobs"))]);
        assert_eq!(specs[0].range, Some(ValidRange::NON_NEGATIVE));
        assert!(metrics_of(&[PathBuf::from("none.csv")]).unwrap().is_empty());
        // A folder of an earlier version does not say.
        let start = text.find("\"schema\"").unwrap();
        let end = text.find("\"queries\"").unwrap();
        fs::write(folder.path().join(MANIFEST), text[..start].to_owned() + &text[end..]).unwrap();
        assert!(metrics_of(&inputs).unwrap().is_empty());
    }
}
