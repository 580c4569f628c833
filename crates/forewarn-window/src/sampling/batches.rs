use crate::{WindowError, settings::setting};
use forewarn_core::CoreError;
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

/// Batches of training windows with a fixed share of positives, for
/// [`Windows::gather`](forewarn_core::Windows::gather).
///
/// Each class is dealt from a shuffled deck of its own, which is shuffled again when it is used up: within a deck no
/// window comes twice. The same seed gives the same batches.
#[derive(Clone, Debug)]
pub struct BalancedBatches {
    positives: Deck,
    negatives: Deck,
    positives_a_batch: usize,
    batch: Vec<u32>,
    random: ChaCha8Rng,
}

impl BalancedBatches {
    /// Batches of `size` windows of which `positives` are positive; `labels` says which windows are.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`] without windows of both classes, [`CoreError::InvalidSetting`] unless a batch has
    /// room for both.
    pub fn new(labels: &[bool], size: usize, positives: usize, seed: u64) -> Result<Self, WindowError> {
        if !(1..size).contains(&positives) {
            return Err(setting("positives in a batch", &positives, "1 to one less than the batch's size"));
        }
        let of =
            |class: bool| Deck::new((0..).zip(labels).filter(|&(_, &label)| label == class).map(|(i, _)| i));
        let (yes, no) = (of(true), of(false));
        if yes.cards.is_empty() || no.cards.is_empty() {
            let (positives, windows) = (yes.cards.len(), labels.len());
            return Err(CoreError::SingleClass { part: "train", positives, windows }.into());
        }
        Ok(Self {
            positives: yes,
            negatives: no,
            positives_a_batch: positives,
            batch: vec![0; size],
            random: ChaCha8Rng::seed_from_u64(seed),
        })
    }

    /// Positions of the next batch's windows, positives first. There always is one.
    pub fn deal(&mut self) -> &[u32] {
        let (positives, negatives) = self.batch.split_at_mut(self.positives_a_batch);
        positives.iter_mut().for_each(|pick| *pick = self.positives.deal(&mut self.random));
        negatives.iter_mut().for_each(|pick| *pick = self.negatives.deal(&mut self.random));
        &self.batch
    }

    /// Batches until every negative has been dealt once.
    #[must_use]
    pub fn batches_an_epoch(&self) -> usize {
        self.negatives.cards.len().div_ceil(self.batch.len() - self.positives_a_batch)
    }
}

#[derive(Clone, Debug)]
struct Deck {
    cards: Vec<u32>,
    next: usize,
}

impl Deck {
    fn new(cards: impl Iterator<Item = u32>) -> Self {
        let cards: Vec<u32> = cards.collect();
        Self { next: cards.len(), cards }
    }

    fn deal(&mut self, random: &mut ChaCha8Rng) -> u32 {
        if self.next == self.cards.len() {
            self.cards.shuffle(random);
            self.next = 0;
        }
        self.next += 1;
        self.cards[self.next - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deck_is_dealt_out_before_it_is_shuffled() {
        let labels: Vec<bool> = (0..103).map(|i| i % 10 == 0).collect();
        let mut batches = BalancedBatches::new(&labels, 16, 4, 7).unwrap();
        let (mut yes, mut no) = (vec![0u32; 103], vec![0u32; 103]);
        for _ in 0..batches.batches_an_epoch() {
            let batch = batches.deal().to_vec();
            assert!(batch[..4].iter().all(|&pick| labels[pick as usize]));
            batch[..4].iter().for_each(|&pick| yes[pick as usize] += 1);
            batch[4..].iter().for_each(|&pick| no[pick as usize] += 1);
        }
        for (pick, &positive) in labels.iter().enumerate() {
            if positive {
                // 8 batches of 4 from 11 positives.
                assert!((2..=3).contains(&yes[pick]) && no[pick] == 0);
            } else {
                // 8 batches of 12 from 92 negatives: four come twice.
                assert!((1..=2).contains(&no[pick]) && yes[pick] == 0);
            }
        }
    }

    #[test]
    fn the_seed_decides() {
        let labels: Vec<bool> = (0..50).map(|i| i % 5 == 0).collect();
        let first = |seed| BalancedBatches::new(&labels, 8, 2, seed).unwrap().deal().to_vec();
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
        assert_eq!(first(7), [0, 35, 26, 14, 47, 23, 49, 1]);
        assert!(BalancedBatches::new(&labels, 8, 8, 1).is_err());
        assert!(BalancedBatches::new(&labels, 8, 0, 1).is_err());
        assert!(BalancedBatches::new(&[true; 5], 8, 2, 1).is_err());
    }
}
