use crate::{
    learns::{fit, settings, test_pr_auc},
    task::{Rows, Task},
};
use forewarn_core::{Predictor, Save, WindowSpec};
use forewarn_recurrent::{Cell, Device, Settings, Trainer};

const LIBTORCH: Trainer = Trainer::Libtorch { device: Device::Cpu };

#[test]
fn both_trainers_make_nearly_the_same_model() {
    let task = Task::new(600, Rows::InOrder, 1);
    let windows = task.split.test().on(&task.frames).unwrap().windows();
    for (cell, head) in [(Cell::Lstm, None), (Cell::Gru, None), (Cell::Gru, Some(8))] {
        let settings = Settings { head, max_epochs: 3, dropout: 0.2, learning_rate: 1e-3, ..settings(cell) };
        let native = fit(settings.clone(), &task);
        let torch = fit(Settings { trainer: LIBTORCH, ..settings.clone() }, &task);
        for (a, b) in native.score_all(windows).unwrap().iter().zip(torch.score_all(windows).unwrap()) {
            assert!((a.get() - b.get()).abs() < 1e-3, "{cell}: {a:?} {b:?}");
        }
        for (a, b) in native.history()[0].epochs.iter().zip(&torch.history()[0].epochs) {
            assert!((a.loss - b.loss).abs() < 1e-4 * a.loss, "{cell}: {a:?} {b:?}");
        }
        let other = fit(Settings { seed: 99, ..settings }, &task);
        let apart = native
            .score_all(windows)
            .unwrap()
            .iter()
            .zip(other.score_all(windows).unwrap())
            .any(|(a, b)| (a.get() - b.get()).abs() > 1e-2);
        assert!(apart, "another seed makes another model");
    }
}

#[test]
fn libtorch_learns_order_and_repeats_itself() {
    let task = Task::new(3000, Rows::InOrder, 1);
    let settings = Settings { trainer: LIBTORCH, max_epochs: 10, ..settings(Cell::Gru) };
    let (once, again) = (fit(settings.clone(), &task), fit(settings, &task));
    assert!(test_pr_auc(&once, &task) > 0.98);
    let spec = WindowSpec::new(6, 0, 1).unwrap();
    assert_eq!(once.to_envelope(spec).unwrap(), again.to_envelope(spec).unwrap());
}
