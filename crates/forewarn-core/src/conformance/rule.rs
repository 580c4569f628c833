use super::{Breach, holds, places, same, works};
use crate::{Assessment, FailureRule, rows_without_samples};
use forewarn_schema::{Frame, FrameSet, FrameView, Timestamp};
use std::ops::Range;

/// Most cuts of a frame that are tried.
const CUTS: usize = 24;

/// Checks the laws that every failure rule keeps on every frame that it can read:
///
/// - it has a sentence, and needs at least one step to be sure;
/// - the same frame gives the same answer;
/// - episodes lie in the frame, on its clock; unknown rows lie in it, in order, and in no episode;
/// - [`assess_with_gaps`](FailureRule::assess_with_gaps) is [`assess`](FailureRule::assess) and the rows without a
///   sample;
/// - moved in time, the frame has the same failures, moved;
/// - the frame's beginning alone has the same failures as far as they are final:
///   [`confirmation_at`](FailureRule::confirmation_at) steps on for rows, onsets and unknown rows, and
///   [`settling_at`](FailureRule::settling_at) for the confirmed part of an episode. So a rule sees no later row than
///   it says, and rows that come one by one find what the whole frame has;
/// - a [`nearness`](FailureRule::nearness) is a number from 0 to 1 for each row, and looks no further ahead than what
///   confirms an onset.
///
/// # Errors
/// The first [`Breach`].
pub fn failure_rule<R: FailureRule + ?Sized>(rule: &R, frame: FrameView<'_>) -> Result<(), Breach> {
    let step = frame.step();
    let (confirmation, settling) = (rule.confirmation_at(step), rule.settling_at(step));
    holds(!rule.describe().is_empty(), "a rule has a sentence", String::new)?;
    holds(confirmation > 0, "a rule is sure after one step at the soonest", || "none".to_owned())?;

    let law = "a rule assesses every frame that has its metrics";
    let assessment = works(rule.assess(frame), law)?;
    let again = works(rule.assess(frame), law)?;
    same(&again, &assessment, "the same frame gives the same answer", "the second time")?;
    let (with, gaps) = works(rule.assess_with_gaps(frame), law)?;
    same(&with, &assessment, "with gaps, a rule finds what it finds without", "the assessment")?;
    same(&gaps, &rows_without_samples(frame), "gaps are the rows without a sample", "the gaps")?;
    let whole = Facts::of(&assessment, frame)?;

    if let Some(start) = frame.start().checked_add(step, 12_345) {
        let law = "moved in time, a frame has the same failures";
        let moved = works(of_rows(frame, start, frame.rows()), law)?;
        let facts = Facts::of(&works(rule.assess(moved.view()), law)?, moved.view())?;
        same(&facts, &whole, law, "12,345 steps later")?;
    }

    for rows in places(frame.rows(), CUTS) {
        let law = "a frame's beginning has its failures, as far as they are final";
        let beginning = works(of_rows(frame, frame.start(), rows), law)?;
        let facts = Facts::of(&works(rule.assess(beginning.view()), law)?, beginning.view())?;
        let sure = (rows + 1).saturating_sub(confirmation).min(rows);
        let settled = rows.saturating_sub(settling);
        let seen = |facts: &Facts, row: usize| (facts.failing[row], facts.onset[row], facts.unknown[row]);
        for row in 0..sure {
            let at = format!("row {row} of the first {rows}: (failing, onset, unknown)");
            same(&seen(&facts, row), &seen(&whole, row), law, &at)?;
        }
        for row in 0..settled {
            let at = format!("row {row} of the first {rows}: confirmed");
            same(&facts.confirmed[row], &whole.confirmed[row], law, &at)?;
        }
    }
    near(rule, frame)
}

/// The laws of nearness, of the whole frame and of its first half.
fn near<R: FailureRule + ?Sized>(rule: &R, frame: FrameView<'_>) -> Result<(), Breach> {
    let law = "nearness is known of every frame that has the rule's metrics";
    let half = frame.rows().div_ceil(2);
    let known: Vec<u32> = (0..half as u32).collect();
    let of = |rows: usize| -> Result<Option<Vec<f32>>, Breach> {
        let frames = FrameSet::from_frames(vec![works(of_rows(frame, frame.start(), rows), law)?]);
        works(rule.nearness(&works(frames, law)?, &known), law)
    };
    let (Some(whole), Some(beginning)) = (of(frame.rows())?, of(half)?) else { return Ok(()) };
    same(&whole.len(), &frame.rows(), "each row has a nearness", "the frame")?;
    same(&beginning.len(), &half, "each row has a nearness", "the first half")?;
    let within = whole.iter().all(|near| (0.0..=1.0).contains(near));
    holds(within, "nearness is a number from 0 to 1", || format!("{whole:?}"))?;
    let sure = (half + 1).saturating_sub(rule.confirmation_at(frame.step())).min(half);
    let law = "nearness looks no further ahead than what confirms an onset";
    same(&&whole[..sure], &&beginning[..sure], law, "the first half")
}

