//! Servers of the Prometheus API as a source of the past.

use crate::{
    error::{About, CliError},
    options::common::Common,
    output::progress::Reporter,
};
use clap::Args;
use forewarn::{
    core::{CoreError, Source},
    schema::{FrameSet, Step, Timestamp},
};
use forewarn_server::{
    PastDay, PastRows, PrometheusConfig, PrometheusPast, Stop, join_days,
    runtime::{Clock, SystemClock, Transport, UreqTransport},
};
use serde_json::Value;
use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

/// Which server is asked, and how.
#[derive(Args)]
#[command(next_help_heading = "Prometheus")]
pub(crate) struct PrometheusArgs {
    /// URL of Prometheus, Mimir, Thanos Query or VictoriaMetrics, with the prefix of its path
    #[arg(long, value_name = "URL")]
    pub(crate) prometheus: Option<String>,
    /// Configuration of a live service, of which the [source] is asked: for passwords, certificates and maps of names
    #[arg(long, value_name = "FILE", conflicts_with = "prometheus")]
    pub(crate) config: Option<PathBuf>,
    /// Recipes that make the metrics, separated by commas: built-in names, or files that end in .toml [default: those
    /// that the server has series for]
    #[arg(long, value_name = "A,B,...", value_delimiter = ',', requires = "prometheus")]
    recipe: Vec<String>,
    /// Label matchers that choose services, such as 'namespace="shop"'
    #[arg(long, value_name = "MATCHERS", requires = "prometheus")]
    selector: Option<String>,
    /// Seconds between two scrapes; rates are taken over four of them [default: 15]
    #[arg(long, value_name = "SECONDS", requires = "prometheus")]
    scrape_interval: Option<u32>,
    /// File with a bearer token
    #[arg(long, value_name = "FILE", requires = "prometheus")]
    bearer_file: Option<PathBuf>,
    /// Tenant, sent as X-Scope-OrgID
    #[arg(long, value_name = "NAME", requires = "prometheus")]
    tenant: Option<String>,
}

impl PrometheusArgs {
    /// Whether a server is to be asked.
    pub(crate) fn is_given(&self) -> bool {
        self.prometheus.is_some() || self.config.is_some()
    }

    /// The server's settings. `recipes` may be empty.
    pub(crate) fn settings(&self) -> Result<PrometheusConfig, CliError> {
        if let Some(path) = &self.config {
            return Ok(PrometheusConfig::from_path(path)?);
        }
        let url = self.prometheus.as_deref().ok_or_else(|| CliError::usage("give --prometheus URL"))?;
        let mut config = PrometheusConfig::new(url, self.recipe.iter().map(|recipe| recipe.trim()));
        if let Some(selector) = &self.selector {
            config.selector =
                selector.parse().map_err(|error| CliError::usage(format!("--selector: {error}")))?;
        }
        if let Some(seconds) = self.scrape_interval {
            config.scrape_interval_secs = seconds;
        }
        config.bearer_file.clone_from(&self.bearer_file);
        config.tenant.clone_from(&self.tenant);
        Ok(config)
    }

    /// The past of its services.
    pub(crate) fn past(&self, step: Option<Step>) -> Result<PrometheusPast, CliError> {
        let settings = self.settings()?;
        let step = step.unwrap_or(Step::MINUTE);
        Ok(PrometheusPast::new(&settings, step, &clock(), &mut transport)?)
    }

    /// What an error is about.
    pub(crate) fn about(&self) -> String {
        match (&self.prometheus, &self.config) {
            (Some(url), _) => url.clone(),
            (None, Some(path)) => path.display().to_string(),
            (None, None) => "Prometheus".to_owned(),
        }
    }
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

pub(crate) fn transport(
    config: &PrometheusConfig,
) -> Result<Arc<dyn Transport>, forewarn_server::ServerError> {
    Ok(Arc::new(UreqTransport::new(&config.tls)?))
}

/// A stop that SIGINT and SIGTERM ask for.
pub(crate) fn stop_on_signals() -> Result<Stop, CliError> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    Ok(Stop::from(flag))
}

/// The last row times of `days` days.
pub(crate) fn last_days(past: &PrometheusPast, days: usize) -> Result<Vec<PastDay>, CliError> {
    let to = past.settled();
    let millis = i64::try_from(days).ok().and_then(|days| days.checked_mul(86_400_000));
    let from = millis.and_then(|millis| Timestamp::from_millis(to.millis() - millis + past.step().millis()));
    Ok(PastDay::between(from.ok_or_else(|| CliError::usage("--days: too many days"))?, to, past.step()))
}

/// Frames of the past, for what trains on them.
pub(crate) struct Past {
    frames: Option<FrameSet>,
    description: String,
}

/// What is told of a day that is not as it should be.
pub(crate) fn remarks(day: PastDay, rows: &PastRows) -> Vec<String> {
    let date = day.date();
    let mut remarks = Vec::new();
    if let Some(words) = &rows.partial {
        remarks.push(format!("{date}: the answers are not complete: {words}"));
    }
    if rows.out_of_range > 0 {
        remarks.push(format!("{date}: {} values out of their metric's range are missing", rows.out_of_range));
    }
    if !rows.not_mapped.is_empty() {
        remarks.push(format!("{date}: {} names that the map lacks are left out", rows.not_mapped.len()));
    }
    remarks
}

impl Past {
    /// Reads `days` days; also what the model's metadata are to hold.
    pub(crate) fn read(
        from: &PrometheusArgs,
        (days, step): (usize, Option<Step>),
        (progress, common): (&Reporter, &Common),
    ) -> Result<(Self, Value), CliError> {
        let past = from.past(step)?;
        let stop = stop_on_signals()?;
        let asked = last_days(&past, days)?;
        let mut read = Vec::new();
        for (number, &day) in asked.iter().enumerate() {
            progress.stage(&format!("reading {} ({} of {})", day.date(), number + 1, asked.len()));
            let Some(rows) = past.read(day, &stop)? else { return Err(CliError::failed("stopped")) };
            if !common.quiet {
                remarks(day, &rows).iter().for_each(|line| progress.stage(line));
            }
            read.push(rows);
        }
        let frames = join_days(read, past.schema(), past.step()).about(from.about())?;
        let description = format!("{}, {days} days by {}", from.about(), past.recipes().join(" and "));
        Ok((Self { frames: Some(frames), description }, past.metadata()))
    }
}

impl Source for Past {
    fn describe(&self) -> String {
        self.description.clone()
    }

    fn frames(&mut self) -> Result<FrameSet, CoreError> {
        self.frames.take().ok_or_else(|| CoreError::Outside {
            what: "reading the past a second time".to_owned(),
            source: "it is read once".into(),
        })
    }
}
