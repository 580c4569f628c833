//! A look at Thrift before the decoder sees it.
//!
//! The decoder skips what it does not know, and trusts the sizes that it finds there: a few bytes that announce a
//! list of two thousand million flags, within a list of as many, keep it busy for days. Everything is walked through
//! here first, with each element charged to an allowance that is as large as the bytes are.

/// Structures within structures.
const DEPTH: u32 = 64;

/// Why bytes were not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The bytes end before the structure does.
    Ended,
    Malformed,
    /// More elements are announced than the bytes could hold.
    TooMany,
    TooDeep,
}

impl Refusal {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Ended => "a header ends too early",
            Self::Malformed => "a header is not Thrift",
            Self::TooMany => "a header announces more elements than it can hold",
            Self::TooDeep => "a header is nested too deeply",
        }
    }
}

/// What a page's header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PageHeader {
    pub(super) header_bytes: usize,
    pub(super) uncompressed_bytes: i64,
    pub(super) compressed_bytes: i64,
    /// Rows of a data page; 0 for any other.
    pub(super) rows: i64,
}

/// Accepts a file's footer.
pub(super) fn check_footer(bytes: &[u8]) -> Result<(), Refusal> {
    Walk::new(bytes).structure(DEPTH, &mut |_, _, _| {})
}

/// Accepts and reads a page's header at the start of `bytes`.
pub(super) fn page_header(bytes: &[u8]) -> Result<PageHeader, Refusal> {
    let mut header = PageHeader::default();
    let mut walk = Walk::new(bytes);
    walk.structure(DEPTH, &mut |depth, path, number| match (depth, path) {
        (0, [2, ..]) => header.uncompressed_bytes = number,
        (0, [3, ..]) => header.compressed_bytes = number,
        (1, [5 | 8, 1, ..]) => header.rows = number,
        _ => {}
    })?;
    header.header_bytes = walk.at;
    Ok(header)
}

/// Bytes that are walked through.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    allowance: u64,
    /// Fields on the way to the present one.
    path: [i16; 4],
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, allowance: bytes.len() as u64, path: [0; 4] }
    }

    fn byte(&mut self) -> Result<u8, Refusal> {
        let byte = self.bytes.get(self.at).copied().ok_or(Refusal::Ended)?;
        self.at += 1;
        Ok(byte)
    }

    fn skip(&mut self, bytes: u64) -> Result<(), Refusal> {
        let left = (self.bytes.len() - self.at) as u64;
        if bytes > left {
            return Err(Refusal::Ended);
        }
        self.at += bytes as usize;
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, Refusal> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Refusal::Malformed)
    }

    fn zigzag(&mut self) -> Result<i64, Refusal> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn charge(&mut self, elements: u64) -> Result<(), Refusal> {
        self.allowance = self.allowance.checked_sub(elements).ok_or(Refusal::TooMany)?;
        Ok(())
    }

    fn structure(&mut self, depth: u32, visit: &mut dyn FnMut(usize, &[i16; 4], i64)) -> Result<(), Refusal> {
        let level = (DEPTH - depth) as usize;
        let mut field = 0i16;
        loop {
            let byte = self.byte()?;
            let kind = byte & 0x0f;
            if kind == 0 {
                return Ok(());
            }
            self.charge(1)?;
            field = match byte >> 4 {
                0 => self.zigzag()? as i16,
                delta => field.wrapping_add(i16::from(delta)),
            };
            if let Some(place) = self.path.get_mut(level) {
                *place = field;
            }
            match kind {
                4..=6 => {
                    let number = self.zigzag()?;
                    visit(level, &self.path, number);
                }
                _ => self.value(kind, depth, visit)?,
            }
        }
    }

    fn value(
        &mut self,
        kind: u8,
        depth: u32,
        visit: &mut dyn FnMut(usize, &[i16; 4], i64),
    ) -> Result<(), Refusal> {
        let deeper = depth.checked_sub(1).filter(|&depth| depth > 0).ok_or(Refusal::TooDeep)?;
        match kind {
            // Flags have no bytes of their own: in the decoder not in lists either.
            1 | 2 => Ok(()),
            3 => self.skip(1),
            4..=6 => self.zigzag().map(drop),
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => {
                let header = self.byte()?;
                let size = match header >> 4 {
                    15 => self.varint()?,
                    size => size.into(),
                };
                self.charge(size)?;
                (0..size).try_for_each(|_| self.value(header & 0x0f, deeper, visit))
            }
            11 => {
                let size = self.varint()?;
                if size == 0 {
                    return Ok(());
                }
                self.charge(size.checked_mul(2).ok_or(Refusal::TooMany)?)?;
                let kinds = self.byte()?;
                (0..size).try_for_each(|_| {
                    self.value(kinds >> 4, deeper, visit)?;
                    self.value(kinds & 0x0f, deeper, visit)
                })
            }
            12 => self.structure(deeper, visit),
            13 => self.skip(16),
            _ => Err(Refusal::Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_header_is_read() {
        // type 0, sizes 100 and 80, data_page_header { num_values 7, encoding 0 .. }.
        let bytes =
            [0x15, 0x00, 0x15, 0xc8, 0x01, 0x15, 0xa0, 0x01, 0x2c, 0x15, 0x0e, 0x15, 0x00, 0x00, 0x00, 0xff];
        let header = page_header(&bytes).unwrap();
        let expected =
            PageHeader { header_bytes: 15, uncompressed_bytes: 100, compressed_bytes: 80, rows: 7 };
        assert_eq!(header, expected);
        assert_eq!(page_header(&bytes[..9]), Err(Refusal::Ended));
    }

    #[test]
    fn what_announces_more_than_it_holds_is_refused() {
        // A list of 2^31 - 1 flags; and lists within lists.
        assert_eq!(check_footer(&[0x19, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x07, 0x00]), Err(Refusal::TooMany));
        let nested = [&[0x19][..], &[0xf9, 0x40].repeat(40), &[0x00; 60]].concat();
        assert_eq!(check_footer(&nested), Err(Refusal::TooMany));
        let deep = [&[0x1c; 100][..], &[0; 100]].concat();
        assert_eq!(check_footer(&deep), Err(Refusal::TooDeep));
        assert_eq!(check_footer(&[0x1e, 0x00]), Err(Refusal::Malformed));
        assert_eq!(
            check_footer(&[0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
            Err(Refusal::Ended)
        );
        assert_eq!(check_footer(&[0x00]), Ok(()));
    }
}
