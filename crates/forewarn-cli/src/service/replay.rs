use crate::{
    error::{About, CliError},
    options::{common::Common, input::ReadArgs},
    output::{printable, progress::Reporter, terminal::Sink},
};
use clap::{Args, ValueEnum};
use forewarn::{
    core::{BudgetMode, BudgetSettings},
    live::{
        CannotTell, Engine, EngineConfig, EngineModels, Event, EventBody, Input, ServedModel, WarningState,
    },
    schema::{FrameSet, FrameView, SchemaError, Timestamp},
};
use forewarn_server::journal_inputs;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Run a saved model over a metrics file, or a journal, by the live code path
///
/// Every row goes through the engine of the live service. Each line that comes out is a score or an alarm, in the order
/// of time, then of service. With --journal it answers: what would this model and policy have said?
#[derive(Args)]
pub(crate) struct Replay {
    /// Model file that `forewarn evaluate --save` or `forewarn train` wrote
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Metrics with the columns that the model was trained on, in any form that `forewarn check` understands
    #[arg(long, value_name = "FILE", required_unless_present = "journal", conflicts_with = "journal")]
    input: Vec<PathBuf>,
    /// Store folder of a live service, whose journal is read in place of metrics
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    #[command(flatten)]
    read: ReadArgs,
    /// Whether the alarm threshold stays that of the model's file, or moves to keep the budget
    #[arg(long, value_name = "MODE", default_value = "static")]
    budget_mode: Mode,
    /// False alarms per service and week that are accepted, for an adaptive threshold
    #[arg(long, value_name = "RATE", default_value_t = 1.0)]
    budget: f64,
    /// Save the engine's state and go on from it after every N closed minutes; the output does not change
    #[arg(long, value_name = "N")]
    restart_every: Option<u64>,
    /// Form of a line
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    format: Format,
    /// Which events to write
    #[arg(long, value_name = "EVENTS", default_value = "all")]
    events: Events,
    /// File for the lines [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    Static,
    Adaptive,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Columns service, timestamp, event, score, with a header
    Csv,
    /// One JSON object a line
    Ndjson,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Events {
    /// Scores and alarms
    All,
    /// Only scores
    Scores,
    /// Only alarms
    Alarms,
    /// Everything that the engine says, outcomes and incidents too, as JSON: needs --format ndjson
    Engine,
}

impl Replay {
    pub(crate) fn run(&self, common: &Common) -> Result<(), CliError> {
        if self.events == Events::Engine && self.format == Format::Csv {
            return Err(CliError::usage("--events engine: give --format ndjson as well"));
        }
        if self.journal.is_some() {
            self.read.expect_unused(&[], "the journal needs none")?;
        }
        let progress = Reporter::new(common.quiet);
        let file = File::open(&self.model).about(self.model.display())?;
        let model = Arc::new(ServedModel::read(file).about(self.model.display())?);
        let mode = match self.budget_mode {
            Mode::Static => BudgetMode::Static,
            Mode::Adaptive => BudgetMode::Adaptive,
        };
        let budget = BudgetSettings { per_service_week: self.budget, mode, ..BudgetSettings::default() };
        let config = EngineConfig { budget, ..EngineConfig::default() };
        let name = self.model.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let models = EngineModels::new(name, Arc::clone(&model));
        let mut inputs: Vec<&Path> = self.input.iter().map(PathBuf::as_path).collect();
        inputs.push(&self.model);
        let sink = Sink::open(self.output.as_deref(), &inputs)?;
        let mut run = Run {
            engine: Engine::new(config.clone(), models.clone()).about(self.model.display())?,
            restart: (config, models),
            options: self,
            sink,
            counts: [0; 2],
            untold: BTreeMap::new(),
            far: BTreeMap::new(),
            restarted_at: 0,
        };
        if self.format == Format::Csv {
            run.sink.write_all(b"service,timestamp,event,score\n")?;
        }
        if let Some(folder) = &self.journal {
            progress.stage("replaying the journal");
            for input in journal_inputs(folder)? {
                run.take(input?)?;
            }
        } else {
            progress.stage("reading metrics");
            let frames = self.read.read(&self.input)?.frames;
            expect_step(&frames, &model)?;
            progress.stage("scoring");
            run.frames(&frames, &model)?;
        }
        let wrong = run.engine.counters().wrong_rows;
        if wrong > 0 {
            return Err(CliError::failed(format!(
                "{wrong} rows of the journal have other metrics than {} reads",
                self.model.display()
            )));
        }
        progress.stage(&format!("{} scores, {} alarms{}", run.counts[0], run.counts[1], run.untold()));
        progress.finish();
        run.warn_of_units()?;
        run.sink.finish()
    }
}

fn expect_step(frames: &FrameSet, model: &ServedModel) -> Result<(), CliError> {
    let (step, expected) = (frames.layout().step(), model.step());
    if step == expected {
        return Ok(());
    }
    Err(CliError::failed(format!(
        "--input: rows are {} s apart, and the model was trained on rows {} s apart; choose metrics of that step",
        step.millis() as f64 / 1000.0,
        expected.millis() as f64 / 1000.0
    )))
}

/// A replay at work.
struct Run<'a> {
    engine: Engine,
    restart: (EngineConfig, EngineModels),
    options: &'a Replay,
    sink: Sink,
    /// Scores and alarms so far.
    counts: [usize; 2],
    /// Rows of which the model cannot tell, by the reason.
    untold: BTreeMap<String, usize>,
    /// Rows that are far from training, by the metric that is.
    far: BTreeMap<String, usize>,
    /// Minutes that were closed when the engine was last restored.
    restarted_at: u64,
}

