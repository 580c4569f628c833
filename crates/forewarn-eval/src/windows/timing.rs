use crate::{EvalError, Reliability, ReliabilityBin};
use forewarn_core::{CoreError, Forecast, Outcome, Outcomes, Score};
use serde::{Deserialize, Serialize};

/// Whether a predictor that says *when* is right about it.
///
/// Two questions. Of the windows that announce a failure within `k` minutes with probability .2, does it come so soon
/// in a fifth, for each `k` ([`within`](Self::within))? And where it did come, how far off were the minutes that were
/// expected ([`bins`](Self::bins))?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TimingReliability {
    /// Windows with a failure in their period: those of `bins` and of the errors.
    pub windows: usize,
    /// Mean distance of expected and actual minutes to failure.
    pub mean_absolute_error_minutes: f64,
    /// The same for one guess, the mean, for every window: what a forecast must be better than.
    pub mean_absolute_error_of_the_mean_minutes: f64,
    /// Mean of expected less actual minutes.
    pub bias_minutes: f64,
    /// About as many windows in each, those that expect the failure soonest first; windows that expect the same are
    /// together.
    pub bins: Vec<TimingBin>,
    /// One entry for each step of the period, but for those by which a failure had come in none of the windows, or in
    /// all.
    pub within: Vec<WithinReliability>,
}

/// Windows that expect the failure at about the same time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TimingBin {
    /// How many.
    pub windows: usize,
    /// Mean of the minutes that they expect.
    pub expected_minutes: f64,
    /// Mean of the minutes that it took.
    pub actual_minutes: f64,
}

/// Probabilities of a failure within a number of minutes, compared with how often it came as soon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WithinReliability {
    /// Minutes from the window's last row to the end of the step.
    pub minutes: f64,
    /// Windows of which it is known whether the failure came by then.
    pub windows: usize,
    /// Mean probability: the share of failures that was announced.
    pub announced: f64,
    /// Share of windows whose failure came by then.
    pub happened: f64,
    /// Expected calibration error: mean distance of the two over the bins, weighted by windows.
    pub ece: f64,
    /// The bins, from the lowest probabilities to the highest: the reliability curve.
    pub bins: Vec<ReliabilityBin>,
}

impl TimingReliability {
    /// Bins used where nothing else is asked for.
    pub const BINS: usize = 8;

    /// Holds forecasts against what happened, in at most `bins` bins. `None` when no window has a failure in its
    /// period, or none is left. Minutes are counted from a window's last row: a failure in the first step after a
    /// lead of two steps comes in three.
    ///
    /// `O(n log n)` time for each step of the period.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless there is one outcome for each forecast, and one probability for each step
    /// of the period; [`CoreError::InvalidSetting`] for no bin.
    pub fn new(
        forecasts: &[Forecast],
        outcomes: Outcomes<'_>,
        bins: usize,
    ) -> Result<Option<Self>, EvalError> {
        let length = |what, expected, got| Err(CoreError::LengthMismatch { what, expected, got }.into());
        if forecasts.len() != outcomes.len() {
            return length("forecasts", outcomes.len(), forecasts.len());
        }
        let period = outcomes.period();
        if let Some(odd) = forecasts.iter().find(|forecast| forecast.probabilities().len() != period) {
            return length("steps of a forecast", period, odd.probabilities().len());
        }
        if bins == 0 {
            return Err(crate::uncertainty::invalid("bins", "0".to_owned(), "at least 1").into());
        }
        let minutes = |steps: f64| (outcomes.spec().lead() as f64 + steps) * outcomes.step().minutes();
        let known: Vec<(&Forecast, Outcome)> = forecasts
            .iter()
            .enumerate()
            .filter_map(|(index, forecast)| Some((forecast, outcomes.get(index)?)))
            .collect();
        let came = known.iter().filter_map(|&(forecast, outcome)| {
            let Outcome::At(step) = outcome else { return None };
            Some((minutes(forecast.expected_steps()?), minutes(f64::from(step))))
        });
        let Some(mut found) = Self::of_pairs(came.collect(), bins) else { return Ok(None) };
        for step in 1..=period {
            found.within.extend(within(&known, step, minutes(step as f64), bins)?);
        }
        Ok(Some(found))
    }

