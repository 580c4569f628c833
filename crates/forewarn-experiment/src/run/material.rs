//! What models see: metrics, columns beside them, and features.

use crate::run::{nearness::Nearness, side_by_side::processors, wide::WideSources};
use crate::{
    Experiment, ExperimentError, Model, ModelRows, Observer, Phase, experiment::Settings, progress::whole,
};
use forewarn_baseline::Context;
use forewarn_core::{Feature, Split};
use forewarn_schema::{FrameSet, Schema};
use forewarn_topology::TopologyFeatures;
use forewarn_window::{
    Calendar, FeatureExt as _, Features, Impute, Imputed, Metrics, Normalisation, Pipeline, Select,
};
use std::{borrow::Cow, sync::Arc};

/// All that is made of metrics without being fitted, once for all splits.
pub(crate) struct Material<'a> {
    /// Metrics as they were measured, without outcomes.
    pub(crate) metrics: Cow<'a, FrameSet>,
    /// The same with the columns of the service graph behind them, if there is one.
    with_graph: Option<FrameSet>,
    /// Metrics with service, step and time of day beside them, where a model asks for them.
    context: Option<FrameSet>,
    /// What wide features are computed from, where a model asks for them.
    wide: Option<WideSources>,
    /// What becomes of missing cells of the metrics on their way to features.
    pub(crate) gaps: Imputed,
    /// How many windows the one that ends in each row stands for in a fit; `None` where each stands for itself.
    weights: Option<Vec<f32>>,
}

/// The features of every row as they were fitted on one split.
pub(crate) struct Prepared {
    pub(crate) pipeline: Pipeline,
    /// Normalised by training rows.
    pub(crate) features: FrameSet,
    /// The same of wide features, where a model asks for them.
    pub(crate) wide: Option<(Pipeline, FrameSet)>,
    /// How near services come to failing, where the rule knows it.
    pub(crate) nearness: Option<Nearness>,
}

/// Lists of features that are still to be fitted.
pub(crate) struct FeatureLists {
    pub(crate) features: Features,
    pub(crate) wide: Option<Features>,
}

/// The rows that each kind of model sees, of equal layout.
#[derive(Clone, Copy)]
pub(crate) struct Views<'a> {
    metrics: &'a FrameSet,
    context: Option<&'a FrameSet>,
    pub(crate) features: &'a FrameSet,
    wide: Option<&'a FrameSet>,
    /// How many windows the one that ends in each row stands for in a fit; `None` where each stands for itself.
    pub(crate) weights: Option<&'a [f32]>,
    /// How near services come to failing, for fits; `None` where the rule does not know.
    pub(crate) nearness: Option<&'a Nearness>,
}

impl<'a> Views<'a> {
    /// The same for fits that learn how near services come to failing, where the rule knows.
    pub(crate) fn with_nearness(self, nearness: Option<&'a Nearness>) -> Self {
        Self { nearness, ..self }
    }

    pub(crate) fn rows(&self, rows: ModelRows) -> &'a FrameSet {
        match rows {
            ModelRows::Metrics => self.metrics,
            // There is one wherever a model of the experiment asks for it.
            ModelRows::Context => self.context.unwrap_or(self.metrics),
            ModelRows::Features => self.features,
            ModelRows::Wide => self.wide.unwrap_or(self.features),
        }
    }
}

impl<'a> Material<'a> {
    /// Looks at gaps in one pass: they are filled for the columns of the service graph, if there is one, and counted.
    /// The features' own filling is part of the pipeline, because it is served with the model.
    pub(crate) fn new(
        settings: &Settings,
        models: &[Model],
        metrics: Cow<'a, FrameSet>,
    ) -> Result<Self, ExperimentError> {
        let (with_graph, gaps) = match &settings.topology {
            None => (None, count_gaps(&settings.impute()?, &metrics)?),
            Some(topology) => {
                let (joined, gaps) = settings.beside_graph(&metrics, topology)?;
                (Some(joined), gaps)
            }
        };
        let context = if models.iter().any(|model| model.reads(ModelRows::Context)) {
            let services = metrics.layout().services().iter().map(|place| place.name());
            Some(context_columns(services).apply(&metrics)?)
        } else {
            None
        };
        let wide = if models.iter().any(|model| model.reads(ModelRows::Wide)) {
            Some(WideSources::new(settings, &metrics, with_graph.as_ref())?)
        } else {
            None
        };
        Ok(Self { metrics, with_graph, context, wide, gaps, weights: None })
    }

