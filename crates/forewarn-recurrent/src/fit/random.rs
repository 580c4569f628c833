//! Everything random about a fit: first weights, the order of windows, dropout.
//!
//! Numbers are drawn from the generator's 32-bit words by the arithmetic below, not by a library's distributions,
//! whose streams may change from one release to the next. Every use, pass and epoch has a stream of its own, so a fit
//! that goes on from a checkpoint draws what it would have drawn.

use crate::network::shape::Shape;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// What numbers are drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Weights,
    /// The order of windows in a pass over all of them.
    Order {
        pass: usize,
    },
    /// What is left out in an epoch.
    Dropout {
        epoch: usize,
    },
}

/// The generator of one use by one member of a model.
pub(crate) fn generator(seed: u64, member: usize, of: Use) -> ChaCha8Rng {
    let (kind, number) = match of {
        Use::Weights => (0, 0),
        Use::Order { pass } => (1, pass),
        Use::Dropout { epoch } => (2, epoch),
    };
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream((member as u64) << 48 | kind << 40 | number as u64);
    generator
}

/// A number in 0..1 with 24 random bits.
fn unit(generator: &mut ChaCha8Rng) -> f32 {
    (generator.next_u32() >> 8) as f32 / (1u32 << 24) as f32
}

/// First weights as PyTorch draws them: uniform within one over the root of a unit's inputs (of the last state's
/// width for a recurrent layer); descriptions of services smaller, so that they begin alike.
pub(crate) fn first_weights(shape: Shape, generator: &mut ChaCha8Rng) -> Vec<f32> {
    let mut weights = Vec::with_capacity(shape.weights());
    for part in shape.parts() {
        let bound = if part.name == "service.weight" { 0.1 } else { 1.0 / (part.fan_in as f32).sqrt() };
        weights.extend(part.range.map(|_| (2.0 * unit(generator) - 1.0) * bound));
    }
    weights
}

/// Whether a chance of `share` comes true.
pub(crate) fn chance(share: f32, generator: &mut ChaCha8Rng) -> bool {
    unit(generator) < share
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
    use crate::{Cell, network::shape::strategies::plain};

    #[test]
    fn draws_are_pinned() {
        let mut generator = generator(7, 1, Use::Weights);
        let mut order: Vec<u32> = (0..8).collect();
        shuffle(&mut order, &mut generator);
        let shape = plain(Cell::Gru, 1, 4, None);
        let weights = first_weights(shape, &mut generator);
        assert_eq!(order, [7, 3, 2, 1, 4, 0, 5, 6]);
        assert_eq!(weights[..3], [0.130_053_94, 0.335_082_9, -0.037_185_55]);
    }

    #[test]
    fn weights_stay_within_their_bounds_and_members_differ() {
        let shape = plain(Cell::Lstm, 3, 16, Some(4));
        let weights = first_weights(shape, &mut generator(0, 0, Use::Weights));
        assert!(weights[..shape.places().head[1].weight.start].iter().all(|weight| weight.abs() <= 0.25));
        assert!(weights.iter().all(|weight| weight.abs() <= 0.5));
        assert!(weights.iter().any(|&weight| weight < -0.2) && weights.iter().any(|&weight| weight > 0.2));
        assert_ne!(weights, first_weights(shape, &mut generator(0, 1, Use::Weights)));
        assert_ne!(weights, first_weights(shape, &mut generator(1, 0, Use::Weights)));
    }

    #[test]
    fn a_shuffle_moves_everything_everywhere() {
        let mut counts = [[0u32; 5]; 5];
        let mut generator = generator(3, 0, Use::Order { pass: 0 });
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
        dropout_mask(&mut mask, 0.25, &mut generator(0, 0, Use::Weights));
        let dropped = mask.iter().filter(|&&place| place == 0.0).count();
        assert!((9_600..10_400).contains(&dropped), "{dropped}");
        assert!(mask.iter().all(|&place| place == 0.0 || (place - 4.0 / 3.0).abs() < 1e-6));
    }
}
