//! What holds for every rule and every frame.

mod twin;

use crate::{
    AnyRuleState, Condition, Frequent, LabelState, Measure, Rule, RuleEvent, RuleState, Span, Sustained,
    ThresholdRule, Verdicts, label, label_pieces,
    strategies::{
        Kinds, comparison, condition, frame, frame_of, measure, ordering, row, rule, rule_on, schema, shape,
    },
};
use forewarn_core::{
    CoreError, Exclusion, FailureRule, InPieces, Label, Registry, Target, V1Rule, WindowSpec, conformance,
};
use forewarn_schema::{
    Episode, Frame, FrameSet, Kind, Metric, Schema, Step, Timestamp, Unit, ValidRange, strategies::frame_near,
};
use proptest::{collection::vec, prelude::*, sample::Index};
use std::{
    hash::{BuildHasherDefault, DefaultHasher},
    ops::Range,
    sync::Arc,
};
use twin::{Reading, Twin};

type Rows = Vec<[f32; 4]>;

fn rows(max: usize) -> impl Strategy<Value = Rows> {
    vec(row(), 0..=max)
}

/// The same row several times makes long runs, which random rows seldom do.
fn sticky_rows(max: usize) -> impl Strategy<Value = Rows> {
    vec((row(), 1usize..5), 0..=max / 2).prop_map(move |runs| {
        let mut rows: Rows = runs.into_iter().flat_map(|(row, times)| vec![row; times]).collect();
        rows.truncate(max);
        rows
    })
}

fn any_rows(max: usize) -> impl Strategy<Value = Rows> {
    prop_oneof![rows(max), sticky_rows(max)]
}

/// What a stream must refuse in place of a row, and be none the worse for it.
fn refused(row: &[f32; 4]) -> [Vec<f32>; 3] {
    let [mut high, mut low] = [row.to_vec(), row.to_vec()];
    (high[0], low[3]) = (f32::INFINITY, f32::NEG_INFINITY);
    [high, low, row[1..].to_vec()]
}

fn in_rows(episode: &Episode) -> [usize; 3] {
    [episode.onset(), episode.confirmed_at(), episode.end()].map(|time| (time.millis() / 60_000) as usize)
}

/// Episodes and unknown rows.
fn found(rule: &impl FailureRule, frame: &Frame) -> (Vec<[usize; 3]>, Vec<Range<usize>>) {
    let found = rule.assess(frame.view()).unwrap();
    (found.episodes.iter().map(in_rows).collect(), found.unknown)
}

/// Whether each row is failing for certain, and whether it is possibly.
fn failing(rule: &impl FailureRule, rows: &[[f32; 4]]) -> Vec<(bool, bool)> {
    let (episodes, unknown) = found(rule, &frame_of(rows));
    (0..rows.len())
        .map(|row| {
            let fails = episodes.iter().any(|&[onset, _, end]| (onset..end).contains(&row));
            (fails, fails || unknown.iter().any(|range| range.contains(&row)))
        })
        .collect()
}

fn spec() -> impl Strategy<Value = WindowSpec> {
    (0usize..4, 1usize..6).prop_map(|(lead, period)| WindowSpec::new(2, lead, period).unwrap())
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![Just(Target::Onset), Just(Target::Active)]
}

fn batch_labels(rule: &Rule, rows: &[[f32; 4]], spec: WindowSpec, target: Target) -> Vec<Label> {
    let frames = FrameSet::from_frames(vec![frame_of(rows)]).unwrap();
    label(&frames, rule, spec, target).unwrap().as_slice().to_vec()
}

/// Whether some `not` is about several rows: it holds where the data begins, since nothing has lasted long enough yet.
fn negates_evidence(condition: &Condition) -> bool {
    match condition {
        Condition::Not(of) => of.reach(Step::MINUTE) > 1 || negates_evidence(of),
        Condition::All(of) | Condition::Any(of) => of.iter().any(negates_evidence),
        Condition::Sustained(Sustained { of, .. }) | Condition::Frequent(Frequent { of, .. }) => {
            negates_evidence(of)
        }
        Condition::Compare(_) | Condition::Absent(_) | Condition::Significant(_) => false,
    }
}

