//! Scores joined with what became of the service: which of them were right is known of some, and of others it is not.

use super::score_file::{ScoreRows, only};
use super::{KnownFailures, LabelMeaning, ScoreFile};
use crate::events::{is_failing, span};
use crate::report::{LeftOutReason, ServiceCounts};
use crate::{EvalError, ScoredSeries, ScoredSet};
use forewarn_core::{Label, Labels, Score, WindowSpec};
use forewarn_schema::{Episode, Episodes, SchemaError, ServiceRows, Step, Timestamp};
use std::collections::BTreeMap;

/// Scores of which it is known what became of them, and a count of the others.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct JudgedScores {
    /// The scores that are judged.
    pub set: ScoredSet,
    /// Every service with scores, and those with failures and no scores.
    pub services: Vec<ServiceCounts>,
    /// What a reader should know besides, one sentence each.
    pub notes: Vec<String>,
}

impl ScoreFile {
    /// Joins scores with failures. A window is positive when a failure begins in its prediction period. Windows
    /// inside a failure, those whose period runs past the data, and those of which the outcome is not known for any
    /// other reason are left out and counted, never taken for negative. A single service on either side needs no
    /// name: metrics files often have none. `O(n log e)` for `n` scores and `e` failures.
    ///
    /// Labels in the file have to agree with the failures. `meaning` says what they state.
    ///
    /// # Errors
    /// [`EvalError::NoCommonService`], [`EvalError::LabelContradicts`]; [`EvalError::NothingKnown`] where no score is
    /// left; [`EvalError::NoStep`] where neither says how long a step is; for a list of failures
    /// [`EvalError::EpisodeOutside`] and [`EvalError::UnknownService`], which say that it is not about these scores;
    /// without other failures [`EvalError::MissingColumn`] for a file without labels; [`EvalError::OffClock`].
    pub fn judge(
        &self,
        failures: KnownFailures<'_>,
        meaning: LabelMeaning,
    ) -> Result<JudgedScores, EvalError> {
        let mut judged = match failures {
            KnownFailures::Labels(labels) => self.judge_by_labels(labels, meaning),
            KnownFailures::List { episodes, spec, step } => {
                let (episodes, notes) = self.matched(episodes)?;
                let step = step.or_else(|| self.step()).ok_or(EvalError::NoStep)?;
                self.check_inside(&episodes, span(step, spec.horizon()))?;
                let episodes =
                    self.ended(episodes, span(step, spec.horizon()).saturating_add(step.millis()))?;
                self.judge_by_list(&episodes, &BTreeMap::new(), (spec, step), meaning, notes)
            }
            KnownFailures::InScores { spec, step } => {
                let step = step.or_else(|| self.step()).ok_or(EvalError::NoStep)?;
                let (mut episodes, mut gaps) = (BTreeMap::new(), BTreeMap::new());
                for (service, rows) in &self.services {
                    let (failing, unknown) = rows.failing(step)?;
                    episodes.insert(service.clone(), failing);
                    gaps.insert(service.clone(), unknown);
                }
                self.judge_by_list(&episodes, &gaps, (spec, step), LabelMeaning::Failing, Vec::new())
            }
        }?;
        if self.missing > 0 {
            judged.notes.push(format!("{} rows without a score or a label were left out", self.missing));
        }
        Ok(judged)
    }

    fn judge_by_labels(&self, labels: &Labels, meaning: LabelMeaning) -> Result<JudgedScores, EvalError> {
        let layout = labels.layout();
        let places: BTreeMap<String, (&ServiceRows, &Episodes)> = layout
            .services()
            .iter()
            .zip(labels.episodes())
            .map(|(place, episodes)| (place.name().to_owned(), (place, episodes)))
            .collect();
        let (places, notes) = self.matched(&places)?;
        let step = layout.step();
        let outcome = |place: &ServiceRows, time: Timestamp| -> Result<bool, LeftOutReason> {
            let passed = time.millis() - place.start().millis();
            let rows = &labels.as_slice()[place.rows()];
            let row = usize::try_from(passed.div_euclid(step.millis())).ok().and_then(|row| rows.get(row));
            match row {
                None => Err(LeftOutReason::OutsideMetrics),
                Some(_) if passed % step.millis() != 0 => Err(LeftOutReason::OffClock),
                Some(Label::Positive) => Ok(true),
                Some(Label::Negative) => Ok(false),
                Some(Label::Excluded(reason)) => Err((*reason).into()),
            }
        };
        let mut judged = Judging::new(labels.spec(), step, meaning, notes);
        for (service, rows) in &self.services {
            match places.get(service) {
                None => judged.unknown_service(service, rows),
                Some((place, episodes)) => {
                    judged.service(service, rows, episodes, |time| outcome(place, time))?;
                }
            }
        }
        let silent = places.iter().filter(|(service, _)| !self.services.contains_key(*service));
        judged.finish(silent.map(|(service, (_, episodes))| (service.as_str(), episodes.len())))
    }

