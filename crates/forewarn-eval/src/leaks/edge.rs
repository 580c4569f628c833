use super::{LeakCheck, checked};
use crate::ScoredSet;
use forewarn_core::Score;
use statrs::distribution::{ContinuousCDF, Normal};

const NAME: &str = "label edge";
/// Fewest failures of which a step says anything.
const FEWEST: usize = 20;
/// Steps after the label's edge at which a leak is looked for: the label itself, and the label one step late.
const DELAYS: usize = 2;
/// Share of the whole rise before failures that a single step at the edge may have.
const SHARE: f64 = 0.4;
/// Standard errors that the step has to be above 0, and times that it has to be above every other step.
const CERTAIN: f64 = 4.0;
const TIMES: f64 = 2.5;

/// Whether scores step up where the label does. What precedes a failure knows nothing of the prediction period: its
/// length is a choice. A score that leaps in the very step in which a failure comes into the period, or one later,
/// has seen the label, however much noise lies on it.
///
/// Scores are taken as normal quantiles of the share of negative windows below them, so that their scale does not
/// matter.
pub(super) fn check(set: &ScoredSet) -> LeakCheck {
    let spec = set.spec();
    let edge = spec.lead() + spec.period();
    let mut negative: Vec<Score> = set
        .series()
        .iter()
        .flat_map(|series| series.scores().iter().zip(series.positive()))
        .filter(|(_, positive)| !**positive)
        .map(|(&score, _)| score)
        .collect();
    negative.sort_unstable();
    if negative.is_empty() || spec.period() < DELAYS + 1 {
        return checked(NAME, false, "the prediction period is too short to look for a step".to_owned());
    }
    let normal = Normal::standard();
    let place = |score: Score| {
        let below = negative.partition_point(|&other| other < score);
        let until = negative.partition_point(|&other| other <= score);
        let share = (below + until + 1) as f64 / (2 * negative.len() + 2) as f64;
        normal.inverse_cdf(share)
    };
    // Steps up at each distance: from `distance + 1` steps before an onset to `distance`.
    let farthest = edge + spec.period().max(5);
    let mut steps: Vec<Vec<f64>> = vec![Vec::new(); farthest];
    for series in set.series() {
        let at = |time: i64| {
            let index = series.times().binary_search_by_key(&time, |other| other.millis()).ok()?;
            Some(place(series.scores()[index]))
        };
        let mut previous = i64::MIN;
        for episode in series.episodes().iter() {
            let onset = episode.onset().millis();
            let from = |distance: usize| onset - distance as i64 * set.step().millis();
            // A failure soon after another one has the other's label in its past.
            if from(farthest + edge) > previous {
                let scores: Vec<Option<f64>> = (0..=farthest).map(|distance| at(from(distance))).collect();
                for distance in spec.lead() + 1..farthest {
                    if let (Some(now), Some(before)) = (scores[distance], scores[distance + 1]) {
                        steps[distance].push(now - before);
                    }
                }
            }
            previous = onset;
        }
    }
    let mean = |steps: &[f64]| steps.iter().sum::<f64>() / steps.len().max(1) as f64;
    let means: Vec<f64> = steps.iter().map(|steps| mean(steps)).collect();
    let rise: f64 = means[spec.lead() + 1..].iter().filter(|step| **step > 0.0).sum();
    for delay in 0..DELAYS {
        let place = edge - delay;
        let (here, count) = (means[place], steps[place].len());
        let squares: f64 = steps[place].iter().map(|step| (step - here).powi(2)).sum();
        let error = (squares / count.max(2).saturating_sub(1) as f64 / count.max(1) as f64).sqrt();
        let others = (spec.lead() + 1..farthest).filter(|&other| other != place).map(|other| means[other]);
        let next = others.fold(0.0, f64::max);
        if count >= FEWEST && here > CERTAIN * error && here > SHARE * rise && here > TIMES * next {
            let text = format!(
                "{:.0} % of the rise of scores before failures comes in a single step, {place} steps before the onset, where {}: does a feature \
                 know the label?",
                100.0 * here / rise,
                if delay == 0 { "labels turn positive" } else { "labels have just turned positive" }
            );
            return checked(NAME, true, text);
        }
    }
    let text = match steps[edge].len() {
        count if count < FEWEST => {
            format!("{count} failures stand alone, too few to look for a step at the label's edge")
        }
        count => format!("scores before {count} failures do not leap where labels turn positive"),
    };
    checked(NAME, false, text)
}
