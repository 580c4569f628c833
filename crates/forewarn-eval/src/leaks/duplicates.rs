use super::{LeakCheck, checked};
use forewarn_core::Windows;

/// Share of the test windows that may be found in train: quiet services repeat themselves.
const SOME: f64 = 0.01;

/// Test windows that are in train too, bit by bit. Windows in which nothing moves are left out: an idle service makes many alike.
pub(super) fn check(train: Windows<'_>, test: Windows<'_>) -> LeakCheck {
    let width = train.schema().len();
    let mut known: Vec<(u64, usize)> = train
        .iter()
        .enumerate()
        .filter(|(_, window)| moves(window, width))
        .map(|(i, window)| (hash(window), i))
        .collect();
    known.sort_unstable();
    let (mut moving, mut found, mut example) = (0usize, 0usize, None);
    for (index, window) in test.iter().enumerate().filter(|(_, window)| moves(window, width)) {
        moving += 1;
        let hash = hash(window);
        let alike =
            known[known.partition_point(|entry| entry.0 < hash)..].iter().take_while(|entry| entry.0 == hash);
        let same = |other: usize| train.get(other).is_some_and(|other| bits(other).eq(bits(window)));
        if let Some(&(_, other)) = alike.filter(|entry| same(entry.1)).take(1).next() {
            found += 1;
            example.get_or_insert((index, other));
        }
    }
    let text = match example {
        None => format!("none of {moving} test windows in which something moves is in train too"),
        Some((test, train)) => {
            format!(
                "{found} of {moving} test windows in which something moves are in train too, such as window {test}, which is window {train} there"
            )
        }
    };
    checked("duplicate windows", found as f64 > SOME * moving as f64, text)
}

/// Whether any row differs from the first.
fn moves(window: &[f32], width: usize) -> bool {
    window.chunks_exact(width).any(|row| !bits(row).eq(bits(&window[..width])))
}

fn bits(values: &[f32]) -> impl Iterator<Item = u32> + '_ {
    values.iter().map(|value| value.to_bits())
}

/// FNV-1a over the bits; what it confuses is told apart by comparing.
fn hash(window: &[f32]) -> u64 {
    bits(window)
        .fold(0xcbf2_9ce4_8422_2325, |hash, bits| (hash ^ u64::from(bits)).wrapping_mul(0x0100_0000_01b3))
}
