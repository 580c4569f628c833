//! A small model in a file, and a configuration around it.

use forewarn_experiment::{Data, Experiment, Progress, StandardModels, write_model};
use forewarn_label::Rule;
use forewarn_live::Event;
use forewarn_server::{
    WatchConfig,
    runtime::{Batch, Sink, SinkContext},
};
use forewarn_sim::StressWalk;
use std::{
    path::Path,
    sync::{Arc, Mutex, OnceLock},
};

pub(crate) type BoxError = Box<dyn std::error::Error>;

/// A logistic regression, as the bytes of its file.
fn model() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| fit().unwrap())
}

fn fit() -> Result<Vec<u8>, BoxError> {
    let data = Data::from_stress_walk(StressWalk::new(8 * 1440, 7).run()?)?;
    let standard = StandardModels::new(Rule::v1(), data.frames().schema().clone());
    let experiment = Experiment::new(Rule::v1()).with_model(standard.get("logistic_snapshot")?);
    let trained = experiment.train(data, &|_: Progress<'_>| {})?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("model.safetensors");
    write_model(&path, &trained.to_envelope("logistic_snapshot")?, &[])?;
    Ok(std::fs::read(path)?)
}

/// Writes the model's file into `folder`.
pub(crate) fn write_model_to(folder: &Path) -> Result<(), BoxError> {
    Ok(std::fs::write(folder.join("model.safetensors"), model())?)
}

/// A configuration in `folder`, with a simulation of the shop.
pub(crate) fn configure(folder: &Path, source: &str, more: &str) -> Result<WatchConfig, BoxError> {
    write_model_to(folder)?;
    let text = format!(
        "[model]\npath = \"model.safetensors\"\n[source]\nkind = \"simulator\"\nseed = 4\n{source}\n[store]\n\
         path = \"store\"\ncheckpoint_minutes = 60\n[events]\npath = \"events.ndjson\"\n{more}"
    );
    let path = folder.join("forewarn.toml");
    std::fs::write(&path, text)?;
    Ok(WatchConfig::from_path(&path)?)
}

/// A sink that keeps what it is given.
#[derive(Clone, Default)]
pub(crate) struct Kept(pub(crate) Arc<Mutex<(Vec<Event>, bool)>>);

impl Sink for Kept {
    fn name(&self) -> &str {
        "kept"
    }

    fn deliver(&mut self, batch: &Batch, _: &SinkContext) {
        let mut kept = self.0.lock().unwrap();
        assert_eq!(batch.missed, 0);
        kept.0.extend(batch.events.iter().map(|numbered| numbered.event.clone()));
        kept.1 = batch.is_last;
    }
}
