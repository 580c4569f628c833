//! A task that needs the order of the rows: in every window one feature jumps up once and down once, and the window is positive
//! when the jump up came first. No single row tells, nor any set of rows without their order.

use forewarn_core::{Exclusion, Label, Labels, Split, Target, WindowSpec};
use forewarn_schema::{Frame, FrameSet, Metric, Schema, Step, Timestamp};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

pub(crate) const OBSERVATION: usize = 6;

/// Whether windows keep the order of their rows.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Rows {
    InOrder,
    Shuffled,
}

pub(crate) struct Task {
    pub(crate) frames: FrameSet,
    pub(crate) split: Split,
}

pub(crate) fn below(generator: &mut ChaCha8Rng, count: usize) -> usize {
    generator.next_u32() as usize % count
}

/// A number in -1..1.
pub(crate) fn number(generator: &mut ChaCha8Rng) -> f32 {
    (generator.next_u32() >> 8) as f32 / 8_388_608.0 - 1.0
}

pub(crate) fn schema() -> Schema {
    Schema::new(vec![Metric::gauge("jumps"), Metric::gauge("noise")]).unwrap()
}

impl Task {
    /// `windows` windows that share no row: 60 % train, 20 % validation, 20 % test.
    pub(crate) fn new(windows: usize, rows: Rows, seed: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let (mut values, mut labels) = (Vec::new(), Vec::new());
        for _ in 0..windows {
            let up = below(&mut generator, OBSERVATION - 1);
            let down = (up + 1 + below(&mut generator, OBSERVATION - 2)) % (OBSERVATION - 1);
            let mut window: Vec<[f32; 2]> =
                (0..OBSERVATION).map(|_| [0.3 * number(&mut generator), number(&mut generator)]).collect();
            window[up][0] += 2.0;
            window[down][0] -= 2.0;
            if rows == Rows::Shuffled {
                for last in (1..OBSERVATION).rev() {
                    window.swap(last, below(&mut generator, last + 1));
                }
            }
            values.extend(window.concat());
            labels.extend([Label::Excluded(Exclusion::Missing); OBSERVATION - 1]);
            labels.push(if up < down { Label::Positive } else { Label::Negative });
        }
        let frame = Frame::new("service", schema(), Timestamp::EPOCH, Step::MINUTE, values).unwrap();
        let frames = FrameSet::from_frames(vec![frame]).unwrap();
        let spec = WindowSpec::new(OBSERVATION, 0, 1).unwrap();
        let labels =
            Labels::new(frames.layout().clone(), spec, Target::Onset, 1, labels, vec![Default::default()])
                .unwrap();
        let part = |from: usize, to: usize| {
            labels.samples(|_, time| {
                let window = time.millis() as usize / 60_000 / OBSERVATION;
                (windows * from / 10..windows * to / 10).contains(&window)
            })
        };
        let split = Split::new(part(0, 6), part(6, 8), part(8, 10), OBSERVATION).unwrap();
        Self { frames, split }
    }
}
