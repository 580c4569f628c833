pub(crate) mod audit;
pub(crate) mod evaluate;
pub(crate) mod fit;
pub(crate) mod folds;
pub(crate) mod material;
pub(crate) mod nearness;
pub(crate) mod running;
pub(crate) mod side_by_side;
pub(crate) mod walk;
pub(crate) mod weighing;
pub(crate) mod wide;

use crate::Model;
use crate::{
    Data, Experiment, ExperimentError, Observer, Phase, Progress, Results,
    experiment::Settings,
    memory::Audit,
    progress::whole,
    results::models::Models,
    rule_notes::{ranges_of, rule_notes},
    run::{
        fit::{Effort, Fitted, LearntFrom, fit_all},
        material::{FeatureLists, Material, Prepared},
    },
};
use forewarn_core::{Labels, Samples, Split};
use forewarn_label::{HiddenOutages, label};
use forewarn_schema::{FrameSet, Kind, Schema};
use forewarn_window::{Features, Pipeline, WindowError, chronological};
use std::{borrow::Cow, sync::Arc};

/// An experiment put to one data set.
pub(crate) struct Run<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) models: &'a [Model],
    pub(crate) observer: &'a dyn Observer,
    pub(crate) labels: &'a Labels,
    pub(crate) split: &'a Split,
    pub(crate) material: &'a Material<'a>,
}

impl Experiment {
    /// Fits every model on the training span, chooses thresholds on validation, and evaluates on test.
    ///
    /// Memory: the frames, their features, and what the models need.
    ///
    /// # Errors
    /// [`ExperimentError::NoModels`], [`ExperimentError::DuplicateModel`] and the errors about blends and states for
    /// models that do not go together; [`ExperimentError::NoFailures`] when the rule is never satisfied;
    /// [`ExperimentError::SingleClass`] when a part of the split lacks a class; [`ExperimentError::WalkTooLong`];
    /// [`ExperimentError::Model`] for the first model that fails; and the stages' own.
    pub fn run(self, data: Data, observer: &dyn Observer) -> Result<Results, ExperimentError> {
        self.check()?;
        let Self { settings, features, models } = self;
        let labels = settings.label(&data, observer)?;
        let split = chronological(&labels, settings.fractions).map_err(unsplittable(&labels))?;
        check_part("train", split.train(), "learnt")?;
        check_part("validation", split.validation(), "chosen by it")?;
        check_part("test", split.test(), "measured on it")?;
        settings.check_walk(&split)?;
        let classes = settings.classes(&data)?;
        let Data { frames, provenance, truth, weights, .. } = data;
        let (material, features) = settings.material(&models, features, frames)?;
        let material = material.with_weights(weights);
        settings.check_memory(&material, &features, Audit::Made)?;
        let run = Run {
            settings: &settings,
            models: &models,
            observer,
            labels: &labels,
            split: &split,
            material: &material,
        };
        let prepared = run.prepare(features, &split)?;
        let fitted = run.fit(&prepared, &split)?;
        run.stage("evaluating");
        let input = provenance.summary(&material.metrics, &labels)?;
        let evaluated = run.evaluate(input, &classes, truth.as_ref(), &prepared, &fitted)?;
        let (mut report, pictures, scored) = (evaluated.report, evaluated.pictures, evaluated.scored);
        let Prepared { mut pipeline, features, wide, .. } = prepared;
        drop(features);
        let mut wide = wide.map(|(pipeline, _)| pipeline);
        if let Some(days) = settings.refit_days {
            let normaliser = pipeline.normaliser().clone();
            let of_wide = wide.as_ref().map(|pipeline| pipeline.normaliser().clone());
            let lists =
                FeatureLists { features: pipeline.into_features(), wide: wide.map(Pipeline::into_features) };
            let walked = run.walk(days, lists, &report, &scored)?;
            report.walk_forward = Some(walked.report);
            pipeline = Pipeline::new(walked.lists.features, normaliser);
            wide = walked
                .lists
                .wide
                .zip(of_wide)
                .map(|(features, normaliser)| Pipeline::new(features, normaliser));
        }
        let models = run.into_models(fitted, pipeline, wide)?;
        Ok(Results { report, pictures, scored, models, input: provenance.path })
    }
}

