//! From raw samples to windows: alignment, features (one of them fitted), a walk forward, normalisation, sampling with
//! weights, a model, and the same windows live, by a pipeline that was saved.
//!
//! `cargo run --release --example windows`

use forewarn::{
    core::Origin,
    prelude::*,
    schema::{Kind, RawSample, Unit, ValidRange},
    window::{
        Alignment, BalancedBatches, Calendar, Cycle, FeatureExt, Impute, Normalisation, Profile,
        RecentNormal, Rolling, SeasonalProfile, Select, Statistic, WalkForward, downsample_negatives,
        hard_negatives,
    },
};
use std::error::Error;

const DAYS: i64 = 6;

/// What a scraper has: every 20 seconds or so a count of all requests since the process began, an error rate and a
/// latency. It misses some, and the process restarts each day. Errors come in bursts, a slow rise of latency before
/// each.
fn scraped() -> Vec<RawSample> {
    let (mut samples, mut requests) = (Vec::new(), 0.0);
    for tick in 0..DAYS * 1440 * 3 {
        let (minute, jitter) = (tick / 3, (tick * 7919) % 5000);
        let time = Timestamp::from_millis(1_704_067_200_000 + tick * 20_000 + jitter).expect("in 2024");
        requests =
            if minute % 1440 == 0 && tick % 3 == 0 { 0.0 } else { requests + 300.0 + (tick % 40) as f64 };
        let to_burst = 240 - minute % 240;
        let rise = if to_burst <= 12 { (12 - to_burst) as f64 * 15.0 } else { 0.0 };
        let errors = if minute % 240 < 6 && minute > 10 { 0.2 } else { 0.002 + (tick % 7) as f64 * 0.001 };
        let missed = tick % 97 == 0;
        for (metric, value) in [(0, requests), (1, errors), (2, 120.0 + rise + (tick % 11) as f64)] {
            if !missed {
                samples.push(RawSample { metric, time, value });
            }
        }
    }
    samples
}

/// What a model sees: filled metrics and their changes, which cells were filled, how latency compares with its last
/// half hour, the hour, and what training says is normal at that hour.
fn features(normal: SeasonalProfile) -> Result<Features, Box<dyn Error>> {
    let fill = Impute::last(5)?;
    let latency = || Select::only(&["p99_latency"]);
    Ok(Features::new()
        .with(fill.clone().then(Features::default()))
        .with(fill.mask())
        .with(RecentNormal::new(30)?.with_metrics(latency()))
        .with(Rolling::new(Statistic::Slope, 10)?.with_metrics(latency()))
        .with(Calendar::time_of_day())
        .with(normal))
}

fn main() -> Result<(), Box<dyn Error>> {
    let raw = Schema::new(vec![
        Metric::new("requests_total", Unit::Dimensionless, Kind::Counter, ValidRange::NON_NEGATIVE),
        Metric::new("error_rate", Unit::Ratio, Kind::Ratio, ValidRange::UNIT),
        Metric::new("p99_latency", Unit::Milliseconds, Kind::Gauge, ValidRange::NON_NEGATIVE),
    ])?;
    let (frame, counts) = Alignment::to(Step::MINUTE).frame("checkout", &raw, scraped())?;
    println!(
        "{} raw samples, {} rows, {} counter resets",
        counts.samples,
        frame.view().rows(),
        counts.resets
    );
    let frames = FrameSet::from_frames(vec![frame])?;

    let rule: ThresholdRule = "error_rate >= 0.05 for 2 consecutive steps".parse()?;
    let labels = label(&frames, &rule, WindowSpec::default(), Target::Onset)?;
    // A model that is refitted every day: three folds, each trained on all days before.
    let folds = WalkForward::new(3, 1440, 720).split(&labels)?;
    let mut last = None;
    for (number, split) in folds.iter().enumerate() {
        let normal = Profile::new(Cycle::Day, 60)?.fit(split.train(), &frames)?;
        let features = features(normal)?;
        let pipeline =
            Pipeline::fit(features, split.train(), &frames, Normalisation::Robust, Scope::Service, 1)?;
        let pipeline = pipeline.with_limit(10.0)?;
        let columns = pipeline.apply(&frames)?;
        let train = split.train().on(&columns)?;
        println!(
            "fold {}: {} train windows ({} positive), {} test windows of {} x {}",
            number + 1,
            train.windows().len(),
            train.positives(),
            split.test().len(),
            train.windows().observation(),
            columns.schema().len()
        );
        last = Some((split, pipeline, columns));
    }
    let (split, pipeline, columns) = last.ok_or("there are three folds")?;

    // Fewer negatives, still a training part: each stands for five, and the model is told so.
    let picked = downsample_negatives(split.train(), 0.2, 7)?;
    let (train, validation) = (picked.samples().on(&columns)?, split.validation().on(&columns)?);
    assert!(train.weights().is_some_and(|weights| weights.contains(&5.0)));
    let model = LogisticRegression::default().fit(train, validation, &mut Silent)?;
    // Which negatives does it take for failures? A second round learns from them.
    let all = split.train().on(&columns)?;
    let hard = hard_negatives(split.train(), &model.score_all(all.windows())?, 200, 800, 7)?;
    let second = LogisticRegression::default().fit(hard.samples().on(&columns)?, validation, &mut Silent)?;
    let test = split.test().on(&columns)?;
    for (round, model) in [("one", &model), ("two, with hard negatives", &second)] {
        let precision = average_precision(&model.score_all(test.windows())?, test.positive())?;
        // These bursts announce themselves; in real metrics a figure near 1 is the sign of a leak.
        println!("test PR-AUC of round {round}: {precision:.2}");
    }
    let mut batches = BalancedBatches::new(train.positive(), 64, 16, 7)?;
    let size = train.windows().observation() * columns.schema().len();
    let mut batch = vec![0.0; 64 * size];
    train.windows().gather(batches.deal(), &mut batch)?;
    println!("one of {} batches an epoch: 64 windows, 16 of them positive", batches.batches_an_epoch());

    // A tensor library can take the block as it is: `as_strided` with these is every window, and nothing is copied.
    let (shape, strides) = train.windows().shape_and_strides();
    println!(
        "as one tensor of shape {shape:?} with strides {strides:?} over {} values",
        columns.values().len()
    );

    // Saved and read, and live: each sample gives the window that ends in it, identical to that of the batch.
    let saved = serde_json::to_string(&pipeline)?;
    let pipeline: Pipeline = serde_json::from_str(&saved)?;
    let frame = frames.frame(0).ok_or("there is one service")?;
    let mut live = pipeline.bind(frames.schema(), 10)?.start(Origin::from(frame))?;
    let width = columns.schema().len();
    for (row, sample) in frame.values().chunks_exact(frames.schema().len()).enumerate() {
        if let Some(window) = live.push_at(frame.time(row), sample)?.result.and_then(|window| window.get(0)) {
            let batch = &columns.values()[(row - 9) * width..(row + 1) * width];
            assert!(window.iter().zip(batch).all(|(live, batch)| live.to_bits() == batch.to_bits()));
        }
    }
    println!("every live window equals that of the batch");
    assert_eq!((counts.resets, folds.len()), (DAYS as usize - 1, 3));
    Ok(())
}
