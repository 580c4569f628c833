pub(crate) mod standard;

use crate::ExperimentError;
use forewarn_core::{
    CoreError, DynEstimator, Estimator, LabelledWindows, Monitor, Predictor, Train, Validation,
};
use forewarn_recurrent::{Recurrent, Settings};

/// Fits a model on a number of threads, where its estimator can use several.
pub(crate) type Fit = Box<
    dyn Fn(
            usize,
            Train<LabelledWindows<'_>>,
            Validation<LabelledWindows<'_>>,
            &mut dyn Monitor,
        ) -> Result<Box<dyn Predictor>, CoreError>
        + Send
        + Sync,
>;

/// Which rows a model's windows are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelRows {
    /// The metrics as they were measured, in their units: what a rule with a limit needs.
    Metrics,
    /// The same, followed by service, step and time of day as columns: what controls and seasonal rules go by.
    Context,
    /// Features, normalised by training rows: what a fitted model needs.
    Features,
    /// The same, followed by what looks further: the service's failures so far, its metrics over hours, the time of
    /// day, and the other services of the fleet. See [`Experiment::with_model`](crate::Experiment::with_model) for
    /// which.
    Wide,
}

impl ModelRows {
    /// The rows in which models of both kinds find their columns; `None` where there are none.
    pub(crate) fn joint(self, other: Self) -> Option<Self> {
        match (self, other) {
            (one, other) if one == other => Some(one),
            // Wide rows begin with the features, as they are.
            (Self::Features, Self::Wide) | (Self::Wide, Self::Features) => Some(Self::Wide),
            _ => None,
        }
    }
}

/// How scores of several models become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Blending {
    /// The mean of their log-odds.
    Average,
    /// Their log-odds, weighted so that the validation windows, which no model learnt from, are most likely.
    Stacked,
    /// Their log-odds, by weights from several blocks of time: walk-forward folds within train, each of which fits the
    /// members on what comes before a block and scores it, and validation. Members that no block speaks against share
    /// the weight, drawn a little to the weights that fit the blocks best; then each is fitted once more on train and
    /// validation together and has half of its weight from there. Thresholds come from all blocks, and from the time
    /// before them.
    Folds,
}

/// Where a model's scores come from.
pub(crate) enum Origin {
    Fit {
        rows: ModelRows,
        fit: Fit,
        /// The same at less cost, for folds.
        quick: Option<Quick>,
        has_states: bool,
    },
    Blend {
        members: Vec<String>,
        blending: Blending,
    },
    /// The states of another model that run on.
    Running {
        of: String,
    },
}

/// A fit of the same kind that costs less.
pub(super) struct Quick {
    pub(super) fit: Fit,
    /// Its seconds as a share of those of the whole fit.
    pub(super) cost: f64,
    /// Share of a member's weight that it has beside the member.
    pub(super) share: f64,
}

impl Quick {
    /// What a fit like the member itself has.
    pub(super) const USUAL_SHARE: f64 = 0.5;
    /// One network beside a mean of several.
    const SHARE_OF_ONE: f64 = 0.25;
}

/// An estimator, or a blend of other models of the experiment, with what a report says of it.
pub struct Model {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) trainer: Option<String>,
    pub(crate) origin: Origin,
}

impl Model {
    /// A model under a `name` that no other model of the experiment has, with a sentence on what it does. It can be
    /// [saved](super::Results::to_envelope) where what is fitted says so ([`Predictor::as_save`]).
    pub fn new(
        name: impl Into<String>,
        description: impl Into<String>,
        rows: ModelRows,
        estimator: impl DynEstimator + 'static,
    ) -> Self {
        Self::of(
            name,
            description,
            rows,
            Box::new(move |_, train, validation, monitor| estimator.fit_boxed(train, validation, monitor)),
        )
    }

    /// The same for an estimator that can be told how many threads to fit on: as many as the fits beside it leave.
    pub(crate) fn on_threads<E>(
        name: &str,
        description: &str,
        rows: ModelRows,
        estimator: impl Fn(usize) -> E + Send + Sync + 'static,
    ) -> Self
    where
        E: Estimator<Fitted: 'static>,
    {
        Self::of(name, description, rows, threaded(estimator))
    }

    /// With another estimator for folds and the fit on everything, which takes about this share of the seconds.
    pub(super) fn with_quick<E>(
        mut self,
        cost: f64,
        estimator: impl Fn(usize) -> E + Send + Sync + 'static,
    ) -> Self
    where
        E: Estimator<Fitted: 'static>,
    {
        if let Origin::Fit { quick, .. } = &mut self.origin {
            *quick = Some(Quick { fit: threaded(estimator), cost, share: Quick::USUAL_SHARE });
        }
        self
    }

    fn of(name: impl Into<String>, description: impl Into<String>, rows: ModelRows, fit: Fit) -> Self {
        let (name, description) = (name.into(), description.into());
        Self {
            name,
            description,
            trainer: None,
            origin: Origin::Fit { rows, fit, quick: None, has_states: false },
        }
    }

