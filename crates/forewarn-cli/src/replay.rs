use crate::{
    command::Common,
    error::{About, CliError},
    input::ReadArgs,
    printable,
    progress::Reporter,
    terminal::Sink,
};
use clap::{Args, ValueEnum};
use forewarn::{
    core::{AlarmMachine, Score},
    live::ServedModel,
    schema::{FrameSet, Timestamp},
};
use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

/// Run a saved model over a metrics file by the live code path
///
/// Rows are pushed one by one, as from a running service. Each line of the output is a score or an alarm, in order of
/// time, then of service.
#[derive(Args)]
pub(crate) struct Replay {
    /// Model file that `forewarn evaluate --save` or `forewarn train` wrote
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Metrics with the columns that the model was trained on, in any form that `forewarn check` understands
    #[arg(long, value_name = "FILE", required = true)]
    input: Vec<PathBuf>,
    #[command(flatten)]
    read: ReadArgs,
    /// Format of a line
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    format: Format,
    /// Write only scores, or only alarms
    #[arg(long, value_name = "EVENTS", default_value = "all")]
    events: Events,
    /// File for the lines [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
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
    All,
    Scores,
    Alarms,
}

/// One line.
struct Line<'a> {
    service: &'a str,
    time: Timestamp,
    event: &'static str,
    score: Score,
}

impl Replay {
    pub(crate) fn run(&self, common: &Common) -> Result<(), CliError> {
        let progress = Reporter::new(common.quiet);
        let file = File::open(&self.model).about(self.model.display())?;
        let model = ServedModel::read(file).about(self.model.display())?;
        progress.stage("reading metrics");
        let frames = self.read.read(&self.input)?.frames;
        if frames.layout().step() != model.step() {
            return Err(CliError::failed(format!(
                "{}: rows are {} s apart, and the model was trained on rows {} s apart; choose metrics of that step",
                "--input",
                frames.layout().step().millis() as f64 / 1000.0,
                model.step().millis() as f64 / 1000.0
            )));
        }
        let mut inputs: Vec<&Path> = self.input.iter().map(PathBuf::as_path).collect();
        inputs.push(&self.model);
        let mut sink = Sink::open(self.output.as_deref(), &inputs)?;
        if self.format == Format::Csv {
            sink.write_all(b"service,timestamp,event,score\n")?;
        }
        progress.stage("scoring");
        let (scores, alarms) = self.replay(&model, &frames, &mut sink)?;
        sink.finish()?;
        progress.stage(&format!("{scores} scores, {alarms} alarms"));
        progress.finish();
        Ok(())
    }

    /// How many scores and alarms there were.
    fn replay(
        &self,
        model: &ServedModel,
        frames: &FrameSet,
        sink: &mut Sink,
    ) -> Result<(usize, usize), CliError> {
        // Metrics come as their file has them; the model says which it reads, and in which order.
        let columns: Vec<usize> = model
            .metrics()
            .names()
            .map(|name| frames.schema().index_of(name))
            .collect::<Result<_, _>>()
            .about("--input")?;
        let mut services = Vec::new();
        for frame in frames.frames() {
            let machine = model.policy().map(|policy| AlarmMachine::new(policy, model.step()));
            services.push((frame, model.start(frame.service(), frame.start())?, machine));
        }
        let Some((first, last)) = frames.layout().span() else { return Ok((0, 0)) };
        let (mut scores, mut alarms, mut time) = (0, 0, first);
        let mut row_of_model = vec![0.0; columns.len()];
        while time < last {
            for (frame, live, machine) in &mut services {
                let steps = (time.millis() - frame.start().millis()) / model.step().millis();
                let Some(row) = usize::try_from(steps).ok().and_then(|row| frame.row(row)) else { continue };
                for (value, &column) in row_of_model.iter_mut().zip(&columns) {
                    *value = row[column];
                }
                let Some(score) = model.push_at(live, time, &row_of_model)?.result else { continue };
                let line = Line { service: frame.service(), time, event: "score", score };
                if self.events != Events::Alarms {
                    self.write(sink, &line)?;
                }
                scores += 1;
                let Some(machine) = machine else { continue };
                if let Some(alarm) = machine.push(time, score)? {
                    alarms += 1;
                    if self.events != Events::Scores {
                        self.write(sink, &Line { event: "alarm", score: alarm.score, ..line })?;
                    }
                }
            }
            let Some(next) = time.checked_add(model.step(), 1) else { break };
            time = next;
        }
        Ok((scores, alarms))
    }

    fn write(&self, sink: &mut Sink, line: &Line<'_>) -> Result<(), CliError> {
        let Line { service, time, event, score } = line;
        let service = printable::name(service);
        match self.format {
            Format::Csv => {
                let quoted = service.contains([',', '"', '\n', '\r']);
                let service = if quoted { format!("\"{}\"", service.replace('"', "\"\"")) } else { service };
                writeln!(sink, "{service},{time},{event},{}", score.get())?;
            }
            Format::Ndjson => {
                let line = serde_json::json!({
                    "service": service, "timestamp": time.to_string(), "event": event, "score": score.get(),
                });
                writeln!(sink, "{line}")?;
            }
        }
        Ok(())
    }
}