    /// Of expected and actual minutes.
    fn of_pairs(mut pairs: Vec<(f64, f64)>, bins: usize) -> Option<Self> {
        if pairs.is_empty() {
            return None;
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let guess = mean(&pairs, |pair| pair.1);
        let bin = |pairs: &[(f64, f64)]| TimingBin {
            windows: pairs.len(),
            expected_minutes: mean(pairs, |pair| pair.0),
            actual_minutes: mean(pairs, |pair| pair.1),
        };
        let mut found = Vec::new();
        let mut rest = pairs.as_slice();
        for left in (1..=bins).rev() {
            let end = rest.len().div_ceil(left);
            // Windows that expect the same must not be told apart by what happened.
            let last = rest[..end].last().map_or(f64::NEG_INFINITY, |pair| pair.0);
            let (these, later) = rest.split_at(rest.partition_point(|pair| pair.0 <= last));
            if !these.is_empty() {
                found.push(bin(these));
            }
            rest = later;
        }
        Some(Self {
            windows: pairs.len(),
            mean_absolute_error_minutes: mean(&pairs, |pair| (pair.0 - pair.1).abs()),
            mean_absolute_error_of_the_mean_minutes: mean(&pairs, |pair| (guess - pair.1).abs()),
            bias_minutes: mean(&pairs, |pair| pair.0 - pair.1),
            bins: found,
            within: Vec::new(),
        })
    }
}

/// Probabilities of the first `steps` steps; `None` when failures came by then in no window, or in all.
fn within(
    known: &[(&Forecast, Outcome)],
    steps: usize,
    minutes: f64,
    bins: usize,
) -> Result<Option<WithinReliability>, EvalError> {
    let (mut scores, mut happened) = (Vec::new(), Vec::new());
    for &(forecast, outcome) in known {
        let came = match outcome {
            Outcome::At(step) => step as usize <= steps,
            Outcome::NotWithin(seen) if seen as usize >= steps => false,
            Outcome::NotWithin(_) => continue,
        };
        // A sum of rounded probabilities may pass 1 by a bit.
        scores.push(Score::new(forecast.within_steps(steps).min(1.0) as f32)?);
        happened.push(came);
    }
    if !(happened.contains(&true) && happened.contains(&false)) {
        return Ok(None);
    }
    let found = Reliability::new(&scores, &happened, bins)?;
    Ok(Some(WithinReliability {
        minutes,
        windows: scores.len(),
        announced: mean(&scores, |score| f64::from(score.get())),
        happened: mean(&happened, |&came| f64::from(u8::from(came))),
        ece: found.ece,
        bins: found.bins,
    }))
}

fn mean<T>(of: &[T], value: impl Fn(&T) -> f64) -> f64 {
    of.iter().map(value).sum::<f64>() / of.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_core::{Label, Labels, Samples, Target, WindowSpec};
    use forewarn_schema::{Episode, Frame, FrameSet, Metric, Schema, Step, Timestamp};

    fn minute(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 120_000).unwrap()
    }

    /// Rows every two minutes; failures begin in every tenth row, and the period is three rows after a lead of one.
    fn samples() -> Samples {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let step = Step::from_millis(120_000).unwrap();
        let frame = Frame::new("s", schema, Timestamp::EPOCH, step, vec![0.0; 100]).unwrap();
        let frames = FrameSet::from_frames(vec![frame]).unwrap();
        let episodes = (1..10).map(|tenth| {
            Episode::new(minute(10 * tenth), minute(10 * tenth), minute(10 * tenth + 1)).unwrap()
        });
        let episodes = vec![episodes.collect::<Vec<_>>().try_into().unwrap()];
        // A failure in rows t + 2 to t + 4.
        let labels = (0..100i64).map(|row| match row {
            96.. => Label::Negative,
            _ if row >= 6 && (6..=8).contains(&(row % 10)) => Label::Positive,
            _ => Label::Negative,
        });
        let spec = WindowSpec::new(1, 1, 3).unwrap();
        let labels =
            Labels::new(frames.layout().clone(), spec, Target::Onset, 1, labels.collect(), episodes).unwrap();
        labels.samples(|_, time| time < minute(90))
    }

