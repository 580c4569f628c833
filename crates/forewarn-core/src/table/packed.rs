//! Text under a compression or in another encoding.

use super::content::{Content, sniff, take_prefix};
use std::io::{self, BufRead, Cursor, Read};

/// Bytes that are read at once.
const PIECE_BYTES: usize = 1 << 17;

/// The first bytes of a text, what they look like, and the rest.
pub struct Unpacked<R> {
    /// The first bytes: [`PREFIX_BYTES`](super::PREFIX_BYTES) of them, or all there are.
    pub prefix: Vec<u8>,
    /// What they look like.
    pub content: Content,
    /// What follows them.
    pub rest: R,
}

impl<R: Read> Unpacked<R> {
    /// All of it, from the first byte on.
    pub fn whole(self) -> io::Chain<Cursor<Vec<u8>>, R> {
        Cursor::new(self.prefix).chain(self.rest)
    }
}

/// Looks at the first bytes of `from`, through one compression (gzip or zstd, with the feature `compression`) and
/// through UTF-16 with a byte order mark, which becomes UTF-8.
///
/// # Errors
/// Those of the reader; and for what is damaged.
pub fn unpack<'a>(from: impl Read + 'a) -> io::Result<Unpacked<Box<dyn Read + 'a>>> {
    let mut from: Box<dyn Read + 'a> = Box::new(from);
    let mut prefix = take_prefix(&mut from)?;
    let mut content = sniff(&prefix);
    if matches!(content, Content::Gzip | Content::Zstd)
        && let Some(plain) = decompress(content)
    {
        from = plain(Source::new(Box::new(Cursor::new(prefix).chain(from))));
        prefix = take_prefix(&mut from)?;
        content = sniff(&prefix);
    }
    if content == Content::Utf16 {
        let is_big_endian = prefix.starts_with(b"\xfe\xff");
        from = Box::new(Utf16::new(Cursor::new(prefix).chain(from), is_big_endian));
        prefix = take_prefix(&mut from)?;
        content = sniff(&prefix);
    }
    Ok(Unpacked { prefix, content, rest: from })
}

type Boxed<'a> = Box<dyn Read + 'a>;

#[cfg(feature = "compression")]
fn decompress<'a>(content: Content) -> Option<fn(Source<Boxed<'a>>) -> Boxed<'a>> {
    Some(match content {
        Content::Gzip => |from| Box::new(members::Members::<_, members::Gzip>::new(from)),
        _ => |from| Box::new(members::Members::<_, members::Zstd>::new(from)),
    })
}

#[cfg(not(feature = "compression"))]
fn decompress<'a>(_: Content) -> Option<fn(Source<Boxed<'a>>) -> Boxed<'a>> {
    None
}

/// A buffered reader that can look ahead.
struct Source<R> {
    inner: R,
    buffer: Vec<u8>,
    begin: usize,
}

impl<R: Read> Source<R> {
    fn new(inner: R) -> Self {
        Self { inner, buffer: Vec::new(), begin: 0 }
    }

    /// The next bytes, at least `count` of them unless fewer are left.
    fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.buffer.len() - self.begin < count {
            if self.more()? == 0 {
                break;
            }
        }
        Ok(&self.buffer[self.begin..])
    }

    fn more(&mut self) -> io::Result<usize> {
        self.buffer.drain(..self.begin);
        self.begin = 0;
        let before = self.buffer.len();
        self.buffer.resize(before + PIECE_BYTES, 0);
        let got = loop {
            match self.inner.read(&mut self.buffer[before..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(before + *got.as_ref().unwrap_or(&0));
        got
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Source<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.peek(1)
    }

    fn consume(&mut self, count: usize) {
        self.begin += count;
    }
}

#[cfg(feature = "compression")]
mod members {
    use super::{BufRead, Read, Source, io};
    use flate2::bufread::GzDecoder;
    use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

    /// What every member of a compressed file begins with, and how it is read.
    pub(super) trait Format<R: Read> {
        type Decoder: Read;
        /// Bytes between two members that mean nothing, at the front of `source`.
        fn padding(source: &mut Source<R>) -> io::Result<usize>;
        fn begin(source: Source<R>) -> io::Result<Self::Decoder>;
        fn end(decoder: Self::Decoder) -> Source<R>;
    }

    pub(super) struct Gzip;

    impl<R: Read> Format<R> for Gzip {
        type Decoder = GzDecoder<Source<R>>;

        /// Zeros, as tapes and block devices leave them.
        fn padding(source: &mut Source<R>) -> io::Result<usize> {
            let ahead = source.peek(1)?;
            Ok(ahead.iter().take_while(|&&byte| byte == 0).count())
        }

        fn begin(source: Source<R>) -> io::Result<Self::Decoder> {
            Ok(GzDecoder::new(source))
        }

        fn end(decoder: Self::Decoder) -> Source<R> {
            decoder.into_inner()
        }
    }

    pub(super) struct Zstd;

    impl<R: Read> Format<R> for Zstd {
        type Decoder = Box<StreamingDecoder<Source<R>, FrameDecoder>>;

        /// A frame that is to be skipped: its length stands behind its first four bytes.
        fn padding(source: &mut Source<R>) -> io::Result<usize> {
            let ahead = source.peek(8)?;
            match ahead {
                [0x50..=0x5f, 0x2a, 0x4d, 0x18, length @ ..] => match length.first_chunk::<4>() {
                    Some(length) => Ok(8 + u32::from_le_bytes(*length) as usize),
                    None => Err(io::ErrorKind::UnexpectedEof.into()),
                },
                _ => Ok(0),
            }
        }

        fn begin(source: Source<R>) -> io::Result<Self::Decoder> {
            StreamingDecoder::new(source).map(Box::new).map_err(io::Error::other)
        }

        fn end(decoder: Self::Decoder) -> Source<R> {
            decoder.into_inner()
        }
    }

    /// Members of a compressed file one after another.
    pub(super) struct Members<R: Read, F: Format<R>> {
        state: State<R, F>,
    }

    enum State<R: Read, F: Format<R>> {
        Between(Source<R>),
        Within(F::Decoder),
        Ended,
    }

    impl<R: Read, F: Format<R>> Members<R, F> {
        pub(super) fn new(from: Source<R>) -> Self {
            Self { state: State::Between(from) }
        }
    }

    impl<R: Read, F: Format<R>> Read for Members<R, F> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            loop {
                self.state = match std::mem::replace(&mut self.state, State::Ended) {
                    State::Ended => return Ok(0),
                    State::Between(mut from) => {
                        let mut padding = F::padding(&mut from)?;
                        if padding > 0 {
                            while padding > 0 {
                                let available = from.fill_buf()?.len();
                                if available == 0 {
                                    return Err(io::ErrorKind::UnexpectedEof.into());
                                }
                                from.consume(available.min(padding));
                                padding -= available.min(padding);
                            }
                            State::Between(from)
                        } else if from.fill_buf()?.is_empty() {
                            return Ok(0);
                        } else {
                            State::Within(F::begin(from)?)
                        }
                    }
                    State::Within(mut decoder) => {
                        let got = decoder.read(buffer)?;
                        if got > 0 || buffer.is_empty() {
                            self.state = State::Within(decoder);
                            return Ok(got);
                        }
                        State::Between(F::end(decoder))
                    }
                };
            }
        }
    }
}

