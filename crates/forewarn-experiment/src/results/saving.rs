//! Fitted models as files that can be served.

use crate::{ExperimentError, results::models::Models};
use forewarn_core::{AlarmPolicy, Envelope, Target};

/// Kind of a model whose scores go through a map that was fitted on validation.
const CALIBRATED: &str = "calibrated";

/// What a saved model says of where it comes from.
pub(crate) struct About<'a> {
    pub(crate) failure_rule: &'a str,
    pub(crate) target: Target,
    pub(crate) trained_on: &'a str,
}

impl Models {
    /// The model called `name` with its pipeline and its policy. `policies` are the names and policies of all models,
    /// in their order.
    pub(crate) fn envelope_of<'a>(
        &self,
        name: &str,
        policies: impl IntoIterator<Item = (&'a str, Option<AlarmPolicy>)>,
        about: &About<'_>,
    ) -> Result<Envelope, ExperimentError> {
        let policies: Vec<(&str, Option<AlarmPolicy>)> = policies.into_iter().collect();
        let found = policies.iter().enumerate().find(|(_, (model, _))| *model == name);
        let Some((position, &(_, policy))) = found else {
            let available = policies.iter().map(|&(name, _)| name.to_owned()).collect();
            return Err(ExperimentError::NotFitted { name: name.to_owned(), available });
        };
        let mut envelope = self.to_envelope(position, policy).map_err(|source| {
            ExperimentError::NotSaved { name: name.to_owned(), source: Box::new(source) }
        })?;
        let about = [
            ("model", name.to_owned()),
            ("failure_rule", about.failure_rule.to_owned()),
            ("target", about.target.to_string()),
            ("trained_on", about.trained_on.to_owned()),
        ];
        envelope.metadata.extend(about.map(|(key, value)| (key.to_owned(), value.into())));
        // Whether a map fitted on validation makes its scores probabilities.
        let is_calibrated = envelope.kind == CALIBRATED;
        envelope.metadata.insert("calibrated".to_owned(), is_calibrated.into());
        Ok(envelope)
    }
}
