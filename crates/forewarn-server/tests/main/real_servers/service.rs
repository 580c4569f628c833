//! A small model of requests, errors and latencies, and configurations around it.

use forewarn_core::{CoreError, Source};
use forewarn_experiment::{Data, Experiment, Progress, StandardModels, write_model};
use forewarn_label::Rule;
use forewarn_schema::{FrameSet, Schema};
use forewarn_server::WatchConfig;
use forewarn_sim::StressWalk;
use std::{path::Path, sync::OnceLock};

type BoxError = Box<dyn std::error::Error>;

/// Frames in memory.
struct Memory(FrameSet);

impl Source for Memory {
    fn describe(&self) -> String {
        "a walk".to_owned()
    }

    fn frames(&mut self) -> Result<FrameSet, CoreError> {
        Ok(self.0.clone())
    }
}

/// A logistic regression on the first five metrics of v1, as the bytes of its file.
fn model() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| fit().unwrap())
}

fn fit() -> Result<Vec<u8>, BoxError> {
    let walk = StressWalk::new(8 * 1440, 7).run()?;
    let v1 = Schema::v1();
    let five: Vec<&str> = v1.names().take(5).collect();
    let frames = FrameSet::from_frames(vec![walk.frame])?;
    let frames = frames.retain_metrics(|metric| five.contains(&metric.name.as_str()))?;
    let data = Data::from_source(&mut Memory(frames))?;
    let standard = StandardModels::new(Rule::v1(), data.frames().schema().clone());
    let experiment = Experiment::new(Rule::v1()).with_model(standard.get("logistic_snapshot")?);
    let trained = experiment.train(data, &|_: Progress<'_>| {})?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("model.safetensors");
    write_model(&path, &trained.to_envelope("logistic_snapshot")?, &[])?;
    Ok(std::fs::read(path)?)
}

fn configure(folder: &Path, source: &str, more: &str) -> Result<WatchConfig, BoxError> {
    std::fs::write(folder.join("model.safetensors"), model())?;
    let text = format!(
        "[model]\npath = \"model.safetensors\"\n[source]\n{source}\n[store]\npath = \"store\"\n[events]\n\
         path = \"events.ndjson\"\n{more}"
    );
    let path = folder.join("forewarn.toml");
    std::fs::write(&path, text)?;
    Ok(WatchConfig::from_path(&path)?)
}

/// A service that pulls.
pub(crate) fn pulling(folder: &Path, source: &str) -> Result<WatchConfig, BoxError> {
    configure(folder, source, "")
}

/// A service that is pushed to.
pub(crate) fn receiving(folder: &Path, port: u16, more: &str) -> Result<WatchConfig, BoxError> {
    let more =
        format!("[http]\nlisten = \"127.0.0.1:{port}\"\n[receive]\nremote_write = true\notlp = true\n{more}");
    configure(folder, "kind = \"push\"", &more)
}
