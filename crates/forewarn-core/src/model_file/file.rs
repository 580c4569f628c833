//! Models to and from files, with a limit on what is read.

use super::{Envelope, ModelFileError, format};
use std::io::{Read, Write};

impl Envelope {
    /// Writes the model. The same model gives the same bytes.
    ///
    /// # Errors
    /// [`ModelFileError::Io`]; [`ModelFileError::NotAModel`] when a part cannot be expressed;
    /// [`ModelFileError::TooLarge`] for what [`read`](Self::read) would refuse.
    pub fn write(&self, mut to: impl Write) -> Result<(), ModelFileError> {
        let limit = Self::SIZE_LIMIT;
        if self.tensors.values().map(|tensor| size_of_val(tensor.values()) as u64).sum::<u64>() > limit {
            return Err(ModelFileError::TooLarge { limit });
        }
        let file = format::to_bytes(self)?;
        if file.len() as u64 > limit {
            return Err(ModelFileError::TooLarge { limit });
        }
        to.write_all(&file)?;
        Ok(())
    }

    /// Reads a model of any kind, at most [`SIZE_LIMIT`](Self::SIZE_LIMIT) bytes of it.
    ///
    /// # Errors
    /// [`ModelFileError::TooLarge`], [`ModelFileError::NotAModel`] for a truncated or foreign file,
    /// [`ModelFileError::NewerVersion`], [`ModelFileError::Io`].
    pub fn read(mut from: impl Read) -> Result<Self, ModelFileError> {
        // The header says how long the file is: nothing beyond that is read, whatever a file without end may hold.
        let (mut file, limit) = (Vec::new(), Self::SIZE_LIMIT);
        from.by_ref().take(8).read_to_end(&mut file)?;
        if let Ok(length) = <[u8; 8]>::try_from(file.as_slice())
            && let length @ ..=format::HEADER_BYTES = u64::from_le_bytes(length)
        {
            from.by_ref().take(length).read_to_end(&mut file)?;
            let of_tensors = format::tensor_bytes(&file[8..]);
            if of_tensors > limit {
                return Err(ModelFileError::TooLarge { limit });
            }
            from.take(of_tensors + 1).read_to_end(&mut file)?;
            if file.len() as u64 > limit {
                return Err(ModelFileError::TooLarge { limit });
            }
        }
        Self::from_bytes(&file)
    }

    /// Reads a model of any kind from memory.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_bytes(file: &[u8]) -> Result<Self, ModelFileError> {
        format::from_bytes(file)
    }
}