    #[test]
    fn a_forecast_that_knows_is_right_in_every_minute() {
        let samples = samples();
        let outcomes = samples.outcomes();
        let forecast = |hazards: [f64; 3]| Forecast::from_hazards(&hazards).unwrap();
        let knows: Vec<Forecast> = (0..outcomes.len())
            .map(|index| match outcomes.get(index).unwrap() {
                Outcome::At(step) => forecast([1, 2, 3].map(|at| f64::from(u8::from(at == step)))),
                Outcome::NotWithin(_) => forecast([0.0; 3]),
            })
            .collect();
        let found = TimingReliability::new(&knows, outcomes, 8).unwrap().unwrap();
        assert_eq!((found.windows, found.mean_absolute_error_minutes, found.bias_minutes), (27, 0.0, 0.0));
        // A lead of one step of two minutes, and one to three steps.
        let minutes: Vec<f64> = found.bins.iter().map(|bin| bin.expected_minutes).collect();
        assert_eq!(minutes, [4.0, 6.0, 8.0]);
        assert!(found.bins.iter().all(|bin| bin.windows == 9 && bin.expected_minutes == bin.actual_minutes));
        let within: Vec<(f64, usize, f64)> =
            found.within.iter().map(|step| (step.minutes, step.windows, step.happened)).collect();
        assert_eq!(within, [(4.0, 90, 0.1), (6.0, 90, 0.2), (8.0, 90, 0.3)]);
        assert!(found.within.iter().all(|step| step.ece == 0.0 && step.announced == step.happened));

        // One that cries wolf in the first minute is off there by what it claims, and always too soon.
        let wolf = vec![forecast([0.5, 0.0, 0.0]); outcomes.len()];
        let found = TimingReliability::new(&wolf, outcomes, 8).unwrap().unwrap();
        let errors: Vec<f64> = found.within.iter().map(|step| step.ece).collect();
        for (error, expected) in errors.iter().zip([0.4, 0.3, 0.2]) {
            assert!((error - expected).abs() < 1e-9, "{errors:?}");
        }
        assert_eq!((found.bins.len(), found.bias_minutes), (1, -2.0));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let samples = samples();
        let outcomes = samples.outcomes();
        let forecasts = vec![Forecast::from_hazards(&[0.1; 3]).unwrap(); outcomes.len()];
        assert!(TimingReliability::new(&forecasts[1..], outcomes, 8).is_err());
        assert!(TimingReliability::new(&forecasts, outcomes, 0).is_err());
        let short = vec![Forecast::from_hazards(&[0.1; 2]).unwrap(); outcomes.len()];
        assert!(TimingReliability::new(&short, outcomes, 8).is_err());
        let calm = samples.select(&[0, 1, 2]).unwrap();
        assert_eq!(TimingReliability::new(&forecasts[..3], calm.outcomes(), 8).unwrap(), None);
    }

    #[test]
    fn a_bias_is_told_from_an_error() {
        let pairs = vec![(3.0, 4.0), (1.0, 2.0), (5.0, 4.0), (5.0, 6.0)];
        let found = TimingReliability::of_pairs(pairs, 2).unwrap();
        assert_eq!((found.windows, found.mean_absolute_error_minutes, found.bias_minutes), (4, 1.0, -0.5));
        assert_eq!(found.mean_absolute_error_of_the_mean_minutes, 1.0);
        assert_eq!(found.bins[0], TimingBin { windows: 2, expected_minutes: 2.0, actual_minutes: 3.0 });
        assert_eq!(found.bins[1], TimingBin { windows: 2, expected_minutes: 5.0, actual_minutes: 5.0 });
        assert_eq!(TimingReliability::of_pairs(vec![], 2), None);
    }
}
