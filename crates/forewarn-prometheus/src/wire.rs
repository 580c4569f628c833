//! The fields of a protobuf message, one after another and without copying, so that what is in a message can be
//! counted and limited before it is decoded: two bytes of wire can stand for a struct of two hundred.

use crate::PrometheusError;

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload<'a> {
    /// An integer.
    Varint(u64),
    /// Text, bytes, a message, or packed numbers.
    Bytes(&'a [u8]),
    /// Eight bytes or four.
    Fixed,
}

/// Iterates over field numbers and payloads; stops after the first error.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    message: &'static str,
    rest: &'a [u8],
}

pub(crate) fn fields<'a>(message: &'static str, bytes: &'a [u8]) -> Fields<'a> {
    Fields { message, rest: bytes }
}

pub(crate) fn invalid(message: &'static str, reason: &str) -> PrometheusError {
    PrometheusError::Protobuf { message, reason: reason.to_owned() }
}

/// Decodes a message that has been counted.
pub(crate) fn decode<M: prost::Message + Default>(
    message: &'static str,
    bytes: &[u8],
) -> Result<M, PrometheusError> {
    M::decode(bytes).map_err(|error| invalid(message, &crate::text::quoted(&error.to_string())))
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<(u32, Payload<'a>), &'static str> {
        let key = varint(&mut self.rest)?;
        let number = u32::try_from(key >> 3).ok().filter(|&number| number > 0);
        let number = number.ok_or("a field number is out of range")?;
        let payload = match key & 7 {
            0 => Payload::Varint(varint(&mut self.rest)?),
            1 => self.skip(8)?,
            5 => self.skip(4)?,
            2 => {
                let length = varint(&mut self.rest)?;
                let length = usize::try_from(length).ok().filter(|&length| length <= self.rest.len());
                let length = length.ok_or("a field is longer than what is left of the message")?;
                let (bytes, rest) = self.rest.split_at(length);
                self.rest = rest;
                Payload::Bytes(bytes)
            }
            _ => return Err("a field has a wire type that is no longer in use"),
        };
        Ok((number, payload))
    }

    fn skip(&mut self, bytes: usize) -> Result<Payload<'a>, &'static str> {
        self.rest = self.rest.get(bytes..).ok_or("it is cut off in the middle of a number")?;
        Ok(Payload::Fixed)
    }
}

/// An integer of 7 bits a byte.
pub(crate) fn varint(bytes: &mut &[u8]) -> Result<u64, &'static str> {
    let mut value = 0u64;
    for shift in (0..70).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or("it is cut off in the middle of an integer")?;
        *bytes = rest;
        if shift == 63 && byte > 1 {
            break;
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err("an integer has more than 64 bits")
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Payload<'a>), PrometheusError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some(self.field().map_err(|reason| {
            self.rest = &[];
            invalid(self.message, reason)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<(u32, Payload<'_>)>, PrometheusError> {
        fields("test", bytes).collect()
    }

    #[test]
    fn fields_are_read_without_decoding() {
        let bytes = [0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8];
        let expected =
            [(1, Payload::Varint(150)), (2, Payload::Bytes(b"hi")), (3, Payload::Fixed), (4, Payload::Fixed)];
        assert_eq!(read(&bytes).unwrap(), expected);
        let most = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(read(&most).unwrap(), [(1, Payload::Varint(u64::MAX))]);
    }

    #[test]
    fn what_is_no_message_says_why() {
        for (bytes, reason) in [
            (&[0x08][..], "cut off in the middle of an integer"),
            (&[0x12, 200, 1, b'x'], "longer than what is left"),
            (&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], "longer than what is left"),
            (&[0x21, 1, 2], "cut off in the middle of a number"),
            (&[0x0b], "no longer in use"),
            (&[0x00, 0x00], "field number"),
            (&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], "more than 64 bits"),
        ] {
            let error = read(bytes).unwrap_err().to_string();
            assert!(error.starts_with("not a test message: ") && error.contains(reason), "{error}");
        }
    }
}