    fn judge_by_list(
        &self,
        known: &BTreeMap<String, Episodes>,
        gaps: &BTreeMap<String, Vec<(i64, i64)>>,
        (spec, step): (WindowSpec, Step),
        meaning: LabelMeaning,
        notes: Vec<String>,
    ) -> Result<JudgedScores, EvalError> {
        let (lead, horizon) = (span(step, spec.lead()), span(step, spec.horizon()));
        let mut judged = Judging::new(spec, step, meaning, notes);
        for (service, rows) in &self.services {
            let Some(episodes) = known.get(service) else {
                judged.unknown_service(service, rows);
                continue;
            };
            let gaps = gaps.get(service).map_or(&[][..], Vec::as_slice);
            let last = rows.times.last().map_or(i64::MIN, |time| time.millis());
            judged.service(service, rows, episodes, |time| {
                if is_failing(episodes, time) {
                    return Err(LeftOutReason::Ongoing);
                }
                let after = time.millis().saturating_add(lead);
                let until = time.millis().saturating_add(horizon);
                let next = episodes.partition_point(|episode| episode.onset().millis() <= after);
                if episodes.get(next).is_some_and(|episode| episode.onset().millis() <= until) {
                    return Ok(true);
                }
                // The first step of the period: a gap that ends with it leaves it known.
                let first = after.saturating_add(step.millis());
                let gap = gaps.partition_point(|gap| gap.1 <= first);
                match gaps.get(gap) {
                    Some(gap) if gap.0 <= until => Err(LeftOutReason::Unknown),
                    _ if until > last => Err(LeftOutReason::Censored),
                    _ => Ok(false),
                }
            })?;
        }
        judged.finish(std::iter::empty())
    }

    /// What is known of failures, under the names that the scores have for services, with a note where those differ.
    fn matched<T: Clone>(
        &self,
        known: &BTreeMap<String, T>,
    ) -> Result<(BTreeMap<String, T>, Vec<String>), EvalError> {
        if let (Some((name, _)), Some((other, only))) = (only(&self.services), only(known)) {
            let renamed = (name != other).then(|| {
                format!("Scores of {name:?} are judged by the failures of {other:?}, the only service on either side.")
            });
            return Ok((BTreeMap::from([(name.clone(), only.clone())]), renamed.into_iter().collect()));
        }
        if !known.keys().any(|name| self.services.contains_key(name)) {
            let names = (self.services.keys().cloned().collect(), known.keys().cloned().collect());
            return Err(EvalError::NoCommonService { scores: names.0, failures: names.1 });
        }
        Ok((known.clone(), Vec::new()))
    }

    /// The failures, of which none goes on longer after the last score than this.
    fn ended(
        &self,
        failures: BTreeMap<String, Episodes>,
        after: i64,
    ) -> Result<BTreeMap<String, Episodes>, EvalError> {
        let ended = |(service, episodes): (String, Episodes)| {
            let last = self.services.get(&service).and_then(|rows| rows.times.last());
            let end = last.and_then(|last| Timestamp::from_millis(last.millis().saturating_add(after)));
            let goes_on = |episode: &Episode| end.is_some_and(|end| episode.end() > end);
            let Some(end) = end.filter(|_| episodes.iter().any(goes_on)) else {
                return Ok((service, episodes));
            };
            let shorter = episodes.iter().map(|episode| {
                let end = episode.end().min(end.max(episode.confirmed_at()));
                Episode::new(episode.onset(), episode.confirmed_at(), end)
            });
            let shorter: Result<Vec<Episode>, SchemaError> = shorter.collect();
            Ok((service, Episodes::new(shorter?)?))
        };
        let ended: Result<_, SchemaError> = failures.into_iter().map(ended).collect();
        Ok(ended.map_err(forewarn_core::CoreError::from)?)
    }

    fn check_inside(&self, failures: &BTreeMap<String, Episodes>, horizon: i64) -> Result<(), EvalError> {
        for (service, episodes) in failures {
            let rows = self.services.get(service).filter(|rows| !rows.times.is_empty());
            let Some(rows) = rows else { return Err(EvalError::UnknownService { service: service.clone() }) };
            let (first, last) = (rows.times[0], rows.times[rows.times.len() - 1]);
            let is_outside = |episode: &&Episode| {
                episode.end() <= first || episode.onset().millis() > last.millis().saturating_add(horizon)
            };
            if let Some(episode) = episodes.iter().find(is_outside) {
                let (service, onset) = (service.clone(), episode.onset());
                return Err(EvalError::EpisodeOutside { service, onset, first, last });
            }
        }
        Ok(())
    }
}

/// A judgement under way.
struct Judging {
    spec: WindowSpec,
    step: Step,
    meaning: LabelMeaning,
    series: Vec<ScoredSeries>,
    services: Vec<ServiceCounts>,
    notes: Vec<String>,
}