    /// As [`new`](Self::new), for an LSTM or GRU whose states another model of the experiment may
    /// [run on](Self::running). It is fitted on as many threads as the fits beside it leave, if that is more than its
    /// settings say. Walk-forward folds of a blend fit one of its networks.
    pub fn recurrent(
        name: impl Into<String>,
        description: impl Into<String>,
        rows: ModelRows,
        recurrent: Recurrent,
    ) -> Self {
        let fit_of = |settings: Settings| -> Fit {
            Box::new(move |threads, train, validation, monitor| {
                let threads = settings.threads.max(threads.min(Settings::MOST_THREADS));
                Recurrent::new(Settings { threads, ..settings.clone() })?
                    .fit_boxed(train, validation, monitor)
            })
        };
        let settings = Settings::from(recurrent);
        let quick = (settings.members > 1).then(|| Quick {
            fit: fit_of(Settings { members: 1, ..settings.clone() }),
            cost: 1.0 / settings.members as f64,
            share: Quick::SHARE_OF_ONE,
        });
        let origin = Origin::Fit { rows, fit: fit_of(settings), quick, has_states: true };
        Self { name: name.into(), description: description.into(), trainer: None, origin }
    }

    /// The [recurrent](Self::recurrent) model called `of` of the same experiment, served by states instead of
    /// windows: one for each service, which has seen every row from the first of the frame. Nothing is fitted a
    /// second time; what differs is that a state remembers more than the window that the model was fitted on.
    pub fn running(name: impl Into<String>, of: impl Into<String>) -> Self {
        let of = of.into();
        let description = format!("{of}, by states that run on from the first row");
        Self { name: name.into(), description, trainer: None, origin: Origin::Running { of } }
    }

    /// Other models of the same experiment as one, called `name`: their scores are blended, whatever rows each of
    /// them reads, and nothing is fitted a second time.
    pub fn blend<M: Into<String>>(
        name: impl Into<String>,
        members: impl IntoIterator<Item = M>,
        blending: Blending,
    ) -> Self {
        let members: Vec<String> = members.into_iter().map(Into::into).collect();
        let how = match blending {
            Blending::Average => "mean of the log-odds of",
            Blending::Stacked => "log-odds, weighted on validation, of",
            Blending::Folds => "log-odds, weighted by walk-forward folds, of",
        };
        let description = format!("{how} {}", members.join(", "));
        Self { name: name.into(), description, trainer: None, origin: Origin::Blend { members, blending } }
    }

    /// Says which trainer fits it, for models that have more than one.
    #[must_use]
    pub fn with_trainer(mut self, trainer: impl Into<String>) -> Self {
        self.trainer = Some(trainer.into());
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is weighted by walk-forward folds.
    pub(crate) fn needs_folds(&self) -> bool {
        matches!(self.origin, Origin::Blend { blending: Blending::Folds, .. })
    }

    /// What its folds cost, as a share of its own seconds, and the share of its weight that the last fit has.
    pub(super) fn cost_and_share_of_quick(&self) -> (f64, f64) {
        match &self.origin {
            Origin::Fit { quick: Some(quick), .. } => (quick.cost, quick.share),
            _ => (1.0, Quick::USUAL_SHARE),
        }
    }

    /// Whether another model can run on its states.
    fn has_states(&self) -> bool {
        matches!(self.origin, Origin::Fit { has_states: true, .. })
    }

    /// Whether it reads such rows itself.
    pub(crate) fn reads(&self, of: ModelRows) -> bool {
        matches!(self.origin, Origin::Fit { rows, .. } if rows == of)
    }
}

/// A fit on a number of threads.
fn threaded<E>(estimator: impl Fn(usize) -> E + Send + Sync + 'static) -> Fit
where
    E: Estimator<Fitted: 'static>,
{
    Box::new(move |threads, train, validation, monitor| {
        estimator(threads).fit_boxed(train, validation, monitor)
    })
}

/// Position of the model called `of` among `models`, on whose states `name` is to run.
pub(crate) fn position_of_states(models: &[Model], name: &str, of: &str) -> Result<usize, ExperimentError> {
    let found = models.iter().position(|model| model.name == of && model.has_states());
    found.ok_or_else(|| ExperimentError::NoStates {
        name: name.to_owned(),
        of: of.to_owned(),
        available: models.iter().filter(|model| model.has_states()).map(|model| model.name.clone()).collect(),
    })
}

/// Positions of the members of a blend called `name` among `models`.
pub(crate) fn positions(
    models: &[Model],
    name: &str,
    members: &[String],
) -> Result<Vec<usize>, ExperimentError> {
    let fitted = || models.iter().enumerate().filter(|(_, model)| matches!(model.origin, Origin::Fit { .. }));
    let position = |member: &String| {
        fitted().find(|(_, model)| model.name == *member).map(|(at, _)| at).ok_or_else(|| {
            ExperimentError::UnknownMember {
                name: name.to_owned(),
                member: member.clone(),
                available: fitted().map(|(_, model)| model.name.clone()).collect(),
            }
        })
    };
    if members.is_empty() {
        return Err(ExperimentError::NoMembers { name: name.to_owned() });
    }
    members.iter().map(position).collect()
}
