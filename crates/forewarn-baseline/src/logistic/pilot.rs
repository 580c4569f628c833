use super::{
    design::Design,
    minimise::{Stop, minimise},
    objective::Objective,
};
use forewarn_core::{FitProgress, Monitor};
use forewarn_numerics::mix;

/// A fit on some of the windows, before one on all of them.
///
/// Its minimum lies within a few standard errors of the other one, and its Hessian, weighted by what each window stands
/// for, is nearly the other one's. From there L-BFGS takes about ten passes over all windows, where it takes hundreds
/// from nothing: columns that depend on one another make the way long and bent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pilot {
    /// Windows from which on there is one: below, a fit takes seconds.
    from: usize,
    /// About how many windows of each class it has, where there are as many.
    of_each_class: usize,
    /// Terms up to which there is one: time for the Hessian grows with their square.
    most_terms: usize,
}

impl Pilot {
    pub(crate) const USUAL: Self = Self { from: 1 << 20, of_each_class: 1 << 16, most_terms: 256 };

    /// `objective` with a search that begins where the pilot ended. Without a pilot, or after one that fails because its
    /// iterations do not suffice, the objective stays as it is: that costs time and changes no minimum.
    pub(crate) fn before(
        self,
        objective: Objective,
        (stop, max_iterations): (Stop, usize),
        monitor: &mut dyn Monitor,
    ) -> Objective {
        let design = objective.design();
        if design.positive.len() < self.from || design.terms > self.most_terms {
            return objective;
        }
        // Closer than settled is within its own error.
        let stop = if stop == Stop::Flat { stop } else { Stop::Settled };
        let pilot = Objective::new(design.thinned(self.of_each_class), objective.c());
        let Ok((parameters, _)) = minimise(&pilot, stop, max_iterations, &mut Unreported(monitor)) else {
            return objective;
        };
        let (weights, at_centre) = pilot.coefficients(&parameters);
        let centres = objective.centre().iter().zip(pilot.centre());
        let moved: f64 =
            weights.iter().zip(centres).map(|(w, (&to, &from))| w * (f64::from(to) - f64::from(from))).sum();
        objective.near(&weights, at_centre + moved, pilot.design())
    }
}

impl Design {
    /// About `of_each_class` windows of each class, each standing for as many as were left out with it, and all of a class
    /// that has no more: where the rarer one is whole, little of what tells them apart is lost.
    ///
    /// Of each stride of windows one is taken at random, so that no cycle in the order of windows is hit.
    fn thinned(&self, of_each_class: usize) -> Self {
        let positives = self.positive.iter().filter(|&&positive| positive).count();
        let strides = [self.positive.len() - positives, positives]
            .map(|windows| windows.div_ceil(of_each_class).max(1));
        let (mut seen, mut next) = ([0usize; 2], [0usize; 2]);
        let mut thinned = Self {
            terms: self.terms,
            values: Vec::new(),
            positive: Vec::new(),
            weights: self.weights,
            stands_for: Vec::new(),
        };
        for (index, &label) in self.positive.iter().enumerate() {
            let class = usize::from(label);
            let (stride, at) = (strides[class], seen[class]);
            seen[class] += 1;
            if at.is_multiple_of(stride) {
                next[class] = at + (mix(class as u64, at as u64) % stride as u64) as usize;
            }
            if at == next[class] {
                thinned.values.extend_from_slice(&self.values[index * self.terms..][..self.terms]);
                thinned.positive.push(label);
                thinned.stands_for.push(stride as f32 * self.stands_for.get(index).copied().unwrap_or(1.0));
            }
        }
        thinned
    }
}

/// Ends a fit in time, and says nothing of how it goes: what is reported are the iterations of the fit on all windows.
struct Unreported<'a>(&'a mut dyn Monitor);

impl Monitor for Unreported<'_> {
    fn report(&mut self, _: FitProgress<'_>) {}

    fn should_stop(&self) -> bool {
        self.0.should_stop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_core::Silent;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Two columns that are nearly the same, one that is far from 0 and seldom moves, and failures in one of 13 windows.
    fn design(windows: usize) -> Design {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let (mut values, mut positive) = (Vec::new(), Vec::new());
        for _ in 0..windows {
            let [x, noise, rare] = [(); 3].map(|()| random.random_range(-1f32..1.0));
            let rare = if rare > 0.9 { 8.0 } else { 7.0 };
            values.extend([x, x + 0.03 * noise, rare]);
            let log_odds = 2.0 * f64::from(x + rare) - 20.0 + f64::from(noise);
            positive.push(random.random::<f64>() < forewarn_core::sigmoid(log_odds + 3.0));
        }
        Design { terms: 3, values, positive, weights: [1.0; 2], stands_for: Vec::new() }
    }

    const SMALL: Pilot = Pilot { from: 1000, of_each_class: 2000, most_terms: 3 };

    fn fit(pilot: Option<Pilot>, stop: Stop) -> (Vec<f64>, usize) {
        let mut objective = Objective::new(design(60_000), 1.0);
        if let Some(pilot) = pilot {
            objective = pilot.before(objective, (stop, 1000), &mut Silent);
            assert!(objective.knows_curvature());
        }
        let (parameters, convergence) = minimise(&objective, stop, 1000, &mut Silent).unwrap();
        let (mut coefficients, at_centre) = objective.coefficients(&parameters);
        coefficients.push(at_centre);
        (coefficients, convergence.iterations)
    }

    #[test]
    fn a_pilot_changes_the_way_and_not_the_minimum() {
        let (expected, long) = fit(None, Stop::At(1e-8));
        let (found, iterations) = fit(Some(SMALL), Stop::At(1e-8));
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{found} {expected}");
        }
        assert!(iterations < long, "{iterations} {long}");
        // To where no prediction changes: the two columns alike are known to within 0.4 by this many windows.
        let (found, iterations) = fit(Some(SMALL), Stop::Settled);
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-2, "{found} {expected}");
        }
        assert!(iterations < 10, "{iterations}");
    }

    #[test]
    fn few_windows_and_many_terms_have_no_pilot() {
        for pilot in [Pilot { from: 60_001, ..SMALL }, Pilot { most_terms: 2, ..SMALL }] {
            let objective =
                pilot.before(Objective::new(design(60_000), 1.0), (Stop::Settled, 1000), &mut Silent);
            assert!(!objective.knows_curvature());
        }
        // One that does not end leaves the search to the fit itself.
        let objective = SMALL.before(Objective::new(design(60_000), 1.0), (Stop::Settled, 1), &mut Silent);
        assert!(!objective.knows_curvature());
    }

    #[test]
    fn what_is_kept_stands_for_what_is_not() {
        let whole = design(60_000);
        let thinned = whole.thinned(2000);
        for class in [false, true] {
            let all = whole.positive.iter().filter(|&&label| label == class).count();
            let kept = thinned.positive.iter().filter(|&&label| label == class).count();
            let labelled = thinned.positive.iter().zip(&thinned.stands_for);
            let weight: f32 = labelled.filter(|&(&label, _)| label == class).map(|(_, weight)| weight).sum();
            assert!((1000..=2000).contains(&kept), "{kept} of {all}");
            assert!((weight - all as f32).abs() <= (all / kept + 1) as f32, "{weight} {all}");
        }
        // All of a class of few.
        assert_eq!(whole.thinned(60_000).positive, whole.positive);
        assert!(whole.thinned(60_000).stands_for.iter().all(|&weight| weight == 1.0));
    }
}