impl Judging {
    fn new(spec: WindowSpec, step: Step, meaning: LabelMeaning, notes: Vec<String>) -> Self {
        Self { spec, step, meaning, series: Vec::new(), services: Vec::new(), notes }
    }

    fn unknown_service(&mut self, service: &str, rows: &ScoreRows) {
        let mut counts = ServiceCounts::new(service, 0);
        counts.leave_out(LeftOutReason::UnknownService, rows.times.len());
        self.services.push(counts);
    }

    /// Judges the scores of one service; `outcome` says whether a window is positive, or why that is not known.
    fn service(
        &mut self,
        service: &str,
        rows: &ScoreRows,
        episodes: &Episodes,
        outcome: impl Fn(Timestamp) -> Result<bool, LeftOutReason>,
    ) -> Result<(), EvalError> {
        let mut counts = ServiceCounts::new(service, episodes.len());
        let (mut times, mut scores, mut positive) = (Vec::new(), Vec::<Score>::new(), Vec::new());
        for (index, (&time, &score)) in rows.times.iter().zip(&rows.scores).enumerate() {
            let found = outcome(time);
            let label = rows.labels.get(index).copied();
            let stated = match (self.meaning, found) {
                (LabelMeaning::Begins, Ok(positive)) => Some(positive),
                (LabelMeaning::Failing, Ok(_) | Err(LeftOutReason::Ongoing)) => {
                    Some(is_failing(episodes, time))
                }
                _ => None,
            };
            if let (Some(label), Some(stated)) = (label, stated)
                && label != stated
            {
                let service = service.to_owned();
                return Err(EvalError::LabelContradicts { service, time, label });
            }
            // A label may know what comes after the last score.
            let found = match (self.meaning, label, found) {
                (LabelMeaning::Begins, Some(label), Err(LeftOutReason::Censored)) => Ok(label),
                _ => found,
            };
            match found {
                Err(reason) => counts.leave_out(reason, 1),
                Ok(label) => {
                    counts.count_window();
                    times.push(time);
                    scores.push(score);
                    positive.push(label);
                }
            }
        }
        self.services.push(counts);
        if !times.is_empty() {
            self.series.push(ScoredSeries::new(service, times, scores, positive, episodes.clone())?);
        }
        Ok(())
    }

    /// `silent` are services with failures and without a score, with the number of failures.
    fn finish<'a>(
        mut self,
        silent: impl Iterator<Item = (&'a str, usize)>,
    ) -> Result<JudgedScores, EvalError> {
        if self.series.is_empty() {
            let services = self.services.iter().flat_map(|counts| {
                counts
                    .left_out
                    .iter()
                    .map(|left| format!("{}: {} {}", counts.service, left.rows, left.reason))
            });
            return Err(EvalError::NothingKnown { left_out: services.take(10).collect() });
        }
        self.services.extend(silent.map(|(service, episodes)| ServiceCounts::new(service, episodes)));
        let set = ScoredSet::new(self.spec, self.step, self.series)?;
        Ok(JudgedScores { set, services: self.services, notes: self.notes })
    }
}

impl ScoreRows {
    /// The failures that labels of a failing service make, and the times of which they say nothing, as milliseconds
    /// from and to.
    fn failing(&self, step: Step) -> Result<(Episodes, Vec<(i64, i64)>), EvalError> {
        if self.labels.len() != self.times.len() {
            let available = vec!["service".to_owned(), "timestamp".to_owned(), "score".to_owned()];
            return Err(EvalError::MissingColumn { column: "label", available });
        }
        let step = step.millis();
        let (mut episodes, mut gaps): (Vec<Episode>, Vec<(i64, i64)>) = (Vec::new(), Vec::new());
        let mut since: Option<Timestamp> = None;
        for (index, (&time, &label)) in self.times.iter().zip(&self.labels).enumerate() {
            let next = self.times.get(index + 1).map(|next| next.millis());
            let end = time.millis().saturating_add(step);
            if label {
                since = since.or(Some(time));
            }
            let is_broken = next.is_none_or(|next| next > end);
            let goes_on = !is_broken && self.labels.get(index + 1).is_some_and(|&label| label);
            if let Some(onset) = since.filter(|_| label && !goes_on) {
                let end = if is_broken {
                    Timestamp::from_millis(end)
                } else {
                    next.and_then(Timestamp::from_millis)
                };
                let end = end.ok_or(EvalError::NothingKnown { left_out: Vec::new() })?;
                let episode: Result<Episode, SchemaError> = Episode::new(onset, onset, end);
                episodes.push(episode.map_err(forewarn_core::CoreError::from)?);
                since = None;
            }
            if let Some(next) = next.filter(|&next| next > end) {
                gaps.push((end, next));
            }
        }
        Ok((Episodes::new(episodes).map_err(forewarn_core::CoreError::from)?, gaps))
    }
}
