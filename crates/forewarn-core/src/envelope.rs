use crate::{CoreError, WindowSpec};
use forewarn_schema::Schema;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
};

const FORMAT: &str = "forewarn-model";
const VERSION: u32 = 1;

/// Key of the description in the safetensors file's own metadata.
const METADATA_KEY: &str = "forewarn";

/// Weights: a shape and its values, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Tensor {
    /// A tensor of `shape`.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless there is one value for each element.
    pub fn new(shape: Vec<usize>, values: Vec<f32>) -> Result<Self, CoreError> {
        match shape.iter().try_fold(1usize, |size, &side| size.checked_mul(side)) {
            Some(size) if size == values.len() => Ok(Self { shape, values }),
            size => Err(CoreError::LengthMismatch {
                what: "values of a tensor",
                expected: size.unwrap_or(usize::MAX),
                got: values.len(),
            }),
        }
    }

    /// Length of each axis.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Elements, row-major.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// A saved model: what it is, what it was fitted on, and its weights, in one safetensors file.
///
/// The description lies as JSON in the file's metadata under `forewarn`, the weights as named `F32` tensors, so any safetensors
/// reader opens it. Nothing in it is executable.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// Which model, such as `"lstm"`; decides who can read `parameters`.
    pub kind: String,
    /// Features of a row, in order.
    pub schema: Schema,
    /// Window that the model was fitted for.
    pub window: WindowSpec,
    /// Normaliser that makes the features, if one does.
    pub normaliser: Option<serde_json::Value>,
    /// The model's own settings.
    pub parameters: serde_json::Value,
    /// Anything worth knowing: data span, seed, measures.
    pub metadata: BTreeMap<String, serde_json::Value>,
    /// Weights by explicit name.
    pub tensors: BTreeMap<String, Tensor>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    format: String,
    version: u32,
    kind: String,
    schema: Schema,
    window: WindowSpec,
    normaliser: Option<serde_json::Value>,
    parameters: serde_json::Value,
    metadata: BTreeMap<String, serde_json::Value>,
}

/// What is read before the rest is trusted to be of this version.
#[derive(Deserialize)]
struct Version {
    format: String,
    version: u32,
}

impl Envelope {
    /// Most bytes that [`read`](Self::read) takes in: 1 GiB.
    pub const SIZE_LIMIT: u64 = 1 << 30;

