//! The bits that a seed makes, on any machine.

use crate::{
    fleets::{every_option, model},
    learns::fit,
    task::{Rows, Task, two_services},
};
use forewarn_core::{Predictor, Save, WindowSpec};
use forewarn_recurrent::{Cell, Instructions, RecurrentModel, Settings};

/// FNV-1a of a model's weights, then of its scores.
fn fingerprint(model: &RecurrentModel, scores: impl IntoIterator<Item = f32>) -> u64 {
    let envelope = model.to_envelope(WindowSpec::new(6, 0, 1).unwrap()).unwrap();
    let weights = envelope.tensors.values().flat_map(|tensor| tensor.values().to_vec());
    let bytes = weights.chain(scores).flat_map(|number| number.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Two models after two epochs: a plain one with dropout, and one with every option.
fn fingerprints(cell: Cell, instructions: Instructions) -> [u64; 2] {
    let plain = Settings { dropout: 0.1, max_epochs: 2, instructions, ..crate::learns::settings(cell) };
    let task = Task::new(300, Rows::InOrder, 1);
    let plain = fit(plain, &task);
    let plain_scores = plain.score_all(task.split.test().on(&task.frames).unwrap().windows()).unwrap();
    let rich = model(Settings { instructions, ..every_option(cell) });
    let (frames, split) = two_services(1500);
    let rich_scores = rich.score_all(split.test().on(&frames).unwrap().windows()).unwrap();
    [(plain, plain_scores), (rich, rich_scores)]
        .map(|(model, scores)| fingerprint(&model, scores.into_iter().map(|score| score.get())))
}

#[test]
fn a_seed_makes_the_same_weights_and_scores_on_every_machine() {
    for instructions in Instructions::available() {
        let (lstm, gru) = match instructions {
            Instructions::Portable => (
                [0xa4e1_6318_f420_529e, 0x2fbc_b6dc_2828_3d8c],
                [0x4afc_1b44_c1b8_59e5, 0x3a71_dd0f_c56a_8b47],
            ),
            _ => (
                [0xf851_c4a0_a8ee_0e7b, 0xe7d4_1c0a_c4b7_ff27],
                [0x67fe_89a0_2331_712c, 0x40ad_f532_c212_7c22],
            ),
        };
        assert_eq!(fingerprints(Cell::Lstm, instructions), lstm, "{instructions:?}");
        assert_eq!(fingerprints(Cell::Gru, instructions), gru, "{instructions:?}");
    }
}
