use crate::{EvalError, Finding, LeakCheck};
use forewarn_core::Target;
use serde::{Deserialize, Deserializer, Serialize, de::Error};

mod comparison;
mod data;
mod model;
mod walk;

pub use comparison::{Difference, ModelComparison, ModelRank};
pub use data::{
    InputSummary, LeftOut, LeftOutReason, PartSummary, ServiceCounts, SplitSummary, TestSummary,
    WindowSummary,
};
pub use model::{
    Bound, BudgetHeadline, BudgetOutcome, Ceiling, ClassReport, LeadCurve, ModelIntervals, ModelReport,
    ModelRun, OperationReport, RecallAtLead, SecondaryFigures, ServiceIntervals, ServiceReport,
    ValidationReport, WindowFigures, WorstCase, WorstCases, WorstKind,
};
pub use walk::{FoldFigures, WalkFold, WalkForwardReport, WalkModel, WalkRun};

/// Everything that an experiment found, as numbers. Written as `report.json`.
///
/// The JSON keys are the field names; `docs/report.md` of `forewarn-report` lists them. Within one version fields are
/// added and never change their meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// Always [`Report::FORMAT`]; reading refuses anything else.
    #[serde(deserialize_with = "known_format")]
    pub format: String,
    /// Version of the format; reading refuses one newer than [`Report::VERSION`].
    #[serde(deserialize_with = "known_version")]
    pub version: u32,
    /// The data that was read.
    pub input: InputSummary,
    /// What counts as failing, as a sentence.
    pub failure_rule: String,
    /// What a positive label states.
    pub target: Target,
    /// What a prediction looks at and what it is about.
    pub window: WindowSummary,
    /// Features of each row that models saw, in order.
    pub features: Vec<String>,
    /// Which windows models were fitted on, chosen with and tested on.
    pub split: SplitSummary,
    /// What there was to predict in the test part.
    pub test: TestSummary,
    /// What the best possible predictor would score; `None` where that cannot be known.
    pub ceiling: Option<Ceiling>,
    /// What it would detect at budgets of false alarms, and how early; empty where that cannot be known.
    #[serde(default)]
    pub ceiling_at_budgets: Vec<LeadCurve>,
    /// One entry a model, in the order in which they were added.
    pub models: Vec<ModelReport>,
    /// The models held against each other; `None` for fewer than two, or data too short to draw blocks from.
    #[serde(default)]
    pub comparison: Option<ModelComparison>,
    /// How quality changed over time, and whether refitting pays; `None` where nothing was refitted.
    #[serde(default)]
    pub walk_forward: Option<WalkForwardReport>,
    /// What an audit for leaks found; empty where none was made.
    #[serde(default)]
    pub audit: Vec<LeakCheck>,
    /// Whatever a reader should know besides, one sentence each.
    pub notes: Vec<String>,
}

impl Report {
    /// Name of the format.
    pub const FORMAT: &'static str = "forewarn-report";
    /// Newest version of the format that this library writes and reads.
    pub const VERSION: u32 = 1;

    /// A report without models, ceiling or notes, which are then pushed to its fields.
    #[must_use]
    pub fn new(
        input: InputSummary,
        failure_rule: impl Into<String>,
        target: Target,
        window: WindowSummary,
        features: Vec<String>,
        split: SplitSummary,
        test: TestSummary,
    ) -> Self {
        Self {
            format: Self::FORMAT.to_owned(),
            version: Self::VERSION,
            input,
            failure_rule: failure_rule.into(),
            target,
            window,
            features,
            split,
            test,
            ceiling: None,
            ceiling_at_budgets: Vec::new(),
            models: Vec::new(),
            comparison: None,
            walk_forward: None,
            audit: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The model to use: the first that was [weighed by blocks](ModelReport::is_weighed_by_blocks), since one span of
    /// validation says little of which model is best; without one the highest PR-AUC on validation, of equal ones the
    /// first. The test part has no say, so its numbers stay honest. `None` without a model.
    #[must_use]
    pub fn chosen(&self) -> Option<&ModelReport> {
        let weighed = self.models.iter().find(|model| model.is_weighed_by_blocks);
        let best =
            || self.models.iter().rev().max_by(|a, b| a.validation.pr_auc.total_cmp(&b.validation.pr_auc));
        weighed.or_else(best)
    }

    /// Share of the possible gain over the no-skill baseline, by PR-AUC: 1 at the ceiling, 0 at the baseline. The
    /// ceiling is the best predictor that sees the metrics, or, where only that is known, the one that sees the
    /// hidden state. `None` without a ceiling above the prevalence.
    #[must_use]
    pub fn share_of_ceiling(&self, model: &ModelReport) -> Option<f64> {
        let (_, bound) = self.ceiling.as_ref()?.bounds().next()?;
        let gain = bound.pr_auc - self.test.prevalence;
        (gain > 0.0).then(|| (model.pr_auc - self.test.prevalence) / gain)
    }

    /// Models by PR-AUC on test, best first; equal ones in their order.
    #[must_use]
    pub fn ranked(&self) -> Vec<&ModelReport> {
        let mut models: Vec<_> = self.models.iter().collect();
        models.sort_by(|a, b| b.pr_auc.total_cmp(&a.pr_auc));
        models
    }

    /// Models by PR-AUC on validation, best first, those weighed by blocks before the others; equal ones in their
    /// order.
    #[must_use]
    pub fn by_validation(&self) -> Vec<&ModelReport> {
        let mut models: Vec<_> = self.models.iter().collect();
        let by_precision =
            |a: &&ModelReport, b: &&ModelReport| b.validation.pr_auc.total_cmp(&a.validation.pr_auc);
        models.sort_by(|a, b| b.is_weighed_by_blocks.cmp(&a.is_weighed_by_blocks).then(by_precision(a, b)));
        models
    }

    /// What the audit for leaks comes to, in a sentence; empty where none was made.
    #[must_use]
    pub fn audit_summary(&self) -> String {
        let suspects: Vec<String> = self
            .audit
            .iter()
            .filter(|check| check.finding == Finding::Suspect)
            .map(|check| match &check.model {
                Some(model) => format!("{} of {model}", check.name),
                None => check.name.clone(),
            })
            .collect();
        match (self.audit.len(), suspects.len()) {
            (0, _) => String::new(),
            (all, 0) => format!("{all} checks for leaks found nothing to explain."),
            (all, some) => {
                format!(
                    "{some} of {all} checks for leaks found something to explain: {}.",
                    suspects.join(", ")
                )
            }
        }
    }

    /// The report as JSON, indented, with a line end.
    ///
    /// # Errors
    /// [`EvalError::Json`] if a value cannot be written.
    pub fn to_json(&self) -> Result<String, EvalError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads a report back; numbers come back with the same bits.
    ///
    /// # Errors
    /// [`EvalError::Json`] for a text that is not a report, or one of a newer version.
    pub fn from_json(json: &str) -> Result<Self, EvalError> {
        Ok(serde_json::from_str(json)?)
    }
}

fn known_format<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let format = String::deserialize(deserializer)?;
    if format == Report::FORMAT {
        Ok(format)
    } else {
        Err(D::Error::custom(format_args!("format is {format:?}, expected {:?}", Report::FORMAT)))
    }
}

fn known_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let version = u32::deserialize(deserializer)?;
    if (1..=Report::VERSION).contains(&version) {
        Ok(version)
    } else {
        Err(D::Error::custom(format_args!(
            "format version {version} is none of 1 to {}, which this program reads",
            Report::VERSION
        )))
    }
}
