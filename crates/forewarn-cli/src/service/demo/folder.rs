use super::{BUDGET, DEFAULT_SEED, HISTORY_MINUTES, shop, training};
use crate::{
    error::{About, CliError},
    output::progress::Reporter,
};
use forewarn::{
    core::{SMALL_FILE_BYTES, read_text_file},
    experiment::write_model,
    prelude::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process,
    time::{SystemTime, UNIX_EPOCH},
};

/// Everything that a demo keeps: models, configuration, and what the service writes. A temporary one is removed with
/// this value.
pub(super) struct DemoFolder {
    path: PathBuf,
    is_temporary: bool,
    mark: Mark,
}

/// What a folder was made for: `demo.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Mark {
    version: String,
    seed: u64,
    start: Timestamp,
    /// Models that have been trained, the one that warns first.
    models: Vec<String>,
    /// Hashes of the tokens of its starts, the last one behind: a page that is open goes on over a restart.
    #[serde(default)]
    tokens: Vec<String>,
}

/// Starts whose tokens are accepted, the last one among them.
const MOST_TOKENS: usize = 5;

/// When the shop of a new folder begins.
#[derive(Clone, Copy)]
pub(super) enum Made {
    /// So that its past ends now.
    Now,
    /// At a fixed time, so that it is the same whenever it is made.
    AtAFixedTime,
}

const MARK: &str = "demo.json";
/// 2024-01-01T10:00:00Z: the hour after the past is one of the day.
const FIXED_START_MILLIS: i64 = 1_704_103_200_000;

impl DemoFolder {
    /// A folder that is gone on with, a new one, or a temporary one.
    pub(super) fn open(path: Option<&Path>, seed: Option<u64>, made: Made) -> Result<Self, CliError> {
        let fresh = || {
            let start = start(made)?;
            let version = env!("CARGO_PKG_VERSION").to_owned();
            Ok::<_, CliError>(Mark {
                version,
                seed: seed.unwrap_or(DEFAULT_SEED),
                start,
                models: Vec::new(),
                tokens: Vec::new(),
            })
        };
        let Some(path) = path else {
            return Ok(Self { path: temporary()?, is_temporary: true, mark: fresh()? });
        };
        let is_empty = match fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => return Err(CliError::failed(format!("{}: {error}", path.display()))),
        };
        let path = path.to_owned();
        if is_empty {
            fs::create_dir_all(&path).about(path.display())?;
            return Ok(Self { path, is_temporary: false, mark: fresh()? });
        }
        let name = path.join(MARK);
        let text = read_text_file(&name, SMALL_FILE_BYTES).map_err(|_| {
            CliError::usage(format!("{}: neither empty nor a folder of a demo", path.display()))
        })?;
        let mark: Mark = serde_json::from_str(&text).about(name.display())?;
        if seed.is_some_and(|seed| seed != mark.seed) {
            let message = format!("{}: a shop of seed {}; name another folder", path.display(), mark.seed);
            return Err(CliError::usage(message));
        }
        if mark.version != env!("CARGO_PKG_VERSION") {
            let message = format!("{}: of version {}; name another folder", path.display(), mark.version);
            return Err(CliError::usage(message));
        }
        Ok(Self { path, is_temporary: false, mark })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_temporary(&self) -> bool {
        self.is_temporary
    }

    /// The first minute after the past.
    pub(super) fn live_from(&self) -> Timestamp {
        let millis = self.mark.start.millis() + 60_000 * HISTORY_MINUTES as i64;
        Timestamp::from_millis(millis).unwrap_or(self.mark.start)
    }

    /// Trains the models, unless an earlier run has.
    pub(super) fn train(&mut self, progress: &Reporter) -> Result<(), CliError> {
        if !self.mark.models.is_empty() {
            progress.stage(&format!("the models of an earlier run are in {}", self.path.display()));
            return Ok(());
        }
        let models = training::train(self.mark.seed, self.mark.start, progress)?;
        for (name, envelope) in &models {
            write_model(&self.model(name), envelope, &[])?;
        }
        self.mark.models = models.into_iter().map(|(name, _)| name).collect();
        // The last file: a folder that has it is whole.
        self.keep()
    }

