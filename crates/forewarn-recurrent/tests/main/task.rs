//! A task that needs the order of the rows: in every window one feature jumps up once and down once, and the window
//! is positive when the jump up came first. No single row tells, nor any set of rows without their order.

use forewarn_core::{Exclusion, Label, Labels, Split, Target, WindowSpec};
use forewarn_schema::{Episode, Episodes, Frame, FrameSet, Metric, Schema, Step, Timestamp};
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

/// Two services of a number of windows. The last value of a window's first feature is positive where "loud" is about
/// to fail, negative where "quiet" is: who does not know the service knows nothing.
pub(crate) fn two_services(windows: usize) -> (FrameSet, Split) {
    two_services_called(["loud", "quiet"], windows)
}

/// The same, of other names in the same order.
pub(crate) fn two_services_called(names: [&str; 2], windows: usize) -> (FrameSet, Split) {
    let mut generator = ChaCha8Rng::seed_from_u64(7);
    let mut labels = Vec::new();
    let frames = names.map(|service| {
        let mut values: Vec<f32> = Vec::new();
        for _ in 0..windows {
            values.extend((0..OBSERVATION * 2).map(|_| number(&mut generator)));
            let last = values[values.len() - 2];
            labels.extend([Label::Excluded(Exclusion::Missing); OBSERVATION - 1]);
            labels.push(if (last > 0.0) == (service == names[0]) {
                Label::Positive
            } else {
                Label::Negative
            });
        }
        Frame::new(service, schema(), Timestamp::EPOCH, Step::MINUTE, values).unwrap()
    });
    let frames = FrameSet::from_frames(frames.to_vec()).unwrap();
    let spec = WindowSpec::new(OBSERVATION, 0, 1).unwrap();
    let none = vec![Default::default(); 2];
    let labels = Labels::new(frames.layout().clone(), spec, Target::Onset, 1, labels, none).unwrap();
    let part = |from: usize, to: usize| {
        labels.samples(|_, time| {
            let window = time.millis() as usize / 60_000 / OBSERVATION;
            (windows * from / 10..windows * to / 10).contains(&window)
        })
    };
    (frames, Split::new(part(0, 6), part(6, 8), part(8, 10), OBSERVATION).unwrap())
}

/// A service whose first feature counts down the last steps before each failure, so that the time to it can be known.
pub(crate) fn countdown(rows: usize) -> Task {
    let mut generator = ChaCha8Rng::seed_from_u64(11);
    let mut onsets = Vec::new();
    let mut next = 10;
    while next < rows {
        onsets.push(next);
        next += 12 + below(&mut generator, 15);
    }
    let to_next = |row: usize| onsets.iter().find(|&&onset| onset > row).map_or(99, |onset| onset - row);
    let values = (0..rows)
        .flat_map(|row| {
            let steps = to_next(row);
            let shown = if steps <= 6 { steps as f32 / 3.0 } else { 4.0 };
            [shown + 0.1 * number(&mut generator), number(&mut generator)]
        })
        .collect();
    let labels = (0..rows)
        .map(|row| match to_next(row) {
            _ if onsets.contains(&row) => Label::Excluded(Exclusion::Ongoing),
            _ if row + 5 >= rows => Label::Excluded(Exclusion::Censored),
            steps if steps <= 5 => Label::Positive,
            _ => Label::Negative,
        })
        .collect();
    let minute = |row: usize| Timestamp::from_millis(row as i64 * 60_000).unwrap();
    let episode = |&onset: &usize| Episode::new(minute(onset), minute(onset), minute(onset + 1)).unwrap();
    let episodes = Episodes::new(onsets.iter().map(episode).collect()).unwrap();
    let frame = Frame::new("service", schema(), Timestamp::EPOCH, Step::MINUTE, values).unwrap();
    let frames = FrameSet::from_frames(vec![frame]).unwrap();
    let spec = WindowSpec::new(4, 0, 5).unwrap();
    let labels =
        Labels::new(frames.layout().clone(), spec, Target::Onset, 1, labels, vec![episodes]).unwrap();
    let part = |from: usize, to: usize| {
        labels.samples(|_, time| (from..to).contains(&(time.millis() as usize / 60_000)))
    };
    let (a, b) = (rows * 6 / 10, rows * 8 / 10);
    let split = Split::new(part(0, a), part(a + 10, b), part(b + 10, rows), labels.purge()).unwrap();
    Task { frames, split }
}
