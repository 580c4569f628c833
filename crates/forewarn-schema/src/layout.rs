use crate::{SchemaError, Step, Timestamp};
use std::{ops::Range, sync::Arc};

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
    name: Arc<str>,
    start: Timestamp,
    rows: Range<usize>,
}

impl ServiceRows {
    /// Service.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same, shared: a copy takes no memory.
    #[must_use]
    pub fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
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

    /// Finds the first row at or after a time, on a clock of `step`; where all come before it, the end of the rows.
    #[inline]
    pub fn first_row_at(&self, step: Step) -> impl Fn(Timestamp) -> usize + Copy {
        let (steps_from, Range { start, end }) = (step.steps_from(self.start), self.rows.clone());
        let first = self.start;
        move |time| {
            // Rounded up: the step after those that ended before the time.
            let steps = if time > first { steps_from(time.just_before()) + 1 } else { 0 };
            end.min(start.saturating_add(steps as usize))
        }
    }
}

impl Layout {
    /// Lays services out one after another, in order of their names: name, first time, number of rows.
    ///
    /// # Errors
    /// [`SchemaError::EmptyServiceName`], [`SchemaError::DuplicateService`], [`SchemaError::TimeOverflow`],
    /// [`SchemaError::TooManyRows`] for rows that 32 bits cannot number.
    pub fn new<N: Into<Arc<str>>>(
        step: Step,
        services: impl IntoIterator<Item = (N, Timestamp, usize)>,
    ) -> Result<Self, SchemaError> {
        let services = services.into_iter().map(|(name, start, rows)| (name.into(), start, rows));
        let mut services: Vec<(Arc<str>, _, _)> = services.collect();
        services.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        if services.first().is_some_and(|(name, ..)| name.is_empty()) {
            return Err(SchemaError::EmptyServiceName);
        }
        if let Some(pair) = services.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(SchemaError::DuplicateService { service: pair[1].0.to_string() });
        }
        let mut next = 0usize;
        let mut places = Vec::with_capacity(services.len());
        for (name, start, rows) in services {
            let end = i64::try_from(rows).ok().and_then(|rows| start.checked_add(step, rows));
            if end.is_none() {
                return Err(SchemaError::TimeOverflow { start, steps: rows, step_millis: step.millis() });
            }
            let first = next;
            next = next.saturating_add(rows);
            places.push(ServiceRows { name, start, rows: first..next });
        }
        if u32::try_from(next).is_err() {
            return Err(SchemaError::TooManyRows { rows: next });
        }
        Ok(Self { step, services: places })
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

    /// Moves the rows of a service (a position in [`services`](Self::services)) in time, so that `end` is the first
    /// time after the last one: for a
    /// window that goes along with a live service.
    ///
    /// # Errors
    /// [`SchemaError::TimeOverflow`] where the first row would be before the calendar. A service that is not there is
    /// left alone.
    pub fn end_at(&mut self, service: usize, end: Timestamp) -> Result<(), SchemaError> {
        let Some(place) = self.services.get_mut(service) else { return Ok(()) };
        let rows = place.rows.len();
        let start = i64::try_from(rows).ok().and_then(|rows| end.checked_add(self.step, -rows));
        place.start = start.ok_or_else(|| SchemaError::TimeOverflow {
            start: end,
            steps: rows,
            step_millis: self.step.millis().saturating_neg(),
        })?;
        Ok(())
    }

    /// The services (positions in [`services`](Self::services)) in at most `threads` neighbouring groups of about as
    /// many rows each, for work that is done service by service.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_sorted_and_checked() {
        let place = |name: &str, rows| (name.to_owned(), Timestamp::EPOCH, rows);
        let layout = Layout::new(Step::MINUTE, [place("b", 3), place("a", 2)]).unwrap();
        let rows: Vec<_> = layout.services().iter().map(|place| (place.name(), place.rows())).collect();
        assert_eq!(rows, [("a", 0..2), ("b", 2..5)]);
        let wrong = |services: &[(String, Timestamp, usize)]| {
            Layout::new(Step::MINUTE, services.to_vec()).unwrap_err()
        };
        assert!(matches!(
            wrong(&[place("a", 1), place("b", 1), place("a", 1)]),
            SchemaError::DuplicateService { service } if service == "a"
        ));
        assert!(matches!(wrong(&[place("", 1)]), SchemaError::EmptyServiceName));
        assert!(matches!(wrong(&[place("a", usize::MAX)]), SchemaError::TimeOverflow { .. }));
        let half = 1 << 31;
        assert!(matches!(wrong(&[place("a", half), place("b", half)]), SchemaError::TooManyRows { .. }));
    }

    #[test]
    fn the_first_row_at_or_after_a_time() {
        let at = |millis| Timestamp::from_millis(millis).unwrap();
        let services = [("a".to_owned(), at(0), 5), ("b".to_owned(), at(600_000), 3)];
        let layout = Layout::new(Step::MINUTE, services).unwrap();
        let row_at = layout.services()[1].first_row_at(Step::MINUTE);
        let rows =
            [0, 600_000, 600_001, 660_000, 719_999, 720_001, 9_000_000].map(|millis| row_at(at(millis)));
        assert_eq!(rows, [5, 5, 6, 6, 7, 8, 8]);
    }
}
