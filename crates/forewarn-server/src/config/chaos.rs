//! A target for faults that is no simulation.

use super::TargetConfig;
use crate::ServerError;
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Longest fault that a target takes.
const MOST_SECONDS: u32 = 86_400;

/// What injects faults into what is watched: the table `[chaos]`. An HTTP server that starts and ends experiments, such
/// as a small program beside a chaos tool. Only what is listed can be asked of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChaosConfig {
    /// File with the secret that requests are signed with, as those of a webhook; without one they are not signed.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// Most faults side by side, 1 to 100. 1 by default.
    #[serde(default = "most_active")]
    pub most_active: usize,
    /// What can be asked for: `[[chaos.experiment]]`.
    #[serde(rename = "experiment")]
    pub experiments: Vec<ChaosExperimentConfig>,
    /// Where it is.
    #[serde(flatten)]
    pub target: TargetConfig,
}

/// A kind of fault that the target knows: one `[[chaos.experiment]]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChaosExperimentConfig {
    /// Its name in requests, such as `network_latency`: lower-case letters, digits and `_`.
    pub kind: String,
    /// What it does, in a sentence.
    #[serde(default)]
    pub description: String,
    /// The services that it may strike.
    pub services: BTreeSet<String>,
    /// Seconds until it ends where a request does not say, 5 to `most_seconds`. 60 by default.
    #[serde(default = "seconds")]
    pub seconds: u32,
    /// Most seconds that a request may ask for, up to 86,400. 600 by default.
    #[serde(default = "most_seconds")]
    pub most_seconds: u32,
    /// How badly where a request does not say, above 0 to 1. 0.5 by default.
    #[serde(default = "severity")]
    pub severity: f64,
}

impl ChaosExperimentConfig {
    /// Fewest seconds of a fault.
    pub(crate) const LEAST_SECONDS: u32 = 5;

    fn check(&self) -> Result<(), String> {
        let Self { kind, services, seconds, most_seconds, severity, .. } = self;
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if kind.is_empty() || !kind.bytes().all(is_word) {
            return Err(format!("kind: found {kind:?}, expected lower-case letters, digits and _"));
        }
        if services.is_empty() {
            return Err("services: expected the services that it may strike".to_owned());
        }
        if !(Self::LEAST_SECONDS..=MOST_SECONDS).contains(most_seconds) {
            return Err(format!("most_seconds: found {most_seconds}, expected 5 to {MOST_SECONDS}"));
        }
        if !(Self::LEAST_SECONDS..=*most_seconds).contains(seconds) {
            return Err(format!("seconds: found {seconds}, expected 5 to {most_seconds}"));
        }
        if !(*severity > 0.0 && *severity <= 1.0) {
            return Err(format!("severity: found {severity}, expected more than 0, up to 1"));
        }
        Ok(())
    }
}

impl ChaosConfig {
    pub(super) fn check(&self, source_takes_faults: bool) -> Result<(), ServerError> {
        let wrong = |reason: String| ServerError::Config { reason };
        if source_takes_faults {
            return Err(wrong("chaos: the simulation that is watched takes faults itself".to_owned()));
        }
        self.target.check("chaos")?;
        if !(1..=100).contains(&self.most_active) {
            return Err(wrong(format!("chaos.most_active: found {}, expected 1 to 100", self.most_active)));
        }
        if self.experiments.is_empty() {
            return Err(wrong("chaos.experiment: expected at least one".to_owned()));
        }
        let mut kinds = BTreeSet::new();
        for one in &self.experiments {
            one.check().map_err(|reason| wrong(format!("chaos.experiment.{reason}")))?;
            if !kinds.insert(&one.kind) {
                return Err(wrong(format!("chaos.experiment: two are called {:?}", one.kind)));
            }
        }
        Ok(())
    }

    pub(super) fn below(&mut self, folder: &Path) {
        self.target.below(folder);
        self.secret_file.iter_mut().for_each(|path| *path = folder.join(&*path));
    }
}

fn most_active() -> usize {
    1
}

fn seconds() -> u32 {
    60
}

fn most_seconds() -> u32 {
    600
}

fn severity() -> f64 {
    0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "url = \"https://chaos.example/hook\"\n[[experiment]]\nkind = \"cpu_spike\"\n\
                         services = [\"cart\"]\n";

    fn checked(toml: &str, source_takes_faults: bool) -> Result<ChaosConfig, String> {
        let config: ChaosConfig = toml::from_str(toml).map_err(|error| error.to_string())?;
        config.check(source_takes_faults).map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn what_is_not_given_is_small() {
        let config = checked(WHOLE, false).unwrap();
        let one = &config.experiments[0];
        assert_eq!((config.most_active, one.seconds, one.most_seconds, one.severity), (1, 60, 600, 0.5));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_field() {
        for (toml, told) in [
            (WHOLE.replace("https", "ftp"), "chaos.url"),
            (WHOLE.replace("cpu_spike", "CPU spike"), "experiment.kind"),
            (WHOLE.replace("[\"cart\"]", "[]"), "experiment.services"),
            (format!("{WHOLE}seconds = 601\n"), "experiment.seconds"),
            (format!("{WHOLE}severity = 0.0\n"), "experiment.severity"),
            (format!("{WHOLE}most_seconds = 90000\n"), "experiment.most_seconds"),
            (format!("most_active = 0\n{WHOLE}"), "chaos.most_active"),
            (format!("{WHOLE}[[experiment]]\nkind = \"cpu_spike\"\nservices = [\"a\"]\n"), "two are called"),
            (format!("{WHOLE}[[experiment]]\nkind = \"a\"\nurl = \"http://b\"\nservices = [\"a\"]"), "url"),
        ] {
            let error = checked(&toml, false).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
        assert!(checked(WHOLE, true).unwrap_err().contains("takes faults itself"));
    }
}