impl Run<'_> {
    /// All rows of all services, minute by minute.
    fn frames(&mut self, frames: &FrameSet, model: &ServedModel) -> Result<(), CliError> {
        let aligned = Aligned::new(frames, model).about("--input")?;
        let Some((first, end)) = frames.layout().span() else { return Ok(()) };
        let settle = i64::from(self.restart.0.settle_secs) * 1000;
        let mut time = first;
        while time < end {
            for (service, values) in aligned.rows(time) {
                if let Some(metric) = model.far_from_training(&values, self.restart.0.far_factor) {
                    *self.far.entry(metric.to_owned()).or_default() += 1;
                }
                self.take(Input::Row { service: service.to_owned(), time, values })?;
            }
            let now = Timestamp::from_millis(time.millis().saturating_add(settle)).unwrap_or(time);
            self.take(Input::Advance { now })?;
            let Some(next) = time.checked_add(model.step(), 1) else { break };
            time = next;
        }
        Ok(())
    }

    /// Rows without a score, by the reason.
    fn untold(&self) -> String {
        let all: usize = self.untold.values().sum();
        let reasons: Vec<String> =
            self.untold.iter().map(|(reason, rows)| format!("{reason} {rows}")).collect();
        if all == 0 { String::new() } else { format!("; cannot tell {all} times: {}", reasons.join(", ")) }
    }

    /// Says, asked for progress or not, that a metric is so far from training in most rows that its unit must be wrong.
    fn warn_of_units(&self) -> Result<(), CliError> {
        let far: usize = self.far.values().sum();
        let Some((metric, rows)) = self.far.iter().max_by_key(|(_, rows)| **rows) else { return Ok(()) };
        if far > self.counts[0] {
            writeln!(
                io::stderr(),
                "warning: {rows} rows have {} far outside all that training has seen, and no score: \
                 if it is in another unit, give --unit {}=UNIT",
                printable::name(metric),
                printable::name(metric)
            )?;
        }
        Ok(())
    }

    fn take(&mut self, input: Input) -> Result<(), CliError> {
        for event in self.engine.apply(input)? {
            self.write(&event)?;
        }
        let minutes = self.engine.counters().minutes;
        if self.options.restart_every.is_some_and(|every| minutes >= self.restarted_at + every.max(1)) {
            let (config, models) = self.restart.clone();
            self.engine = Engine::restore(config, models, &self.engine.snapshot()?)?;
            self.restarted_at = minutes;
        }
        Ok(())
    }

    fn write(&mut self, event: &Event) -> Result<(), CliError> {
        let (service, kind, score) = match &event.body {
            EventBody::Score(score) if !score.shadow => {
                if let Some(reason) = score.cannot_tell {
                    *self.untold.entry(in_words(reason)).or_default() += 1;
                }
                (score.service.as_str(), 0, score.probability)
            }
            EventBody::Warning(warning) if warning.state == WarningState::Firing => {
                (warning.service.as_str(), 1, warning.probability)
            }
            _ if self.options.events == Events::Engine => ("", 2, None),
            _ => return Ok(()),
        };
        // A score that cannot be told is no line.
        if kind < 2 && score.is_some() {
            self.counts[kind] += 1;
        }
        let is_asked_for = match self.options.events {
            Events::Engine => {
                serde_json::to_writer(&mut self.sink, event)?;
                self.sink.write_all(b"\n")?;
                false
            }
            Events::All => true,
            Events::Scores => kind == 0,
            Events::Alarms => kind == 1,
        };
        let Some(score) = score.filter(|_| is_asked_for) else { return Ok(()) };
        let (service, kind, time) = (printable::name(service), ["score", "alarm"][kind], event.time);
        match self.options.format {
            Format::Csv => {
                let quoted = service.contains([',', '"', '\n', '\r']);
                let service = if quoted { format!("\"{}\"", service.replace('"', "\"\"")) } else { service };
                writeln!(self.sink, "{service},{time},{kind},{}", score as f32)?;
            }
            Format::Ndjson => {
                let line = serde_json::json!({
                    "service": service, "timestamp": time.to_string(), "event": kind, "score": score as f32,
                });
                writeln!(self.sink, "{line}")?;
            }
        }
        Ok(())
    }
}