/// A schema of another program.
fn queues() -> Schema {
    let jobs = Metric::new("depth", Unit::Other("jobs".to_owned()), Kind::Gauge, ValidRange::NON_NEGATIVE);
    let failed = Metric::new("failed", Unit::Dimensionless, Kind::Gauge, ValidRange::UNIT);
    Schema::new(vec![jobs, failed]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn batch_equals_a_twin_written_from_the_definition(rule in rule(Kinds::Any), rows in any_rows(40)) {
        let (episodes, unknown) = found(&rule, &frame_of(&rows));
        let twin = Twin { rule: &rule, rows: &rows };
        prop_assert_eq!(&episodes, &twin.episodes(Reading::Certain), "{}", rule);
        let possible = twin.episodes(Reading::Possible);
        for row in 0..rows.len() {
            let is_in = |list: &[[usize; 3]]| list.iter().any(|&[onset, _, end]| (onset..end).contains(&row));
            let expected = is_in(&possible) && !is_in(&episodes);
            prop_assert_eq!(unknown.iter().any(|range| range.contains(&row)), expected, "row {} of {}", row, rule);
        }
    }

    #[test]
    fn streaming_equals_batch(rule in rule(Kinds::Any), rows in any_rows(60)) {
        let frame = frame_of(&rows);
        let mut stream = RuleState::new(&rule, &schema(), Timestamp::EPOCH, Step::MINUTE).unwrap();
        let (mut events, mut known_after) = (Vec::new(), Vec::new());
        for (t, row) in rows.iter().enumerate() {
            prop_assert!(refused(row).iter().all(|wrong| stream.push(wrong).is_err()));
            let minute = stream.push(row).unwrap();
            known_after.extend(minute.events.iter().map(|_| t));
            events.extend(minute.events);
        }
        events.extend(stream.finish().unwrap());
        let (episodes, unknown) = found(&rule, &frame);
        let (mut ended, mut open, mut confirmed) = (Vec::new(), Vec::new(), Vec::new());
        let row_of = |time: Timestamp| (time.millis() / 60_000) as usize;
        for (index, event) in events.iter().enumerate() {
            match event {
                RuleEvent::Ended(episode) => ended.push(in_rows(episode)),
                RuleEvent::Unknown { from, until } => open.push(row_of(*from)..row_of(*until)),
                RuleEvent::Confirmed { onset, confirmed_at } => {
                    prop_assert!(onset <= confirmed_at);
                    prop_assert_eq!(known_after[index], row_of(*confirmed_at));
                    confirmed.push(row_of(*confirmed_at));
                }
            }
        }
        prop_assert_eq!(&ended, &episodes, "{}", rule);
        prop_assert_eq!(open, unknown, "{}", rule);
        // Each episode is announced in the very minute; an announcement whose episode turned out to continue an
        // earlier one is the only other kind.
        for [onset, minute, end] in &episodes {
            prop_assert!(confirmed.contains(minute), "{} at {}", rule, minute);
            prop_assert!(onset <= minute && minute < end);
        }
        for minute in confirmed {
            prop_assert!(episodes.iter().any(|&[onset, first, end]| onset <= minute && first <= minute && minute < end));
        }
    }

    #[test]
    fn streamed_labels_equal_batch_labels(
        rule in rule(Kinds::Any), rows in any_rows(50), spec in spec(), target in target()
    ) {
        let mut stream = LabelState::new(&rule, &schema(), Timestamp::EPOCH, Step::MINUTE, spec, target).unwrap();
        let mut labels = Vec::new();
        for (t, row) in rows.iter().enumerate() {
            prop_assert!(refused(row).iter().all(|wrong| stream.push(wrong).is_err()));
            let label = stream.push(row).unwrap();
            prop_assert_eq!(label.is_some(), t >= stream.delay());
            labels.extend(label);
        }
        labels.extend(stream.finish());
        // Each label comes with the time of its row.
        for (row, label) in labels.iter().enumerate() {
            prop_assert_eq!(label.time.millis(), row as i64 * 60_000);
        }
        let labels: Vec<Label> = labels.into_iter().map(|label| label.label).collect();
        prop_assert_eq!(labels, batch_labels(&rule, &rows, spec, target), "{}", rule);
    }

    /// Rows with their times need no row for a missed minute: what comes out is the same as with a row of nothing in
    /// its place.
    #[test]
    fn missed_minutes_are_rows_without_samples(
        rule in rule(Kinds::Any), rows in any_rows(40), missed in vec(0usize..40, 0..12), spec in spec(), target in target()
    ) {
        let whole: Rows = rows.iter().enumerate().map(|(t, row)| if missed.contains(&t) { [f32::NAN; 4] } else { *row }).collect();
        let at = |t: usize| Timestamp::from_millis(t as i64 * 60_000).unwrap();
        let start = || LabelState::new(&rule, &schema(), at(0), Step::MINUTE, spec, target).unwrap();
        let begin = || RuleState::new(&rule, &schema(), at(0), Step::MINUTE).unwrap();
        let (mut state, mut twin, mut minutes, mut minutes_twin) = (start(), start(), begin(), begin());
        let (mut labels, mut expected, mut told, mut told_twin) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let last = (0..rows.len()).rev().find(|t| !missed.contains(t)).map_or(0, |t| t + 1);
        for (t, row) in whole.iter().enumerate().take(last) {
            expected.extend(twin.push(row).unwrap());
            told_twin.push(minutes_twin.push(row).unwrap());
            if missed.contains(&t) {
                continue;
            }
            labels.extend(state.push_at(at(t), row).unwrap());
            told.extend(minutes.push_at(at(t), row).unwrap());
            // What comes late or between two minutes is refused, and leaves no trace.
            prop_assert!(state.push_at(at(t), row).is_err() && minutes.push_at(at(t), row).is_err());
            let between = Timestamp::from_millis(at(t + 1).millis() + 1).unwrap();
            prop_assert!(state.push_at(between, row).is_err() && minutes.push_at(between, row).is_err());
            prop_assert!(state.push_at(at(t + 10_000_000), row).is_err());
        }
        labels.extend(state.finish());
        expected.extend(twin.finish());
        prop_assert_eq!(labels, expected, "{}", rule);
        prop_assert_eq!(told, told_twin, "{}", rule);
    }

    #[test]
    fn a_restored_state_goes_on_as_if_it_had_never_stopped(
        rule in rule(Kinds::Any), rows in any_rows(50), stop in any::<Index>(), spec in spec(), target in target()
    ) {
        let stop = stop.index(rows.len() + 1);
        let states = |rule: &Rule, start| {
            let labels = LabelState::new(rule, &schema(), start, Step::MINUTE, spec, target).unwrap();
            (RuleState::new(rule, &schema(), start, Step::MINUTE).unwrap(), labels)
        };
        let (mut minutes, mut labels) = states(&rule, Timestamp::EPOCH);
        for row in &rows[..stop] {
            minutes.push(row).unwrap();
            labels.push(row).unwrap();
        }
        let mut saved = Vec::new();
        minutes.save(&mut saved).unwrap();
        labels.save(&mut saved).unwrap();
        // Of another start, and not at it any more: both are what was saved.
        let later = Timestamp::from_millis(86_400_000).unwrap();
        let (mut again, mut again_labels) = states(&rule, later);
        rows.iter().take(3).for_each(|row| drop((again.push(row).unwrap(), again_labels.push(row).unwrap())));
        let mut from = &saved[..];
        again.restore(&mut from).unwrap();
        again_labels.restore(&mut from).unwrap();
        prop_assert!(from.is_empty());
        prop_assert_eq!(format!("{again:?}"), format!("{minutes:?}"), "{}", rule);
        prop_assert_eq!(format!("{again_labels:?}"), format!("{labels:?}"), "{}", rule);
        for row in &rows[stop..] {
            prop_assert_eq!(again.push(row).unwrap(), minutes.push(row).unwrap(), "{}", rule);
            prop_assert_eq!(again_labels.push(row).unwrap(), labels.push(row).unwrap(), "{}", rule);
        }
        prop_assert_eq!(again.finish().unwrap(), minutes.finish().unwrap());
        prop_assert_eq!(again_labels.finish(), labels.finish());
        let (mut foreign, mut foreign_labels) = states(&Rule::new(rule.when().clone().negated()).unwrap(), later);
        prop_assert!(matches!(foreign.restore(&mut &saved[..]), Err(CoreError::ForeignState { .. })), "another rule");
        prop_assert!(foreign_labels.restore(&mut &saved[..]).is_err(), "another rule");
    }

    /// The checksum sees what happens by accident; these bytes are what somebody could make who knows it.
    #[test]
    fn damaged_bytes_never_panic(
        rule in rule(Kinds::Any), rows in any_rows(40), spec in spec(), target in target(),
        damage in vec((any::<Index>(), prop_oneof![any::<u8>(), Just(0), Just(1), Just(0xff)]), 1..8)
    ) {
        let mut minutes = RuleState::new(&rule, &schema(), Timestamp::EPOCH, Step::MINUTE).unwrap();
        let mut labels = LabelState::new(&rule, &schema(), Timestamp::EPOCH, Step::MINUTE, spec, target).unwrap();
        for row in &rows {
            minutes.push(row).unwrap();
            labels.push(row).unwrap();
        }
        let (mut a, mut b) = (Vec::new(), Vec::new());
        minutes.save(&mut a).unwrap();
        labels.save(&mut b).unwrap();
        // Version, fingerprint and length before the body, the checksum after it.
        let [mut a, mut b] = [a, b].map(|sealed| sealed[13..sealed.len() - 4].to_vec());
        prop_assert!(minutes.restore_body(&a).is_ok() && labels.restore_body(&b).is_ok());
        for (at, byte) in damage {
            for bytes in [&mut a, &mut b] {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let (mut other, mut other_labels) = (minutes.clone(), labels.clone());
            if other.restore_body(&a).is_ok() {
                // An error of a time beyond the calendar is one, a panic is none.
                rows.iter().for_each(|row| drop(other.push(row)));
                drop(other.finish());
            }
            if other_labels.restore_body(&b).is_ok() {
                rows.iter().for_each(|row| drop(other_labels.push(row)));
                drop(other_labels.finish());
            }
        }
    }

    #[test]
    fn every_rule_keeps_the_laws_of_rules(
        rule in rule(Kinds::Any), strict in rule(Kinds::Strict), rows in any_rows(40),
        lost in vec((0usize..40, 0usize..4), 1..12)
    ) {
        let frame = frame_of(&rows);
        conformance::failure_rule(&rule, frame.view())?;
        conformance::failure_rule(&strict, frame.view())?;
        conformance::missing_adds_nothing(&strict, frame.view(), lost)?;
        let longer = Rule::new(rule.when().clone().lasting(Span::steps(3))).unwrap();
        let plain = Rule::new(rule.when().clone()).unwrap();
        conformance::never_fails_more(&longer, &plain, frame.view())?;
    }

    /// On metrics, with limits, and of values that this crate's own strategies do not have.
    #[test]
    fn rules_of_any_schema_keep_the_laws_near_their_limits(
        rule in rule_on(&queues(), &[360.0, 0.5], Kinds::Strict),
        frame in frame_near("queue", queues(), &[("depth", 360.0), ("failed", 0.5)], 40),
        lost in vec((0usize..40, 0usize..2), 1..12)
    ) {
        conformance::failure_rule(&rule, frame.view())?;
        conformance::missing_adds_nothing(&rule, frame.view(), lost)?;
    }

    #[test]
    fn a_rule_that_is_no_value_streams_what_it_finds_in_a_batch(
        rule in rule(Kinds::Strict), rows in any_rows(150), stop in any::<Index>(), whole in any::<bool>()
    ) {
        // Farther back than any rule of the strategies looks, and much less than the longest frame has.
        let lookback = if whole { 200 } else { 60 };
        let start = || {
            let rule = Arc::new(rule.clone());
            AnyRuleState::new(rule, "service", &schema(), Timestamp::EPOCH, Step::MINUTE, lookback).unwrap()
        };
        let stop = stop.index(rows.len() + 1);
        let (mut state, mut events) = (start(), Vec::new());
        for (t, row) in rows.iter().enumerate() {
            if t == stop {
                let mut saved = Vec::new();
                state.save(&mut saved).unwrap();
                let mut again = start();
                let _ = again.push(row).unwrap();
                again.restore(&mut &saved[..]).unwrap();
                prop_assert!(saved.len() < 80 + 16 * (lookback + 40), "{}", saved.len());
                for end in 0..saved.len() {
                    prop_assert!(start().restore(&mut &saved[..end]).is_err());
                }
                state = again;
            }
            prop_assert!(refused(row).iter().all(|wrong| state.push(wrong).is_err()));
            events.extend(state.push(row).unwrap());
        }
        events.extend(state.finish().unwrap());
        let (episodes, unknown) = found(&rule, &frame_of(&rows));
        let row_of = |time: Timestamp| (time.millis() / 60_000) as usize;
        let (mut ended, mut open, mut confirmed) = (Vec::new(), vec![false; rows.len()], Vec::new());
        for event in events {
            match event {
                RuleEvent::Ended(episode) => ended.push(in_rows(&episode)),
                RuleEvent::Unknown { from, until } => open[row_of(from)..row_of(until)].fill(true),
                RuleEvent::Confirmed { confirmed_at, .. } => confirmed.push(row_of(confirmed_at)),
            }
        }
        prop_assert_eq!(&ended, &episodes, "{}", rule);
        let expected: Vec<bool> =
            (0..rows.len()).map(|row| unknown.iter().any(|range| range.contains(&row))).collect();
        prop_assert_eq!(open, expected, "{}", rule);
        prop_assert!(episodes.iter().all(|[_, minute, _]| confirmed.contains(minute)), "{}", rule);
    }

    #[test]
    fn pieces_are_labelled_like_the_whole(
        rule in rule(Kinds::Any), services in vec(any_rows(30), 1..4), rows_a_piece in 1usize..20, spec in spec(), target in target()
    ) {
        let frame = |(service, rows): (usize, &Rows)| {
            let start = Timestamp::from_millis(service as i64 * 600_000).unwrap();
            Frame::new(format!("s{service}"), schema(), start, Step::MINUTE, rows.concat()).unwrap()
        };
        let frames = FrameSet::from_frames(services.iter().enumerate().map(frame).collect()).unwrap();
        let whole = label(&frames, &rule, spec, target).unwrap();
        let pieces = label_pieces(&mut InPieces::new(&frames, rows_a_piece), &rule, spec, target).unwrap();
        prop_assert_eq!(pieces.as_slice(), whole.as_slice(), "{}", rule);
        prop_assert_eq!(pieces.episodes(), whole.episodes(), "{}", rule);
        prop_assert_eq!(pieces.purge(), whole.purge());
        // What a model of when failures begin is told: as far as a period was seen, and no further.
        let [pieces, whole] = [pieces, whole].map(|labels| labels.samples(|_, _| true));
        prop_assert_eq!(pieces.excluded(), whole.excluded());
        prop_assert_eq!(pieces.partly_observed(), whole.partly_observed(), "{}", rule);
        let [pieces, whole] = [&pieces, &whole].map(|samples| {
            let on = samples.on(&frames).unwrap();
            let (_, partly) = on.partly_observed().unwrap();
            let outcomes = [on.outcomes().unwrap(), partly];
            outcomes.map(|outcomes| (0..outcomes.len()).map(|index| outcomes.get(index)).collect::<Vec<_>>())
        });
        prop_assert_eq!(pieces, whole, "{}", rule);
    }

    #[test]
    fn more_data_never_changes_an_onset_label(
        rule in rule(Kinds::Any), rows in any_rows(50), kept in 0usize..50, spec in spec()
    ) {
        let kept = kept.min(rows.len());
        let (early, late) =
            (batch_labels(&rule, &rows[..kept], spec, Target::Onset), batch_labels(&rule, &rows, spec, Target::Onset));
        for (row, label) in early.into_iter().enumerate() {
            if label != Label::Excluded(Exclusion::Censored) {
                prop_assert_eq!(label, late[row], "row {} of {}", row, rule);
            }
        }
    }

    #[test]
    fn a_missing_sample_never_makes_a_failure(
        rule in rule(Kinds::Strict), rows in any_rows(40), lost in vec((0usize..40, 0usize..4), 1..12)
    ) {
        let mut fewer = rows.clone();
        for (row, column) in lost {
            if let Some(row) = fewer.get_mut(row) {
                row[column] = f32::NAN;
            }
        }
        for (row, (before, after)) in failing(&rule, &rows).into_iter().zip(failing(&rule, &fewer)).enumerate() {
            prop_assert!(before.0 || !after.0, "row {row} of {rule} fails");
            prop_assert!(!before.1 || after.1, "row {row} of {rule} is healthy");
        }
    }

    #[test]
    fn nothing_but_missing_samples_is_unknown_at_worst(rule in rule(Kinds::Any), count in 0usize..30) {
        let fails = !found(&rule, &frame_of(&vec![[f32::NAN; 4]; count])).0.is_empty();
        prop_assert!(!fails || rule.to_string().contains("absent") || negates_evidence(rule.when()), "{}", rule);
    }

    #[test]
    fn raising_a_threshold_never_adds_violations(
        measure in measure(Kinds::Any), is in ordering(), limit in -4i8..20, more in 1i8..8, rows in any_rows(40)
    ) {
        let at = |quarters: i8| Rule::new(measure.clone().compare(is, f32::from(quarters) / 4.0)).unwrap();
        let (low, high) = (failing(&at(limit), &rows), failing(&at(limit + more), &rows));
        let is_upper = matches!(is, crate::Comparison::AtLeast | crate::Comparison::Above);
        let (stricter, looser) = if is_upper { (high, low) } else { (low, high) };
        for (row, (strict, loose)) in stricter.into_iter().zip(looser).enumerate() {
            prop_assert!(strict.0 <= loose.0 && strict.1 <= loose.1, "row {row}");
        }
    }

    #[test]
    fn lasting_longer_never_adds_episodes(
        leaf in measure(Kinds::Any), limit in -4i8..20, lasting in 1u32..5, rows in sticky_rows(60)
    ) {
        let count = |steps| {
            let when = leaf.clone().at_least(f32::from(limit) / 4.0).lasting(Span::steps(steps));
            found(&Rule::new(when).unwrap(), &frame_of(&rows)).0.len()
        };
        prop_assert!(count(lasting + 1) <= count(lasting));
    }

    #[test]
    fn asking_for_more_of_a_span_never_adds_failing_minutes(
        rule in rule(Kinds::Any), times in 1u32..5, more in 0u32..3, rows in any_rows(40)
    ) {
        let of = |times: u32, within: u32| {
            let when = rule.when().clone().frequent(times, Span::steps(within));
            failing(&Rule::shaped(when, rule.episodes().clone()).unwrap(), &rows)
        };
        let within = times + 1 + more;
        for (row, (strict, loose)) in of(times + 1, within).into_iter().zip(of(times, within)).enumerate() {
            prop_assert!(strict.0 <= loose.0 && strict.1 <= loose.1, "row {row} of {rule}");
        }
    }

    #[test]
    fn shifting_time_shifts_episodes(rule in rule(Kinds::Any), frame in frame(40), minutes in -100_000i64..100_000) {
        let start = Timestamp::EPOCH.checked_add(Step::MINUTE, minutes).unwrap();
        let moved = Frame::new("service", schema(), start, Step::MINUTE, frame.view().values().to_vec()).unwrap();
        let (here, there) = (rule.assess(frame.view()).unwrap(), rule.assess(moved.view()).unwrap());
        let shift = |time: Timestamp| time.checked_add(Step::MINUTE, minutes).unwrap();
        let expected: Vec<_> = here.episodes.iter()
            .map(|e| Episode::new(shift(e.onset()), shift(e.confirmed_at()), shift(e.end())).unwrap())
            .collect();
        prop_assert_eq!(&there.episodes[..], &expected[..]);
        prop_assert_eq!(here.unknown, there.unknown);
    }

    #[test]
    fn far_apart_failures_do_not_know_of_each_other(
        first in sticky_rows(30), second in sticky_rows(30), episodes in shape(),
        limits in (1u8..6, 1u8..6), spans in (1u32..4, 1u32..4)
    ) {
        let part = |metric: &str, limit: u8, span| Measure::metric(metric).at_least(f32::from(limit)).lasting(Span::steps(span));
        let when = part("a", limits.0, spans.0).or(part("b", limits.1, spans.1));
        let rule = Rule::shaped(when, episodes).unwrap();
        // Healthy for longer than any evidence, gap or recovery of these rules.
        let quiet = vec![[0.0; 4]; 12];
        let whole = [first.clone(), quiet.clone(), second.clone()].concat();
        let (mut expected, mut unknown) = found(&rule, &frame_of(&[first.clone(), quiet].concat()));
        let before = first.len() + 12;
        let (later, later_unknown) = found(&rule, &frame_of(&second));
        expected.extend(later.into_iter().map(|times| times.map(|row| row + before)));
        unknown.extend(later_unknown.into_iter().map(|range| range.start + before..range.end + before));
        prop_assert_eq!(found(&rule, &frame_of(&whole)), (expected, unknown), "{}", rule);
    }

    #[test]
    fn a_threshold_is_the_same_rule_on_the_fast_path_and_as_a_stream(
        is in comparison(), limit in 0u8..6, consecutive in 1usize..5, rows in any_rows(200)
    ) {
        let threshold = ThresholdRule::new("a", is, f32::from(limit), consecutive).unwrap();
        let rule = Rule::from(threshold.clone());
        prop_assert_eq!(rule.as_threshold(), Some(threshold.clone()));
        prop_assert_eq!(rule.to_string(), threshold.describe());
        prop_assert_eq!(rule.confirmation(), threshold.confirmation());
        prop_assert_eq!(rule.settling_at(Step::MINUTE), 0);
        // Two of the same say nothing more, and take the general path.
        let twice = Rule::new(rule.when().clone().or(rule.when().clone())).unwrap();
        prop_assert_eq!(twice.as_threshold(), None);
        prop_assert_eq!(found(&twice, &frame_of(&rows)), found(&threshold, &frame_of(&rows)));
    }

    #[test]
    fn the_v1_rule_of_core_is_the_one_of_this_crate(rows in any_rows(60)) {
        // Shares are eighths: with a limit of 5 % all but 0 violate.
        let schema = Schema::new(vec![Metric::gauge("error_rate")]).unwrap();
        let rates = rows.iter().map(|row| row[2] / 2.0).collect();
        let frame = Frame::new("service", schema, Timestamp::EPOCH, Step::MINUTE, rates).unwrap();
        let (ours, core) = (Rule::v1().assess(frame.view()).unwrap(), V1Rule.assess(frame.view()).unwrap());
        prop_assert_eq!(ours, core);
        prop_assert_eq!(Rule::v1().describe(), V1Rule.describe());
        prop_assert_eq!(Rule::v1().confirmation(), V1Rule.confirmation());
    }

    /// Sentences say what is left out by custom (how much of a mean must be known), and nothing else: what they are
    /// read as says the same.
    #[test]
    fn sentences_are_read_as_they_are_written(condition in condition(Kinds::Any)) {
        let sentence = condition.to_string();
        if let Ok(read) = sentence.parse::<Condition>() {
            // Brackets around a single part, and `and` within `and`, are not written again.
            let again: Condition = read.to_string().parse().unwrap();
            prop_assert_eq!(again.to_string(), read.to_string(), "{}", sentence);
            prop_assert_eq!(again.metrics(), condition.metrics());
        } else {
            // The few things that are written for people alone.
            let alone = ["chance", "quantile", "around this time"];
            prop_assert!(alone.iter().any(|words| sentence.contains(words)), "{}: {:?}", sentence, sentence.parse::<Condition>());
        }
    }

    #[test]
    fn no_sentence_panics(text in "[a-z0-9.%<>=!()\"/, -]{0,40}|(error_rate|and|or|not|for|5|%|ms|s|steps|in|of|is|absent|\\(|\\)|>=|<|==|\"|its|mean| ){0,24}") {
        let _ = text.parse::<Condition>();
    }

    #[test]
    fn rules_are_values(rule in rule(Kinds::Any), other in rule(Kinds::Any)) {
        let hash = |rule: &Rule| std::hash::BuildHasher::hash_one(&BuildHasherDefault::<DefaultHasher>::default(), rule);
        for read in [Rule::from_json(&rule.to_json().unwrap()), Rule::from_toml(&rule.to_toml().unwrap())] {
            let read = read.unwrap();
            prop_assert_eq!(hash(&read), hash(&rule));
            prop_assert_eq!(read, rule.clone());
        }
        prop_assert_eq!(rule == other, rule.to_json().unwrap() == other.to_json().unwrap());
    }
}

proptest! {
    // A case saves and restores states in a dozen rows.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn verdicts_of_every_rule_keep_the_laws_of_features(rule in rule(Kinds::Any), rows in any_rows(30)) {
        let frame = frame_of(&rows);
        let verdicts = Verdicts::of(&rule, frame.view().schema());
        conformance::feature(&verdicts, frame.view())?;
        conformance::saved_feature(&verdicts, &crate::register(Registry::new()), frame.view())?;
    }
}
