//! Sources: where the inputs of an engine come from.

mod file;
mod flows;
mod followed;
mod growing;
mod late;
mod minutes;
mod prometheus;
mod push;
mod simulator;
mod stdin;

pub use prometheus::{
    GraphMatch, MetricFinding, PastDay, PastRows, PrometheusFindings, PrometheusPast, PrometheusQueries,
    RecipeMatch, ServiceFinding, TickCost, TrainedOn, inspect_prometheus, join_days,
};

use crate::{ServerError, SourceConfig, WatchConfig, runtime::Source, watch::WatchOptions};
use file::MetricsFile;
pub(crate) use flows::Flows;
use followed::FollowedFile;
use forewarn_core::table::{Content, sniff, take_prefix};
use forewarn_live::ServedModel;
use forewarn_schema::Timestamp;
use minutes::MinuteSource;
use prometheus::PullSource;
use push::PushSource;
use simulator::SimulatorSource;
use std::{fs::File, path::Path};
use stdin::StandardInput;

/// The rows of one minute.
struct Minute {
    /// Row time.
    time: Timestamp,
    /// Service and values in the order of the model's metrics, for each service that has a row, in order of name.
    rows: Vec<(String, Vec<f32>)>,
}

/// The row of a service.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    time: Timestamp,
    service: String,
    /// In the order of the model's metrics.
    values: Vec<f32>,
}

/// Gives minutes in order of time. The same minutes, in the same order, whenever it is asked from the beginning.
trait Minutes: Send {
    /// The next minute; `None` at the end.
    fn next(&mut self) -> Result<Option<Minute>, ServerError>;

    /// Rows of minutes that have been given, found since they were asked for last.
    fn take_late(&mut self) -> Vec<Row> {
        Vec::new()
    }

    /// Whether more may come after the end.
    fn is_followed(&self) -> bool {
        false
    }
}

/// The source of a configuration, for a model. One that takes faults puts itself into the options.
pub(crate) fn open(
    config: &WatchConfig,
    model: &ServedModel,
    options: &mut WatchOptions,
) -> Result<Box<dyn Source>, ServerError> {
    let settle_secs = config.engine().settle_secs;
    let (name, minutes): (_, Box<dyn Minutes>) = match &config.source {
        SourceConfig::File { path, follow: true, .. } if is_text(path)? => {
            ("file", Box::new(FollowedFile::new(path.clone(), model)))
        }
        SourceConfig::File { path, follow, .. } => {
            ("file", Box::new(MetricsFile::open(path.clone(), *follow, model)?))
        }
        SourceConfig::Simulator { .. } => {
            let source = SimulatorSource::open(config, model)?;
            options.chaos.get_or_insert(source.chaos());
            return Ok(Box::new(source));
        }
        SourceConfig::Stdin { .. } => ("stdin", Box::new(StandardInput::open(model)?)),
        SourceConfig::Push => return Ok(Box::new(PushSource)),
        SourceConfig::Prometheus(servers) => {
            let settle = if config.receive.is_some() { None } else { Some(settle_secs) };
            return Ok(Box::new(PullSource::new(servers, model, settle, options)?));
        }
    };
    let settle = i64::from(settle_secs) * 1000;
    Ok(Box::new(MinuteSource::new(name, minutes, config.source.speed(), settle)))
}

/// Whether a file holds text that can be read piece by piece.
fn is_text(path: &Path) -> Result<bool, ServerError> {
    let cannot = |source| ServerError::File { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(cannot)?;
    let prefix = take_prefix(&mut file).map_err(cannot)?;
    Ok(!matches!(sniff(&prefix), Content::Gzip | Content::Zstd | Content::Parquet))
}