/// Checks that fewer samples never make a failure, and never make a service healthy: with the samples of `lost`,
/// pairs of a row and a metric, taken out, each failing row was failing before, and each row that was or may have
/// been failing still is or may be. Places outside of the frame are passed over.
///
/// A rule that asks for the absence of a sample, or whose limit is estimated from the past, breaks it rightly.
///
/// # Errors
/// The [`Breach`].
pub fn missing_adds_nothing<R: FailureRule + ?Sized>(
    rule: &R,
    frame: FrameView<'_>,
    lost: impl IntoIterator<Item = (usize, usize)>,
) -> Result<(), Breach> {
    let law = "a missing sample never makes a failure, and leaves open what it hides";
    let width = frame.schema().len();
    let mut values = frame.values().to_vec();
    for (row, metric) in lost.into_iter().filter(|&(_, metric)| metric < width) {
        if let Some(value) = row.checked_mul(width).and_then(|first| values.get_mut(first + metric)) {
            *value = f32::NAN;
        }
    }
    let fewer = Frame::new(frame.service(), frame.schema().clone(), frame.start(), frame.step(), values);
    let fewer = works(fewer, law)?;
    let before = Facts::of(&works(rule.assess(frame), law)?, frame)?;
    let after = Facts::of(&works(rule.assess(fewer.view()), law)?, fewer.view())?;
    for row in 0..frame.rows() {
        holds(before.failing[row] || !after.failing[row], law, || format!("row {row} fails without them"))?;
        let may_fail = |facts: &Facts| facts.failing[row] || facts.unknown[row];
        holds(may_fail(&after) || !may_fail(&before), law, || format!("row {row} is healthy without them"))?;
    }
    Ok(())
}

/// Checks that `strict` never fails where `loose` does not: what a higher limit, a longer time or one more condition
/// must give.
///
/// # Errors
/// The [`Breach`].
pub fn never_fails_more<S: FailureRule + ?Sized, L: FailureRule + ?Sized>(
    strict: &S,
    loose: &L,
    frame: FrameView<'_>,
) -> Result<(), Breach> {
    let law = "a stricter rule never has more failing rows";
    let of_strict = Facts::of(&works(strict.assess(frame), law)?, frame)?;
    let of_loose = Facts::of(&works(loose.assess(frame), law)?, frame)?;
    let more = (0..frame.rows()).find(|&row| of_strict.failing[row] && !of_loose.failing[row]);
    holds(more.is_none(), law, || {
        format!("row {} under {:?}, not under {:?}", more.unwrap_or(0), strict.describe(), loose.describe())
    })
}

/// What an assessment says of each row.
#[derive(Debug, PartialEq)]
struct Facts {
    failing: Vec<bool>,
    onset: Vec<bool>,
    /// From an episode's confirmation to its end.
    confirmed: Vec<bool>,
    unknown: Vec<bool>,
}

impl Facts {
    fn of(assessment: &Assessment, frame: FrameView<'_>) -> Result<Self, Breach> {
        let rows = frame.rows();
        let none = || vec![false; rows];
        let mut facts = Self { failing: none(), onset: none(), confirmed: none(), unknown: none() };
        for episode in assessment.episodes.iter() {
            let onset = row_of(episode.onset(), frame)?;
            let confirmed = row_of(episode.confirmed_at(), frame)?;
            let end = row_of(episode.end(), frame)?;
            holds(onset < end, "an episode has a row", || format!("from row {onset} to {end}"))?;
            facts.failing[onset..end].fill(true);
            facts.onset[onset] = true;
            facts.confirmed[confirmed.min(end)..end].fill(true);
        }
        let mut free = 0;
        for &Range { start, end } in &assessment.unknown {
            let law = "unknown rows lie in the frame, in order";
            holds(free <= start && start < end && end <= rows, law, || {
                format!("rows {start}..{end} after {free}, of {rows}")
            })?;
            let failing = facts.failing[start..end].iter().any(|&failing| failing);
            holds(!failing, "no row is failing and unknown", || format!("one of rows {start}..{end}"))?;
            facts.unknown[start..end].fill(true);
            free = end;
        }
        Ok(facts)
    }
}

