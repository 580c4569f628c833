//! Models as files: `envelope` is what a file holds, `file` reads and writes it, `format` says how it lies there and
//! which versions are read, `save` the contract of a model that can be saved, `registry` who reads which kind.

mod envelope;
mod error;
mod file;
mod format;
mod registry;
mod save;
mod tensor;

pub use envelope::Envelope;
pub use error::ModelFileError;
pub use registry::{FeatureReader, NestedReader, PredictorReader, Registry};
pub use save::Save;
pub use tensor::Tensor;
