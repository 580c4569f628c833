//! PyTorch itself reads the files and gives the same scores.

use crate::{
    fleets::{every_option, model},
    hazards::hazard,
    learns::fit,
    task::{countdown, two_services},
};
use forewarn_core::{Predictor, Save, WindowSpec, Windows};
use forewarn_recurrent::{Cell, RecurrentModel, Settings};
use std::{path::Path, process::Command};

/// Scores by `tests/pytorch/scores.py`, run by the Python that `FOREWARN_PYTHON` names, or `python3`.
fn by_pytorch(model: &RecurrentModel, spec: WindowSpec, windows: Windows<'_>) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let (file, input) = (folder.path().join("model.safetensors"), folder.path().join("windows.json"));
    model.to_envelope(spec).unwrap().write(std::fs::File::create(&file).unwrap()).unwrap();
    let width = windows.schema().len();
    let rows: Vec<Vec<&[f32]>> = windows.iter().map(|window| window.chunks(width).collect()).collect();
    let services: Vec<&str> = (0..windows.len()).map(|index| windows.place(index).unwrap().0).collect();
    let text = serde_json::json!({"windows": rows, "services": services}).to_string();
    std::fs::write(&input, text).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pytorch/scores.py");
    let python = std::env::var("FOREWARN_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(python).arg(script).args([&file, &input]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `FOREWARN_PYTHON=python cargo test -p forewarn-recurrent -- --ignored pytorch`
#[test]
#[ignore = "needs a Python with torch"]
fn pytorch_loads_the_files_and_agrees() {
    let (frames, split) = two_services(1500);
    let windows = split.test().on(&frames).unwrap().windows().slice(0..200).unwrap();
    let spec = WindowSpec::new(6, 0, 1).unwrap();
    for settings in [
        every_option(Cell::Lstm),
        every_option(Cell::Gru),
        Settings { max_epochs: 1, ..crate::learns::settings(Cell::Lstm) },
    ] {
        let model = model(settings);
        let (ours, theirs) = (model.score_all(windows).unwrap(), by_pytorch(&model, spec, windows));
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert!((f64::from(ours.get()) - theirs).abs() < 1e-5, "{ours:?} {theirs}");
        }
        assert_eq!(theirs.len(), 200);
    }
    let task = countdown(1000);
    let windows = task.split.test().on(&task.frames).unwrap().windows();
    let model = fit(Settings { max_epochs: 1, ..hazard(Cell::Gru) }, &task);
    let theirs = by_pytorch(&model, WindowSpec::new(4, 0, 5).unwrap(), windows);
    for (ours, theirs) in model.score_all(windows).unwrap().iter().zip(&theirs) {
        assert!((f64::from(ours.get()) - theirs).abs() < 1e-5, "{ours:?} {theirs}");
    }
}
