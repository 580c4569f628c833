use super::{ModelFileError, Tensor, error::name};
use crate::WindowSpec;
use forewarn_schema::Schema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::BTreeMap;

/// A saved model: what it is, what it was fitted on, what makes its rows, what its scores are compared with, and its
/// weights, in one safetensors file.
///
/// The description lies as JSON in the file's metadata under `forewarn`, the weights as named `F32` tensors, so any
/// safetensors reader opens it. Nothing in it is executable. Files of format version 1 are read too.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// Which model, such as `"lstm"`; decides who can read `parameters`.
    pub kind: String,
    /// Features of a row, in order.
    pub schema: Schema,
    /// Window that the model was fitted for.
    pub window: WindowSpec,
    /// The feature pipeline that turns metrics into the model's rows; nothing where it reads the metrics as they are,
    /// or where it is not known.
    pub pipeline: Option<Value>,
    /// How scores become alarms, where it was chosen.
    pub policy: Option<Value>,
    /// The model's own settings.
    pub parameters: Value,
    /// Anything worth knowing: data span, seed, measures.
    pub metadata: BTreeMap<String, Value>,
    /// Weights by explicit name.
    pub tensors: BTreeMap<String, Tensor>,
}

impl Envelope {
    /// Most bytes that [`read`](Self::read) takes in: 1 GiB.
    pub const SIZE_LIMIT: u64 = 1 << 30;

    /// A model of `kind` for rows of `schema` and windows of `window`, with nothing else said of it yet.
    pub fn new(kind: impl Into<String>, schema: Schema, window: WindowSpec) -> Self {
        Self {
            kind: kind.into(),
            schema,
            window,
            pipeline: None,
            policy: None,
            parameters: Value::Null,
            metadata: BTreeMap::new(),
            tensors: BTreeMap::new(),
        }
    }

    /// The same with these settings of the model.
    ///
    /// # Errors
    /// [`ModelFileError::NotAModel`] for settings that JSON cannot express.
    pub fn with_parameters(self, settings: &impl Serialize) -> Result<Self, ModelFileError> {
        let parameters =
            serde_json::to_value(settings).map_err(|error| ModelFileError::not_a_model(error.to_string()))?;
        Ok(Self { parameters, ..self })
    }

    /// The same with these weights more.
    #[must_use]
    pub fn with_tensor(mut self, name: impl Into<String>, tensor: Tensor) -> Self {
        self.tensors.insert(name.into(), tensor);
        self
    }

    /// Refuses a model of another kind.
    ///
    /// # Errors
    /// [`ModelFileError::WrongKind`].
    pub fn expect_kind(&self, kind: &str) -> Result<(), ModelFileError> {
        if self.kind == kind {
            return Ok(());
        }
        Err(ModelFileError::WrongKind { expected: kind.to_owned(), got: name(&self.kind) })
    }

    /// Takes the model's settings, which are no longer there afterwards.
    ///
    /// # Errors
    /// [`ModelFileError::NotAModel`] for settings of another form.
    pub fn take_parameters<T: DeserializeOwned>(&mut self) -> Result<T, ModelFileError> {
        serde_json::from_value(self.parameters.take())
            .map_err(|error| ModelFileError::not_a_model(error.to_string()))
    }

