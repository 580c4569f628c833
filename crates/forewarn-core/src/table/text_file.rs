use crate::table::unpack;
use std::{
    fs::File,
    io::{Error, ErrorKind, Read, Result},
    path::Path,
};

/// Size that no file which people write by hand (a rule, a scenario, objectives) should exceed: 16 MiB.
pub const SMALL_FILE_BYTES: u64 = 16 << 20;

/// Reads a file, if it has no more than `most_bytes`: one without end is refused before it fills the memory, whatever
/// size the system says that it has.
///
/// # Errors
/// Those of the system; [`ErrorKind::InvalidData`] for a larger file.
pub fn read_small_file(path: impl AsRef<Path>, most_bytes: u64) -> Result<Vec<u8>> {
    read_bytes(File::open(path)?, most_bytes)
}

fn read_bytes(reader: impl Read, most_bytes: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most_bytes {
        let reason = format!("larger than {} MiB, the most that is read", most_bytes >> 20);
        return Err(Error::new(ErrorKind::InvalidData, reason));
    }
    Ok(bytes)
}

/// Reads a file as text, if it has no more than `most_bytes`: a file without end, or one of another kind such as a
/// block of metrics, is refused before it fills the memory. A byte order mark is left out, UTF-16 becomes UTF-8.
///
/// # Errors
/// Those of the system; [`ErrorKind::InvalidData`] for a larger file, and for what is not UTF-8.
pub fn read_text_file(path: impl AsRef<Path>, most_bytes: u64) -> Result<String> {
    read_text(File::open(path)?, most_bytes)
}

/// [`read_text_file`] for a reader, such as standard input.
///
/// # Errors
/// As [`read_text_file`].
pub fn read_text(reader: impl Read, most_bytes: u64) -> Result<String> {
    let bytes = read_bytes(unpack(reader)?.whole(), most_bytes)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let byte = error.utf8_error().valid_up_to() + 1;
        Error::new(ErrorKind::InvalidData, format!("byte {byte} is not UTF-8: expected a text file"))
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_small_text_is_refused() {
        assert_eq!(read_text(&b"\xef\xbb\xbfa >= 1"[..], 12).unwrap(), "a >= 1");
        assert_eq!(read_text(&b"\xff\xfea\0\n\0"[..], 12).unwrap(), "a\n");
        let endless = read_text(std::io::repeat(0), SMALL_FILE_BYTES).unwrap_err().to_string();
        assert_eq!(endless, "larger than 16 MiB, the most that is read");
        let latin = read_text(&b"gr\xf6\xdfe"[..], SMALL_FILE_BYTES).unwrap_err().to_string();
        assert_eq!(latin, "byte 3 is not UTF-8: expected a text file");
    }
}
