use std::fmt;

use forewarn_schema::Timestamp;

use crate::Labels;

/// What kind of metric a family is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FamilyKind {
    /// Events since the process began.
    Counter,
    /// A level.
    Gauge,
    /// Counts by upper bound.
    Histogram,
    /// Quantiles that the program has computed.
    Summary,
    /// A histogram of levels, whose buckets may fall. OpenMetrics only.
    GaugeHistogram,
    /// Labels of which the value is always 1. OpenMetrics only.
    Info,
    /// One of several states. OpenMetrics only.
    StateSet,
    /// Not said: `untyped`, or `unknown` in OpenMetrics.
    #[default]
    Unknown,
}

impl FamilyKind {
    pub(super) fn read(word: &str) -> Option<Self> {
        Some(match word {
            "counter" => Self::Counter,
            "gauge" => Self::Gauge,
            "histogram" => Self::Histogram,
            "summary" => Self::Summary,
            "gaugehistogram" => Self::GaugeHistogram,
            "info" => Self::Info,
            "stateset" => Self::StateSet,
            "untyped" | "unknown" => Self::Unknown,
            _ => return None,
        })
    }
}

impl fmt::Display for FamilyKind {
    /// As OpenMetrics writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Info => "info",
            Self::StateSet => "stateset",
            Self::Unknown => "unknown",
        })
    }
}

/// One line of an exposition.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Entry<'a> {
    /// `# TYPE`: of which kind the family that follows is.
    Kind {
        /// Name of the family.
        family: String,
        /// Its kind.
        kind: FamilyKind,
    },
    /// `# HELP`: what the family means.
    Help {
        /// Name of the family.
        family: String,
        /// Its text, without escapes.
        help: String,
    },
    /// `# UNIT`: in which unit the family is. OpenMetrics only.
    Unit {
        /// Name of the family.
        family: String,
        /// Its unit.
        unit: &'a str,
    },
    /// A sample.
    Sample(ExpositionSample),
    /// `# EOF`. OpenMetrics only.
    End,
}

/// One sample of an exposition.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExpositionSample {
    /// Name (as the label [`NAME`](crate::NAME)) and labels.
    pub labels: Labels,
    /// Its value.
    pub value: f64,
    /// When, where the line says so; mostly the time of the scrape is meant.
    pub time: Option<Timestamp>,
    /// The kind of its family, where a `# TYPE` line came before.
    pub kind: FamilyKind,
    /// Whether the line is the `_created` of a counter, histogram or summary: its value is the time of the start in
    /// seconds, and no measurement. OpenMetrics only.
    pub is_created: bool,
    /// One observation with a trace. OpenMetrics only.
    pub exemplar: Option<Exemplar>,
}

/// One observation among those that a bucket or counter counts, mostly with the trace that it came from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Exemplar {
    /// Its labels, such as `trace_id`.
    pub labels: Labels,
    /// What was observed.
    pub value: f64,
    /// When.
    pub time: Option<Timestamp>,
}
