use super::process::{FALL_HUNDREDTHS, GAIN, JUMP, LOSS, Shift};

/// Room below 0 and above 1 that a minute's changes can reach before they are clamped, in hundredths.
const BELOW: usize = (FALL_HUNDREDTHS - LOSS.min_hundredths) as usize;
const ABOVE: usize = (GAIN.max_hundredths + JUMP.max_hundredths) as usize;

/// Whether the stress falls in the coming minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fall {
    /// The rule is not satisfied.
    None,
    /// It is.
    Due,
}

impl Fall {
    fn hundredths(self) -> usize {
        match self {
            Self::None => 0,
            Self::Due => FALL_HUNDREDTHS as usize,
        }
    }
}

/// Stress on equidistant nodes 0..=1, and a minute's move on it.
///
/// A uniform change between two nodes becomes the trapezoid rule over the nodes from one to the other. It keeps mass
/// and mean, is exact for functions that are straight between nodes, and its error falls with the square of the node
/// distance. A stay is exact, and so are both ends: stress 0 and stress 1 are nodes, which hold the mass that is
/// clamped to them.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    per_hundredth: usize,
    moved: Vec<f64>,
    padded: Vec<f64>,
    suffix: Vec<f64>,
    prefix: Vec<f64>,
}

impl Grid {
    /// A grid with `per_hundredth` node distances in a hundredth of stress.
    pub(crate) fn new(per_hundredth: usize) -> Self {
        Self {
            per_hundredth,
            moved: vec![0.0; (BELOW + 100 + ABOVE) * per_hundredth + 1],
            padded: Vec::new(),
            suffix: Vec::new(),
            prefix: Vec::new(),
        }
    }

    /// Number of nodes.
    pub(crate) fn nodes(&self) -> usize {
        100 * self.per_hundredth + 1
    }

    /// The nodes' stress, ascending.
    pub(crate) fn stress(&self) -> impl Iterator<Item = f64> + use<> {
        let last = 100 * self.per_hundredth;
        (0..=last).map(move |node| node as f64 / last as f64)
    }

    /// Moves masses on the nodes one minute ahead, in place.
    pub(crate) fn move_masses(&mut self, masses: &mut [f64], fall: Fall) {
        let (below, nodes) = (BELOW * self.per_hundredth, self.nodes());
        self.moved.fill(0.0);
        let first = below - fall.hundredths() * self.per_hundredth;
        self.moved[first..first + nodes].copy_from_slice(masses);
        for Shift { probability, min_hundredths, max_hundredths } in [GAIN, LOSS, JUMP] {
            // What arrives at a node comes from `min` to `max` before it.
            self.average(probability, -max_hundredths, -min_hundredths);
        }
        masses.copy_from_slice(&self.moved[below..below + nodes]);
        masses[0] += self.moved[..below].iter().sum::<f64>();
        masses[nodes - 1] += self.moved[below + nodes..].iter().sum::<f64>();
    }

    /// Expectation, at each node, of a function on the nodes after one minute: the adjoint of
    /// [`move_masses`](Self::move_masses).
    pub(crate) fn expect(&mut self, function: &[f64], fall: Fall) -> Vec<f64> {
        let (below, nodes) = (BELOW * self.per_hundredth, self.nodes());
        self.moved[..below].fill(function[0]);
        self.moved[below..below + nodes].copy_from_slice(function);
        self.moved[below + nodes..].fill(function[nodes - 1]);
        for Shift { probability, min_hundredths, max_hundredths } in [GAIN, LOSS, JUMP] {
            self.average(probability, min_hundredths, max_hundredths);
        }
        // The averages reach beyond the padded ends only for nodes that are not read here.
        let first = below - fall.hundredths() * self.per_hundredth;
        self.moved[first..first + nodes].to_vec()
    }

