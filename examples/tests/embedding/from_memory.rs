//! A program with numbers of its own in memory: times of the system's clock, values in `f64`, flags and scores.

use forewarn::{
    core::Labels,
    eval::{Events, KnownFailures, LabelMeaning, ScoreFile},
    prelude::*,
};
use std::{
    collections::BTreeMap,
    error::Error,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Latencies of an hour; the service fails from minute 40 to minute 45.
fn latencies() -> Vec<f64> {
    (0..60).map(|minute| if (40..46).contains(&minute) { 900.0 } else { 100.0 + f64::from(minute) }).collect()
}

#[test]
fn numbers_of_a_program_become_frames_labels_and_figures() -> Result<(), Box<dyn Error>> {
    let clock = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_409_600);
    let start = Timestamp::try_from(clock)?;
    assert_eq!(start.to_string(), "2026-03-02T00:00:00Z");
    let schema = Schema::new(vec![Metric::gauge("latency")])?;
    let frame = Frame::from_f64("shop", schema, start, Step::MINUTE, &latencies())?;
    let failing = frame.view().column("latency")?.map(|latency| latency > 500.0);
    let episodes = Episodes::from_flags(start, Step::MINUTE, 1, failing)?;
    let frames = FrameSet::from_frames(vec![frame])?;

    // A label for every row, without a loop over windows.
    let (layout, spec) = (Arc::clone(frames.layout()), WindowSpec::default());
    let labels = Labels::from_episodes(layout, spec, Target::Onset, 1, vec![episodes.clone()])?;
    let samples = labels.samples(|_, _| true);
    // Rows 9 to 54 have a window before them and a period after them, and six of these are within the failure.
    assert_eq!((samples.len(), samples.positives()), (46 - 6, 5));

    // Scores of a predictor that forewarn knows nothing about: high from minute 37 on, and once for nothing.
    let minute = |minute: i64| start.checked_add(Step::MINUTE, minute).ok_or("on the calendar");
    let score = |m| if (37..40).contains(&m) || m == 20 { 0.75 } else { 0.125 };
    let scores: Vec<(&str, Timestamp, Score)> = (0..60)
        .map(|m| Ok(("shop", minute(m)?, Score::new(score(m))?)))
        .collect::<Result<_, Box<dyn Error>>>()?;
    let known = BTreeMap::from([("shop".to_owned(), episodes)]);
    let failures = KnownFailures::List { episodes: &known, spec, step: None };
    let set = ScoreFile::from_scores(scores)?.judge(failures, LabelMeaning::Begins)?.set;
    let (scores, positive) = set.pooled("all")?;
    // Three of the five positives are among the first four windows, the other two among all 49.
    let expected = 3.0 / 5.0 * 3.0 / 4.0 + 2.0 / 5.0 * 5.0 / 49.0;
    assert_eq!((positive.len(), positive.iter().filter(|&&positive| positive).count()), (49, 5));
    assert!((average_precision(&scores, &positive)? - expected).abs() < 1e-12);

    // Alarms are matched with failures, each once.
    let totals = Events::new(&set, AlarmPolicy::for_window(Score::new(0.5)?, set.spec())).totals();
    assert_eq!((totals.caught(), totals.false_alarms), (1, 1));
    assert_eq!(totals.leads_minutes, [3.0]);
    Ok(())
}