impl Settings {
    /// Says what data there is, and finds its failures.
    pub(crate) fn label(&self, data: &Data, observer: &dyn Observer) -> Result<Labels, ExperimentError> {
        let layout = data.frames.layout();
        let (rows, services) = (layout.rows(), layout.services().len());
        let columns = data.frames.schema().len();
        let text =
            format!("{}: {rows} rows, services: {services}, columns: {columns}", data.provenance.description);
        observer.progress(Progress::Stage(&text));
        let labels =
            whole(observer, Phase::Labelling, || label(&data.frames, &*self.rule, self.spec, self.target))?;
        let episodes: usize = labels.episodes().iter().map(|episodes| episodes.len()).sum();
        if episodes == 0 {
            let rule = self.rule.describe();
            let outages = HiddenOutages::find(&data.frames, &*self.rule).map(|found| found.to_string());
            let notes = ranges_of(&rule, &data.frames).into_iter().chain(outages).collect();
            return Err(ExperimentError::NoFailures { rule, rows, services, notes });
        }
        let text = format!("{episodes} failure episodes by the rule: {}", self.rule.describe());
        observer.progress(Progress::Stage(&text));
        Ok(labels)
    }

    /// What models see of the metrics, outcomes left out, and the whole list of features, which is still to be fitted.
    pub(crate) fn material(
        &self,
        models: &[Model],
        features: Features,
        frames: FrameSet,
    ) -> Result<(Material<'static>, FeatureLists), ExperimentError> {
        let shown = self.verdicts.are_shown(self.target);
        let verdicts = |schema: &Schema| if shown { self.rule.verdicts(schema) } else { None };
        let outcomes = frames.schema().clone();
        let metrics = frames.retain_metrics(|metric| metric.kind != Kind::Outcome)?;
        let (asked_for, schema) = (Arc::new(features), metrics.schema().clone());
        let step = metrics.layout().step();
        let material = Material::new(self, models, Cow::Owned(metrics))?;
        let list = || self.all_features(&asked_for, &schema, verdicts(&outcomes));
        let wide = match material.wide() {
            Some(sources) => Some(list()?.with(self.behind(&schema, sources.frames.schema(), step)?)),
            None => None,
        };
        Ok((material, FeatureLists { features: list()?, wide }))
    }
}