/// Why a score is missing, as its name is written in events.
fn in_words(reason: CannotTell) -> String {
    let name = serde_json::to_value(reason).ok();
    name.and_then(|name| Some(name.as_str()?.replace('_', " "))).unwrap_or_default()
}

/// Rows of a metrics file in the order of a model's metrics.
pub(crate) struct Aligned<'a> {
    frames: Vec<FrameView<'a>>,
    columns: Vec<usize>,
}

impl<'a> Aligned<'a> {
    pub(crate) fn new(frames: &'a FrameSet, model: &ServedModel) -> Result<Self, SchemaError> {
        let columns = model.metrics().names().map(|name| frames.schema().index_of(name));
        Ok(Self { frames: frames.frames().collect(), columns: columns.collect::<Result<_, _>>()? })
    }

    fn row(&self, frame: FrameView<'a>, time: Timestamp) -> Option<&'a [f32]> {
        let steps = (time.millis() - frame.start().millis()).div_euclid(frame.step().millis());
        usize::try_from(steps).ok().and_then(|row| frame.row(row))
    }

    /// Service and values of each row of a minute that holds any value: one without is a row that never came.
    fn rows(&self, time: Timestamp) -> impl Iterator<Item = (&'a str, Vec<f32>)> {
        self.frames.iter().filter_map(move |&frame| {
            let row = self.row(frame, time)?;
            let values: Vec<f32> = self.columns.iter().map(|&column| row[column]).collect();
            let is_there = row.iter().any(|value| !value.is_nan());
            is_there.then_some((frame.service(), values))
        })
    }

    /// The rows of all services in a minute, one after another; NaN where there is none.
    pub(crate) fn minute(&self, time: Timestamp, out: &mut Vec<f32>) {
        out.clear();
        for &frame in &self.frames {
            match self.row(frame, time) {
                Some(row) => out.extend(self.columns.iter().map(|&column| row[column])),
                None => out.extend(self.columns.iter().map(|_| f32::NAN)),
            }
        }
    }
}
