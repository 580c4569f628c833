//! From failures to labels.

use super::{Exclusion, Label, Labels, Target};
use crate::{Assessment, CoreError, WindowSpec};
use forewarn_schema::{Episode, Episodes, Layout};
use std::{collections::BTreeMap, ops::Range, sync::Arc};

/// How many steps of the future a label needs beyond its prediction period; see [`FailureRule`](crate::FailureRule).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settling {
    /// Steps from an onset on that the rule must have seen to be sure of it; at least 1.
    pub confirmation: usize,
    /// Steps after a minute in which it is final whether that minute belongs to the confirmed part of an episode.
    pub settling: usize,
}

impl Labels {
    /// Labels of services whose failures are known from elsewhere, such as a list of incidents: every row is known,
    /// failing in an episode and healthy otherwise. `episodes` has one list for each service of `layout`;
    /// `confirmation` is how many steps it took to be sure of an onset (1 where the list is simply true).
    ///
    /// The label of the window that ends in row `t`, the first that fits: [`Exclusion::Censored`] where the period,
    /// or the confirmation of an onset in it, runs past the service's rows; [`Exclusion::Ongoing`] inside an episode
    /// ([`Target::Onset`] only); positive where an onset ([`Target::Onset`]) or a confirmed failing row
    /// ([`Target::Active`]) lies in rows `t + lead + 1 ..= t + lead + period`; negative.
    ///
    /// An episode begins with the first row at or after its onset and ends before the first row at or after its end.
    /// What lies outside a service's rows is left out. Linear in rows.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless there is a list for each service.
    ///
    /// # Examples
    /// ```
    /// use forewarn_core::{Exclusion, Label, Labels, Target, WindowSpec};
    /// use forewarn_schema::{Episodes, Layout, Step, Timestamp};
    /// use std::sync::Arc;
    ///
    /// let layout = Arc::new(Layout::new(Step::MINUTE, [("shop".to_owned(), Timestamp::EPOCH, 10)])?);
    /// let failing = (0..10).map(|minute| (5..7).contains(&minute));
    /// let episodes = Episodes::from_flags(Timestamp::EPOCH, Step::MINUTE, 1, failing)?;
    /// // Two minutes of history, two minutes of future.
    /// let labels = Labels::from_episodes(layout, WindowSpec::new(2, 0, 2)?, Target::Onset, 1, vec![episodes])?;
    /// assert_eq!(labels.as_slice()[4], Label::Positive);
    /// assert_eq!(labels.as_slice()[5], Label::Excluded(Exclusion::Ongoing));
    /// assert_eq!(labels.as_slice()[8], Label::Excluded(Exclusion::Censored));
    /// assert_eq!(labels.samples(|_, _| true).positives(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_episodes(
        layout: Arc<Layout>,
        spec: WindowSpec,
        target: Target,
        confirmation: usize,
        episodes: Vec<Episodes>,
    ) -> Result<Self, CoreError> {
        let known = |episodes| (Assessment { episodes, unknown: Vec::new() }, Vec::new());
        let settling = Settling { confirmation, settling: 0 };
        Self::from_assessments(layout, spec, target, settling, episodes.into_iter().map(known))
    }

    /// As [`from_episodes`](Self::from_episodes), from one list of all services: each failure with the name of its
    /// service, in any order. Services without a failure in the list are healthy throughout.
    ///
    /// # Errors
    /// [`CoreError::UnknownService`] for a failure of a service that has no rows; [`CoreError::Schema`] for failures of
    /// one service that overlap.
    ///
    /// # Examples
    /// ```
    /// use forewarn_core::{Label, Labels, Target, WindowSpec};
    /// use forewarn_schema::{Episode, Layout, Step, Timestamp};
    /// use std::sync::Arc;
    ///
    /// let start: Timestamp = "2026-03-02T00:00:00Z".parse()?;
    /// let services = ["cart", "shop"].map(|name| (name.to_owned(), start, 60));
    /// let layout = Arc::new(Layout::new(Step::MINUTE, services)?);
    /// let incident = |onset: &str, end: &str| -> Result<Episode, Box<dyn std::error::Error>> {
    ///     let onset = onset.parse()?;
    ///     Ok(Episode::new(onset, onset, end.parse()?)?)
    /// };
    /// let incidents = [
    ///     ("shop", incident("2026-03-02T00:40:00Z", "2026-03-02T00:45:00Z")?),
    ///     ("shop", incident("2026-03-02T00:12:00Z", "2026-03-02T00:20:00Z")?),
    /// ];
    /// let labels = Labels::from_incidents(layout, WindowSpec::default(), Target::Onset, 1, incidents)?;
    /// assert_eq!(labels.episodes().iter().map(|episodes| episodes.len()).collect::<Vec<_>>(), [0, 2]);
    /// assert_eq!(labels.as_slice()[60 + 11], Label::Positive);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_incidents<S: AsRef<str>>(
        layout: Arc<Layout>,
        spec: WindowSpec,
        target: Target,
        confirmation: usize,
        incidents: impl IntoIterator<Item = (S, Episode)>,
    ) -> Result<Self, CoreError> {
        let services = layout.services().iter().enumerate();
        let places: BTreeMap<&str, usize> =
            services.map(|(place, service)| (service.name(), place)).collect();
        let mut lists = vec![Vec::new(); places.len()];
        for (service, episode) in incidents {
            let service = service.as_ref();
            let place = places.get(service).ok_or_else(|| CoreError::UnknownService {
                service: service.to_owned(),
                onset: episode.onset(),
            })?;
            lists[*place].push(episode);
        }
        let episodes = lists.into_iter().map(|mut list| {
            list.sort_unstable();
            Ok(Episodes::new(list)?)
        });
        let episodes = episodes.collect::<Result<_, CoreError>>()?;
        Self::from_episodes(layout, spec, target, confirmation, episodes)
    }

    /// As [`from_episodes`](Self::from_episodes), with what a rule leaves open: for each service its assessment and
    /// the rows without any sample (disjoint and in order, counted from the service's first row).
    /// [`Exclusion::Missing`] then excludes windows that end in a row without a sample, or (for [`Target::Onset`]) in
    /// an unknown one, and those that would be negative but for an unknown row in their period.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless there is an assessment for each service, or for unknown rows beyond a
    /// service's last.
    pub fn from_assessments(
        layout: Arc<Layout>,
        spec: WindowSpec,
        target: Target,
        settling: Settling,
        found: impl IntoIterator<Item = (Assessment, Vec<Range<usize>>)>,
    ) -> Result<Self, CoreError> {
        let beyond = match target {
            Target::Onset => settling.confirmation.saturating_sub(1),
            Target::Active => settling.settling,
        };
        let beyond = spec.horizon().saturating_add(beyond);
        let mut labels = vec![Label::Negative; layout.rows()];
        let mut episodes = Vec::with_capacity(layout.services().len());
        let (mut unknown, mut without_samples) = (Vec::new(), Vec::new());
        let found: Vec<_> = found.into_iter().collect();
        let (expected, got) = (layout.services().len(), found.len());
        if expected != got {
            return Err(CoreError::LengthMismatch { what: "services with episodes", expected, got });
        }
        for (place, (found, gaps)) in layout.services().iter().zip(found) {
            let rows = place.rows();
            let last = found.unknown.iter().chain(&gaps).map(|range| range.end).max().unwrap_or(0);
            if last > rows.len() {
                let (expected, got) = (rows.len(), last);
                return Err(CoreError::LengthMismatch { what: "rows with an unknown one", expected, got });
            }
            let row_at = place.first_row_at(layout.step());
            let failures: Vec<[usize; 3]> = found
                .episodes
                .iter()
                .map(|e| [e.onset(), e.confirmed_at(), e.end()].map(|time| row_at(time) - rows.start))
                .collect();
            paint(&mut labels[rows.clone()], &failures, &found.unknown, &gaps, spec, target, beyond);
            episodes.push(found.episodes);
            let in_frames =
                |range: &Range<usize>| (rows.start + range.start) as u32..(rows.start + range.end) as u32;
            unknown.extend(found.unknown.iter().filter(|rows| !rows.is_empty()).map(in_frames));
            without_samples.extend(gaps.iter().map(in_frames));
        }
        let labels = Self::new(layout, spec, target, settling.confirmation, labels, episodes)?;
        Ok(labels.with_unknown(unknown, without_samples))
    }
}

