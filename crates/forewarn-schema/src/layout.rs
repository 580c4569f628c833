use crate::{SchemaError, Step, Timestamp};
use std::ops::Range;

/// Where each service's rows lie in a frame set, and when they were.
///
/// Frame sets that were derived from one another (raw metrics, features, normalised features) have equal layouts,
/// so a row number means the same service and minute in all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    step: Step,
    services: Vec<ServiceRows>,
}

/// One service's place in a frame set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRows {
    name: String,
    start: Timestamp,
    rows: Range<usize>,
}

impl ServiceRows {
    /// Service.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Time of its first row.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// Its rows, as numbers in the whole set.
    #[must_use]
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }
}

impl Layout {
    /// Lays services out one after another: name, first time, number of rows.
    pub(crate) fn new(
        step: Step,
        services: impl IntoIterator<Item = (String, Timestamp, usize)>,
    ) -> Result<Self, SchemaError> {
        let mut next = 0;
        let services: Vec<_> = services
            .into_iter()
            .map(|(name, start, rows)| {
                let first = next;
                next += rows;
                ServiceRows { name, start, rows: first..next }
            })
            .collect();
        if u32::try_from(next).is_err() {
            return Err(SchemaError::TooManyRows { rows: next });
        }
        Ok(Self { step, services })
    }

    /// Time between rows.
    #[must_use]
    pub fn step(&self) -> Step {
        self.step
    }

    /// Services in order of their rows, which is the order of their names.
    #[must_use]
    pub fn services(&self) -> &[ServiceRows] {
        &self.services
    }

    /// Rows of all services together.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.services.last().map_or(0, |service| service.rows.end)
    }

    /// Which service a row belongs to (a position in [`services`](Self::services)) and when it was; `None` beyond
    /// the last row.
    #[must_use]
    pub fn locate(&self, row: usize) -> Option<(usize, Timestamp)> {
        let service = self.services.partition_point(|service| service.rows.end <= row);
        let rows = self.services.get(service)?;
        Some((service, rows.start.on_clock(self.step, row - rows.rows.start)))
    }

    /// The services (positions in [`services`](Self::services)) in at most `threads` neighbouring groups of about as many rows each, for work
    /// that is done service by service.
    #[must_use]
    pub fn share_out(&self, threads: usize) -> Vec<Range<usize>> {
        let (count, rows) = (self.services.len(), self.rows().max(1));
        let threads = threads.clamp(1, count.max(1));
        // A service goes where its middle row falls.
        let group = |service: &ServiceRows| {
            let middle = usize::midpoint(service.rows.start, service.rows.end).min(rows - 1);
            middle as u128 * threads as u128 / rows as u128
        };
        let first = |of: usize| self.services.partition_point(|service| group(service) < of as u128);
        (0..threads)
            .map(|thread| first(thread)..if thread + 1 == threads { count } else { first(thread + 1) })
            .collect()
    }

    /// First and one past the last time of all services; `None` when there are no rows.
    #[must_use]
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let filled = || self.services.iter().filter(|service| !service.rows.is_empty());
        let first = filled().map(ServiceRows::start).min()?;
        let last = filled().map(|service| service.start.on_clock(self.step, service.rows.len())).max()?;
        Some((first, last))
    }
}