    /// Takes the weights called `tensor`, which must have this shape and be finite.
    ///
    /// # Errors
    /// [`ModelFileError::MissingTensor`], [`ModelFileError::TensorShape`], [`ModelFileError::NotFinite`].
    pub fn take_tensor(&mut self, tensor: &str, shape: &[usize]) -> Result<Vec<f32>, ModelFileError> {
        let found = self
            .tensors
            .remove(tensor)
            .ok_or_else(|| ModelFileError::MissingTensor { name: name(tensor) })?;
        if found.shape() != shape {
            return Err(ModelFileError::TensorShape {
                name: name(tensor),
                expected: shape.to_vec(),
                got: found.shape().to_vec(),
            });
        }
        if found.values().iter().any(|value| !value.is_finite()) {
            return Err(ModelFileError::NotFinite { name: name(tensor) });
        }
        Ok(found.into_values())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn envelope() -> Envelope {
        Envelope {
            kind: "test".into(),
            schema: Schema::v1(),
            window: WindowSpec::default(),
            pipeline: Some(serde_json::json!({"features": []})),
            policy: Some(serde_json::json!({"threshold": 0.5})),
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
    fn no_more_is_read_than_the_header_says() {
        // A file of zeros, of noise, and one whose header is followed by no end.
        let mut header = br#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.to_vec();
        header.splice(0..0, (header.len() as u64).to_le_bytes());
        for start in [&[0u8; 8][..], &[0xff; 8], &header] {
            let mut endless = CountedReader { start, read: 0 };
            assert!(matches!(Envelope::read(&mut endless), Err(ModelFileError::NotAModel { .. })));
            assert!(endless.read < 1 << 20, "{} bytes of {start:?}", endless.read);
        }
    }

    /// Bytes, then zeros without end.
    struct CountedReader<'a> {
        start: &'a [u8],
        read: usize,
    }

    impl Read for CountedReader<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let got = match self.start.read(buffer)? {
                0 => {
                    buffer.fill(0);
                    buffer.len()
                }
                got => got,
            };
            self.read += got;
            Ok(got)
        }
    }

    #[test]
    fn round_trip() {
        let file = bytes(&envelope());
        let mut read = Envelope::read(&file[..]).unwrap();
        assert_eq!(read, envelope());
        assert_eq!(bytes(&read), file);
        assert!(matches!(read.take_tensor("w", &[1, 2]), Err(ModelFileError::TensorShape { .. })));
        assert!(matches!(read.take_tensor("v", &[1]), Err(ModelFileError::MissingTensor { .. })));
        assert!(matches!(read.expect_kind("lstm"), Err(ModelFileError::WrongKind { .. })));
    }

    #[test]
    fn what_could_not_be_read_is_not_written() {
        // Zeros that are never touched take no memory.
        let tensor = Tensor::new(vec![(1 << 28) + 1], vec![0.0; (1 << 28) + 1]).unwrap();
        let large = Envelope { tensors: BTreeMap::from([("w".into(), tensor)]), ..envelope() };
        let mut file = Vec::new();
        assert!(matches!(large.write(&mut file), Err(ModelFileError::TooLarge { .. })));
        assert!(file.is_empty());
    }

    #[test]
    fn damaged_files_are_refused() {
        let file = bytes(&envelope());
        for length in 0..file.len() {
            assert!(
                matches!(Envelope::from_bytes(&file[..length]), Err(ModelFileError::NotAModel { .. })),
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
        let at = text.find(r#"\"version\":2"#).unwrap();
        let mut newer = file;
        newer[at + r#"\"version\":"#.len()] = b'9';
        assert!(matches!(
            Envelope::from_bytes(&newer),
            Err(ModelFileError::NewerVersion { got: 9, supported: 2 })
        ));
    }

    #[test]
    fn version_one_is_read_and_its_normaliser_is_the_pipeline() {
        let file = bytes(&envelope());
        let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
        let header: serde_json::Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
        let description = header["__metadata__"]["forewarn"].as_str().unwrap_or_default();
        let mut old: serde_json::Value = serde_json::from_str(description).unwrap();
        let fields = old.as_object_mut().unwrap();
        let pipeline = fields.remove("pipeline").unwrap();
        fields.remove("policy");
        fields.insert("normaliser".to_owned(), pipeline);
        fields.insert("version".to_owned(), 1.into());
        let values: Vec<u8> = [0.5f32, -1.5].iter().flat_map(|value| value.to_le_bytes()).collect();
        let view =
            safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![2, 1], &values).unwrap();
        let metadata = std::iter::once(("forewarn".to_owned(), old.to_string())).collect();
        let file = safetensors::serialize([("w", view)], Some(metadata)).unwrap();
        assert_eq!(Envelope::from_bytes(&file).unwrap(), Envelope { policy: None, ..envelope() });
    }
}
