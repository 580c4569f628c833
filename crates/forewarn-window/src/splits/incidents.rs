use crate::{WindowError, settings::setting, splits::clock::Clock};
use forewarn_core::{Labels, Separation, Split};
use forewarn_schema::Timestamp;
use std::ops::Range;

/// Splits by incident: every incident is tested exactly once, whole, in one of `folds` folds.
///
/// Failures of any services that are less than a purge apart are one incident, such as a cascade. Time is cut
/// half-way between incidents, at the same moments for all services, and the pieces are dealt to the folds in turn; a
/// fold's validation is the next fold's test, its train all the rest. Train and validation are cut back by the purge
/// wherever they touch what is tested, and by `embargo` steps more where they follow it.
///
/// Use it where there are too few incidents to test on the last ones alone. A model is then trained on what came
/// after its test windows too, which a deployed one never is; [`Split::separation`] says so.
///
/// # Errors
/// [`forewarn_core::CoreError::InvalidSetting`] for fewer than three folds, [`WindowError::TooFewIncidents`],
/// [`WindowError::TooShort`], [`WindowError::Fold`] for a fold of which a part has no window.
pub fn grouped_by_incident(labels: &Labels, folds: usize, embargo: usize) -> Result<Vec<Split>, WindowError> {
    if folds < 3 {
        return Err(setting("folds", &folds, "3 or more: for train, validation and test"));
    }
    let clock = Clock::of(labels)?;
    let incidents = incidents(labels);
    if incidents.len() < folds {
        return Err(WindowError::TooFewIncidents { incidents: incidents.len(), folds });
    }
    let mut cuts = vec![clock.first];
    cuts.extend(incidents.windows(2).filter_map(|pair| {
        let middle = i64::midpoint(pair[0].end.millis(), pair[1].start.millis());
        Timestamp::from_millis(middle)
    }));
    let end = clock.rest(clock.first).end;
    let pieces: Vec<Range<Timestamp>> = (0..cuts.len())
        .map(|piece| cuts[piece]..cuts.get(piece + 1).copied().unwrap_or(end))
        .filter(|piece| piece.start < piece.end)
        .collect();
    (0..folds)
        .map(|fold| {
            let part_of = |piece: usize| match piece % folds {
                group if group == fold => Part::Test,
                group if group == (fold + 1) % folds => Part::Validation,
                _ => Part::Train,
            };
            let part = |part: Part| {
                let spans: Vec<_> = (0..pieces.len())
                    .filter(|&piece| part_of(piece) == part)
                    .filter_map(|piece| cut_back(&pieces, piece, part_of, &clock, embargo))
                    .collect();
                labels.samples_in(&spans, |_| true)
            };
            Split::separated(
                part(Part::Train),
                part(Part::Validation),
                part(Part::Test),
                labels.purge(),
                Separation::Apart { embargo },
            )
            .map_err(|source| WindowError::Fold { fold: fold + 1, folds, source })
        })
        .collect()
}

/// The parts; a later one is left whole where an earlier one touches it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Train,
    Validation,
    Test,
}

/// What is left of a piece beside the pieces of later parts.
fn cut_back(
    pieces: &[Range<Timestamp>],
    piece: usize,
    part_of: impl Fn(usize) -> Part,
    clock: &Clock,
    embargo: usize,
) -> Option<Range<Timestamp>> {
    let part = part_of(piece);
    let (mut start, mut end) = (pieces[piece].start, pieces[piece].end);
    if let Some(before) = (0..piece).rev().find(|&other| part_of(other) > part) {
        start = start.max(clock.after(pieces[before].end, embargo));
    }
    if let Some(next) = (piece + 1..pieces.len()).find(|&other| part_of(other) > part) {
        end = end.min(clock.purged(pieces[piece].start, pieces[next].start).end);
    }
    (start < end).then_some(start..end)
}

/// From the first onset to the last end of failures that are less than a purge apart, in order of time.
fn incidents(labels: &Labels) -> Vec<Range<Timestamp>> {
    let mut failures: Vec<Range<Timestamp>> = labels
        .episodes()
        .iter()
        .flat_map(|episodes| episodes.iter().map(|episode| episode.onset()..episode.end()))
        .collect();
    failures.sort_by_key(|failure| (failure.start, failure.end));
    let step = labels.layout().step();
    let purge = i64::try_from(labels.purge()).unwrap_or(i64::MAX);
    let mut incidents: Vec<Range<Timestamp>> = Vec::new();
    for failure in failures {
        match incidents.last_mut() {
            Some(incident)
                if incident.end.checked_add(step, purge).is_none_or(|time| failure.start < time) =>
            {
                incident.end = incident.end.max(failure.end);
            }
            _ => incidents.push(failure),
        }
    }
    incidents
}
