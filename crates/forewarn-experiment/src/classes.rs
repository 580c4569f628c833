use crate::{Experiment, ExperimentError};
use forewarn_core::FailureRule;
use forewarn_eval::EpisodeClasses;
use forewarn_label::{Condition, Rule};
use forewarn_schema::FrameSet;

/// A failure rule that tells failures apart.
pub(super) struct ClassRule {
    name: String,
    rule: Box<dyn FailureRule>,
}

impl Experiment {
    /// Reports failures apart during which `rule` is satisfied too, under `name`. It changes neither what a failure is nor any label.
    #[must_use]
    pub fn failures_by(mut self, name: impl Into<String>, rule: impl FailureRule + 'static) -> Self {
        self.class_rules.push(ClassRule { name: name.into(), rule: Box::new(rule) });
        self
    }

    /// Reports failures apart by the alternatives of a rule that is an *any of*; another rule has none.
    ///
    /// # Errors
    /// [`ExperimentError::Label`] for an alternative that makes no sense by itself, which those of a checked rule do.
    pub fn alternatives(mut self, rule: &Rule) -> Result<Self, ExperimentError> {
        if let Condition::Any(alternatives) = rule.when() {
            for alternative in alternatives {
                let alone = Rule::new(alternative.clone())?;
                self = self.failures_by(alone.to_string(), alone);
            }
        }
        Ok(self)
    }
}

/// When each rule is satisfied.
pub(super) fn by_rule(rules: &[ClassRule], frames: &FrameSet) -> Result<EpisodeClasses, ExperimentError> {
    let mut classes = EpisodeClasses::new("failure rule");
    for ClassRule { name, rule } in rules {
        for frame in frames.frames() {
            for episode in &rule.assess(frame)?.episodes {
                classes.episode(frame.service(), episode, name.as_str())?;
            }
        }
    }
    Ok(classes)
}
