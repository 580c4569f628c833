//! Saved models that hold saved models.

use crate::saved::{parameters, read_parameters};
use forewarn_core::{CoreError, Envelope, WindowSpec};
use forewarn_schema::Schema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// The outer model's settings beside what the envelopes of the inner ones say; their tensors have the number of their model in front.
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
    normaliser: Option<serde_json::Value>,
    parameters: serde_json::Value,
    metadata: BTreeMap<String, serde_json::Value>,
}

/// A model of `kind` that reads rows of `schema`, around others; its windows are as long as the longest of theirs.
pub(crate) fn pack(
    kind: &str,
    settings: &impl Serialize,
    schema: &Schema,
    models: Vec<Envelope>,
) -> Result<Envelope, CoreError> {
    let Some(window) = models.iter().map(|model| model.window).max_by_key(WindowSpec::observation) else {
        return Err(CoreError::NotAModel { reason: "there is no model inside".to_owned() });
    };
    let (mut inner, mut tensors) = (Vec::with_capacity(models.len()), BTreeMap::new());
    for (index, model) in models.into_iter().enumerate() {
        let Envelope { kind, schema, window, normaliser, parameters, metadata, tensors: own } = model;
        inner.push(Inner { kind, schema, window, normaliser, parameters, metadata });
        tensors.extend(own.into_iter().map(|(name, tensor)| (format!("{index}.{name}"), tensor)));
    }
    Ok(Envelope {
        kind: kind.to_owned(),
        schema: schema.clone(),
        window,
        normaliser: None,
        parameters: parameters(&Nested { settings, inner })?,
        metadata: BTreeMap::new(),
        tensors,
    })
}

/// The settings and the models that [`pack`] put together.
pub(crate) fn unpack<T: DeserializeOwned>(
    kind: &str,
    mut envelope: Envelope,
) -> Result<(T, Vec<Envelope>), CoreError> {
    envelope.expect_kind(kind)?;
    let Nested { settings, inner } = read_parameters::<Nested<T>>(&mut envelope)?;
    let mut models: Vec<Envelope> = inner
        .into_iter()
        .map(|Inner { kind, schema, window, normaliser, parameters, metadata }| Envelope {
            kind,
            schema,
            window,
            normaliser,
            parameters,
            metadata,
            tensors: BTreeMap::new(),
        })
        .collect();
    for (name, tensor) in envelope.tensors {
        let place = name.split_once('.').and_then(|(index, own)| Some((index.parse::<usize>().ok()?, own)));
        let Some((model, own)) = place.and_then(|(index, own)| Some((models.get_mut(index)?, own))) else {
            return Err(CoreError::NotAModel {
                reason: format!("tensor {name:?} belongs to no model inside"),
            });
        };
        model.tensors.insert(own.to_owned(), tensor);
    }
    Ok((settings, models))
}

/// The settings and the one model of [`pack`].
pub(crate) fn unpack_one<T: DeserializeOwned>(
    kind: &str,
    envelope: Envelope,
) -> Result<(T, Envelope), CoreError> {
    unpack_some(kind, envelope).map(|(settings, [model])| (settings, model))
}

/// The settings and exactly so many models of [`pack`].
pub(crate) fn unpack_some<T: DeserializeOwned, const N: usize>(
    kind: &str,
    envelope: Envelope,
) -> Result<(T, [Envelope; N]), CoreError> {
    let (settings, models) = unpack(kind, envelope)?;
    let models = <[Envelope; N]>::try_from(models).map_err(|models| CoreError::NotAModel {
        reason: format!("{} models lie in one of kind {kind:?}, which holds {N}", models.len()),
    })?;
    Ok((settings, models))
}