    /// Writes the model. The same model gives the same bytes.
    ///
    /// # Errors
    /// [`CoreError::Io`]; [`CoreError::NotAModel`] when a part cannot be expressed; [`CoreError::ModelTooLarge`] for what
    /// [`read`](Self::read) would refuse.
    pub fn write(&self, mut to: impl Write) -> Result<(), CoreError> {
        let limit = Self::SIZE_LIMIT;
        if self.tensors.values().map(|tensor| size_of_val(&tensor.values[..]) as u64).sum::<u64>() > limit {
            return Err(CoreError::ModelTooLarge { limit });
        }
        let description = Description {
            format: FORMAT.to_owned(),
            version: VERSION,
            kind: self.kind.clone(),
            schema: self.schema.clone(),
            window: self.window,
            normaliser: self.normaliser.clone(),
            parameters: self.parameters.clone(),
            metadata: self.metadata.clone(),
        };
        let refuse = |reason: String| CoreError::NotAModel { reason };
        let description = serde_json::to_string(&description).map_err(|error| refuse(error.to_string()))?;
        let bytes: Vec<(&String, &Tensor, Vec<u8>)> = self
            .tensors
            .iter()
            .map(|(name, tensor)| {
                (name, tensor, tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect())
            })
            .collect();
        let views = bytes
            .iter()
            .map(|(name, tensor, bytes)| {
                TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map(|view| (name.as_str(), view))
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| refuse(error.to_string()))?;
        let metadata = std::iter::once((METADATA_KEY.to_owned(), description)).collect();
        let file =
            safetensors::serialize(views, Some(metadata)).map_err(|error| refuse(error.to_string()))?;
        if file.len() as u64 > limit {
            return Err(CoreError::ModelTooLarge { limit });
        }
        to.write_all(&file)?;
        Ok(())
    }

    /// Reads a model of any kind, at most [`SIZE_LIMIT`](Self::SIZE_LIMIT) bytes of it.
    ///
    /// # Errors
    /// [`CoreError::ModelTooLarge`], [`CoreError::NotAModel`] for a truncated or foreign file, [`CoreError::NewerModel`],
    /// [`CoreError::Io`].
    pub fn read(from: impl Read) -> Result<Self, CoreError> {
        let mut file = Vec::new();
        from.take(Self::SIZE_LIMIT + 1).read_to_end(&mut file)?;
        if file.len() as u64 > Self::SIZE_LIMIT {
            return Err(CoreError::ModelTooLarge { limit: Self::SIZE_LIMIT });
        }
        Self::from_bytes(&file)
    }

    /// Reads a model of any kind from memory.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_bytes(file: &[u8]) -> Result<Self, CoreError> {
        let refuse = |reason: String| CoreError::NotAModel { reason };
        let (_, header) = SafeTensors::read_metadata(file).map_err(|error| refuse(error.to_string()))?;
        let text =
            header.metadata().as_ref().and_then(|metadata| metadata.get(METADATA_KEY)).ok_or_else(|| {
                refuse(format!("a safetensors file without {METADATA_KEY:?} in its metadata"))
            })?;
        let version: Version = serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
        if version.format != FORMAT {
            return Err(refuse(format!("format {:?}, expected {FORMAT:?}", version.format)));
        }
        if version.version > VERSION {
            return Err(CoreError::NewerModel { got: version.version, supported: VERSION });
        }
        let description: Description =
            serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
        let stored = SafeTensors::deserialize(file).map_err(|error| refuse(error.to_string()))?;
        let mut tensors = BTreeMap::new();
        for (name, view) in stored.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(refuse(format!("tensor {name:?} is {:?}, expected F32", view.dtype())));
            }
            let (quads, _) = view.data().as_chunks::<4>();
            let values = quads.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
            tensors.insert(name, Tensor::new(view.shape().to_vec(), values)?);
        }
        Ok(Self {
            kind: description.kind,
            schema: description.schema,
            window: description.window,
            normaliser: description.normaliser,
            parameters: description.parameters,
            metadata: description.metadata,
            tensors,
        })
    }

    /// Refuses a model of another kind.
    ///
    /// # Errors
    /// [`CoreError::WrongModelKind`].
    pub fn expect_kind(&self, kind: &str) -> Result<(), CoreError> {
        if self.kind == kind {
            return Ok(());
        }
        Err(CoreError::WrongModelKind { expected: kind.to_owned(), got: self.kind.clone() })
    }

    /// Takes the weights called `name`, which must have this shape and be finite.
    ///
    /// # Errors
    /// [`CoreError::MissingTensor`], [`CoreError::TensorShape`], [`CoreError::NotFinite`].
    pub fn take_tensor(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, CoreError> {
        let tensor =
            self.tensors.remove(name).ok_or_else(|| CoreError::MissingTensor { name: name.to_owned() })?;
        if tensor.shape != shape {
            return Err(CoreError::TensorShape {
                name: name.to_owned(),
                expected: shape.to_vec(),
                got: tensor.shape,
            });
        }
        if tensor.values.iter().any(|value| !value.is_finite()) {
            return Err(CoreError::NotFinite { what: format!("tensor {name:?}") });
        }
        Ok(tensor.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            kind: "test".into(),
            schema: Schema::v1(),
            window: WindowSpec::default(),
            normaliser: None,
            parameters: serde_json::json!({"hidden": 2}),
            metadata: BTreeMap::from([("seed".into(), 7.into())]),
            tensors: BTreeMap::from([("w".into(), Tensor::new(vec![2, 1], vec![0.5, -1.5]).unwrap())]),
        }
    }

    fn bytes(envelope: &Envelope) -> Vec<u8> {
        let mut file = Vec::new();
        envelope.write(&mut file).unwrap();
        file
    }

    #[test]
    fn round_trip() {
        let file = bytes(&envelope());
        let mut read = Envelope::read(&file[..]).unwrap();
        assert_eq!(read, envelope());
        assert_eq!(bytes(&read), file);
        assert!(matches!(read.take_tensor("w", &[1, 2]), Err(CoreError::TensorShape { .. })));
        assert!(matches!(read.take_tensor("v", &[1]), Err(CoreError::MissingTensor { .. })));
        assert!(matches!(read.expect_kind("lstm"), Err(CoreError::WrongModelKind { .. })));
    }

    #[test]
    fn what_could_not_be_read_is_not_written() {
        // Zeros that nobody touches take no memory.
        let tensor = Tensor::new(vec![(1 << 28) + 1], vec![0.0; (1 << 28) + 1]).unwrap();
        let large = Envelope { tensors: BTreeMap::from([("w".into(), tensor)]), ..envelope() };
        let mut file = Vec::new();
        assert!(matches!(large.write(&mut file), Err(CoreError::ModelTooLarge { .. })));
        assert!(file.is_empty());
    }

    #[test]
    fn damaged_files_are_refused() {
        let file = bytes(&envelope());
        for length in 0..file.len() {
            assert!(
                matches!(Envelope::from_bytes(&file[..length]), Err(CoreError::NotAModel { .. })),
                "{length}"
            );
        }
        let mut longer = file.clone();
        longer.push(0);
        assert!(Envelope::from_bytes(&longer).is_err());
        assert!(Envelope::from_bytes(b"timestamp,error_rate\n").is_err());
    }

    #[test]
    fn a_newer_version_is_refused_by_its_number() {
        let file = bytes(&envelope());
        let text = String::from_utf8_lossy(&file).into_owned();
        let at = text.find(r#"\"version\":1"#).unwrap();
        let mut newer = file;
        newer[at + r#"\"version\":"#.len()] = b'9';
        assert!(matches!(Envelope::from_bytes(&newer), Err(CoreError::NewerModel { got: 9, supported: 1 })));
    }
}
