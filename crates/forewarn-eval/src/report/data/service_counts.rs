use forewarn_core::{Exclusion, Label, Labels};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One service of the input: what there is of it, and what was left out and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceCounts {
    /// Service.
    pub service: String,
    /// Its rows: of metrics, or of scores where those were given.
    pub rows: usize,
    /// Rows that became labelled windows.
    pub windows: usize,
    /// Failures that are known of it.
    pub episodes: usize,
    /// Rows that did not become windows, by reason; none where every row did.
    pub left_out: Vec<LeftOut>,
}

/// Rows that did not become windows, for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeftOut {
    /// Why.
    pub reason: LeftOutReason,
    /// How many.
    pub rows: usize,
}

/// Why a row did not become a labelled window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeftOutReason {
    /// The service was failing already.
    Ongoing,
    /// The prediction period, or what confirms a failure in it, runs past the data.
    Censored,
    /// Missing samples leave open whether a failure began in the prediction period.
    Unknown,
    /// Too early for a whole observation window.
    TooEarly,
    /// The time lies before or after all that is known of the service's failures.
    OutsideMetrics,
    /// The time lies between two steps of the metrics.
    OffClock,
    /// Nothing is known of the failures of a service of this name.
    UnknownService,
}

impl fmt::Display for LeftOutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ongoing => "in a failure already",
            Self::Censored => "too near the end of the data",
            Self::Unknown => "outcome unknown, for missing samples",
            Self::TooEarly => "too early for a whole window",
            Self::OutsideMetrics => "outside the metrics",
            Self::OffClock => "between two steps of the metrics",
            Self::UnknownService => "no metrics or failures of this name",
        })
    }
}

impl ServiceCounts {
    /// A service of which no row has been counted yet.
    #[must_use]
    pub fn new(service: impl Into<String>, episodes: usize) -> Self {
        Self { service: service.into(), rows: 0, windows: 0, episodes, left_out: Vec::new() }
    }

    /// Counts every service of labelled metrics. One pass.
    #[must_use]
    pub fn of_labels(labels: &Labels) -> Vec<Self> {
        let services = labels.layout().services().iter().zip(labels.episodes());
        let count = |(place, episodes): (&forewarn_schema::ServiceRows, &forewarn_schema::Episodes)| {
            let mut counts = Self::new(place.name(), episodes.len());
            let rows = &labels.as_slice()[place.rows()];
            let early = (labels.spec().observation() - 1).min(rows.len());
            counts.leave_out(LeftOutReason::TooEarly, early);
            for label in &rows[early..] {
                match label {
                    Label::Positive | Label::Negative => counts.count_window(),
                    Label::Excluded(reason) => counts.leave_out((*reason).into(), 1),
                }
            }
            counts
        };
        services.map(count).collect()
    }

    /// Counts a row that became a window.
    pub(crate) fn count_window(&mut self) {
        self.rows += 1;
        self.windows += 1;
    }

    /// Counts rows that did not.
    pub(crate) fn leave_out(&mut self, reason: LeftOutReason, rows: usize) {
        if rows == 0 {
            return;
        }
        self.rows += rows;
        match self.left_out.iter_mut().find(|known| known.reason == reason) {
            Some(known) => known.rows += rows,
            None => {
                self.left_out.push(LeftOut { reason, rows });
                self.left_out.sort_by_key(|known| known.reason);
            }
        }
    }
}

impl From<Exclusion> for LeftOutReason {
    fn from(reason: Exclusion) -> Self {
        match reason {
            Exclusion::Ongoing => Self::Ongoing,
            Exclusion::Censored => Self::Censored,
            Exclusion::Missing => Self::Unknown,
        }
    }
}