/// The row of a time; the end of the frame is that of the row after its last.
fn row_of(time: Timestamp, frame: FrameView<'_>) -> Result<usize, Breach> {
    let (behind, step) = (time.millis() - frame.start().millis(), frame.step().millis());
    let row = usize::try_from(behind / step).ok().filter(|&row| behind % step == 0 && row <= frame.rows());
    row.ok_or_else(|| Breach {
        law: "episodes lie in the frame, on its clock",
        found: format!("{time} in a frame from {} to {}", frame.start(), frame.end()),
    })
}

/// The first `rows` rows, from another time on.
fn of_rows(
    frame: FrameView<'_>,
    start: Timestamp,
    rows: usize,
) -> Result<Frame, forewarn_schema::SchemaError> {
    let values = frame.values()[..rows * frame.schema().len()].to_vec();
    Frame::new(frame.service(), frame.schema().clone(), start, frame.step(), values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CoreError, V1Rule};
    use forewarn_schema::{Episode, Episodes, Metric, Schema, Step};
    use proptest::{collection::vec, prelude::*, sample::select};

    fn frame(samples: Vec<f32>) -> Frame {
        let schema = Schema::new(vec![Metric::gauge("error_rate")]).unwrap();
        Frame::new("s", schema, Timestamp::EPOCH, Step::MINUTE, samples).unwrap()
    }

    fn samples() -> impl Strategy<Value = Vec<f32>> {
        vec((select(vec![0.0f32, 0.049, 0.05, 0.3, f32::NAN]), 1usize..4), 0..20)
            .prop_map(|runs| runs.into_iter().flat_map(|(value, times)| vec![value; times]).collect())
    }

    proptest! {
        #[test]
        fn the_v1_rule_keeps_the_laws(samples in samples(), lost in vec((0usize..60, 0usize..2), 0..9)) {
            let frame = frame(samples);
            for checked in [
                failure_rule(&V1Rule, frame.view()),
                missing_adds_nothing(&V1Rule, frame.view(), lost),
                never_fails_more(&V1Rule, &V1Rule, frame.view()),
            ] {
                prop_assert_eq!(checked, Ok(()));
            }
        }
    }

    /// Breaks one law each.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Wrong {
        SeesLaterRows,
        FailsWithoutSample,
        IsHealthyWithoutSample,
        LeavesTheClock,
        LeavesTheFrame,
        KnowsTheTime,
    }

    impl FailureRule for Wrong {
        fn describe(&self) -> String {
            format!("{self:?}")
        }

        fn confirmation(&self) -> usize {
            1
        }

        fn assess(&self, frame: FrameView<'_>) -> Result<Assessment, CoreError> {
            let (values, rows) = (frame.values(), frame.rows());
            let fails = |row: usize| match self {
                Self::SeesLaterRows => values.get(row + 3).is_some_and(|&later| later > 0.5),
                Self::FailsWithoutSample => values[row].is_nan(),
                Self::KnowsTheTime => frame.time(row).millis() % 420_000 == 0,
                _ => values[row] > 0.5,
            };
            let shift = i64::from(*self == Self::LeavesTheClock);
            let beyond = i64::from(*self == Self::LeavesTheFrame);
            let episode = |row: usize| {
                let end = frame.time(row).millis() + (1 + beyond) * 60_000 + shift;
                let end = Timestamp::from_millis(end).unwrap();
                Episode::new(frame.time(row), frame.time(row), end).unwrap()
            };
            let episodes = Episodes::new((0..rows).filter(|&row| fails(row)).map(episode).collect())?;
            Ok(Assessment { episodes, unknown: Vec::new() })
        }
    }

    #[test]
    fn rules_that_break_a_law_are_found() {
        let frame = frame(vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.9]);
        for (wrong, law) in [
            (Wrong::SeesLaterRows, "as far as they are final"),
            (Wrong::LeavesTheClock, "on its clock"),
            (Wrong::LeavesTheFrame, "in the frame"),
            (Wrong::KnowsTheTime, "moved in time"),
        ] {
            let breach = failure_rule(&wrong, frame.view()).unwrap_err().to_string();
            assert!(breach.contains(law), "{wrong:?}: {breach}");
        }
        for (wrong, row, found) in [
            (Wrong::FailsWithoutSample, 2, "row 2 fails without them"),
            (Wrong::IsHealthyWithoutSample, 5, "row 5 is healthy without them"),
        ] {
            let breach = missing_adds_nothing(&wrong, frame.view(), [(row, 0), (9, 9)]).unwrap_err();
            assert_eq!(breach.found, found);
        }
        let breach = never_fails_more(&Wrong::IsHealthyWithoutSample, &V1Rule, frame.view()).unwrap_err();
        assert!(breach.found.starts_with("row 5 under"), "{breach}");
    }
}
