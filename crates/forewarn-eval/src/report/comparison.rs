use super::WindowFigures;
use crate::uncertainty::BlockBootstrap;
use crate::uncertainty::{RankedBlocks, widened};
use crate::{EvalError, Interval, ScoredSet, both::both};
use forewarn_core::CoreError;
use forewarn_core::average_precision;
use forewarn_numerics::quantile;
use serde::{Deserialize, Serialize};

/// Models held against each other on the same windows.
///
/// All models are measured on the same resamples, so what a hard day does to all of them cancels: the difference of
/// two models is known far better than either figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelComparison {
    /// Blocks of time that were drawn from.
    pub blocks: usize,
    /// Models by PR-AUC, best first.
    pub ranks: Vec<ModelRank>,
    /// Every pair of models, the better one first, in order of rank.
    pub differences: Vec<Difference>,
}

/// A model's place among the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelRank {
    /// Name of the model.
    pub model: String,
    /// Its PR-AUC.
    pub pr_auc: f64,
    /// Its place, 1 for the best.
    pub rank: usize,
    /// Where its place lies.
    pub rank_interval: Option<Interval>,
    /// Share of the resamples in which no other model is better.
    pub best_share: f64,
}

/// How much better one model is than another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Difference {
    /// The better model.
    pub better: String,
    /// The other one.
    pub worse: String,
    /// PR-AUC of the better one minus that of the other.
    pub pr_auc: f64,
    /// Where that difference lies, taken by itself.
    pub interval: Option<Interval>,
    /// Whether the difference is real: its interval leaves out 0 even when it is widened so that the intervals of all
    /// pairs hold together. Of many pairs some always look different by chance.
    pub is_real: bool,
}

impl ModelComparison {
    /// Compares the PR-AUC of models. `None` for fewer than two models or two blocks.
    ///
    /// `O(n)` time a model and resample, on two threads. The simultaneous intervals are `d ± q se`, with the standard
    /// error of each difference over the resamples, and `q` the quantile of the largest of all `|d* - d| / se` in a
    /// resample, widened for the number of blocks as every interval is.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`], which names the model, unless all have scored the same windows;
    /// [`CoreError::SingleClass`].
    ///
    /// # References
    /// J. P. Romano and M. Wolf, *Exact and approximate stepdown methods for multiple hypothesis testing*, Journal of
    /// the American Statistical Association 100(469), 2005 (its first step).
    pub fn new<'a>(
        models: &[(&'a str, &ScoredSet)],
        bootstrap: &BlockBootstrap,
    ) -> Result<Option<Self>, EvalError> {
        let Some(&(_, first)) = models.first() else { return Ok(None) };
        if let Some((name, _)) = models.iter().find(|(_, set)| !set.has_same_windows(first)) {
            let expected = "the windows and labels of the models before it";
            let value = format!("{name:?} with others");
            return Err(
                CoreError::InvalidSetting { name: "windows of a compared model", value, expected }.into()
            );
        }
        let blocks = bootstrap.blocks(first);
        if models.len() < 2 || blocks.len() < 2 {
            return Ok(None);
        }
        let measure = |&(name, set): &(&'a str, &ScoredSet)| -> Result<Measured<'a>, EvalError> {
            let (scores, positive) = set.pooled("test")?;
            let ranked = RankedBlocks::new(set, &blocks)?;
            let draws = bootstrap
                .draws(blocks.len())
                .filter_map(|weights| ranked.areas(&weights, WindowFigures::HIGHEST_FALSE_POSITIVE_RATE));
            let resampled: Vec<f64> = draws.map(|areas| areas.pr).collect();
            let effective = ranked.effective_blocks();
            Ok(Measured { name, pr_auc: average_precision(&scores, &positive)?, resampled, effective })
        };
        let each =
            |models: &[(&'a str, &ScoredSet)]| models.iter().map(measure).collect::<Result<Vec<_>, _>>();
        let (front, back) = models.split_at(models.len().div_ceil(2));
        let (front, back) = both(|| each(front), || each(back));
        let mut measured = front?;
        measured.extend(back?);
        measured.sort_by(|a, b| b.pr_auc.total_cmp(&a.pr_auc));
        Ok(Some(Self {
            blocks: blocks.len(),
            ranks: ranks(&measured, bootstrap),
            differences: differences(&measured, bootstrap),
        }))
    }
}

/// A model with its PR-AUC in each resample of both classes. Labels are the same for all models, so these are the same
/// resamples.
struct Measured<'a> {
    name: &'a str,
    pr_auc: f64,
    resampled: Vec<f64>,
    /// Number of equal blocks that say as much; the same for all models, as labels are.
    effective: f64,
}

fn ranks(measured: &[Measured<'_>], bootstrap: &BlockBootstrap) -> Vec<ModelRank> {
    let rank = |(index, model): (usize, &Measured<'_>)| {
        let places: Vec<f64> = (0..model.resampled.len())
            .map(|draw| {
                let value = model.resampled[draw];
                1.0 + measured.iter().filter(|other| other.resampled[draw] > value).count() as f64
            })
            .collect();
        let best = places.iter().filter(|&&place| place == 1.0).count();
        ModelRank {
            model: model.name.to_owned(),
            pr_auc: model.pr_auc,
            rank: index + 1,
            best_share: best as f64 / places.len().max(1) as f64,
            // Places are whole: outwards, so that the interval is not narrower than it says.
            rank_interval: Interval::expanded(
                places,
                model.effective,
                bootstrap.resamples(),
                bootstrap.level(),
            )
            .map(|found| Interval { low: found.low.floor(), high: found.high.ceil(), ..found }),
        }
    };
    measured.iter().enumerate().map(rank).collect()
}

fn differences(measured: &[Measured<'_>], bootstrap: &BlockBootstrap) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut errors = Vec::new();
    let mut largest = vec![0.0f64; measured.first().map_or(0, |model| model.resampled.len())];
    for (index, better) in measured.iter().enumerate() {
        for worse in &measured[index + 1..] {
            let values: Vec<f64> =
                better.resampled.iter().zip(&worse.resampled).map(|(a, b)| a - b).collect();
            let difference = better.pr_auc - worse.pr_auc;
            let error = standard_deviation(&values);
            if error > 0.0 {
                for (largest, value) in largest.iter_mut().zip(&values) {
                    *largest = largest.max((value - difference).abs() / error);
                }
            }
            errors.push(error);
            differences.push(Difference {
                better: better.name.to_owned(),
                worse: worse.name.to_owned(),
                pr_auc: difference,
                interval: Interval::expanded(
                    values,
                    better.effective,
                    bootstrap.resamples(),
                    bootstrap.level(),
                ),
                is_real: false,
            });
        }
    }
    largest.sort_unstable_by(f64::total_cmp);
    // The standard errors are as little known as for one interval, which is widened by as much.
    let blocks = measured.first().map_or(0.0, |model| model.effective);
    let wider = widened(blocks, bootstrap.level()) / widened(f64::from(u32::MAX), bootstrap.level());
    if let Some(width) = quantile(&largest, bootstrap.level()).map(|width| width * wider) {
        for (difference, error) in differences.iter_mut().zip(errors) {
            difference.is_real = difference.interval.is_some() && difference.pr_auc > width * error;
        }
    }
    differences
}

fn standard_deviation(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    if count < 2.0 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt()
}
