use crate::LabelError;
use forewarn_core::{Assessment, Exclusion, FailureRule, Label, Labels, Target, WindowSpec};
use forewarn_schema::{FrameSet, FrameView, Timestamp};
use std::{ops::Range, sync::Arc};

/// Finds the failure episodes of every service and labels every row as the last row of an observation window.
///
/// For a window that ends in row `t`, the first of these that fits decides:
///
/// 1. `Censored`: the period, or what a rule needs to confirm an onset in it, runs past the data.
/// 2. `Ongoing` (target [`Onset`](Target::Onset) only): the service is failing at `t`.
/// 3. `Missing`: there is no sample at all at `t`; or, for target `Onset`, whether the service is failing at `t` is unknown.
/// 4. Positive: an onset (target `Onset`) or a minute in which the rule is satisfied (target [`Active`](Target::Active)) lies in
///    the period, rows `t + lead + 1 ..= t + lead + period`.
/// 5. `Missing`: missing samples leave open whether the service failed in the period.
/// 6. Negative.
///
/// Linear in rows; one byte a row.
///
/// # Errors
/// The rule's own; [`LabelError::OffClock`] and [`LabelError::UnknownRows`] for a rule whose answer does not fit the frame.
pub fn label(
    frames: &FrameSet,
    rule: &dyn FailureRule,
    spec: WindowSpec,
    target: Target,
) -> Result<Labels, LabelError> {
    let layout = frames.layout();
    let confirmation = rule.confirmation_at(layout.step());
    let beyond = spec.horizon()
        + match target {
            Target::Onset => confirmation.saturating_sub(1),
            Target::Active => rule.settling_at(layout.step()),
        };
    let mut labels = vec![Label::Negative; layout.rows()];
    let mut episodes = Vec::with_capacity(layout.services().len());
    let (mut unknown, mut without_samples) = (Vec::new(), Vec::new());
    for (frame, place) in frames.frames().zip(layout.services()) {
        let (found, gaps) = rule.assess_with_gaps(frame)?;
        let failures = EpisodeRows::of(frame, &found, rule)?;
        paint(&mut labels[place.rows()], &failures.0, &found.unknown, &gaps, spec, target, beyond);
        episodes.push(found.episodes);
        let first = place.rows().start;
        let in_frames = |rows: &Range<usize>| (first + rows.start) as u32..(first + rows.end) as u32;
        unknown.extend(found.unknown.iter().filter(|rows| !rows.is_empty()).map(in_frames));
        without_samples.extend(gaps.iter().map(in_frames));
    }
    let labels = Labels::new(Arc::clone(layout), spec, target, confirmation, labels, episodes)?;
    Ok(labels.with_unknown(unknown, without_samples))
}

/// An episode's onset, confirmation and end as rows of its frame.
struct EpisodeRows(Vec<[usize; 3]>);