impl Run<'_> {
    pub(crate) fn stage(&self, text: &str) {
        self.observer.progress(Progress::Stage(text));
    }

    /// Fits the features on the training rows of `split`, that of the run or of one of its folds.
    pub(crate) fn prepare(&self, features: FeatureLists, split: &Split) -> Result<Prepared, ExperimentError> {
        self.material.prepare(self.settings, features, split, self.observer)
    }

    /// Fits every model on `split`; results are in the order of the models.
    pub(crate) fn fit(&self, prepared: &Prepared, split: &Split) -> Result<Vec<Fitted>, ExperimentError> {
        let (train, validation, test) = (split.train().len(), split.validation().len(), split.test().len());
        let windows = match test {
            0 => format!("{train} train and {validation} validation windows"),
            _ => format!("{train} train, {validation} validation and {test} test windows"),
        };
        self.stage(&format!("{windows} of {} features", prepared.features.schema().len()));
        let views = self.material.views(&prepared.features, prepared.wide_features());
        let views = views.with_nearness(prepared.nearness.as_ref());
        let effort = Effort { labels: self.labels, limit: self.settings.fit_limit };
        fit_all(self.models, views, split, &effort, self.observer)
    }

    /// The fitted models with the pipeline that makes their rows.
    pub(crate) fn into_models(
        self,
        fitted: Vec<Fitted>,
        pipeline: Pipeline,
        wide: Option<Pipeline>,
    ) -> Result<Models, ExperimentError> {
        let (metrics, settings) = (&self.material.metrics, self.settings);
        let impute = settings.impute()?;
        let sources = self.material.wide().and_then(|sources| sources.topology.clone());
        Ok(Models {
            wide: wide.map(|pipeline| (pipeline, sources.map(|topology| (topology, impute.clone())))),
            fitted,
            pipeline,
            metrics: metrics.schema().clone(),
            step: metrics.layout().step(),
            window: settings.spec,
            topology: settings.topology.clone().map(|topology| (topology, impute)),
            services: metrics.layout().services().iter().map(|place| place.name().to_owned()).collect(),
            rule: settings.rule.saved(),
            ranges: ranges(metrics, self.split.train().rows()),
        })
    }

    /// What a reader should know of the rule, of training windows that models did not learn from, of missing cells,
    /// and of outages among them; nothing where all is well.
    pub(crate) fn notes(&self, fitted: &[Fitted]) -> Result<Vec<String>, ExperimentError> {
        let mut notes = rule_notes(self.labels);
        notes.extend(self.weight_notes(fitted)?);
        let forewarn_window::Imputed { filled, left, .. } = self.material.gaps;
        if filled + left == 0 {
            return Ok(notes);
        }
        let outages = HiddenOutages::find(&self.material.metrics, &*self.settings.rule);
        let cells = format!(
            "{} missing values: for the features {filled} took the last value before them (at most {} steps old), {left} counted as the training \
             mean. Failure episodes were found, and rules scored, without filling anything in.",
            filled + left,
            self.settings.carry_steps
        );
        notes.extend(outages.map(|found| found.to_string()));
        notes.push(cells);
        Ok(notes)
    }

    /// How many training windows models learnt from, where rows have weights, and which models take none.
    fn weight_notes(&self, fitted: &[Fitted]) -> Result<Vec<String>, ExperimentError> {
        let Some(weights) = self.material.weights() else { return Ok(Vec::new()) };
        let (train, kept) = (self.split.train().len(), self.split.train().weighted_by_row(weights)?.len());
        let mut notes = vec![format!(
            "Models learnt from {kept} of {train} training windows, weighted by what each stands for."
        )];
        let all = |(_, fitted): &(&Model, &Fitted)| fitted.learnt_from == LearntFrom::All;
        let names: Vec<&str> =
            self.models.iter().zip(fitted).filter(all).map(|(model, _)| &*model.name).collect();
        if !names.is_empty() {
            let names = names.join(", ");
            notes.push(format!("These models take no weights and learnt from all {train} windows: {names}."));
        }
        Ok(notes)
    }
}

/// Says beside an error of the split how often the rule holds.
pub(crate) fn unsplittable(labels: &Labels) -> impl Fn(WindowError) -> ExperimentError {
    move |source| match rule_notes(labels) {
        notes if notes.is_empty() => source.into(),
        notes => ExperimentError::Unsplittable { source, notes },
    }
}

/// Smallest and largest value of each metric in some rows; `None` for one that has none.
fn ranges(frames: &FrameSet, rows: &[u32]) -> Vec<Option<[f32; 2]>> {
    let (width, mut ranges) = (frames.schema().len(), vec![None; frames.schema().len()]);
    for &row in rows {
        let values = &frames.values()[row as usize * width..][..width];
        for (range, &value) in ranges.iter_mut().zip(values).filter(|(_, value)| !value.is_nan()) {
            let [least, most] = range.unwrap_or([value; 2]);
            *range = Some([value.min(least), value.max(most)]);
        }
    }
    ranges
}

/// Refuses a part of a split that lacks positive or negative windows, with what that part is for.
pub(crate) fn check_part(
    part: &'static str,
    samples: &Samples,
    used: &'static str,
) -> Result<(), ExperimentError> {
    let (positives, windows) = (samples.positives(), samples.len());
    match samples.time_span().filter(|_| positives == 0 || positives == windows) {
        Some((from, to)) => Err(ExperimentError::SingleClass { part, from, to, positives, windows, used }),
        None => Ok(()),
    }
}
