use super::{
    grid::{Fall, Grid},
    likelihood::Likelihood,
    outlook::{Outlook, violation_probability},
    process::{RuleState, VIOLATION},
};
use forewarn_schema::{Schema, SchemaError};

/// Masses below this share of the whole are dropped: far beyond what a score can show, far above where arithmetic
/// slows down.
const NEGLIGIBLE: f64 = 1e-200;

/// What can be known about the hidden state from the metrics so far: a probability for each stress of a grid and each
/// state of the rule, kept up to date by Bayes' theorem.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    grid: Grid,
    likelihood: Likelihood,
    violation: Vec<f64>,
    /// Mass by node for each of [`RuleState::ALL`]; empty where there is none.
    masses: [Vec<f64>; 3],
    ln_likelihood: Vec<f64>,
}

/// The row has probability zero in every state that is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Impossible;

impl Filter {
    /// Before the first minute: no stress, a quiet rule.
    ///
    /// # Errors
    /// [`SchemaError::UnknownMetric`].
    pub(super) fn new(grid: Grid, schema: &Schema) -> Result<Self, SchemaError> {
        let stress: Vec<f64> = grid.stress().collect();
        let violation = stress.iter().map(|&stress| violation_probability(stress)).collect();
        let likelihood = Likelihood::new(schema, stress)?;
        let mut quiet = vec![0.0; grid.nodes()];
        quiet[0] = 1.0;
        let ln_likelihood = vec![0.0; grid.nodes()];
        Ok(Self { grid, likelihood, violation, masses: [quiet, Vec::new(), Vec::new()], ln_likelihood })
    }

    /// Takes the next minute's metrics, NaN where missing.
    pub(super) fn observe(&mut self, row: &[f32]) -> Result<(), Impossible> {
        let error_rate = self.likelihood.error_rate(row);
        let mut after = [const { Vec::new() }; 3];
        for rule in RuleState::ALL {
            let mut masses = std::mem::take(&mut self.masses[rule as usize]);
            if masses.is_empty() {
                continue;
            }
            let fall = if rule == RuleState::Satisfied { Fall::Due } else { Fall::None };
            self.grid.move_masses(&mut masses, fall);
            let reached = rule.after_violation();
            if error_rate.is_nan() {
                let violating = masses.iter().zip(&self.violation).map(|(mass, p)| mass * p).collect();
                masses.iter_mut().zip(&self.violation).for_each(|(mass, p)| *mass *= 1.0 - p);
                put(&mut after[reached as usize], violating);
                put(&mut after[RuleState::Quiet as usize], masses);
            } else if error_rate >= VIOLATION {
                put(&mut after[reached as usize], masses);
            } else {
                put(&mut after[RuleState::Quiet as usize], masses);
            }
        }
        self.masses = after;
        self.weigh(row)
    }

    /// Multiplies the masses by the row's likelihood and makes their sum 1.
    fn weigh(&mut self, row: &[f32]) -> Result<(), Impossible> {
        self.likelihood.ln(row, &mut self.ln_likelihood);
        // Relative to the best node that has mass, so that the sum cannot vanish.
        let best = self
            .masses
            .iter()
            .flat_map(|masses| masses.iter().zip(&self.ln_likelihood))
            .filter(|&(&mass, _)| mass > 0.0)
            .fold(f64::NEG_INFINITY, |best, (_, &ln)| best.max(ln));
        if best == f64::NEG_INFINITY {
            return Err(Impossible);
        }
        for ln in &mut self.ln_likelihood {
            *ln = (*ln - best).min(0.0).exp();
        }
        let mut total = 0.0;
        for masses in &mut self.masses {
            for (mass, likelihood) in masses.iter_mut().zip(&self.ln_likelihood) {
                *mass *= likelihood;
                total += *mass;
            }
        }
        let scale = total.recip();
        for masses in &mut self.masses {
            for mass in masses {
                *mass = if *mass > NEGLIGIBLE * total { *mass * scale } else { 0.0 };
            }
        }
        Ok(())
    }

    /// The probability of the outlook's event, given the metrics so far.
    pub(super) fn probability(&self, outlook: &Outlook) -> f64 {
        let sum: f64 = RuleState::ALL
            .iter()
            .map(|&rule| {
                let masses = &self.masses[rule as usize];
                masses.iter().zip(outlook.nodes(rule)).map(|(mass, p)| mass * p).sum::<f64>()
            })
            .sum();
        sum.clamp(0.0, 1.0)
    }
}

