use crate::{Data, Experiment, ExperimentError, experiment::Settings};
use forewarn_core::FailureRule;
use forewarn_eval::EpisodeClasses;
use forewarn_label::Rule;

/// A failure rule that tells failures apart.
pub(crate) struct ClassRule {
    name: String,
    rule: Box<dyn FailureRule>,
}

impl Experiment {
    /// Reports failures apart during which `rule` is satisfied too, under `name`. It changes neither what a failure
    /// is nor any label.
    #[must_use]
    pub fn with_failures_by(mut self, name: impl Into<String>, rule: impl FailureRule + 'static) -> Self {
        self.settings.class_rules.push(ClassRule { name: name.into(), rule: Box::new(rule) });
        self
    }

    /// Reports failures apart by the alternatives of a rule that is an *any of*; another rule has none.
    #[must_use]
    pub fn with_alternatives(self, rule: &Rule) -> Self {
        let apart = |experiment: Self, alone: Rule| experiment.with_failures_by(alone.to_string(), alone);
        rule.alternatives().into_iter().fold(self, apart)
    }
}

impl Settings {
    /// All that tells the failures of `data` apart: what it came with, the rules that were asked for, and the faults
    /// of a simulation.
    pub(crate) fn classes(&self, data: &Data) -> Result<Vec<EpisodeClasses>, ExperimentError> {
        let mut by_rule = EpisodeClasses::new("failure rule");
        for ClassRule { name, rule } in &self.class_rules {
            for frame in data.frames.frames() {
                for episode in &rule.assess(frame)?.episodes {
                    by_rule.episode(frame.service(), episode, name.as_str())?;
                }
            }
        }
        let mut classes = data.classes.clone();
        classes.push(by_rule);
        if let Some(truth) = &data.truth {
            classes.extend(truth.classes(&*self.rule)?);
        }
        Ok(classes)
    }
}
