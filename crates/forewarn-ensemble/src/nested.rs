//! Saved models that hold saved models.

use forewarn_core::{Envelope, ModelFileError, Predictor, WindowSpec};
use forewarn_schema::Schema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// The outer model's settings beside what the envelopes of the inner ones say; their tensors have the number of their
/// model in front.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nested<T> {
    settings: T,
    inner: Vec<Inner>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    kind: String,
    schema: Schema,
    window: WindowSpec,
    /// Called `normaliser` in files of version 1.
    #[serde(alias = "normaliser")]
    pipeline: Option<serde_json::Value>,
    parameters: serde_json::Value,
    metadata: BTreeMap<String, serde_json::Value>,
}

/// A model of `kind` that reads rows of `schema` in windows of `window`, around others.
pub(crate) fn pack(
    kind: &str,
    settings: &impl Serialize,
    schema: &Schema,
    window: WindowSpec,
    models: Vec<Envelope>,
) -> Result<Envelope, ModelFileError> {
    let (mut inner, mut tensors) = (Vec::with_capacity(models.len()), BTreeMap::new());
    for (index, model) in models.into_iter().enumerate() {
        let Envelope { kind, schema, window, pipeline, parameters, metadata, tensors: own, .. } = model;
        inner.push(Inner { kind, schema, window, pipeline, parameters, metadata });
        tensors.extend(own.into_iter().map(|(name, tensor)| (format!("{index}.{name}"), tensor)));
    }
    let envelope = Envelope::new(kind, schema.clone(), window);
    Ok(Envelope { tensors, ..envelope.with_parameters(&Nested { settings, inner })? })
}

/// The model inside one of `kind` as a saved one, for windows of its own length.
pub(crate) fn save_inner(
    kind: &str,
    model: &impl Predictor,
    window: WindowSpec,
) -> Result<Envelope, ModelFileError> {
    let save = model.as_save().ok_or_else(|| ModelFileError::NotSavable {
        what: format!("the model inside one of kind {kind:?}"),
    })?;
    save.to_envelope(WindowSpec::new(model.observation(), window.lead(), window.period())?)
}

/// The settings and the models that [`pack`] put together.
pub(crate) fn unpack<T: DeserializeOwned>(
    kind: &str,
    mut envelope: Envelope,
) -> Result<(T, Vec<Envelope>), ModelFileError> {
    envelope.expect_kind(kind)?;
    let Nested { settings, inner } = envelope.take_parameters::<Nested<T>>()?;
    let mut models: Vec<Envelope> = inner
        .into_iter()
        .map(|Inner { kind, schema, window, pipeline, parameters, metadata }| Envelope {
            pipeline,
            parameters,
            metadata,
            ..Envelope::new(kind, schema, window)
        })
        .collect();
    for (name, tensor) in envelope.tensors {
        let place = name.split_once('.').and_then(|(index, own)| Some((index.parse::<usize>().ok()?, own)));
        let Some((model, own)) = place.and_then(|(index, own)| Some((models.get_mut(index)?, own))) else {
            return Err(ModelFileError::not_a_model(format!("tensor {name:?} belongs to no model inside")));
        };
        model.tensors.insert(own.to_owned(), tensor);
    }
    Ok((settings, models))
}

/// The settings and the one model of [`pack`].
pub(crate) fn unpack_one<T: DeserializeOwned>(
    kind: &str,
    envelope: Envelope,
) -> Result<(T, Envelope), ModelFileError> {
    unpack_some(kind, envelope).map(|(settings, [model])| (settings, model))
}

/// The settings and exactly this number of models of [`pack`].
pub(crate) fn unpack_some<T: DeserializeOwned, const N: usize>(
    kind: &str,
    envelope: Envelope,
) -> Result<(T, [Envelope; N]), ModelFileError> {
    let (settings, models) = unpack(kind, envelope)?;
    let models = <[Envelope; N]>::try_from(models).map_err(|models| {
        let found = models.len();
        ModelFileError::not_a_model(format!("{found} models lie in one of kind {kind:?}, which holds {N}"))
    })?;
    Ok((settings, models))
}
