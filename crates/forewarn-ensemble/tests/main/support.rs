//! Small labelled data as a split, which is the only way to a fit.

use forewarn_core::{Estimator, Label, Labels, Silent, Split, Target, WindowSpec};
use forewarn_schema::{Episodes, Frame, FrameSet, Metric, Schema, Step, Timestamp};
use std::sync::Arc;

/// One block of rows, as three services that hold the same: `a` is trained on, `b` validates, `c` tests.
pub(crate) struct Data {
    pub(crate) frames: FrameSet,
    pub(crate) split: Split,
    pub(crate) spec: WindowSpec,
    pub(crate) values: Vec<f32>,
}

impl Data {
    pub(crate) fn new(schema: &Schema, observation: usize, values: &[f32], positive: &[bool]) -> Self {
        let frame = |service| {
            Frame::new(service, schema.clone(), Timestamp::EPOCH, Step::MINUTE, values.to_vec()).unwrap()
        };
        let frames = FrameSet::from_frames(["a", "b", "c"].map(frame).into()).unwrap();
        let spec = WindowSpec::new(observation, 0, 5).unwrap();
        let label = |&positive: &bool| if positive { Label::Positive } else { Label::Negative };
        let labels: Vec<Label> = positive.iter().map(label).collect();
        let episodes = vec![Episodes::default(); 3];
        let labels =
            Labels::new(Arc::clone(frames.layout()), spec, Target::Onset, 1, labels.repeat(3), episodes)
                .unwrap();
        let [a, b, c] = [0, 1, 2].map(|part| labels.samples(|service, _| service == part));
        let split = Split::new(a, b, c, labels.purge()).unwrap();
        Self { frames, split, spec, values: values.to_vec() }
    }

    pub(crate) fn fit<E: Estimator>(&self, estimator: &E) -> Result<E::Fitted, forewarn_core::CoreError> {
        let (train, validation) = (self.split.train(), self.split.validation());
        estimator.fit(train.on(&self.frames)?, validation.on(&self.frames)?, &mut Silent)
    }

    /// Whether each window (from row `observation - 1` on) is positive.
    pub(crate) fn positive(&self) -> &[bool] {
        self.split.test().positive()
    }
}

pub(crate) fn gauges(names: &[&str]) -> Schema {
    Schema::new(names.iter().map(|name| Metric::gauge(*name)).collect()).unwrap()
}

/// Three features of which the first decides with the change of the second, and one value in ten is missing.
pub(crate) fn noisy(rows: usize) -> Data {
    use rand::{RngExt, SeedableRng};
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(21);
    let (mut values, mut positive): (Vec<f32>, Vec<bool>) = (Vec::new(), Vec::new());
    for row in 0..rows {
        let mut sample: Vec<f32> = (0..3).map(|_| random.random_range(-2f32..2.0)).collect();
        let before = if row == 0 { 0.0 } else { values[3 * row - 2] };
        let change = if before.is_nan() { 0.0 } else { sample[1] - before };
        let log_odds = f64::from(2.0 * sample[0] + if change > 1.0 { 2.0 } else { -2.0 });
        positive.push(random.random::<f64>() < forewarn_core::sigmoid(log_odds));
        if random.random::<f32>() < 0.1 {
            sample[random.random_range(0..3)] = f32::NAN;
        }
        values.extend(sample);
    }
    Data::new(&gauges(&["m0", "m1", "m2"]), 4, &values, &positive)
}

/// Through the bytes of a file.
pub(crate) fn through_a_file(envelope: &forewarn_core::Envelope) -> forewarn_core::Envelope {
    let mut file = Vec::new();
    envelope.write(&mut file).unwrap();
    forewarn_core::Envelope::from_bytes(&file).unwrap()
}