/// Text in UTF-16 as text in UTF-8, without its byte order mark.
struct Utf16<R> {
    from: Source<R>,
    is_big_endian: bool,
    is_first: bool,
    text: Vec<u8>,
    given: usize,
}

impl<R: Read> Utf16<R> {
    fn new(from: R, is_big_endian: bool) -> Self {
        Self { from: Source::new(from), is_big_endian, is_first: true, text: Vec::new(), given: 0 }
    }

    /// Decodes what can be read at once; false at the end.
    fn more(&mut self) -> io::Result<bool> {
        let invalid = || io::Error::new(io::ErrorKind::InvalidData, "is not valid UTF-16");
        let bytes = self.from.peek(4)?;
        if bytes.is_empty() {
            return Ok(false);
        }
        let is_last = bytes.len() < 4;
        let unit = |pair: &[u8; 2]| match self.is_big_endian {
            true => u16::from_be_bytes(*pair),
            false => u16::from_le_bytes(*pair),
        };
        let (pairs, odd) = bytes.as_chunks::<2>();
        if is_last && !odd.is_empty() {
            return Err(invalid());
        }
        let mut units: Vec<u16> = pairs.iter().map(unit).collect();
        // The first half of a pair waits for the second.
        if !is_last && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            units.pop();
        }
        self.text.clear();
        self.given = 0;
        let begin = usize::from(self.is_first && units.first() == Some(&0xfeff));
        self.is_first = false;
        for decoded in char::decode_utf16(units[begin..].iter().copied()) {
            let character = decoded.map_err(|_| invalid())?;
            self.text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        self.from.consume(units.len() * 2);
        Ok(true)
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            if !self.more()? {
                return Ok(0);
            }
        }
        let count = (self.text.len() - self.given).min(buffer.len());
        buffer[..count].copy_from_slice(&self.text[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Slowly<'a>(&'a [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = 1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn text(bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        unpack(bytes)?.whole().read_to_string(&mut text)?;
        let mut slowly = String::new();
        unpack(Slowly(bytes))?.whole().read_to_string(&mut slowly)?;
        assert_eq!(text, slowly);
        Ok(text)
    }

    #[test]
    fn text_in_utf_16_becomes_utf_8() {
        let plain = "a\tb\u{e9}\u{1f600}\n".repeat(50_000);
        for is_big_endian in [true, false] {
            let encode = |unit: u16| if is_big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
            let bytes: Vec<u8> = format!("\u{feff}{plain}").encode_utf16().flat_map(encode).collect();
            assert!(text(&bytes).unwrap() == plain, "big endian: {is_big_endian}");
            assert!(text(&bytes[..bytes.len() - 1]).is_err());
            let half: Vec<u8> = [0xfeff, 0xd83d].into_iter().flat_map(encode).collect();
            assert!(text(&half).is_err());
        }
        assert_eq!(sniff(b"\xff\xfe\0\0a\0\0\0"), Content::Foreign("text in UTF-32"));
    }

    #[cfg(feature = "compression")]
    #[test]
    fn compressed_text_is_read_through_all_its_members() {
        use std::io::Write;
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
            assert_eq!(text(&bytes).unwrap(), "abcdef");
            // A part of it is an error, never a shorter text.
            assert!(text(&bytes[..bytes.len() - 3]).is_err());
            assert!(text(&[bytes, b"other".to_vec()].concat()).is_err());
        }
        assert_eq!(text(&[gzip(b"abc"), vec![0; 512], gzip(b"def"), vec![0; 9]].concat()).unwrap(), "abcdef");
        let skipped = b"\x53\x2a\x4d\x18\x03\0\0\0xyz".to_vec();
        assert_eq!(text(&[skipped.clone(), zstd(b"abc"), skipped.clone()].concat()).unwrap(), "abc");
        assert!(text(&[zstd(b"abc"), skipped[..9].to_vec()].concat()).is_err());
        let utf16 = gzip(b"\xff\xfea\0b\0");
        assert_eq!(text(&utf16).unwrap(), "ab");
    }
}
