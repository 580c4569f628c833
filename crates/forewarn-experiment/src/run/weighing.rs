//! A blend of models by how they do in several blocks of time.

use crate::{
    ExperimentError, Model, ModelRows, Observer, Progress,
    run::{
        fit::{Deadline, Estimated, Fitted, LearntFrom, Member, Scorer, score},
        folds::{all_but_a_block, earlier_block, inner_folds, joined},
        material::Views,
        side_by_side::{processors, side_by_side},
    },
};
use forewarn_core::{CoreError, Labels, Predictor, Samples, Score, Split};
use forewarn_ensemble::{Blend, BlockChoice};
use std::time::Instant;

/// What is weighed, and what there is to weigh it by.
pub(crate) struct Weighing<'a> {
    pub(crate) name: &'a str,
    pub(crate) models: &'a [Model],
    pub(crate) fitted: &'a [Option<Fitted>],
    /// Positions of the members, each of which is fitted.
    pub(crate) members: Vec<usize>,
    pub(crate) views: Views<'a>,
    pub(crate) split: &'a Split,
    pub(crate) labels: &'a Labels,
    pub(crate) deadline: Deadline,
    pub(crate) observer: &'a dyn Observer,
}

/// A member with its scores of each block.
struct Candidate<'a> {
    at: usize,
    fitted: &'a Fitted,
    /// Of the blocks of the folds, in order.
    folds: Vec<Vec<Score>>,
}

/// A fit on all of train and validation, and the rows that it reads.
type Last = (ModelRows, Box<dyn Predictor>);

/// Fits the members on each fold, and weighs them by the blocks of the folds and validation together; then fits them
/// once more on all there is. A line of progress for each.
pub(crate) fn weigh(of: &Weighing<'_>) -> Result<Fitted, ExperimentError> {
    let began = Instant::now();
    let mut folds = inner_folds(of.labels, of.split);
    let candidates = of.candidates(&mut folds)?;
    let about = |source| ExperimentError::Model { name: of.name.to_owned(), source };
    let choice = choose(&candidates, &folds, of.split).map_err(about)?;
    of.report(&candidates, &choice, folds.len() + 1);
    let weights = choice.blend.weights();
    let before: Vec<&[Score]> = candidates.iter().map(|candidate| &*candidate.fitted.validation).collect();
    let validation = choice.blend.apply(&before).map_err(about)?;
    let earlier = of.earlier(&candidates, &folds, &choice.blend)?;
    let held_out =
        of.held_out(&candidates, &folds, &choice.blend, &validation, earlier.as_ref()).map_err(about)?;
    let mut lasts = of.fit_on_all(&candidates, weights)?;
    let fit_seconds = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let (mut members, mut blended, mut tests) = (Vec::new(), Vec::new(), Vec::new());
    for ((candidate, &weight), last) in candidates.iter().zip(weights).zip(&mut lasts) {
        let (_, share) = of.models[candidate.at].cost_and_share_of_quick();
        let share = if last.is_some() { share } else { 0.0 };
        members.push(Member::Of(candidate.at));
        blended.push((1.0 - share) * weight);
        tests.push(candidate.fitted.test.clone());
        let Some((rows, model)) = last.take() else { continue };
        let windows = of.split.test().on(of.views.rows(rows)).map_err(about)?;
        tests.push(score(&*model, windows.windows(), processors(), |_| {}).map_err(about)?);
        members.push(Member::Own { rows, model });
        blended.push(share * weight);
    }
    let blend = Blend::new(blended, choice.blend.shift()).map_err(about)?;
    let test = blend.apply(&tests.iter().map(Vec::as_slice).collect::<Vec<_>>()).map_err(about)?;
    let sum = |part: fn(&Fitted) -> f64| candidates.iter().map(|found| part(found.fitted)).sum::<f64>();
    Ok(Fitted {
        scorer: Scorer::Blend { blend, members },
        validation,
        test,
        fit_seconds: fit_seconds + sum(|fitted| fitted.fit_seconds),
        score_seconds: began.elapsed().as_secs_f64() + sum(|fitted| fitted.score_seconds),
        held_out,
        learnt_from: LearntFrom::Kept,
    })
}

