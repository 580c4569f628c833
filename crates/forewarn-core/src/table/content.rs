use std::io::{self, Read};

/// Bytes at the start of a file that decide what it is.
pub const PREFIX_BYTES: usize = 1 << 16;

/// What the first bytes of a file look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// Not a byte.
    Empty,
    /// Apache Parquet.
    Parquet,
    /// Compressed by gzip.
    Gzip,
    /// Compressed by zstd.
    Zstd,
    /// Text in UTF-16, with a byte order mark.
    Utf16,
    /// Text that begins like a JSON array or a JSON record.
    Json,
    /// Any other text.
    Text,
    /// A format that is not read, in words.
    Foreign(&'static str),
}

impl Content {
    /// In words that fit after "looks like".
    #[must_use]
    pub fn looks_like(self) -> &'static str {
        match self {
            Self::Empty => "an empty file",
            Self::Parquet => "a Parquet file",
            Self::Gzip => "gzip-compressed data",
            Self::Zstd => "zstd-compressed data",
            Self::Utf16 => "text in UTF-16",
            Self::Json => "JSON",
            Self::Text => "text",
            Self::Foreign(what) => what,
        }
    }
}

/// Formats that come with another name often enough to be told apart from damage.
const MAGICS: [(&[u8], Content); 12] = [
    (b"PAR1", Content::Parquet),
    (b"PARE", Content::Foreign("an encrypted Parquet file")),
    (b"\x1f\x8b", Content::Gzip),
    (b"\x28\xb5\x2f\xfd", Content::Zstd),
    (b"\xfd7zXZ\0", Content::Foreign("xz-compressed data")),
    (b"BZh", Content::Foreign("bzip2-compressed data")),
    (b"PK\x03\x04", Content::Foreign("a zip archive or a spreadsheet")),
    (b"ARROW1", Content::Foreign("an Arrow (Feather) file")),
    (b"SQLite format 3\0", Content::Foreign("an SQLite database")),
    (b"\xff\xfe\0\0", Content::Foreign("text in UTF-32")),
    (b"\xff\xfe", Content::Utf16),
    (b"\xfe\xff", Content::Utf16),
];

/// Judges a file by its first bytes.
#[must_use]
pub fn sniff(prefix: &[u8]) -> Content {
    if prefix.is_empty() {
        return Content::Empty;
    }
    match MAGICS.iter().find(|(magic, _)| prefix.starts_with(magic)) {
        Some(&(_, content)) => content,
        // A frame of zstd that is to be skipped.
        None if matches!(prefix, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]) => Content::Zstd,
        None if prefix.contains(&0) => Content::Foreign("binary data"),
        None => {
            match prefix.trim_ascii_start().strip_prefix(b"\xef\xbb\xbf").unwrap_or(prefix).trim_ascii_start()
            {
                [b'{' | b'[', ..] => Content::Json,
                _ => Content::Text,
            }
        }
    }
}

/// Takes the first bytes from a reader: [`PREFIX_BYTES`] of them, or all there are.
///
/// # Errors
/// Those of the reader.
pub fn take_prefix(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut prefix = Vec::with_capacity(PREFIX_BYTES);
    from.take(PREFIX_BYTES as u64).read_to_end(&mut prefix)?;
    Ok(prefix)
}
