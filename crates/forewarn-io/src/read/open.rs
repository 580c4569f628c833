use crate::IoError;
use flate2::read::MultiGzDecoder;
use forewarn_core::table::{Content, sniff, take_prefix};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use std::{
    fs,
    io::{self, BufRead, BufReader, Cursor, Read},
    path::Path,
};

/// Opens a file that is not a directory.
pub(crate) fn open(path: &Path) -> Result<fs::File, IoError> {
    let name = || path.display().to_string();
    let refuse = |source| IoError::Open { file: name(), source };
    let file = fs::File::open(path).map_err(refuse)?;
    if file.metadata().map_err(refuse)?.is_dir() {
        return Err(IoError::Directory { file: name() });
    }
    Ok(file)
}

/// The first bytes of a text, what they look like, and the rest, decompressed where it was gzip or zstd.
pub(crate) struct Opened<R> {
    pub(crate) prefix: Vec<u8>,
    pub(crate) content: Content,
    pub(crate) rest: R,
}

/// Looks at the first bytes of `from`, through one compression.
pub(crate) fn unpack<'a>(mut from: impl Read + 'a) -> io::Result<Opened<Box<dyn Read + 'a>>> {
    let prefix = take_prefix(&mut from)?;
    let content = sniff(&prefix);
    let whole = |prefix: Vec<u8>, from| BufReader::with_capacity(1 << 17, Cursor::new(prefix).chain(from));
    let mut rest: Box<dyn Read + 'a> = match content {
        Content::Gzip => Box::new(MultiGzDecoder::new(whole(prefix, from))),
        Content::Zstd => Box::new(Zstd { state: State::Between(whole(prefix, from)) }),
        _ => return Ok(Opened { prefix, content, rest: Box::new(from) }),
    };
    let prefix = take_prefix(&mut rest)?;
    Ok(Opened { content: sniff(&prefix), prefix, rest })
}

/// Frames of zstd one after another.
struct Zstd<R: Read> {
    state: State<R>,
}

enum State<R: Read> {
    Between(R),
    Within(Box<StreamingDecoder<R, FrameDecoder>>),
    Ended,
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.state = match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Ok(0),
                State::Between(mut from) => {
                    if from.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    let decoder = StreamingDecoder::new(from).map_err(io::Error::other)?;
                    State::Within(Box::new(decoder))
                }
                State::Within(mut decoder) => {
                    let got = decoder.read(buffer)?;
                    if got > 0 || buffer.is_empty() {
                        self.state = State::Within(decoder);
                        return Ok(got);
                    }
                    State::Between(decoder.into_inner())
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn compressed_text_is_read_through_several_members() {
        let gzip = |text: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        };
        let zstd = |text: &[u8]| {
            ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
        };
        for parts in [[gzip(b"abc"), gzip(b"def")], [zstd(b"abc"), zstd(b"def")]] {
            let bytes = parts.concat();
            let opened = unpack(bytes.as_slice()).unwrap();
            assert_eq!((opened.content, opened.prefix.as_slice()), (Content::Text, &b"abcdef"[..]));
            // A part of it is an error, never a shorter text.
            assert!(unpack(&bytes[..bytes.len() - 3]).is_err());
        }
    }
}
