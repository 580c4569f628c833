//! Training and scoring beside PyTorch, on the same shapes, in one run on one machine; a table with ratios.
//!
//! ```sh
//! FOREWARN_PYTHON=python3 cargo bench -p forewarn-benches --bench beside_pytorch
//! FOREWARN_PYTHON=python3 cargo bench -p forewarn-benches --features libtorch --bench beside_pytorch -- --services 200 --days 365
//! ```
//!
//! `FOREWARN_PYTHON` names a Python that has torch; without it our own figures stand alone. Where a processor has
//! AVX-512, ours are also taken with AVX2;
//! `ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 ONEDNN_MAX_CPU_ISA=AVX2` before the command keep libtorch
//! and PyTorch to that too, as on a processor that has no more. The second command is for a machine with a GPU: with
//! the feature `libtorch` and CUDA it also trains on windows of the given services and days, which lie in the GPU's
//! memory. Without a GPU the processor does it, through libtorch, so keep it small there. A year of 200 services
//! takes 8 GB, here and there.

use forewarn::core::Split;
#[cfg(feature = "libtorch")]
use forewarn::recurrent::{Device, Trainer};
use forewarn::{
    core::{Label, Labels, Predictor, Score, Windows},
    prelude::*,
    recurrent::{Cell, Instructions, Recurrent, Settings},
    schema::{Metric, Schema},
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{collections::BTreeMap, error::Error, path::Path, process::Command, time::Instant};

const FEATURES: usize = 19;
/// Windows that are scored at once.
const BATCH: usize = 4096;
/// Windows of a step on a GPU: what keeps it busy.
const GPU_BATCH: usize = 4096;

struct Options {
    quick: bool,
    services: usize,
    days: usize,
    windows: usize,
}

impl Options {
    fn read() -> Result<Self, lexopt::Error> {
        use lexopt::prelude::*;
        let mut options = Self { quick: false, services: 2, days: 2, windows: 65_536 };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("test") => options.quick = true,
                Long("bench") => {}
                Long("services") => options.services = parser.value()?.parse()?,
                Long("days") => options.days = parser.value()?.parse()?,
                Long("windows") => options.windows = parser.value()?.parse()?,
                other => return Err(other.unexpected()),
            }
        }
        if options.quick {
            options.windows = 2 * GPU_BATCH;
        }
        Ok(options)
    }
}

/// Services of noise. Of each the last two hours are for validation, so that an epoch is nearly all training.
fn task(services: usize, days: usize) -> Result<(FrameSet, Split), Box<dyn Error>> {
    let schema = Schema::new((0..FEATURES).map(|i| Metric::gauge(format!("m{i}"))).collect())?;
    let minutes = days * 24 * 60;
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut frames = Vec::with_capacity(services);
    for service in 0..services {
        let number = |_| random.next_u32() as f32 / 2f32.powi(31) - 1.0;
        let values = (0..minutes * FEATURES).map(number).collect();
        let name = format!("service{service}");
        frames.push(Frame::new(name, schema.clone(), Timestamp::EPOCH, Step::MINUTE, values)?);
    }
    let frames = FrameSet::from_frames(frames)?;
    let (spec, none) = (WindowSpec::default(), vec![Default::default(); services]);
    let label = |row: &[f32]| if row[0] > 0.8 { Label::Positive } else { Label::Negative };
    let labels = frames.values().chunks_exact(FEATURES).map(label).collect();
    let labels = Labels::new(frames.layout().clone(), spec, Target::Onset, 1, labels, none)?;
    let part = |from: usize, to: usize| {
        labels.samples(|_, time| (from..to).contains(&(time.millis() as usize / 60_000)))
    };
    let split = Split::new(
        part(0, minutes - 180),
        part(minutes - 120, minutes - 90),
        part(minutes - 30, minutes),
        labels.purge(),
    )?;
    Ok((frames, split))
}