/// Adds `masses` to what is there.
fn put(to: &mut Vec<f64>, masses: Vec<f64>) {
    if to.is_empty() {
        *to = masses;
    } else {
        to.iter_mut().zip(masses).for_each(|(to, mass)| *to += mass);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        StressWalk,
        stress_walk::process::{ERROR_RATE_NOISE, LINEAR_METRICS, error_rate_mean},
    };
    use forewarn_core::{Target, WindowSpec};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use statrs::distribution::{Continuous, ContinuousCDF, Normal};

    fn scores(rows: &[[f32; 10]], resolution: usize, target: Target) -> Vec<f64> {
        let mut grid = Grid::new(resolution);
        let outlook = Outlook::new(&mut grid, WindowSpec::default(), target);
        let mut filter = Filter::new(grid, &Schema::v1()).unwrap();
        rows.iter().map(|row| (filter.observe(row).unwrap(), filter.probability(&outlook)).1).collect()
    }

    fn rows(minutes: usize, seed: u64) -> Vec<[f32; 10]> {
        StressWalk::new(minutes, seed).steps().map(|minute| minute.sample).collect()
    }

    /// Every third value missing, and now and then a whole row or an error rate.
    fn with_gaps(mut rows: Vec<[f32; 10]>) -> Vec<[f32; 10]> {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for row in &mut rows {
            let whole = rng.random_bool(0.1);
            row.iter_mut().filter(|_| whole || rng.random_bool(0.33)).for_each(|value| *value = f32::NAN);
        }
        rows
    }

    /// The textbook's forward recursion over all (rule, stress) pairs, with one full transition matrix and each
    /// density from statrs.
    fn by_definition(rows: &[[f32; 10]], resolution: usize, target: Target) -> Vec<f64> {
        let mut grid = Grid::new(resolution);
        let outlook = Outlook::new(&mut grid, WindowSpec::default(), target);
        let (nodes, stress) = (grid.nodes(), grid.stress().collect::<Vec<_>>());
        let transitions = [Fall::None, Fall::Due].map(|fall| {
            let unit = |node: usize| (0..nodes).map(|to| f64::from(u8::from(to == node))).collect::<Vec<_>>();
            (0..nodes).map(|from| (0..nodes).map(|to| grid.expect(&unit(to), fall)[from]).collect()).collect()
        }) as [Vec<Vec<f64>>; 2];
        let density = |row: &[f32; 10], stress: f64| {
            let mut p = 1.0;
            let mut times = |value: f32, mean, noise| {
                let normal = Normal::new(mean, noise).unwrap();
                if value == 0.0 {
                    p *= normal.cdf(0.0);
                } else if !value.is_nan() {
                    p *= normal.pdf(f64::from(value));
                }
            };
            times(row[1], error_rate_mean(stress), ERROR_RATE_NOISE);
            for (metric, &value) in LINEAR_METRICS.iter().zip(&row[2..9]) {
                times(value, metric.mean(stress), metric.noise);
            }
            let above = if (stress - 0.85).abs() < 1e-9 { 0.5 } else { f64::from(u8::from(stress > 0.85)) };
            match row[9] {
                0.0 => p * (1.0 - 0.05 * above),
                1.0 => p * 0.05 * above,
                _ => p,
            }
        };
        let mut masses = [vec![0.0; nodes], vec![0.0; nodes], vec![0.0; nodes]];
        masses[0][0] = 1.0;
        let mut scores = Vec::new();
        for row in rows {
            let mut after = [vec![0.0; nodes], vec![0.0; nodes], vec![0.0; nodes]];
            for (rule, masses) in masses.iter().enumerate() {
                for (from, mass) in masses.iter().enumerate().filter(|(_, mass)| **mass > 0.0) {
                    for (to, p) in transitions[usize::from(rule == 2)][from].iter().enumerate() {
                        let violates = match row[1] {
                            value if value.is_nan() => violation_probability(stress[to]),
                            value => f64::from(u8::from(value >= VIOLATION)),
                        };
                        let mass = mass * p * density(row, stress[to]);
                        after[(rule + 1).min(2)][to] += mass * violates;
                        after[0][to] += mass * (1.0 - violates);
                    }
                }
            }
            let total: f64 = after.iter().flatten().sum();
            masses = after.map(|masses| masses.into_iter().map(|mass| mass / total).collect());
            let pairs = RuleState::ALL.into_iter().zip(&masses);
            let events = pairs.flat_map(|(rule, masses)| masses.iter().zip(outlook.nodes(rule)));
            scores.push(events.map(|(mass, p)| mass * p).sum());
        }
        scores
    }

    #[test]
    fn the_filter_is_the_forward_recursion() {
        let rules: Vec<_> = StressWalk::new(400, 10).steps().map(|minute| minute.rule).collect();
        assert!(rules.iter().filter(|&&rule| rule == RuleState::Satisfied).count() > 3, "failures to filter");
        let rows = rows(400, 10);
        for (rows, target) in [(rows.clone(), Target::Active), (with_gaps(rows), Target::Onset)] {
            let twin = by_definition(&rows, 1, target);
            for (row, (got, expected)) in scores(&rows, 1, target).into_iter().zip(twin).enumerate() {
                assert!((got - expected).abs() < 1e-9, "{target} {row}: {got}, not {expected}");
            }
        }
    }

    /// Probabilities by another implementation of the filter, whose nodes were .0025 apart.
    #[test]
    fn published_rows_have_their_published_probabilities() {
        let rows = "1033,0.000857239668,110.105153,148.382437,204.244906,0.309567066,0.408371239,181.518343,127.74902,0 \
            1342,0,114.656488,155.484474,222.025846,0.272759278,0.357630889,189.112346,182.218452,0 \
            1109,0.000932702392,93.6444026,139.568956,215.147338,0.328423195,0.40873102,199.889443,175.410991,0 \
            1258,0.00139779261,107.384666,163.427366,216.530552,0.260154419,0.405905837,170.42956,165.603116,0 \
            1030,0.00158566822,108.877485,177.886647,242.649934,0.304032866,0.417463684,187.530452,149.836934,0 \
            1364,0.000709760491,99.2798988,180.070658,230.849081,0.324375775,0.440687201,207.227912,210.760731,0";
        let row = |row: &str| row.split(',').map(|value| value.parse().unwrap()).collect::<Vec<_>>();
        let rows: Vec<[f32; 10]> = rows.split(' ').map(|line| row(line).try_into().unwrap()).collect();
        let published = [6.73964e-07, 6.76423e-07, 6.83908e-07, 6.76078e-07, 6.88349e-07, 8.45271e-07];
        for (got, expected) in scores(&rows, 4, Target::Active).into_iter().zip(published) {
            assert!((got / expected - 1.0f64).abs() < 2e-6, "{got:e}, not {expected:e}");
        }
    }

    #[test]
    fn a_finer_grid_changes_little() {
        let rows = rows(5_000, 8);
        let [coarse, used, fine] = [5, 10, 40].map(|resolution| scores(&rows, resolution, Target::Active));
        let worst_and_mean = |a: &[f64]| {
            let errors = a.iter().zip(&fine).map(|(a, b)| (a - b).abs());
            (errors.clone().fold(0.0, f64::max), errors.sum::<f64>() / a.len() as f64)
        };
        let (coarse, used) = (worst_and_mean(&coarse), worst_and_mean(&used));
        assert!(used.0 < 1e-3 && used.1 < 5e-6, "{used:?}");
        assert!(coarse.1 > 3.0 * used.1, "{coarse:?} {used:?}");
    }

    #[test]
    fn who_sees_nothing_knows_the_base_rate() {
        const MINUTE: usize = 150;
        const RUNS: u64 = 20_000;
        let blind = scores(&[[f32::NAN; 10]; MINUTE + 1], 10, Target::Active)[MINUTE];
        let hits = (0..RUNS).filter(|&seed| {
            let walk = StressWalk::new(MINUTE + 6, seed);
            walk.steps().skip(MINUTE + 1).any(|minute| minute.rule == RuleState::Satisfied)
        });
        let frequency = hits.count() as f64 / RUNS as f64;
        let error = (blind * (1.0 - blind) / RUNS as f64).sqrt();
        assert!(blind > 0.001 && (frequency - blind).abs() < 4.0 * error, "{blind}, frequency {frequency}");
    }

    #[test]
    fn what_the_process_cannot_make_is_impossible() {
        let mut filter = Filter::new(Grid::new(10), &Schema::v1()).unwrap();
        let mut row = rows(1, 1)[0];
        filter.observe(&row).unwrap();
        row[9] = 1.0;
        assert_eq!(filter.observe(&row), Err(Impossible), "no pod restarts without stress");
    }

    #[test]
    fn an_outlier_is_weighed_without_underflow() {
        let mut filter = Filter::new(Grid::new(10), &Schema::v1()).unwrap();
        let outlook = Outlook::new(&mut Grid::new(10), WindowSpec::default(), Target::Active);
        for row in rows(50, 1) {
            filter.observe(&row).unwrap();
        }
        // Eighty standard deviations off, whatever the stress.
        let mut row = rows(1, 1)[0];
        row[2] = 5_000.0;
        for _ in 0..50 {
            filter.observe(&row).unwrap();
            assert!(filter.probability(&outlook).is_finite());
        }
        let total: f64 = filter.masses.iter().flatten().sum();
        assert!((total - 1.0).abs() < 1e-9);
    }
}