    /// Accepts a token from now on, beside those of the last starts. Gives the tables of the configuration.
    pub(super) fn accept(&mut self, hash: &str) -> Result<String, CliError> {
        self.mark.tokens.push(hash.to_owned());
        let old = self.mark.tokens.len().saturating_sub(MOST_TOKENS);
        self.mark.tokens.drain(..old);
        self.keep()?;
        let table = |(index, hash): (usize, &String)| {
            let name = if index == 0 { "demo".to_owned() } else { format!("demo-{index}-starts-ago") };
            format!("\n[[token]]\nname = \"{name}\"\nrole = \"admin\"\nsha256 = \"{hash}\"\n")
        };
        Ok(self.mark.tokens.iter().rev().enumerate().map(table).collect())
    }

    fn keep(&self) -> Result<(), CliError> {
        self.write(MARK, &(serde_json::to_string_pretty(&self.mark)? + "\n"))
    }

    fn model(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.safetensors"))
    }

    /// Writes scenario and configuration. `http` is the tables of the page, if there is one.
    pub(super) fn configure(&self, minutes: usize, speed: f64, http: &str) -> Result<PathBuf, CliError> {
        let scenario = shop::shop(self.mark.seed, self.mark.start, minutes, self.mark.start).to_toml()?;
        self.write("scenario.toml", &scenario)?;
        let mut models = self.mark.models.iter().map(|name| format!("\"{name}.safetensors\""));
        let main = models.next().ok_or_else(|| CliError::failed("the folder has no model"))?;
        let shadows = models.collect::<Vec<_>>().join(", ");
        let mut config = format!(
            "# Written by forewarn demo. `forewarn watch --config forewarn.toml` runs the same.\n\
             [model]\npath = {main}\nshadows = [{shadows}]\n\n\
             [source]\nkind = \"simulator\"\nscenario = \"scenario.toml\"\nspeed = {speed:?}\n\
             history_minutes = {HISTORY_MINUTES}\n\n[store]\npath = \"store\"\n\n[events]\npath = \"events.ndjson\"\n\n\
             # Faults come five times as often as in a usual shop.\n[budget]\nper_service_week = {BUDGET:?}\n\n\
             {OBJECTIVES}\n[log]\nfilter = \"warn\"\n"
        );
        for (minute, kind, service, severity, seconds) in shop::DRILLS {
            let at = HISTORY_MINUTES + minute;
            config += &format!(
                "\n[[source.drill]]\nat_minute = {at}\nkind = \"{kind}\"\nservice = \"{service}\"\n\
                 severity = {severity:?}\nseconds = {seconds:?}\n"
            );
        }
        config += http;
        self.write("forewarn.toml", &config)?;
        Ok(self.path.join("forewarn.toml"))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), CliError> {
        let path = self.path.join(name);
        Ok(forewarn::experiment::write_file(&path, &[], |to| to.write_all(text.as_bytes()))?)
    }
}

/// Objectives of every service. More than this a shop with these faults cannot promise.
const OBJECTIVES: &str = "[[slo]]\nname = \"answers\"\nobjective = 0.95\nperiod_days = 1\n\n\
                          [[slo]]\nname = \"fast answers\"\nobjective = 0.95\nperiod_days = 1\n\
                          indicator.latency = { metric = \"p95_latency\", at_most = 500.0 }\n";

impl Drop for DemoFolder {
    fn drop(&mut self) {
        if self.is_temporary {
            // Nothing can be done about a folder that stays.
            fs::remove_dir_all(&self.path).unwrap_or_default();
        }
    }
}

/// A new folder that only this user can read.
fn temporary() -> Result<PathBuf, CliError> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    for attempt in 0..100_u32 {
        let name =
            format!("forewarn-demo-{}-{:x}", process::id(), since.subsec_nanos().wrapping_add(attempt));
        let path = env::temp_dir().join(name);
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(CliError::failed(format!("{}: {error}; give --folder", path.display())));
            }
        }
    }
    Err(CliError::failed(format!("{}: no folder can be made; give --folder", env::temp_dir().display())))
}

fn start(made: Made) -> Result<Timestamp, CliError> {
    let millis = match made {
        Made::AtAFixedTime => FIXED_START_MILLIS,
        Made::Now => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let minutes = i64::try_from(now.as_secs() / 60).unwrap_or(0);
            60_000 * (minutes - HISTORY_MINUTES as i64)
        }
    };
    Timestamp::from_millis(millis).ok_or_else(|| CliError::failed("the clock of this machine is not set"))
}
