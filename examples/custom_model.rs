//! A source, a failure rule, a feature and a model of one's own, beside forewarn's: nothing in forewarn knows about job queues.
//!
//! `cargo run --release --example custom_model`

use forewarn::core::{
    Assessment, CoreError, FeatureState, LabelledWindows, Monitor, Train, Validation, Windows, restore_part,
    save_part,
};
use forewarn::experiment::{Data, Rows};
use forewarn::schema::{Episode, FrameView, Kind, Unit, ValidRange};
use forewarn::{baseline::Input, prelude::*};
use std::error::Error;

/// Job queues of two workers. Work arrives in waves; a worker that gets more than it can do falls behind until the wave is over.
struct Queues {
    minutes: usize,
}

impl Source for Queues {
    fn describe(&self) -> String {
        format!("two job queues over {} minutes", self.minutes)
    }

    fn frames(&mut self) -> Result<FrameSet, CoreError> {
        let jobs =
            |name| Metric::new(name, Unit::Other("jobs".into()), Kind::Gauge, ValidRange::NON_NEGATIVE);
        let schema = Schema::new(vec![jobs("arrivals"), jobs("depth")])?;
        let worker = |(service, wave_minutes): (&str, f32)| {
            let mut depth = 0.0f32;
            let samples = (0..self.minutes).flat_map(|minute| {
                let wave = (minute as f32 * std::f32::consts::TAU / wave_minutes).sin();
                // Jitter without a random generator: the fractional part of a multiple of the golden ratio.
                let jitter = (minute as f32 * 0.618_034).fract() * 30.0;
                let arrivals = 85.0 + 40.0 * wave + jitter;
                depth = (depth + arrivals - 120.0).max(0.0);
                [arrivals, depth]
            });
            Frame::new(service, schema.clone(), Timestamp::EPOCH, Step::MINUTE, samples.collect())
        };
        let frames: Result<Vec<Frame>, _> =
            [("mail", 97.0), ("images", 131.0)].into_iter().map(worker).collect();
        Ok(FrameSet::from_frames(frames?)?)
    }
}

/// Failing: more jobs wait than three minutes of work.
struct Backlog {
    jobs: f32,
}

impl FailureRule for Backlog {
    fn describe(&self) -> String {
        format!("more than {} jobs wait", self.jobs)
    }

    fn confirmation(&self) -> usize {
        1
    }

    fn assess(&self, frame: FrameView<'_>) -> Result<Assessment, CoreError> {
        // Yes, no, or nothing where the sample is missing: unknown is not healthy.
        let failing = |depth: f32| if depth.is_nan() { None } else { Some(depth > self.jobs) };
        let failing: Vec<Option<bool>> = frame.column("depth")?.map(failing).collect();
        let (mut episodes, mut unknown, mut row) = (Vec::new(), Vec::new(), 0);
        for run in failing.chunk_by(|a, b| a == b) {
            let end = row + run.len();
            match run[0] {
                Some(true) => episodes.push(Episode::new(frame.time(row), frame.time(row), frame.time(end))?),
                Some(false) => {}
                None => unknown.push(row..end),
            }
            row = end;
        }
        Ok(Assessment { episodes: Episodes::new(episodes)?, unknown })
    }
}

/// An exponentially weighted mean of the arrivals.
struct SmoothArrivals {
    weight: f32,
}

impl Feature for SmoothArrivals {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, forewarn::schema::SchemaError> {
        input.index_of("arrivals")?;
        Ok(vec![Metric::gauge("smooth(arrivals)")])
    }

    fn start(
        &self,
        input: &Schema,
        _: forewarn::core::Origin<'_>,
    ) -> Result<Box<dyn FeatureState>, forewarn::schema::SchemaError> {
        Ok(Box::new(Smooth { column: input.index_of("arrivals")?, weight: self.weight, mean: f32::NAN }))
    }
}

#[derive(Clone, Debug)]
struct Smooth {
    column: usize,
    weight: f32,
    mean: f32,
}

impl FeatureState for Smooth {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        let sample = row[self.column];
        if self.mean.is_nan() {
            self.mean = sample;
        } else if !sample.is_nan() {
            self.mean += self.weight * (sample - self.mean);
        }
        out[0] = self.mean;
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&self.mean, out)
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        self.mean = restore_part(from)?;
        Ok(())
    }
}

/// Whichever class's mean row is nearer to the last row of the window.
struct NearestMean;

struct FittedNearestMean {
    schema: Schema,
    observation: usize,
    /// Mean rows of negative and of positive windows.
    means: [Vec<f32>; 2],
}