/// Weights by the blocks of the folds and by validation.
fn choose(candidates: &[Candidate<'_>], folds: &[Split], split: &Split) -> Result<BlockChoice, CoreError> {
    let labels = folds.iter().map(|fold| fold.test().positive());
    let labels: Vec<&[bool]> = labels.chain([split.validation().positive()]).collect();
    let scores: Vec<Vec<&[Score]>> = candidates
        .iter()
        .map(|candidate| {
            candidate.folds.iter().map(Vec::as_slice).chain([&*candidate.fitted.validation]).collect()
        })
        .collect();
    Blend::by_blocks(&scores, &labels)
}

impl<'a> Weighing<'a> {
    /// Members whose folds the time allows, with what they say of the blocks. Where it allows those of no member,
    /// there are no folds, and validation weighs them all.
    fn candidates(&self, folds: &mut Vec<Split>) -> Result<Vec<Candidate<'a>>, ExperimentError> {
        // The quickest first, so that time that runs out costs as few members as possible.
        let found = self.members.iter().filter_map(|&at| Some((at, self.fitted[at].as_ref()?)));
        let mut order: Vec<(usize, &Fitted)> = found.collect();
        order.sort_by(|a, b| self.seconds(a.0).total_cmp(&self.seconds(b.0)).then(a.0.cmp(&b.0)));
        let mut candidates = Vec::new();
        for &(at, fitted) in &order {
            // A fold is fitted on about half of the windows, as many at a time as there are processors.
            let rounds = folds.len().div_ceil(processors());
            if self.is_late(0.6 * self.seconds(at) * rounds as f64) {
                self.say(&format!(
                    "{} left out: its folds would take longer than is left",
                    self.models[at].name
                ));
                continue;
            }
            let Some(estimator) = Estimated::quick((at, &self.models[at])) else { continue };
            let scores = side_by_side(folds, |_, fold| self.scored(&estimator, fold))?;
            candidates.push(Candidate { at, fitted, folds: scores });
        }
        if candidates.is_empty() {
            self.say("no time is left for folds: validation alone weighs the members");
            folds.clear();
            candidates.extend(order.iter().map(|&(at, fitted)| Candidate { at, fitted, folds: Vec::new() }));
        }
        Ok(candidates)
    }

    /// What a quick fit on a split says of its test part.
    fn scored(&self, estimator: &Estimated<'_>, split: &Split) -> Result<Vec<Score>, ExperimentError> {
        let scores = || -> Result<Vec<Score>, CoreError> {
            let (model, _) = estimator.fit((1, self.deadline), self.views, split, &|_: Progress<'_>| {})?;
            score(&*model, split.test().on(self.views.rows(estimator.rows))?.windows(), 1, |_| {})
        };
        scores().map_err(|source| ExperimentError::Model { name: estimator.name.to_owned(), source })
    }

    /// Seconds that a fit of a member on all would take, as folds do it.
    fn seconds(&self, at: usize) -> f64 {
        let (cost, _) = self.models[at].cost_and_share_of_quick();
        cost * self.fitted[at].as_ref().map_or(0.0, |fitted| fitted.fit_seconds)
    }

    fn is_late(&self, seconds: f64) -> bool {
        self.deadline.seconds_left().is_some_and(|left| seconds > left)
    }

    fn say(&self, text: &str) {
        self.observer.progress(Progress::Stage(&format!("{}: {text}", self.name)));
    }

    fn report(&self, candidates: &[Candidate<'_>], choice: &BlockChoice, blocks: usize) {
        let weights = choice.blend.weights();
        for ((candidate, judged), weight) in candidates.iter().zip(&choice.members).zip(weights) {
            let name = &self.models[candidate.at].name;
            self.say(&format!(
                "{name}, PR-AUC {:.3} in {blocks} {} (spread {:.3}), weight {weight:.2}",
                judged.pr_auc,
                if blocks == 1 { "block" } else { "blocks" },
                judged.spread
            ));
        }
    }

    /// The blend's scores of the time before the first fold's block, by fits on what comes after it. `None` where there
    /// are no folds, or no time.
    fn earlier(
        &self,
        candidates: &[Candidate<'_>],
        folds: &[Split],
        blend: &Blend,
    ) -> Result<Option<(Samples, Vec<Score>)>, ExperimentError> {
        if folds.is_empty() {
            return Ok(None);
        }
        let Some(split) = earlier_block(self.labels, self.split) else { return Ok(None) };
        let weighed = candidates.iter().zip(blend.weights()).filter(|&(_, &weight)| weight > 0.0);
        let (members, weights): (Vec<usize>, Vec<f64>) =
            weighed.map(|(candidate, &weight)| (candidate.at, weight)).unzip();
        // Each is fitted on about half of the windows.
        let seconds: Vec<f64> = members.iter().map(|&at| 0.6 * self.seconds(at)).collect();
        let rounds = members.len().div_ceil(processors()) as f64;
        if members.is_empty() || self.is_late(rounds * seconds.iter().copied().fold(0.0, f64::max)) {
            return Ok(None);
        }
        let scores = side_by_side(&members, |_, &at| -> Result<Option<Vec<Score>>, ExperimentError> {
            let estimator = Estimated::quick((at, &self.models[at]));
            estimator.map(|estimator| self.scored(&estimator, &split)).transpose()
        })?;
        let Some(scores) = scores.into_iter().collect::<Option<Vec<_>>>() else { return Ok(None) };
        let about = |source| ExperimentError::Model { name: self.name.to_owned(), source };
        let blend = Blend::new(weights, blend.shift()).map_err(about)?;
        let scores = blend.apply(&scores.iter().map(Vec::as_slice).collect::<Vec<_>>()).map_err(about)?;
        Ok(Some((Samples::clone(split.test()), scores)))
    }

    /// The blend's scores of all windows that no fit behind them has learnt from: the time before the folds' blocks, the
    /// blocks, and validation.
    fn held_out(
        &self,
        candidates: &[Candidate<'_>],
        folds: &[Split],
        blend: &Blend,
        validation: &[Score],
        earlier: Option<&(Samples, Vec<Score>)>,
    ) -> Result<Option<(Samples, Vec<Score>)>, CoreError> {
        let mut blended = Vec::with_capacity(folds.len());
        for fold in 0..folds.len() {
            let scores: Vec<&[Score]> =
                candidates.iter().map(|candidate| candidate.folds[fold].as_slice()).collect();
            blended.push(blend.apply(&scores)?);
        }
        if blended.is_empty() {
            return Ok(None);
        }
        let mut parts: Vec<(&Samples, &[Score])> =
            folds.iter().zip(&blended).map(|(fold, scores)| (&**fold.test(), scores.as_slice())).collect();
        parts.push((self.split.validation(), validation));
        parts.extend(earlier.map(|(samples, scores)| (samples, scores.as_slice())));
        Ok(joined(self.labels, &parts))
    }

    /// Fits of the members that weigh something on all of train and validation, as far as time allows; those that
    /// weigh most first.
    fn fit_on_all(
        &self,
        candidates: &[Candidate<'_>],
        weights: &[f64],
    ) -> Result<Vec<Option<Last>>, ExperimentError> {
        let mut lasts: Vec<Option<Last>> = candidates.iter().map(|_| None).collect();
        let Some(whole) = all_but_a_block(self.labels, self.split) else { return Ok(lasts) };
        let mut order: Vec<usize> = (0..candidates.len()).filter(|&index| weights[index] > 0.0).collect();
        order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]).then(a.cmp(&b)));
        for together in order.chunks(processors()) {
            let on_time = |&index: &usize| !self.is_late(1.3 * self.seconds(candidates[index].at));
            let together: Vec<usize> = together.iter().copied().filter(on_time).collect();
            let found = side_by_side(&together, |_, &index| -> Result<_, ExperimentError> {
                let at = candidates[index].at;
                let Some(estimator) = Estimated::quick((at, &self.models[at])) else { return Ok(None) };
                let about = |source| ExperimentError::Model { name: estimator.name.to_owned(), source };
                let effort = (1, self.deadline);
                let (model, _) =
                    estimator.fit(effort, self.views, &whole, &|_: Progress<'_>| {}).map_err(about)?;
                Ok(Some((estimator.rows, model)))
            })?;
            for (index, model) in together.into_iter().zip(found) {
                lasts[index] = model;
            }
        }
        Ok(lasts)
    }
}
