pub(crate) mod classes;

use crate::{
    ExperimentError, Model, ModelRows,
    experiment::classes::ClassRule,
    model::{Origin, position_of_states, positions},
};
use forewarn_core::{FailureRule, Target, WindowSpec};
use forewarn_eval::{AlarmBudget, Delays};
use forewarn_topology::{ServiceGraph, TopologyFeatures};
use forewarn_window::{Features, Fractions, Impute, Scope};
use std::time::Duration;

/// A question and the models that are to answer it: settings only. [`run`](Self::run) evaluates the models on data,
/// [`train`](Self::train) fits them for use.
///
/// | setting | meaning | default |
/// |---|---|---|
/// | [`with_target`](Self::with_target) | what a positive label states | [`Target::Onset`] |
/// | [`with_window`](Self::with_window) | observation window, lead time and prediction period | [`WindowSpec::default`] |
/// | [`with_split`](Self::with_split) | shares of the time for train, validation and test | [`Fractions::default`] |
/// | [`with_features`](Self::with_features) | columns that fitted models see | [`Features::default`] |
/// | [`with_verdicts`](Self::with_verdicts) | whether they see the rule's verdicts too | [`VerdictColumns::ByTarget`] |
/// | [`with_scope`](Self::with_scope) | whose mean and deviation features are normalised by | [`Scope::default`] |
/// | [`with_carry_steps`](Self::with_carry_steps) | steps that a value is carried over a gap | [`CARRY_STEPS`](Self::CARRY_STEPS) |
/// | [`with_soft_labels`](Self::with_soft_labels) | whether fits learn how near a service came to failing | they do |
/// | [`with_graph`](Self::with_graph) | who calls whom, for models on wide features | unknown |
/// | [`with_topology`](Self::with_topology) | columns of a service graph, for all fitted models | none |
/// | [`with_delays`](Self::with_delays) | what is taken off for net lead times | [`Delays::default`] |
/// | [`with_budget`](Self::with_budget) | false alarms that are accepted: thresholds are chosen by it | [`AlarmBudget::default`] |
/// | [`with_fit_limit`](Self::with_fit_limit) | time for all fits together | none |
/// | [`with_walk_forward`](Self::with_walk_forward) | days from one fit to the next over the test span | one fit |
/// | [`with_failures_by`](Self::with_failures_by) | rules that tell failures apart | none |
///
/// Settings are checked once, before anything is computed: see the errors of [`run`](Self::run).
pub struct Experiment {
    pub(crate) settings: Settings,
    pub(crate) features: Features,
    /// In the order of the report.
    pub(crate) models: Vec<Model>,
}

/// All of an experiment but what is fitted.
pub(crate) struct Settings {
    pub(crate) rule: Box<dyn FailureRule>,
    pub(crate) target: Target,
    pub(crate) spec: WindowSpec,
    pub(crate) fractions: Fractions,
    pub(crate) verdicts: VerdictColumns,
    pub(crate) scope: Scope,
    pub(crate) carry_steps: usize,
    pub(crate) soft_labels: bool,
    pub(crate) graph: Option<ServiceGraph>,
    pub(crate) topology: Option<TopologyFeatures>,
    pub(crate) class_rules: Vec<ClassRule>,
    pub(crate) delays: Delays,
    pub(crate) budget: AlarmBudget,
    pub(crate) refit_days: Option<usize>,
    pub(crate) fit_limit: Option<Duration>,
    pub(crate) memory_limit: Option<u64>,
}

/// Whether fitted models see what the failure rule's conditions say of each row ([`FailureRule::verdicts`]), as
/// columns behind the features.
///
/// They are the verdicts on the metrics as they were measured: nothing is carried over a gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerdictColumns {
    /// Shown for [`Target::Active`], hidden for [`Target::Onset`].
    ///
    /// A window of [`Target::Active`] may end in a failure: whether it does is much of the answer, and where the
    /// limits lie is hard to learn from examples. For [`Target::Onset`] such windows are left out, and the columns,
    /// nearly always 0, are worth nothing, unless conditions look back further than the window, such as those of a
    /// burn rate.
    #[default]
    ByTarget,
    /// Shown.
    Shown,
    /// Hidden: models have to learn where the limits lie.
    Hidden,
}

