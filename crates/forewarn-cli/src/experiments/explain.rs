use crate::{
    error::{About, CliError},
    options::{common::Common, input::ReadArgs},
    output::{printable, progress::Reporter, terminal},
    service::replay::Aligned,
};
use clap::{Args, ValueEnum};
use forewarn::{
    core::{Evidence, Forecast, Score},
    live::{LiveFleet, ServedModel},
    schema::Timestamp,
};
use serde_json::{Value, json};
use std::{fmt::Write, fs::File, path::PathBuf, sync::Arc};

/// Explain the score of a model at a time of a metrics file
///
/// Shows the part of each input in log-odds. Base and parts add up to the log-odds of the score.
#[derive(Args)]
pub(crate) struct Explain {
    /// Model file that `forewarn evaluate --save` or `forewarn train` wrote
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Metrics with the columns that the model was trained on, in any form that `forewarn check` understands
    #[arg(long, value_name = "FILE", required = true)]
    input: Vec<PathBuf>,
    #[command(flatten)]
    read: ReadArgs,
    /// Name of the service [default: the only one]
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Row time, such as 2024-01-01T10:00:00Z
    #[arg(long, value_name = "TIME")]
    at: Timestamp,
    /// Parts to show, the largest first; 0 for all
    #[arg(long, value_name = "N", default_value_t = 10)]
    parts: usize,
    /// Format of the answer
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Explain {
    pub(crate) fn run(&self, common: &Common) -> Result<(), CliError> {
        let progress = Reporter::new(common.quiet);
        let file = File::open(&self.model).about(self.model.display())?;
        let model = Arc::new(ServedModel::read(file).about(self.model.display())?);
        progress.stage("reading metrics");
        let frames = self.read.read(&self.input)?.frames;
        let aligned = Aligned::new(&frames, &model).about("--input")?;
        let names: Vec<&str> = frames.frames().map(|frame| frame.service()).collect();
        let service = match (&self.service, &names[..]) {
            (Some(name), _) => names.iter().position(|known| known == name).ok_or_else(|| {
                let known: Vec<String> = names.iter().take(10).map(|name| printable::name(name)).collect();
                CliError::failed(format!("--service {name:?}: the metrics have {}", known.join(", ")))
            })?,
            (None, [_]) => 0,
            (None, _) => {
                return Err(CliError::usage("--service: the metrics have several services; name one"));
            }
        };
        let (first, end) =
            frames.layout().span().ok_or_else(|| CliError::failed("--input: there is no row in it"))?;
        if !(first..end).contains(&self.at) {
            return Err(CliError::failed(format!("--at {}: the metrics go from {first} to {end}", self.at)));
        }
        let mut fleet = LiveFleet::start(Arc::clone(&model), first)?;
        for name in &names {
            fleet.join(name)?;
        }
        progress.stage("scoring up to that time");
        let mut rows = Vec::new();
        let mut time = first;
        while time <= self.at {
            aligned.minute(time, &mut rows);
            fleet.push_minute(&rows)?;
            match time.checked_add(model.step(), 1) {
                Some(next) => time = next,
                None => break,
            }
        }
        progress.finish();
        let Some(score) = fleet.scores()[service] else {
            return Err(CliError::failed(format!(
                "--at {}: too few rows before it; the model looks at {} of them",
                self.at,
                model.window().observation()
            )));
        };
        let evidence = fleet.evidence(service)?.ok_or_else(|| {
            CliError::failed(format!(
                "{}: scores {:.4}, but this kind of model cannot say why; logistic regression and boosted trees can",
                self.model.display(),
                score.get()
            ))
        })?;
        let answer = Answer {
            service: names[service],
            at: self.at,
            score,
            evidence,
            forecast: fleet.forecast(service)?,
        };
        match self.format {
            Format::Text => terminal::print(&answer.text(self.parts)),
            Format::Json => terminal::print(&format!("{:#}", answer.json())),
        }
    }
}

struct Answer<'a> {
    service: &'a str,
    at: Timestamp,
    score: Score,
    evidence: Evidence,
    forecast: Option<Forecast>,
}

impl Answer<'_> {
    fn text(&self, parts: usize) -> String {
        let evidence = &self.evidence;
        let mut text = format!(
            "{} at {}: probability {:.4}\n\nlog-odds {:+.2} = base {:+.2} and these parts:\n",
            printable::name(self.service),
            self.at,
            self.score.get(),
            evidence.log_odds(),
            evidence.base_log_odds()
        );
        let all = evidence.contributions();
        let shown = if parts == 0 { all.len() } else { parts.min(all.len()) };
        for part in &all[..shown] {
            let known = |value: Option<f32>| {
                value.map_or_else(|| "missing".to_owned(), |value| format!("{value:.3}"))
            };
            let _ = writeln!(
                text,
                "  {:+6.2}  {:<28} {:<24} {:>10}  normally {:>10}",
                part.log_odds,
                printable::name(&part.metric),
                part.view,
                known(part.value),
                known(part.normal)
            );
        }
        let rest: f64 = all[shown..].iter().map(|part| part.log_odds).sum();
        if shown < all.len() {
            let _ = writeln!(text, "  {rest:+6.2}  {} smaller parts", all.len() - shown);
        }
        text.trim_end().to_owned()
    }

    fn json(&self) -> Value {
        json!({
            "service": self.service,
            "timestamp": self.at.to_string(),
            "score": self.score.get(),
            "evidence": self.evidence,
            "forecast": self.forecast,
        })
    }
}
