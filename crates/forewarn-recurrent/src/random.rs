//! Everything random about a fit: first weights, the order of windows, dropout.
//!
//! Numbers are drawn from the generator's 32-bit words by the arithmetic below, not by a library's distributions, whose streams
//! may change from one release to the next.

use crate::shape::Shape;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// The generator of one member of a model.
pub(crate) fn generator(seed: u64, member: usize) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(member as u64);
    generator
}

/// A number in 0..1 with 24 random bits.
fn unit(generator: &mut ChaCha8Rng) -> f32 {
    (generator.next_u32() >> 8) as f32 / (1u32 << 24) as f32
}

/// First weights as PyTorch draws them: uniform within one over the root of the number of inputs of the last state (of the head's
/// hidden layer for its last layer).
pub(crate) fn first_weights(shape: Shape, generator: &mut ChaCha8Rng) -> Vec<f32> {
    let mut weights = Vec::with_capacity(shape.weights());
    for part in shape.parts() {
        let fan_in = match (part.name, shape.head) {
            ("head.2.weight" | "head.2.bias", Some(width)) => width,
            _ => shape.hidden,
        };
        let bound = 1.0 / (fan_in as f32).sqrt();
        weights.extend(part.range.map(|_| (2.0 * unit(generator) - 1.0) * bound));
    }
    weights
}

/// Puts `order` into a random order, every order equally likely but for 1 in 2^32.
pub(crate) fn shuffle(order: &mut [u32], generator: &mut ChaCha8Rng) {
    for last in (1..order.len()).rev() {
        let pick = (u64::from(generator.next_u32()) * (last as u64 + 1)) >> 32;
        order.swap(last, pick as usize);
    }
}

/// Fills `mask` with 0 for a share `dropout` of places and with what makes up for it elsewhere.
pub(crate) fn dropout_mask(mask: &mut [f32], dropout: f64, generator: &mut ChaCha8Rng) {
    let kept = (1.0 / (1.0 - dropout)) as f32;
    for place in mask {
        *place = if f64::from(unit(generator)) < dropout { 0.0 } else { kept };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cell;

    #[test]
    fn draws_are_pinned() {
        let mut generator = generator(7, 1);
        let mut order: Vec<u32> = (0..8).collect();
        shuffle(&mut order, &mut generator);
        let shape = Shape { cell: Cell::Gru, inputs: 1, hidden: 4, head: None };
        let weights = first_weights(shape, &mut generator);
        assert_eq!(order, [1, 4, 2, 3, 7, 0, 6, 5]);
        assert_eq!(weights[..3], [0.028_105_736, 0.176_739_99, -0.441_603_48]);
    }

    #[test]
    fn weights_stay_within_their_bounds_and_members_differ() {
        let shape = Shape { cell: Cell::Lstm, inputs: 3, hidden: 16, head: Some(4) };
        let weights = first_weights(shape, &mut generator(0, 0));
        assert!(weights[..shape.places().head_weight.start].iter().all(|weight| weight.abs() <= 0.25));
        assert!(weights.iter().all(|weight| weight.abs() <= 0.5));
        assert!(weights.iter().any(|&weight| weight < -0.2) && weights.iter().any(|&weight| weight > 0.2));
        assert_ne!(weights, first_weights(shape, &mut generator(0, 1)));
        assert_ne!(weights, first_weights(shape, &mut generator(1, 0)));
    }

    #[test]
    fn a_shuffle_moves_everything_everywhere() {
        let mut counts = [[0u32; 5]; 5];
        let mut generator = generator(3, 0);
        for _ in 0..5000 {
            let mut order: Vec<u32> = (0..5).collect();
            shuffle(&mut order, &mut generator);
            for (place, &value) in order.iter().enumerate() {
                counts[place][value as usize] += 1;
            }
        }
        // 1000 expected, standard deviation 28.
        assert!(counts.iter().flatten().all(|&count| (860..1140).contains(&count)), "{counts:?}");
    }

    #[test]
    fn dropout_keeps_the_mean() {
        let mut mask = vec![0.0; 40_000];
        dropout_mask(&mut mask, 0.25, &mut generator(0, 0));
        let dropped = mask.iter().filter(|&&place| place == 0.0).count();
        assert!((9_600..10_400).contains(&dropped), "{dropped}");
        assert!(mask.iter().all(|&place| place == 0.0 || (place - 4.0 / 3.0).abs() < 1e-6));
    }
}