impl VerdictColumns {
    pub(crate) fn are_shown(self, target: Target) -> bool {
        match self {
            Self::ByTarget => target == Target::Active,
            Self::Shown => true,
            Self::Hidden => false,
        }
    }
}

impl Experiment {
    /// Steps for which a gap in the metrics takes the last value before it, unless
    /// [`with_carry_steps`](Self::with_carry_steps) says otherwise.
    pub const CARRY_STEPS: usize = 5;

    /// Deviations at which normalised features are cut off, so that a metric that never moved in training cannot
    /// drown the others.
    pub const DEVIATION_LIMIT: f32 = 20.0;

    /// An experiment on failures by `rule`, with no models yet; target, window, split and features are the defaults
    /// of their types.
    pub fn new(rule: impl FailureRule + 'static) -> Self {
        Self {
            settings: Settings {
                rule: Box::new(rule),
                target: Target::default(),
                spec: WindowSpec::default(),
                fractions: Fractions::default(),
                verdicts: VerdictColumns::default(),
                scope: Scope::default(),
                carry_steps: Self::CARRY_STEPS,
                soft_labels: true,
                graph: None,
                topology: None,
                class_rules: Vec::new(),
                delays: Delays::default(),
                budget: AlarmBudget::default(),
                refit_days: None,
                fit_limit: None,
                memory_limit: None,
            },
            features: Features::default(),
            models: Vec::new(),
        }
    }

    /// What a positive label states.
    #[must_use]
    pub fn with_target(mut self, target: Target) -> Self {
        self.settings.target = target;
        self
    }

    /// What a prediction looks at and speaks about.
    #[must_use]
    pub fn with_window(mut self, spec: WindowSpec) -> Self {
        self.settings.spec = spec;
        self
    }

    /// How the time is split.
    #[must_use]
    pub fn with_split(mut self, fractions: Fractions) -> Self {
        self.settings.fractions = fractions;
        self
    }

    /// Columns that fitted models see. The [verdicts](Self::with_verdicts) of the failure rule follow them and cannot
    /// be among them.
    #[must_use]
    pub fn with_features(mut self, features: Features) -> Self {
        self.features = features;
        self
    }

    /// Whether fitted models see the failure rule's verdicts.
    #[must_use]
    pub fn with_verdicts(mut self, verdicts: VerdictColumns) -> Self {
        self.settings.verdicts = verdicts;
        self
    }

