use super::HttpConfig;
use crate::ServerError;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Samples that others push: `[receive]`. They come by the address of `[http]`.
///
/// | name | meaning | default | range |
/// |---|---|---|---|
/// | `remote_write` | takes remote write 1.0 and 2.0 at `/api/v1/write` | off | |
/// | `otlp` | takes OTLP metrics, protobuf and JSON, at `/v1/metrics` and `/api/v1/otlp/v1/metrics` | off | |
/// | `service_labels` | labels whose values, joined by `/`, name the service | `["job"]` | at least one |
/// | `service_names` | from such a name to that of the service; others are left out | names as they are | |
/// | `series` | further series by name, and the metric of the model that each is | `forewarn:METRIC` is METRIC | |
/// | `otlp_metrics` | OTLP gauges and sums, and the metric of the model that each is | none | |
/// | `max_bytes` | bytes of a request, also after inflating | 33554432 | 1,024 to 1,073,741,824 |
/// | `max_samples` | samples of a request; those beyond are refused and counted | 1,000,000 | 1 to 100,000,000 |
/// | `most_services` | services that are remembered; those beyond are refused | 100,000 | 1 to 10,000,000 |
/// | `bearer_file` | file with the token that senders show | none | needed unless `http.listen` is a loopback address |
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiveConfig {
    /// Takes Prometheus remote write.
    pub remote_write: bool,
    /// Takes OTLP metrics over HTTP.
    pub otlp: bool,
    /// Labels that name a service.
    pub service_labels: Vec<String>,
    /// From names as labels have them to the services' own.
    pub service_names: Option<BTreeMap<String, String>>,
    /// Further series and their metrics.
    pub series: BTreeMap<String, String>,
    /// OTLP metrics and what they are to the model.
    pub otlp_metrics: BTreeMap<String, String>,
    /// Bytes of a request.
    pub max_bytes: usize,
    /// Samples of a request.
    pub max_samples: usize,
    /// Services that are remembered.
    pub most_services: usize,
    /// File with the token that senders show.
    pub bearer_file: Option<PathBuf>,
}

impl Default for ReceiveConfig {
    fn default() -> Self {
        Self {
            remote_write: false,
            otlp: false,
            service_labels: vec!["job".to_owned()],
            service_names: None,
            series: BTreeMap::new(),
            otlp_metrics: BTreeMap::new(),
            max_bytes: 32 << 20,
            max_samples: 1_000_000,
            most_services: 100_000,
            bearer_file: None,
        }
    }
}

impl ReceiveConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`ServerError::Config`] for the first that is out of its range.
    pub(super) fn check(&self, http: Option<&HttpConfig>) -> Result<(), ServerError> {
        let wrong = |reason: String| Err(ServerError::Config { reason });
        let whole = [
            ("max_bytes", self.max_bytes, 1 << 10, 1 << 30),
            ("max_samples", self.max_samples, 1, 100_000_000),
            ("most_services", self.most_services, 1, 10_000_000),
        ];
        for (setting, value, least, most) in whole {
            if !(least..=most).contains(&value) {
                return wrong(format!("receive.{setting} is {value}: expected {least} to {most}"));
            }
        }
        let is_on = self.remote_write || self.otlp;
        let Some(http) = http else {
            return if is_on {
                wrong("receive: samples come by HTTP: add [http]".to_owned())
            } else {
                Ok(())
            };
        };
        if is_on && self.bearer_file.is_none() && !http.listen.ip().is_loopback() {
            return wrong(format!(
                "receive.bearer_file: {} can be reached from other machines: expected a file with the token of \
                 the senders",
                http.listen
            ));
        }
        if self.service_labels.is_empty() || self.service_labels.iter().any(String::is_empty) {
            return wrong("receive.service_labels: expected at least one label".to_owned());
        }
        Ok(())
    }

    /// Makes relative paths those of `folder`.
    pub(crate) fn below(&mut self, folder: &Path) {
        self.bearer_file.iter_mut().for_each(|path| *path = folder.join(&*path));
    }
}