impl Estimator for NearestMean {
    type Fitted = FittedNearestMean;

    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        _: Validation<LabelledWindows<'_>>,
        _: &mut dyn Monitor,
    ) -> Result<FittedNearestMean, CoreError> {
        train.expect_both_classes("train")?;
        let schema = train.windows().schema().clone();
        let mut means = [vec![0.0; schema.len()], vec![0.0; schema.len()]];
        let counts = [train.positive().len() - train.positives(), train.positives()];
        for (row, &positive) in train.windows().iter_last().zip(train.positive()) {
            let class = usize::from(positive);
            for (mean, value) in means[class].iter_mut().zip(row).filter(|(_, value)| !value.is_nan()) {
                *mean += value / counts[class] as f32;
            }
        }
        Ok(FittedNearestMean { schema, observation: train.windows().observation(), means })
    }
}

impl Predictor for FittedNearestMean {
    fn input(&self) -> &Schema {
        &self.schema
    }

    fn observation(&self) -> usize {
        self.observation
    }

    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.expect_shapes(windows, scores)?;
        for (row, score) in windows.iter_last().zip(scores) {
            let distance = |mean: &[f32]| -> f64 {
                row.iter().zip(mean).filter(|(x, _)| !x.is_nan()).map(|(x, m)| f64::from(x - m).powi(2)).sum()
            };
            *score = Score::from_logit(distance(&self.means[0]) - distance(&self.means[1]))?;
        }
        Ok(())
    }
}

/// Runs the experiment; the report has our model beside forewarn's.
fn experiment() -> Result<forewarn::eval::Report, Box<dyn Error>> {
    let data = Data::from_source(&mut Queues { minutes: 14 * 24 * 60 })?;
    let results = Experiment::new(Backlog { jobs: 360.0 })
        .with_features(Features::default().with(SmoothArrivals { weight: 0.2 }))
        .with_model(Model::new("nearest_mean", "the nearer of two class means", Rows::Features, NearestMean))
        .with_model(Model::new(
            "logistic_snapshot",
            "logistic regression on the last minute",
            Rows::Features,
            LogisticRegression::new(Input::Snapshot),
        ))
        .run(data, &|_: forewarn::experiment::Progress<'_>| {})?;
    Ok(results.report().clone())
}

fn main() -> Result<(), Box<dyn Error>> {
    let report = experiment()?;
    println!("{}", forewarn::report::Present::to_table(&report));
    assert!(report.models.iter().all(|model| model.pr_auc > report.test.prevalence));
    Ok(())
}

#[test]
fn a_source_a_rule_a_feature_and_a_model_of_ones_own() {
    let report = experiment().unwrap();
    let names: Vec<&str> = report.models.iter().map(|model| &*model.name).collect();
    assert_eq!(names, ["nearest_mean", "logistic_snapshot"]);
    assert_eq!(report.failure_rule, "more than 360 jobs wait");
    assert!(report.features.contains(&"smooth(arrivals)".to_owned()));
    assert_eq!(report.input.services, 2);
    assert!(report.models.iter().all(|model| model.pr_auc > 2.0 * report.test.prevalence));
}

/// What forewarn asks of every rule, feature and model, asked of ours on an hour with gaps.
#[test]
fn ours_keep_the_laws() -> Result<(), Box<dyn Error>> {
    use forewarn::core::conformance;

    let frames = Queues { minutes: 60 }.frames()?;
    let (whole, schema) = (frames.frame(0).expect("a worker"), frames.schema().clone());
    let gaps = |(index, value): (usize, &f32)| if index % 13 < 3 { f32::NAN } else { *value };
    let samples = whole.values().iter().enumerate().map(gaps).collect();
    let frame = Frame::new("mail", schema.clone(), Timestamp::EPOCH, Step::MINUTE, samples)?;
    for jobs in [10.0, 100.0, 360.0] {
        conformance::failure_rule(&Backlog { jobs }, frame.view())?;
        conformance::missing_adds_nothing(
            &Backlog { jobs },
            frame.view(),
            (0..60).step_by(7).map(|row| (row, 1)),
        )?;
        conformance::never_fails_more(&Backlog { jobs: jobs + 50.0 }, &Backlog { jobs }, frame.view())?;
    }
    conformance::feature(&SmoothArrivals { weight: 0.2 }, frame.view())?;
    let means = [vec![80.0, 10.0], vec![120.0, 500.0]];
    conformance::predictor(&FittedNearestMean { schema, observation: 10, means }, frame.view())?;
    Ok(())
}
