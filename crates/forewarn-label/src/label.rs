mod pieces;

use crate::LabelError;
use forewarn_core::{Assessment, FailureRule, Labels, Settling, Target, WindowSpec};
use forewarn_schema::{FrameSet, FrameView, Timestamp};
pub use pieces::label_pieces;
use std::sync::Arc;

/// Finds the failure episodes of every service and labels every row as the last row of an observation window.
///
/// For a window that ends in row `t`, the first of these that fits decides:
///
/// 1. `Censored`: the period, or what a rule needs to confirm an onset in it, runs past the data.
/// 2. `Ongoing` (target [`Onset`](Target::Onset) only): the service is failing at `t`.
/// 3. `Missing`: there is no sample at all at `t`; or, for target `Onset`, whether the service is failing at `t` is
///    unknown.
/// 4. Positive: an onset (target `Onset`) or a minute in which the rule is satisfied (target
///    [`Active`](Target::Active)) lies in the period, rows `t + lead + 1 ..= t + lead + period`.
/// 5. `Missing`: missing samples leave open whether the service failed in the period.
/// 6. Negative.
///
/// Linear in rows; one byte a row.
///
/// # Errors
/// The rule's own; [`LabelError::OffClock`] and [`LabelError::UnknownRows`] for a rule whose answer does not fit the
/// frame.
pub fn label(
    frames: &FrameSet,
    rule: &dyn FailureRule,
    spec: WindowSpec,
    target: Target,
) -> Result<Labels, LabelError> {
    let layout = frames.layout();
    let settling = Settling {
        confirmation: rule.confirmation_at(layout.step()),
        settling: rule.settling_at(layout.step()),
    };
    let assess = |frame: FrameView<'_>| {
        let (found, gaps) = rule.assess_with_gaps(frame)?;
        check(frame, &found, rule)?;
        Ok((found, gaps))
    };
    let found = frames.frames().map(assess).collect::<Result<Vec<_>, LabelError>>()?;
    Ok(Labels::from_assessments(Arc::clone(layout), spec, target, settling, found)?)
}

/// Refuses an answer of a rule that does not fit its frame: times between rows, or rows beyond the last.
fn check(frame: FrameView<'_>, found: &Assessment, rule: &dyn FailureRule) -> Result<(), LabelError> {
    let steps_to = frame.step().steps_from(frame.start());
    let is_row = |time: Timestamp| {
        let row = usize::try_from(steps_to(time)).ok();
        row.is_some_and(|row| row <= frame.rows() && frame.time(row) == time)
    };
    let end = found.unknown.iter().map(|range| range.end).max().unwrap_or(0);
    if end > frame.rows() {
        let (rule, service) = (rule.describe(), frame.service().to_owned());
        return Err(LabelError::UnknownRows { rule, service, end, rows: frame.rows() });
    }
    let times = found.episodes.iter().flat_map(|e| [e.onset(), e.confirmed_at(), e.end()]);
    match times.into_iter().find(|&time| !is_row(time)) {
        Some(time) => {
            Err(LabelError::OffClock { rule: rule.describe(), service: frame.service().to_owned(), time })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Comparison, ThresholdRule};
    use forewarn_core::{CoreError, Exclusion, Label, Outcome};
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

    /// The label of row `t` straight from the definition, on a service that fails where `failing` and is unknown
    /// where `unknown`.
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

    /// A rule that is never sure.
    struct NeverSure;

    impl FailureRule for NeverSure {
        fn describe(&self) -> String {
            "never sure".into()
        }

        fn confirmation(&self) -> usize {
            usize::MAX
        }

        fn settling_at(&self, _: Step) -> usize {
            usize::MAX
        }

        fn assess(&self, _: FrameView<'_>) -> Result<Assessment, CoreError> {
            Ok(Assessment::default())
        }
    }

    #[test]
    fn labels_of_a_rule_that_is_never_sure_are_all_censored() {
        for target in [Target::Onset, Target::Active] {
            let labels =
                label(&frames(&[0.0; 9]), &NeverSure, WindowSpec::new(1, 0, 2).unwrap(), target).unwrap();
            assert!(labels.as_slice().iter().all(|label| *label == Label::Excluded(Exclusion::Censored)));
            assert!(labels.samples(|_, _| true).is_empty());
            assert_eq!(labels.purge(), usize::MAX);
        }
    }

    #[test]
    fn an_outside_rule_is_checked() {
        let error = label(&frames(&[0.0; 9]), &OffClock, WindowSpec::default(), Target::Onset).unwrap_err();
        assert!(matches!(error, LabelError::OffClock { .. }), "{error}");
    }
}