/// Writes the labels of one service over rows that are all negative: each reason over those that give way to it.
///
/// `unknown` and `gaps` are rows in which it is open whether the service fails, and rows without any sample.
fn paint(
    labels: &mut [Label],
    episodes: &[[usize; 3]],
    unknown: &[Range<usize>],
    gaps: &[Range<usize>],
    spec: WindowSpec,
    target: Target,
    beyond: usize,
) {
    let (lead, horizon) = (spec.lead(), spec.horizon());
    // The windows whose period holds a row of `rows`: the first ends `horizon` rows before, the last `lead + 1`.
    let about = |rows: Range<usize>| rows.start.saturating_sub(horizon)..rows.end.saturating_sub(lead + 1);
    let missing = Label::Excluded(Exclusion::Missing);
    fill(labels, missing, unknown.iter().filter(|rows| !rows.is_empty()).cloned().map(about));
    let positive = episodes.iter().map(|&[onset, confirmed, end]| match target {
        Target::Onset => about(onset..onset + 1),
        Target::Active => about(confirmed..end),
    });
    fill(labels, Label::Positive, positive);
    fill(labels, missing, gaps.iter().cloned());
    if target == Target::Onset {
        fill(labels, missing, unknown.iter().cloned());
        fill(labels, Label::Excluded(Exclusion::Ongoing), episodes.iter().map(|&[onset, _, end]| onset..end));
    }
    let rows = labels.len();
    fill(labels, Label::Excluded(Exclusion::Censored), std::iter::once(rows.saturating_sub(beyond)..rows));
}

