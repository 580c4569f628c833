//! Sources: where the inputs of an engine come from.

mod file;
mod minutes;
mod simulator;

use crate::{ServerError, SourceConfig, WatchConfig, runtime::Source, watch::WatchOptions};
use file::MetricsFile;
use forewarn_live::ServedModel;
use forewarn_schema::Timestamp;
use minutes::MinuteSource;
use simulator::SimulatorSource;

/// The rows of one minute.
struct Minute {
    /// Row time.
    time: Timestamp,
    /// Service and values in the order of the model's metrics, for each service that has a row, in order of name.
    rows: Vec<(String, Vec<f32>)>,
}

/// Gives minutes in order of time. The same minutes, in the same order, whenever it is asked from the beginning.
trait Minutes: Send {
    /// The next minute; `None` at the end.
    fn next(&mut self) -> Result<Option<Minute>, ServerError>;

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
    let (name, minutes): (_, Box<dyn Minutes>) = match &config.source {
        SourceConfig::File { path, follow, .. } => {
            ("file", Box::new(MetricsFile::open(path.clone(), *follow, model)?))
        }
        SourceConfig::Simulator { .. } => {
            let source = SimulatorSource::open(config, model)?;
            options.chaos.get_or_insert(source.chaos());
            return Ok(Box::new(source));
        }
        SourceConfig::Prometheus(_) => {
            let reason = "source.kind: this version does not read from Prometheus yet".to_owned();
            return Err(ServerError::Config { reason });
        }
    };
    let settle = i64::from(config.engine().settle_secs) * 1000;
    Ok(Box::new(MinuteSource::new(name, minutes, config.source.speed(), settle)))
}