    /// With `probability`, replaces each value by the trapezoid mean over the nodes `from..=to` hundredths away.
    ///
    /// The two sums of a trapezoid are sums over a sliding window, made of a block's suffix and the next block's
    /// prefix (van Herk's way). Unlike a difference of running totals they lose no digits where values are tiny
    /// beside their neighbours, which is where a filter's rare events are.
    fn average(&mut self, probability: f64, from_hundredths: i32, to_hundredths: i32) {
        let (from, to) = (i64::from(from_hundredths), i64::from(to_hundredths));
        let per_hundredth = self.per_hundredth as i64;
        let window = ((to - from) * per_hundredth) as usize;
        let offset = from * per_hundredth;
        let length = self.moved.len();

        // padded[i] is the value at i + offset, zero where there is none; whole blocks.
        let blocks = (length + window + 1).div_ceil(window);
        self.padded.clear();
        if offset < 0 {
            self.padded.resize(offset.unsigned_abs() as usize, 0.0);
            self.padded.extend_from_slice(&self.moved);
        } else {
            self.padded.extend_from_slice(&self.moved[(offset as usize).min(length)..]);
        }
        self.padded.resize(blocks * window, 0.0);
        self.suffix.resize(blocks * window, 0.0);
        self.prefix.resize(blocks * window, 0.0);

        let sums = self.suffix.chunks_exact_mut(window).zip(self.prefix.chunks_exact_mut(window));
        for (block, (suffix, prefix)) in self.padded.chunks_exact(window).zip(sums) {
            let (mut before, mut from_here) = (0.0, 0.0);
            for (i, &value) in block.iter().enumerate() {
                prefix[i] = before;
                before += value;
                let j = window - 1 - i;
                from_here += block[j];
                suffix[j] = from_here;
            }
        }
        let weight = probability / (2 * window) as f64;
        let stay = 1.0 - probability;
        let suffixes = self.suffix.windows(2);
        let prefixes = self.prefix[window..].windows(2);
        for (value, (suffix, prefix)) in self.moved.iter_mut().zip(suffixes.zip(prefixes)) {
            *value = stay * *value + weight * ((suffix[0] + prefix[0]) + (suffix[1] + prefix[1]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    const PER_HUNDREDTH: usize = 2;
    const NODES: usize = 201;

    /// The move of one node's mass as the process states it, with no sliding sums and in another order.
    fn moved_by_definition(node: usize, fall: Fall) -> Vec<f64> {
        let per_hundredth = PER_HUNDREDTH as i32;
        let mut masses = std::collections::BTreeMap::from([(node as i32, 1.0)]);
        let falls = if fall == Fall::Due { 15 } else { 0 };
        for Shift { probability, min_hundredths, max_hundredths } in [JUMP, GAIN, LOSS] {
            let mut after = std::collections::BTreeMap::new();
            let ends = (min_hundredths * per_hundredth, max_hundredths * per_hundredth);
            for (&at, &mass) in &masses {
                *after.entry(at).or_insert(0.0) += (1.0 - probability) * mass;
                for change in ends.0..=ends.1 {
                    let share = if change == ends.0 || change == ends.1 { 0.5 } else { 1.0 };
                    *after.entry(at + change).or_insert(0.0) +=
                        mass * probability * share / f64::from(ends.1 - ends.0);
                }
            }
            masses = after;
        }
        let mut nodes = vec![0.0; NODES];
        for (at, mass) in masses {
            nodes[(at - falls * per_hundredth).clamp(0, NODES as i32 - 1) as usize] += mass;
        }
        nodes
    }

    #[test]
    fn a_move_is_what_the_process_states() {
        let mut grid = Grid::new(PER_HUNDREDTH);
        for fall in [Fall::None, Fall::Due] {
            for node in [0, 1, 7, 29, 30, 31, 100, 140, 195, 199, 200] {
                let mut masses = vec![0.0; NODES];
                masses[node] = 1.0;
                grid.move_masses(&mut masses, fall);
                for (at, (got, expected)) in masses.iter().zip(moved_by_definition(node, fall)).enumerate() {
                    assert!((got - expected).abs() < 1e-15, "{fall:?} {node} to {at}: {got}, not {expected}");
                }
            }
        }
    }

    #[test]
    fn tiny_masses_keep_their_digits_beside_large_ones() {
        let mut grid = Grid::new(PER_HUNDREDTH);
        let mut masses = vec![0.0; NODES];
        (masses[50], masses[130]) = (1.0, 1e-120);
        grid.move_masses(&mut masses, Fall::None);
        let expected = moved_by_definition(130, Fall::None);
        for node in 128..=132 {
            assert!((masses[node] / 1e-120 / expected[node] - 1.0).abs() < 1e-12, "{node}: {}", masses[node]);
        }
    }

    #[test]
    fn a_uniform_change_has_its_mean() {
        let mut grid = Grid::new(PER_HUNDREDTH);
        let mut masses = vec![0.0; NODES];
        masses[100] = 1.0;
        grid.move_masses(&mut masses, Fall::Due);
        let mean: f64 = grid.stress().zip(&masses).map(|(stress, mass)| stress * mass).sum();
        assert!((mean - (0.5 + 0.03 * 0.025 - 0.05 * 0.02 + 0.006 * 0.225 - 0.15)).abs() < 1e-14);
    }

    proptest! {
        #[test]
        fn masses_and_expectations_are_adjoint(
            masses in vec(0.0..1.0, NODES), function in vec(0.0..1.0, NODES), falls: bool
        ) {
            let fall = if falls { Fall::Due } else { Fall::None };
            let mut grid = Grid::new(PER_HUNDREDTH);
            let expected = grid.expect(&function, fall);
            let before: f64 = masses.iter().zip(&expected).map(|(mass, value)| mass * value).sum();
            let mut moved = masses.clone();
            grid.move_masses(&mut moved, fall);
            let after: f64 = moved.iter().zip(&function).map(|(mass, value)| mass * value).sum();
            prop_assert!((before - after).abs() < 1e-12 * before.max(1.0));
            let (total, kept) = (masses.iter().sum::<f64>(), moved.iter().sum::<f64>());
            prop_assert!((total - kept).abs() < 1e-12 * total);
            prop_assert!(moved.iter().all(|&mass| mass >= 0.0));
        }
    }
}
