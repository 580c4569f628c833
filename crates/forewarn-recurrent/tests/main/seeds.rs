use crate::{
    fleets::every_option,
    hazards::hazard,
    learns::settings,
    task::{Rows, Task, countdown, two_services},
};
use forewarn_core::{Envelope, Save, WindowSpec};
use forewarn_recurrent::{Cell, Checkpoint, Recurrent, RecurrentModel, Settings};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeds")
}

/// Small files of every kind, by name.
fn files() -> BTreeMap<&'static str, Vec<u8>> {
    let small = |settings: Settings| Settings { hidden: 3, max_epochs: 1, windows_per_epoch: 64, ..settings };
    let saved = |model: RecurrentModel, spec: WindowSpec| {
        let mut file = Vec::new();
        model.to_envelope(spec).unwrap().write(&mut file).unwrap();
        file
    };
    let spec = |steps, period| WindowSpec::new(steps, 0, period).unwrap();
    let task = Task::new(100, Rows::InOrder, 1);
    let minutes = countdown(400);
    let (frames, split) = two_services(100);
    let described = Recurrent::new(small(every_option(Cell::Gru))).unwrap();
    let described =
        described.start(split.train().on(&frames).unwrap(), split.validation().on(&frames).unwrap());
    let mut described = described.unwrap();
    while described.epoch().unwrap().is_some() {}
    let mut checkpoint = Vec::new();
    described.checkpoint().write(&mut checkpoint).unwrap();
    BTreeMap::from([
        ("lstm", saved(crate::learns::fit(small(settings(Cell::Lstm)), &task), spec(6, 1))),
        ("hazard", saved(crate::learns::fit(small(hazard(Cell::Gru)), &minutes), spec(4, 5))),
        ("every_option", saved(described.finish().unwrap(), spec(6, 1))),
        ("checkpoint", checkpoint),
    ])
}

/// `cargo test -p forewarn-recurrent -- --ignored seeds`
#[test]
#[ignore = "writes the files that fuzzing starts from"]
fn write_the_seeds_of_fuzzing() {
    std::fs::create_dir_all(folder()).unwrap();
    for (name, file) in files() {
        std::fs::write(folder().join(name), file).unwrap();
    }
}

/// Seeds that are refused at the first byte would find nothing.
#[test]
fn seeds_of_fuzzing_are_files_that_are_read() {
    for name in files().into_keys() {
        let file = std::fs::read(folder().join(name)).unwrap();
        assert!(file.len() < 32_768, "{name}: {} bytes", file.len());
        match name {
            "checkpoint" => assert!(Checkpoint::read(&file[..]).is_ok()),
            _ => {
                assert!(
                    RecurrentModel::from_envelope(Envelope::from_bytes(&file).unwrap()).is_ok(),
                    "{name}"
                );
            }
        }
    }
}