/// Seconds that an epoch takes a window: of several the fastest, or the second of two for one that warms up first.
fn epoch(
    settings: &Settings,
    frames: &FrameSet,
    split: &Split,
    epochs: usize,
) -> Result<f64, Box<dyn Error>> {
    let windows = settings.windows_per_epoch.min(split.train().len());
    let settings = Settings { max_epochs: epochs, patience: epochs, dropout: 0.0, ..settings.clone() };
    let (train, validation) = (split.train().on(frames)?, split.validation().on(frames)?);
    let mut training = Recurrent::new(settings)?.start(train, validation)?;
    let mut fastest = f64::INFINITY;
    loop {
        let start = Instant::now();
        if training.epoch()?.is_none() {
            return Ok(fastest / windows as f64);
        }
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
}

/// Seconds of the fastest run.
fn fastest(
    times: usize,
    mut work: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<f64, Box<dyn Error>> {
    let mut least = f64::INFINITY;
    for _ in 0..times {
        let start = Instant::now();
        work()?;
        least = least.min(start.elapsed().as_secs_f64());
    }
    Ok(least)
}

/// AVX2, where it is not the best that there is.
fn narrower() -> Option<Instructions> {
    let available = Instructions::available();
    let both = [Instructions::Avx2, Instructions::Avx512].iter().all(|of| available.contains(of));
    both.then_some(Instructions::Avx2)
}

/// What was done, by whom, and how many microseconds it took.
type Figure = (String, &'static str, f64);

/// Our figures.
fn ours(options: &Options) -> Result<Vec<Figure>, Box<dyn Error>> {
    let (frames, split) = task(1, 4)?;
    let (month, _) = task(1, 30)?;
    let mut found = Vec::new();
    for cell in [Cell::Lstm, Cell::Gru] {
        let settings = Settings { cell, seed: 7, ..Settings::default() };
        for batch_size in [64, 256] {
            // All windows, so that validating, once an epoch, takes next to nothing.
            let epochs = if options.quick { 1 } else { 40 };
            let settings = Settings { batch_size, ..settings.clone() };
            let mut tell = |who, settings: Settings| {
                let step = epoch(&settings, &frames, &split, epochs)? * batch_size as f64;
                found.push((format!("{cell} step of {batch_size}").to_lowercase(), who, step * 1e6));
                Ok::<_, Box<dyn Error>>(())
            };
            tell("native", settings.clone())?;
            tell("native, two threads", Settings { threads: 2, ..settings.clone() })?;
            if let Some(instructions) = narrower() {
                tell("native, AVX2", Settings { instructions, ..settings.clone() })?;
            }
            #[cfg(feature = "libtorch")]
            {
                let trainer = Trainer::Libtorch { device: Device::Cpu };
                tell("libtorch", Settings { trainer, ..settings })?;
            }
        }
        let settings = Settings { max_epochs: 1, patience: 1, ..settings };
        let (train, validation) = (split.train().on(&frames)?, split.validation().on(&frames)?);
        let model = Recurrent::new(settings.clone())?.fit(train, validation, &mut Silent)?;
        let steps = WindowSpec::default().observation();
        // Of following windows each shares all rows but one with the next, of those apart none.
        let ends = |stride: usize| (0..BATCH).map(|window| (window * stride + steps - 1) as u32).collect();
        let (following, apart): (Vec<u32>, Vec<u32>) = (ends(1), ends(steps));
        let following = Windows::new(month.schema(), month.values(), steps, &following)?;
        let apart = Windows::new(month.schema(), month.values(), steps, &apart)?;
        let kinds = [
            ("window".to_owned(), apart.slice(0..1)?, 5000),
            (format!("window of {BATCH} apart"), apart, 100),
            (format!("window of {BATCH} following"), following, 100),
        ];
        let mut models = vec![("native", model.clone())];
        if let Some(instructions) = narrower() {
            models.push(("native, AVX2", model.with_instructions(instructions)?));
        }
        for (who, model) in &models {
            for (what, windows, times) in &kinds {
                let mut scores = vec![Score::ZERO; windows.len()];
                let times = if options.quick { 1 } else { *times };
                let took = fastest(times, || Ok(model.score(*windows, &mut scores)?))? / scores.len() as f64;
                found.push((format!("{cell} {what}").to_lowercase(), who, took * 1e6));
            }
        }
    }
    #[cfg(feature = "libtorch")]
    found.extend(on_a_gpu(options)?);
    Ok(found)
}

/// An epoch of a fleet in the memory of a GPU, or of the processor where there is none.
#[cfg(feature = "libtorch")]
fn on_a_gpu(options: &Options) -> Result<Vec<Figure>, Box<dyn Error>> {
    let (frames, split) = task(options.services, options.days)?;
    println!("{} windows of {} services lie ready", split.train().len(), options.services);
    let mut found = Vec::new();
    for cell in [Cell::Lstm, Cell::Gru] {
        let on = |device| {
            let trainer = Trainer::Libtorch { device };
            let sizes =
                Settings { batch_size: GPU_BATCH, windows_per_epoch: options.windows, ..Settings::default() };
            epoch(&Settings { cell, trainer, seed: 7, ..sizes }, &frames, &split, 2)
        };
        let (device, took) = match on(Device::Cuda) {
            Ok(took) => ("cuda", took),
            Err(error) => {
                println!("{error}; the processor computes instead");
                ("cpu", on(Device::Cpu)?)
            }
        };
        println!("{cell} on {device}: {:.0} windows a second", 1.0 / took);
        found.push((format!("{cell} window of an epoch on {device}").to_lowercase(), "libtorch", took * 1e6));
    }
    Ok(found)
}

/// What `recurrent.py` prints.
fn pytorch(options: &Options) -> Result<BTreeMap<String, f64>, Box<dyn Error>> {
    let Some(python) = std::env::var_os("FOREWARN_PYTHON") else {
        println!("FOREWARN_PYTHON names no Python with torch: nothing to compare with");
        return Ok(BTreeMap::new());
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("recurrent.py");
    let mut command = Command::new(python);
    command.arg(script).args(options.quick.then_some("--quick"));
    for (name, value) in
        [("--services", options.services), ("--days", options.days), ("--windows", options.windows)]
    {
        command.arg(name).arg(value.to_string());
    }
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("recurrent.py: {}", output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let lines = text.lines().map(|line| {
        let (name, micros) = line.split_once('\t').ok_or_else(|| format!("recurrent.py says {line:?}"))?;
        Ok((name.to_owned(), micros.parse()?))
    });
    lines.collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::read()?;
    let ours = ours(&options)?;
    let theirs = pytorch(&options)?;
    println!("{:36} {:22} {:>12} {:>12} {:>8}", "", "", "us", "PyTorch, us", "times");
    for (what, who, micros) in ours {
        let (other, ratio) = match theirs.get(&what) {
            Some(other) => (format!("{other:.2}"), format!("{:.2}", other / micros)),
            None => Default::default(),
        };
        println!("{what:36} {who:22} {micros:12.2} {other:>12} {ratio:>8}");
    }
    Ok(())
}