impl EpisodeRows {
    fn of(frame: FrameView<'_>, found: &Assessment, rule: &dyn FailureRule) -> Result<Self, LabelError> {
        let steps_to = frame.step().steps_from(frame.start());
        let row_of = |time: Timestamp| {
            let row = usize::try_from(steps_to(time));
            let row = row.ok().filter(|&row| row <= frame.rows() && frame.time(row) == time);
            row.ok_or_else(|| LabelError::OffClock {
                rule: rule.describe(),
                service: frame.service().to_owned(),
                time,
            })
        };
        if let Some(end) = found.unknown.iter().map(|range| range.end).max().filter(|&end| end > frame.rows())
        {
            let (rule, service) = (rule.describe(), frame.service().to_owned());
            return Err(LabelError::UnknownRows { rule, service, end, rows: frame.rows() });
        }
        found
            .episodes
            .iter()
            .map(|episode| {
                Ok([row_of(episode.onset())?, row_of(episode.confirmed_at())?, row_of(episode.end())?])
            })
            .collect::<Result<_, _>>()
            .map(Self)
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

/// Sets `label` in ranges that come in order and may overlap; a row that two of them share is written once, so that the cost is
/// linear however long the period is.
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
    use crate::{Comparison, ThresholdRule};
    use forewarn_core::{CoreError, Outcome};
    use forewarn_schema::{Episode, Episodes, Frame, Metric, Schema, Step};
    use proptest::prelude::*;

    fn frames(values: &[f32]) -> FrameSet {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let frame = Frame::new("s", schema, Timestamp::EPOCH, Step::MINUTE, values.to_vec()).unwrap();
        FrameSet::from_frames(vec![frame]).unwrap()
    }

    fn rule(consecutive: usize) -> ThresholdRule {
        ThresholdRule::new("x", Comparison::AtLeast, 1.0, consecutive).unwrap()
    }

    fn letters(values: &[f32], spec: (usize, usize, usize), target: Target) -> String {
        let spec = WindowSpec::new(spec.0, spec.1, spec.2).unwrap();
        let labels = label(&frames(values), &rule(2), spec, target).unwrap();
        let letter = |label: &Label| match label {
            Label::Positive => '+',
            Label::Negative => '-',
            Label::Excluded(Exclusion::Ongoing) => 'o',
            Label::Excluded(Exclusion::Censored) => 'c',
            Label::Excluded(Exclusion::Missing) => 'm',
        };
        labels.as_slice().iter().map(letter).collect()
    }

    const N: f32 = f32::NAN;

    #[test]
    fn labels_by_hand() {
        //            0    1    2    3    4    5    6    7    8    9
        let values = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(letters(&values, (1, 0, 2), Target::Onset), "--++oo-ccc");
        assert_eq!(letters(&values, (1, 1, 2), Target::Onset), "-++-oocccc");
        assert_eq!(letters(&values, (1, 0, 2), Target::Active), "---++---cc");
    }

    #[test]
    fn what_is_missing_is_excluded_not_guessed() {
        // A missing sample between healthy ones cannot be half of a failure of two minutes: only its own row is lost.
        assert_eq!(letters(&[0.0, 0.0, 0.0, N, 0.0, 0.0, 0.0, 0.0], (1, 0, 2), Target::Onset), "---m-ccc");
        // Beside a violation it may be: rows 3 and 4 are unknown, and with them the labels that look at them.
        assert_eq!(
            letters(&[0.0, 0.0, 0.0, N, 1.0, 0.0, 0.0, 0.0, 0.0], (1, 0, 2), Target::Onset),
            "-mmmm-ccc"
        );
    }

    /// The label of row `t` straight from the definition, on a service that fails where `failing` and is unknown where `unknown`.
    fn by_definition(
        values: &[f32],
        t: usize,
        spec: WindowSpec,
        target: Target,
        consecutive: usize,
    ) -> Label {
        let violates = |row: usize, missing: bool| values[row] >= 1.0 || (values[row].is_nan() && missing);
        let fails = |row: usize, missing: bool| {
            (0..consecutive).any(|back| {
                row >= back
                    && row - back + consecutive <= values.len()
                    && (row - back..row - back + consecutive).all(|row| violates(row, missing))
            })
        };
        let satisfied = |row: usize, missing: bool| {
            row + 1 >= consecutive && (row + 1 - consecutive..=row).all(|row| violates(row, missing))
        };
        let unknown = |row: usize| fails(row, true) && !fails(row, false);
        let period = t + spec.lead() + 1..=t + spec.horizon();
        let beyond = if target == Target::Onset { consecutive - 1 } else { 0 };
        if t + spec.horizon() + beyond >= values.len() {
            return Label::Excluded(Exclusion::Censored);
        }
        if target == Target::Onset && fails(t, false) {
            return Label::Excluded(Exclusion::Ongoing);
        }
        if values[t].is_nan() || (target == Target::Onset && unknown(t)) {
            return Label::Excluded(Exclusion::Missing);
        }
        let happens = period.clone().any(|row| match target {
            Target::Onset => fails(row, false) && !fails(row - 1, false),
            Target::Active => satisfied(row, false),
        });
        if happens {
            Label::Positive
        } else if period.clone().any(unknown) {
            Label::Excluded(Exclusion::Missing)
        } else {
            Label::Negative
        }
    }

    proptest! {
        #[test]
        fn equals_a_twin_written_from_the_definition(
            values in proptest::collection::vec(prop_oneof![1 => Just(N), 8 => Just(0.0), 5 => Just(1.0)], 0..60),
            (observation, lead, period) in (1usize..4, 0usize..4, 1usize..5),
            target in prop_oneof![Just(Target::Onset), Just(Target::Active)],
            consecutive in 1usize..4,
        ) {
            let spec = WindowSpec::new(observation, lead, period).unwrap();
            let labels = label(&frames(&values), &rule(consecutive), spec, target).unwrap();
            for (t, &found) in labels.as_slice().iter().enumerate() {
                prop_assert_eq!(found, by_definition(&values, t, spec, target, consecutive), "row {} of {:?}", t, values);
            }
            let samples = labels.samples(|_, _| true);
            for (index, &positive) in samples.positive().iter().enumerate() {
                match samples.outcomes().get(index) {
                    Some(Outcome::At(step)) => prop_assert!(positive && (1..=period as u32).contains(&step)),
                    outcome => prop_assert!(!positive && outcome == Some(Outcome::NotWithin(period as u32))),
                }
            }
        }

        #[test]
        fn the_past_never_changes_a_label(
            (past, future) in (
                proptest::collection::vec(0u8..2, 20), proptest::collection::vec(0u8..2, 20)
            ),
        ) {
            // A window that ends well after a healthy minute is labelled by what comes after it only.
            let series = |past: &[u8]| -> Vec<f32> { past.iter().chain(&[0]).chain(&future).map(|&v| f32::from(v)).collect() };
            let spec = WindowSpec::default();
            let a = label(&frames(&series(&past)), &rule(2), spec, Target::Onset).unwrap();
            let b = label(&frames(&series(&[0; 20])), &rule(2), spec, Target::Onset).unwrap();
            prop_assert_eq!(&a.as_slice()[20..], &b.as_slice()[20..]);
        }
    }

    /// A rule that answers with an episode between two minutes.
    struct OffClock;

    impl FailureRule for OffClock {
        fn describe(&self) -> String {
            "off the clock".into()
        }

        fn confirmation(&self) -> usize {
            1
        }

        fn assess(&self, _: FrameView<'_>) -> Result<Assessment, CoreError> {
            let at = |millis| Timestamp::from_millis(millis).unwrap();
            let episode = Episode::new(at(30_000), at(30_000), at(60_000))?;
            Ok(Assessment { episodes: Episodes::new(vec![episode])?, unknown: vec![] })
        }
    }

    #[test]
    fn an_outside_rule_is_checked() {
        let error = label(&frames(&[0.0; 9]), &OffClock, WindowSpec::default(), Target::Onset).unwrap_err();
        assert!(matches!(error, LabelError::OffClock { .. }), "{error}");
    }
}
