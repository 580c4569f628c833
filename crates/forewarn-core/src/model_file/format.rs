//! How an envelope is written, and which versions of that are read.

use super::{Envelope, ModelFileError, Tensor, error::name};
use crate::WindowSpec;
use forewarn_schema::Schema;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

const FORMAT: &str = "forewarn-model";

/// Version that is written, and the newest that is read.
pub(super) const VERSION: u32 = 2;

/// Key of the description in the safetensors file's own metadata.
const METADATA_KEY: &str = "forewarn";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    format: String,
    version: u32,
    kind: String,
    schema: Schema,
    window: WindowSpec,
    pipeline: Option<Value>,
    policy: Option<Value>,
    parameters: Value,
    metadata: BTreeMap<String, Value>,
}

/// The description as version 1 had it: `normaliser` held the pipeline, and there was no policy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DescriptionV1 {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: u32,
    kind: String,
    schema: Schema,
    window: WindowSpec,
    normaliser: Option<Value>,
    parameters: Value,
    metadata: BTreeMap<String, Value>,
}

/// What is read before the rest is trusted to be of this version.
#[derive(Deserialize)]
struct Version {
    format: String,
    version: u32,
}

/// Longest header of a safetensors file.
pub(super) const HEADER_BYTES: u64 = 100_000_000;

/// Bytes of tensors behind a header; none behind one that cannot be understood.
pub(super) fn tensor_bytes(header: &[u8]) -> u64 {
    /// A tensor of a header, or its metadata.
    #[derive(Deserialize)]
    struct Place {
        data_offsets: Option<(u64, u64)>,
    }
    let places: BTreeMap<String, Place> = serde_json::from_slice(header).unwrap_or_default();
    places.values().filter_map(|place| place.data_offsets).map(|(_, end)| end).max().unwrap_or(0)
}

/// The envelope as one safetensors file.
pub(super) fn to_bytes(envelope: &Envelope) -> Result<Vec<u8>, ModelFileError> {
    let description = Description {
        format: FORMAT.to_owned(),
        version: VERSION,
        kind: envelope.kind.clone(),
        schema: envelope.schema.clone(),
        window: envelope.window,
        pipeline: envelope.pipeline.clone(),
        policy: envelope.policy.clone(),
        parameters: envelope.parameters.clone(),
        metadata: envelope.metadata.clone(),
    };
    let description = serde_json::to_string(&description).map_err(refuse)?;
    let bytes = |tensor: &Tensor| tensor.values().iter().flat_map(|value| value.to_le_bytes()).collect();
    let bytes: Vec<(&String, &Tensor, Vec<u8>)> =
        envelope.tensors.iter().map(|(name, tensor)| (name, tensor, bytes(tensor))).collect();
    let view = |(name, tensor, bytes)| -> Result<(&str, TensorView<'_>), ModelFileError> {
        let (name, tensor, bytes): (&String, &Tensor, &Vec<u8>) = (name, tensor, bytes);
        let view = TensorView::new(Dtype::F32, tensor.shape().to_vec(), bytes).map_err(refuse)?;
        Ok((name.as_str(), view))
    };
    let views = bytes.iter().map(|(name, tensor, bytes)| view((*name, *tensor, bytes)));
    let metadata = std::iter::once((METADATA_KEY.to_owned(), description)).collect();
    safetensors::serialize(views.collect::<Result<Vec<_>, _>>()?, Some(metadata)).map_err(refuse)
}

/// The envelope in a file. Offsets of tensors are checked against the file before anything of their size is allocated.
pub(super) fn from_bytes(file: &[u8]) -> Result<Envelope, ModelFileError> {
    let (_, header) = SafeTensors::read_metadata(file).map_err(refuse)?;
    let text =
        header.metadata().as_ref().and_then(|metadata| metadata.get(METADATA_KEY)).ok_or_else(|| {
            ModelFileError::not_a_model(format!(
                "a safetensors file without {METADATA_KEY:?} in its metadata"
            ))
        })?;
    let mut envelope = described(text)?;
    let stored = SafeTensors::deserialize(file).map_err(refuse)?;
    for (tensor, view) in stored.tensors() {
        if view.dtype() != Dtype::F32 {
            let (tensor, got) = (name(&tensor), view.dtype());
            return Err(ModelFileError::not_a_model(format!("tensor {tensor:?} is {got:?}, expected F32")));
        }
        let (quads, _) = view.data().as_chunks::<4>();
        let values = quads.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        envelope.tensors.insert(tensor, Tensor::new(view.shape().to_vec(), values)?);
    }
    Ok(envelope)
}

/// All but the weights.
fn described(text: &str) -> Result<Envelope, ModelFileError> {
    let Version { format, version } = serde_json::from_str(text).map_err(refuse)?;
    if format != FORMAT {
        return Err(ModelFileError::not_a_model(format!("format {:?}, expected {FORMAT:?}", name(&format))));
    }
    if version > VERSION {
        return Err(ModelFileError::NewerVersion { got: version, supported: VERSION });
    }
    let tensors = BTreeMap::new();
    if version < 2 {
        let DescriptionV1 { kind, schema, window, normaliser: pipeline, parameters, metadata, .. } =
            serde_json::from_str(text).map_err(refuse)?;
        return Ok(Envelope { kind, schema, window, pipeline, policy: None, parameters, metadata, tensors });
    }
    let Description { kind, schema, window, pipeline, policy, parameters, metadata, .. } =
        serde_json::from_str(text).map_err(refuse)?;
    Ok(Envelope { kind, schema, window, pipeline, policy, parameters, metadata, tensors })
}

fn refuse(error: impl std::fmt::Display) -> ModelFileError {
    ModelFileError::not_a_model(error.to_string())
}
