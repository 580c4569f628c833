//! The same GRU fitted twice: by libtorch's automatic differentiation and by the trainer in pure Rust. One model comes
//! out.
//!
//! `cargo xtask libtorch`, then `cargo run --release --features libtorch --example libtorch`. With a libtorch for CUDA
//! and a GPU, libtorch computes there.

use forewarn::{
    prelude::*,
    recurrent::{Cell, Device, Settings, Trainer},
    window::Normalisation,
};
use std::{error::Error, time::Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let run = StressWalk::new(7 * 24 * 60, 7).run()?;
    let metrics = FrameSet::from_frames(vec![run.frame])?;
    let labels = label(&metrics, &ThresholdRule::v1(), WindowSpec::default(), Target::Active)?;
    let split = chronological(&labels, Fractions::default())?;
    let pipeline = Pipeline::fit(
        Features::default(),
        split.train(),
        &metrics,
        Normalisation::ZScore,
        Scope::Service,
        1,
    )?;
    let features = pipeline.apply(&metrics)?;
    let (train, validation) = (split.train().on(&features)?, split.validation().on(&features)?);

    let fit = |trainer: Trainer| {
        let settings = Settings {
            cell: Cell::Gru,
            trainer,
            max_epochs: 2,
            batch_size: 64,
            seed: 7,
            ..Settings::default()
        };
        let started = Instant::now();
        let model = Recurrent::new(settings)?.fit(train, validation, &mut Silent)?;
        println!("{trainer:?}: {:.2} s", started.elapsed().as_secs_f64());
        Ok::<_, Box<dyn Error>>(model)
    };
    let native = fit(Trainer::Native)?;
    let libtorch = fit(Trainer::Libtorch { device: Device::CudaIfAvailable })?;

    // Rounding differs, so weights drift apart a little with every update; scores stay together.
    let test = split.test().on(&features)?.windows();
    let (native, libtorch) = (native.score_all(test)?, libtorch.score_all(test)?);
    let apart = native.iter().zip(&libtorch).map(|(a, b)| (a.get() - b.get()).abs()).fold(0.0, f32::max);
    println!("scores of {} windows are at most {apart:.6} apart", native.len());
    assert!(apart < 0.02);
    Ok(())
}
