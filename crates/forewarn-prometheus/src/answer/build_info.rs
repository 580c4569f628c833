use std::fmt;

use serde::Deserialize;

/// What a server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BuildInfo {
    /// Its version, such as `2.42.0`.
    pub version: String,
    /// Its commit.
    pub revision: String,
    /// The Go that it was built with.
    pub go_version: String,
    /// Its name, where it says one: Grafana Mimir and Cortex do.
    pub application: String,
}

/// Which server speaks the API. Each has limits and habits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Flavour {
    /// Prometheus.
    Prometheus,
    /// Grafana Mimir, or Cortex, which it came from.
    Mimir,
    /// Thanos Query.
    Thanos,
    /// VictoriaMetrics.
    VictoriaMetrics,
    /// None that is known.
    Unknown,
}

/// VictoriaMetrics has no build information of its own. It says nothing, as 1.79 does, or this version and nothing
/// else, so that dashboards take it for a Prometheus that is new enough.
const VICTORIA_METRICS_VERSION: &str = "2.24.0";

impl BuildInfo {
    /// Which server this is, from what it says. Thanos says as much as Prometheus does, in versions below 1.
    #[must_use]
    pub fn flavour(&self) -> Flavour {
        let named = |name: &str| self.application.to_ascii_lowercase().contains(name);
        if named("mimir") || named("cortex") {
            return Flavour::Mimir;
        }
        if named("thanos") {
            return Flavour::Thanos;
        }
        if named("victoria") {
            return Flavour::VictoriaMetrics;
        }
        let silent = self.revision.is_empty() && self.go_version.is_empty();
        if silent && (self.version.is_empty() || self.version == VICTORIA_METRICS_VERSION) {
            return Flavour::VictoriaMetrics;
        }
        let major =
            self.version.trim_start_matches('v').split('.').next().and_then(|n| n.parse::<u32>().ok());
        match major {
            Some(0) if !silent => Flavour::Thanos,
            Some(2..) if !silent && self.application.is_empty() => Flavour::Prometheus,
            _ if named("prometheus") => Flavour::Prometheus,
            _ => Flavour::Unknown,
        }
    }
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prometheus => "Prometheus",
            Self::Mimir => "Grafana Mimir",
            Self::Thanos => "Thanos",
            Self::VictoriaMetrics => "VictoriaMetrics",
            Self::Unknown => "a server of the Prometheus API",
        })
    }
}