/// Sets `label` in ranges that come in order and may overlap; a row that two of them share is written once, so that
/// the cost is linear however long the period is.
fn fill(labels: &mut [Label], label: Label, ranges: impl Iterator<Item = Range<usize>>) {
    let mut written = 0;
    for range in ranges {
        let range = range.start.max(written)..range.end.min(labels.len());
        if !range.is_empty() {
            written = range.end;
            labels[range].fill(label);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{SchemaError, Step, Timestamp};

    #[test]
    fn incidents_in_any_order_are_the_episodes_of_their_services() {
        let minute = |minute| Timestamp::EPOCH.checked_add(Step::MINUTE, minute).unwrap();
        let episode = |from, to| Episode::new(minute(from), minute(from), minute(to)).unwrap();
        let services = ["a", "b", "c"].map(|name| (name.to_owned(), Timestamp::EPOCH, 40));
        let layout = Arc::new(Layout::new(Step::MINUTE, services).unwrap());
        let (spec, target) = (WindowSpec::new(2, 0, 3).unwrap(), Target::Onset);
        let from = |incidents: &[(&str, Episode)]| {
            Labels::from_incidents(Arc::clone(&layout), spec, target, 2, incidents.iter().copied())
        };
        let (early, late) = (episode(5, 9), episode(20, 22));
        let found = from(&[("c", late), ("a", early), ("c", early)]).unwrap();
        let episodes =
            [vec![early], vec![], vec![early, late]].map(|list| Episodes::new(list).unwrap()).to_vec();
        let expected = Labels::from_episodes(Arc::clone(&layout), spec, target, 2, episodes.clone()).unwrap();
        assert_eq!(found.as_slice(), expected.as_slice());
        assert_eq!(found.episodes(), episodes);

        let error = from(&[("a", early), ("d\u{1b}", late)]).unwrap_err();
        assert!(matches!(error, CoreError::UnknownService { .. }));
        assert!(error.to_string().starts_with("d\\u{1b} has a failure at 1970-01-01T00:20:00Z"), "{error}");
        let overlapping = from(&[("a", episode(7, 8)), ("a", early)]).unwrap_err();
        assert!(matches!(overlapping, CoreError::Schema(SchemaError::EpisodesOverlap { .. })));
    }
}
