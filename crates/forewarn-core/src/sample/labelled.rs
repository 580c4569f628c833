use crate::{CoreError, Outcomes, Windows, score::rank::expect_both_classes};

/// Windows with their labels: what models are fitted on. A view; copy it freely.
///
/// Windows may have weights: a negative kept from ten, with nine dropped, stands for ten. An estimator multiplies a
/// window's loss by [`weight`](Self::weight), or refuses weights with [`expect_unweighted`](Self::expect_unweighted);
/// it never passes them over in silence.
///
/// They may have soft labels: a failure that comes tells a fit one bit, and how near the service came to one tells it
/// something of every window. An estimator may hold its scores against [`soft_label`](Self::soft_label); if it does, it
/// ends by fitting the log-odds to the labels themselves, so that its scores are probabilities of a failure. One that
/// does not fits the labels.
///
/// # References
/// G. Hinton, O. Vinyals and J. Dean, *Distilling the knowledge in a neural network*, 2015, section 1, for what soft
/// targets tell a fit.
#[derive(Clone, Copy, Debug)]
pub struct LabelledWindows<'a> {
    pub(super) windows: Windows<'a>,
    pub(super) positive: &'a [bool],
    pub(super) weights: Option<&'a [f32]>,
    pub(super) soft_labels: Option<&'a [f32]>,
    pub(super) outcomes: Option<Outcomes<'a>>,
    pub(super) partial: Option<(Windows<'a>, Outcomes<'a>)>,
}

impl<'a> LabelledWindows<'a> {
    /// Windows and whether each is positive.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`].
    pub fn new(windows: Windows<'a>, positive: &'a [bool]) -> Result<Self, CoreError> {
        if windows.len() == positive.len() {
            Ok(Self { windows, positive, weights: None, soft_labels: None, outcomes: None, partial: None })
        } else {
            Err(CoreError::LengthMismatch { what: "labels", expected: windows.len(), got: positive.len() })
        }
    }

    /// The windows.
    #[must_use]
    pub fn windows(&self) -> Windows<'a> {
        self.windows
    }

    /// Whether each is positive.
    #[must_use]
    pub fn positive(&self) -> &'a [bool] {
        self.positive
    }

    /// The same windows, each standing for a number of them.
    ///
    /// # Errors
    /// As [`Samples::with_weights`](crate::Samples::with_weights).
    pub fn with_weights(self, weights: &'a [f32]) -> Result<Self, CoreError> {
        check_weights(weights, self.positive.len())?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// How many windows each stands for; `None` where each stands for itself.
    #[must_use]
    pub fn weights(&self) -> Option<&'a [f32]> {
        self.weights
    }

    /// How many windows window `index` stands for: 1 unless there are weights.
    #[must_use]
    pub fn weight(&self, index: usize) -> f32 {
        self.weights.and_then(|weights| weights.get(index)).copied().unwrap_or(1.0)
    }

    /// Refuses weights, for a `model` that cannot take them into account.
    ///
    /// # Errors
    /// [`CoreError::WeightsUnsupported`].
    pub fn expect_unweighted(&self, model: &'static str) -> Result<(), CoreError> {
        match self.weights {
            Some(_) => Err(CoreError::WeightsUnsupported { model }),
            None => Ok(()),
        }
    }

    /// The same windows with soft labels.
    ///
    /// # Errors
    /// As [`Samples::with_soft_labels`](crate::Samples::with_soft_labels).
    pub fn with_soft_labels(self, soft_labels: &'a [f32]) -> Result<Self, CoreError> {
        check_soft_labels(soft_labels, self.positive.len())?;
        Ok(Self { soft_labels: Some(soft_labels), ..self })
    }

    /// What a fit may hold the scores against, 0 to 1; `None` for the labels themselves.
    #[must_use]
    pub fn soft_labels(&self) -> Option<&'a [f32]> {
        self.soft_labels
    }

    /// The soft label of window `index`; 1 or 0, by its label, without any.
    #[must_use]
    pub fn soft_label(&self, index: usize) -> f32 {
        let hard = || f32::from(u8::from(self.positive.get(index).copied().unwrap_or(false)));
        self.soft_labels.and_then(|labels| labels.get(index)).copied().unwrap_or_else(hard)
    }

    /// When in its period the event of each window comes; `None` for windows that do not come from
    /// [`Samples`](crate::Samples).
    #[must_use]
    pub fn outcomes(&self) -> Option<Outcomes<'a>> {
        self.outcomes
    }

    /// Windows without a label whose period was observed in part, and what was seen of it; see
    /// [`Samples::partly_observed`](crate::Samples::partly_observed).
    #[must_use]
    pub fn partly_observed(&self) -> Option<(Windows<'a>, Outcomes<'a>)> {
        self.partial
    }

    /// Number of positive windows.
    #[must_use]
    pub fn positives(&self) -> usize {
        self.positive.iter().filter(|&&positive| positive).count()
    }

    /// Refuses data that lacks one of the two classes; `part` names it in the error.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`].
    pub fn expect_both_classes(&self, part: &'static str) -> Result<(), CoreError> {
        expect_both_classes(part, self.positive).map(|_| ())
    }
}

/// Refuses weights that are not one positive number for each of `windows`.
pub(super) fn check_weights(weights: &[f32], windows: usize) -> Result<(), CoreError> {
    let is_weight = |weight: f32| weight > 0.0 && weight.is_finite();
    check_each(weights, windows, ("weights", "weight of a window", "a positive number"), is_weight)
}

/// Refuses soft labels that are not one number from 0 to 1 for each of `windows`.
pub(super) fn check_soft_labels(labels: &[f32], windows: usize) -> Result<(), CoreError> {
    let is_label = |label: f32| (0.0..=1.0).contains(&label);
    check_each(labels, windows, ("soft labels", "soft label of a window", "a number from 0 to 1"), is_label)
}

/// Refuses numbers that are not one for each of `windows`, all as they should be. The texts name all of them, one, and
/// what is expected.
fn check_each(
    numbers: &[f32],
    windows: usize,
    (what, name, expected): (&'static str, &'static str, &'static str),
    is_right: impl Fn(f32) -> bool,
) -> Result<(), CoreError> {
    if numbers.len() != windows {
        return Err(CoreError::LengthMismatch { what, expected: windows, got: numbers.len() });
    }
    match numbers.iter().find(|&&number| !is_right(number)) {
        Some(number) => Err(CoreError::InvalidSetting { name, value: number.to_string(), expected }),
        None => Ok(()),
    }
}