    /// Whose mean and deviation features are normalised by.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.settings.scope = scope;
        self
    }

    /// Steps for which a gap takes the last value before it, at most 10,000,000; 0 to leave gaps as they are.
    #[must_use]
    pub fn with_carry_steps(mut self, steps: usize) -> Self {
        self.settings.carry_steps = steps;
        self
    }

    /// Whether fits learn from how near a service came to failing in a window's period, beside whether it failed: their
    /// loss is against soft labels, 1 for a failure and half of the rule's [`nearness`](FailureRule::nearness) else. A
    /// failure is rare and tells one bit; an error rate that rises to half of its limit tells something too. Scores are
    /// fitted to the labels in the end, so that they are probabilities of a failure, and all figures are by the labels.
    ///
    /// Nothing changes for rules without a nearness, such as those on an outcome, for data whose rows have weights, and
    /// for models that take labels only.
    #[must_use]
    pub fn with_soft_labels(mut self, soft_labels: bool) -> Self {
        self.settings.soft_labels = soft_labels;
        self
    }

    /// Who calls whom. Models on wide features then see the largest figures of all services that each one depends on,
    /// and of all that depend on it ([`FleetColumns::pooled`](forewarn_topology::FleetColumns::pooled)). The other
    /// models do not change. A graph that comes with [`with_topology`](Self::with_topology) does the same, and goes
    /// first.
    ///
    /// Where no graph joins at least half of the services to another one, wide models see the other services of a small
    /// fleet, of up to eight, by name.
    ///
    /// A run is refused if the graph has none of the services of the metrics.
    #[must_use]
    pub fn with_graph(mut self, graph: ServiceGraph) -> Self {
        self.settings.graph = Some(graph);
        self
    }

    /// Columns of the service graph, which fitted models then see beside the metrics, as they are: for each service,
    /// trouble in the services that it calls. Baselines that watch one metric do not see them.
    #[must_use]
    pub fn with_topology(mut self, topology: TopologyFeatures) -> Self {
        self.settings.topology = Some(topology);
        self
    }

    /// What stands between an alarm and a person who can act on it: net lead times have it taken off.
    #[must_use]
    pub fn with_delays(mut self, delays: Delays) -> Self {
        self.settings.delays = delays;
        self
    }

    /// The false alarms that are accepted. Reports lead with what it buys, and saved models raise alarms at the
    /// threshold of which validation shows that it keeps this budget, or the nearest one that it can show to be kept.
    #[must_use]
    pub fn with_budget(mut self, budget: AlarmBudget) -> Self {
        self.settings.budget = budget;
        self
    }

    /// Also refits every model after each `days` days of the test span, on everything before, and reports how quality
    /// changes over time and what refitting gains. [`train`](Self::train) has no test span and ignores it.
    ///
    /// Costs a fit of every model for each fold.
    #[must_use]
    pub fn with_walk_forward(mut self, days: usize) -> Self {
        self.settings.refit_days = Some(days);
        self
    }

    /// Memory that features and what is computed of them may take, besides the metrics: an experiment that needs more
    /// is refused before it begins, with what it would need. An estimate, without what fitted models themselves take.
    #[must_use]
    pub fn with_memory_limit(mut self, bytes: u64) -> Self {
        self.settings.memory_limit = Some(bytes);
        self
    }

    /// Time for all fits together. Fits that run into it end with what they have. Where a blend is weighed
    /// [by folds](crate::Blending::Folds), the models themselves have six tenths of it; the folds follow, the quickest
    /// member first, and members whose folds would take longer than is left are left out. Without a limit the same
    /// seed gives the same models on every machine.
    #[must_use]
    pub fn with_fit_limit(mut self, limit: Duration) -> Self {
        self.settings.fit_limit = Some(limit);
        self
    }

    /// One more model. They are fitted in the order in which they are added, as many at a time as there are processors.
    #[must_use]
    pub fn with_model(mut self, model: Model) -> Self {
        self.models.push(model);
        self
    }

    /// Whether a model of the experiment reads such rows.
    #[must_use]
    pub fn reads(&self, rows: ModelRows) -> bool {
        self.models.iter().any(|model| model.reads(rows))
    }

    /// Refuses settings that make no sense by themselves, whatever the data.
    pub(crate) fn check(&self) -> Result<(), ExperimentError> {
        if self.models.is_empty() {
            return Err(ExperimentError::NoModels);
        }
        for (index, model) in self.models.iter().enumerate() {
            if self.models[..index].iter().any(|earlier| earlier.name == model.name) {
                return Err(ExperimentError::DuplicateModel { name: model.name.clone() });
            }
            match &model.origin {
                Origin::Fit { .. } => {}
                Origin::Blend { members, .. } => {
                    positions(&self.models, &model.name, members)?;
                }
                Origin::Running { of } => {
                    position_of_states(&self.models, &model.name, of)?;
                }
            }
        }
        self.settings.impute().map(drop)
    }
}

impl Settings {
    /// What fills short gaps.
    pub(crate) fn impute(&self) -> Result<Impute, ExperimentError> {
        Ok(match self.carry_steps {
            0 => Impute::none(),
            steps => Impute::last(steps)?,
        })
    }
}