    /// How many windows the one that ends in each row stands for in a fit; `None` where each stands for itself.
    pub(crate) fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref()
    }

    /// The same with these weights of rows.
    pub(crate) fn with_weights(self, weights: Option<Vec<f32>>) -> Self {
        Self { weights, ..self }
    }

    /// Columns of all that features are computed from, copies included.
    pub(crate) fn columns(&self) -> usize {
        let others =
            [self.with_graph.as_ref(), self.context.as_ref(), self.wide.as_ref().map(|wide| &wide.frames)];
        let others = others.into_iter().flatten().map(|frames| frames.schema().len());
        self.metrics.schema().len() + others.sum::<usize>()
    }

    /// What features are computed from.
    pub(crate) fn sources(&self) -> &FrameSet {
        self.with_graph.as_ref().unwrap_or(&self.metrics)
    }

    /// What wide features are computed from, where a model asks for them.
    pub(crate) fn wide(&self) -> Option<&WideSources> {
        self.wide.as_ref()
    }

    /// Fits `features` on the training rows of `split`, and computes them for every row; finds how near services come to
    /// failing.
    pub(crate) fn prepare(
        &self,
        settings: &Settings,
        lists: FeatureLists,
        split: &Split,
        observer: &dyn Observer,
    ) -> Result<Prepared, ExperimentError> {
        whole(observer, Phase::Features, || {
            let fit = |features, sources: &FrameSet| -> Result<_, ExperimentError> {
                let (train, scope) = (split.train(), settings.scope);
                let pipeline =
                    Pipeline::fit(features, train, sources, Normalisation::ZScore, scope, processors())?
                        .with_limit(Experiment::DEVIATION_LIMIT)?;
                let made = pipeline.apply(sources)?;
                Ok((pipeline, made))
            };
            let (pipeline, features) = fit(lists.features, self.sources())?;
            let wide = match (lists.wide, &self.wide) {
                (Some(list), Some(sources)) => Some(fit(list, &sources.frames)?),
                _ => None,
            };
            let nearness = settings.nearness(&self.metrics, split.train())?;
            Ok(Prepared { pipeline, features, wide, nearness })
        })
    }

    /// What models see, with the features of every row.
    pub(crate) fn views<'b>(&'b self, features: &'b FrameSet, wide: Option<&'b FrameSet>) -> Views<'b> {
        Views {
            metrics: &self.metrics,
            context: self.context.as_ref(),
            features,
            wide,
            weights: self.weights(),
            nearness: None,
        }
    }
}

impl Settings {
    /// Metrics with columns of a service graph behind them, and their gaps, which are filled for these columns only.
    /// Refuses what there is no room for before it is computed.
    pub(crate) fn beside_graph(
        &self,
        metrics: &FrameSet,
        topology: &TopologyFeatures,
    ) -> Result<(FrameSet, Imputed), ExperimentError> {
        self.check_room(metrics, topology.columns().len())?;
        let (filled, gaps) = self.impute()?.fill(metrics.clone())?;
        let columns = topology.compute(&filled)?;
        drop(filled);
        let schema = Schema::new([metrics.schema().metrics(), columns.schema().metrics()].concat())?;
        Ok((metrics.beside(&[&columns], schema)?, gaps))
    }
}

impl Prepared {
    /// Wide features of every row, where a model asks for them.
    pub(crate) fn wide_features(&self) -> Option<&FrameSet> {
        self.wide.as_ref().map(|(_, features)| features)
    }
}

/// Metrics with number of the service, number of the step and time of day behind them.
pub(crate) fn context_columns<'a>(services: impl Iterator<Item = &'a str>) -> Features {
    Features::new().with(Metrics).with(Context::new(services)).with(Calendar::time_of_day())
}

impl Settings {
    /// The whole list of features: those asked for, of metrics whose short gaps took the last value before them;
    /// after them the rule's verdicts, without anything filled in, if models see these; and the columns of the
    /// service graph, if there is one.
    ///
    /// All of it is one list that begins with the metrics as they were measured, so that it can be saved, and served,
    /// as it is.
    pub(crate) fn all_features(
        &self,
        asked_for: &Arc<Features>,
        metrics: &Schema,
        verdicts: Option<Box<dyn Feature>>,
    ) -> Result<Features, ExperimentError> {
        let of_metrics = Select::Only(metrics.names().map(str::to_owned).collect());
        let filled = self.impute()?.with_metrics(of_metrics);
        let mut features = Features::new().with(filled.then(Arc::clone(asked_for)));
        if let Some(verdicts) = verdicts {
            features = features.with(verdicts);
        }
        if let Some(topology) = &self.topology {
            let columns = topology.columns().into_iter().map(|column| column.name).collect();
            features = features.with(Impute::none().with_metrics(Select::Only(columns)));
        }
        Ok(features)
    }
}

/// Counts missing cells that `impute` fills and leaves, as [`Impute::fill`] does, without a copy of the frames.
/// Services without a gap cost a look.
fn count_gaps(impute: &Impute, metrics: &FrameSet) -> Result<Imputed, ExperimentError> {
    let (schema, mut counts) = (metrics.schema(), Imputed::default());
    let mut filled = vec![f32::NAN; schema.len()];
    for frame in metrics.frames().filter(|frame| frame.values().iter().any(|value| value.is_nan())) {
        let mut state = impute.start(schema, frame.into())?;
        for row in frame.values().chunks_exact(schema.len()) {
            state.push(row, &mut filled);
            for (_, filled) in row.iter().zip(&filled).filter(|(value, _)| value.is_nan()) {
                *(if filled.is_nan() { &mut counts.left } else { &mut counts.filled }) += 1;
            }
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Frame, Metric, Step, Timestamp};

    #[test]
    fn gaps_are_counted_as_they_are_filled() {
        let schema = Schema::new(vec![Metric::gauge("x"), Metric::gauge("y")]).unwrap();
        let frame = |service: &str, missing: fn(usize) -> bool| {
            let value = |cell| if missing(cell) { f32::NAN } else { 1.0 };
            let values = (0..400).map(value).collect();
            Frame::new(service, schema.clone(), Timestamp::EPOCH, Step::MINUTE, values).unwrap()
        };
        let frames = FrameSet::from_frames(vec![
            frame("a", |cell| cell < 6 || (100..140).contains(&cell)),
            frame("b", |_| false),
            frame("c", |cell| cell % 7 == 0),
        ])
        .unwrap();
        for impute in [Impute::none(), Impute::last(3).unwrap(), Impute::last(50).unwrap()] {
            let (_, expected) = impute.fill(frames.clone()).unwrap();
            assert_eq!(count_gaps(&impute, &frames).unwrap(), expected);
        }
        let counts = count_gaps(&Impute::last(3).unwrap(), &frames).unwrap();
        assert!(counts.filled > 0 && counts.left > 6 + 2 * 17 - 1, "{counts:?}");
    }
}
