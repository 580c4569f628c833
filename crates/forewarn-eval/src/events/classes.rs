use crate::{EvalError, Events, uncertainty::invalid};
use forewarn_schema::{Episode, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Which failures are of which class: the fault behind each, as an incident review or a simulator knows it, or the
/// failure rule that it satisfies.
///
/// A class is known as spans of time in which its cause was at work. A failure is of every class one of whose spans
/// it meets, and may be of none.
#[derive(Clone, Debug, PartialEq)]
pub struct EpisodeClasses {
    by: String,
    /// For each service: from, to, class.
    spans: BTreeMap<String, Vec<(Timestamp, Timestamp, String)>>,
    names: BTreeSet<String>,
}

impl EpisodeClasses {
    /// Classes by something, such as `fault kind` or `failure rule`. No failure has one yet.
    #[must_use]
    pub fn new(by: impl Into<String>) -> Self {
        Self { by: by.into(), spans: BTreeMap::new(), names: BTreeSet::new() }
    }

    /// Failures of `service` that go on at any time from `start` until before `end` are of this class.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting) unless `start` comes before `end`, and
    /// for a class without a name.
    pub fn span(
        &mut self,
        service: impl Into<String>,
        start: Timestamp,
        end: Timestamp,
        class: impl Into<String>,
    ) -> Result<(), EvalError> {
        let class = class.into();
        if start >= end {
            let value = format!("{start} to {end}");
            return Err(invalid("span of a failure's class", value, "a start before the end").into());
        }
        if class.trim().is_empty() {
            return Err(invalid("class of a failure", format!("{class:?}"), "a name").into());
        }
        self.names.insert(class.clone());
        self.spans.entry(service.into()).or_default().push((start, end, class));
        Ok(())
    }

    /// The failure `episode` of `service` is of this class.
    ///
    /// # Errors
    /// As [`span`](Self::span), for a class without a name.
    pub fn episode(
        &mut self,
        service: impl Into<String>,
        episode: &Episode,
        class: impl Into<String>,
    ) -> Result<(), EvalError> {
        self.span(service, episode.onset(), episode.end(), class)
    }

    /// What the classes are by.
    #[must_use]
    pub fn by(&self) -> &str {
        &self.by
    }

    /// Whether no failure has a class.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The classes that there are, in order of their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The classes of one failure, in order of their names.
    #[must_use]
    pub fn of(&self, service: &str, episode: &Episode) -> BTreeSet<&str> {
        let meets =
            |span: &&(Timestamp, Timestamp, String)| span.0 < episode.end() && span.1 > episode.onset();
        let spans = self.spans.get(service).into_iter().flatten();
        spans.filter(meets).map(|span| span.2.as_str()).collect()
    }

    /// The events of the failures of one class, or, for `None`, of those of no class. Alarms in the middle of such a
    /// failure come along; what is false is of no class.
    #[must_use]
    pub(crate) fn select(&self, events: &Events, class: Option<&str>) -> Events {
        let is_of = |service: &str, episode: &Episode| {
            let classes = self.of(service, episode);
            class.map_or(classes.is_empty(), |class| classes.contains(class))
        };
        events.select(is_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::minute;

    #[test]
    fn a_failure_is_of_every_class_that_it_meets() {
        let mut classes = EpisodeClasses::new("fault kind");
        classes.span("a", minute(10), minute(20), "memory leak").unwrap();
        classes.span("a", minute(15), minute(30), "slow disk").unwrap();
        let of = |service: &str, from: i64, to: i64| {
            let episode = Episode::new(minute(from), minute(from), minute(to)).unwrap();
            classes.of(service, &episode).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(of("a", 12, 14), ["memory leak"]);
        assert_eq!(of("a", 5, 40), ["memory leak", "slow disk"]);
        // Ends are open: a span that ends at 20 says nothing of a failure that begins there.
        assert_eq!(of("a", 20, 21), ["slow disk"]);
        assert!(of("a", 30, 31).is_empty() && of("b", 12, 14).is_empty());
        assert_eq!(classes.names().collect::<Vec<_>>(), ["memory leak", "slow disk"]);
    }

    #[test]
    fn spans_and_names_without_sense_are_refused() {
        let mut classes = EpisodeClasses::new("fault kind");
        let error = classes.span("a", minute(2), minute(2), "x").unwrap_err().to_string();
        assert!(error.contains("a start before the end"), "{error}");
        assert!(classes.span("a", minute(2), minute(3), " ").unwrap_err().to_string().contains("a name"));
        assert!(classes.is_empty());
    }
}
