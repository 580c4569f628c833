//! Answers in the encoding of the question.

use crate::receive::reply::Reply;
use axum::http::{HeaderValue, StatusCode, header};
use forewarn_prometheus::OtlpEncoding;
use serde_json::json;

/// `INVALID_ARGUMENT` of `google.rpc.Code`.
const INVALID_ARGUMENT: u64 = 3;

/// `ExportMetricsServiceResponse`: empty, or with what was rejected.
pub(super) fn success(encoding: OtlpEncoding, rejected: u64, reason: &str) -> Reply {
    let body = match encoding {
        OtlpEncoding::Json if rejected == 0 => b"{}".to_vec(),
        OtlpEncoding::Json => {
            // Numbers of 64 bits are text in the JSON of protobuf.
            let partial = json!({ "rejectedDataPoints": rejected.to_string(), "errorMessage": reason });
            json!({ "partialSuccess": partial }).to_string().into_bytes()
        }
        _ if rejected == 0 => Vec::new(),
        _ => {
            let mut partial = Vec::new();
            number(&mut partial, 1, rejected);
            bytes(&mut partial, 2, reason.as_bytes());
            let mut response = Vec::new();
            bytes(&mut response, 1, &partial);
            response
        }
    };
    Reply::new(StatusCode::OK, body).with(header::CONTENT_TYPE, content_type(encoding))
}

/// `google.rpc.Status`: nothing was taken, and the same request will not be taken later.
pub(super) fn failure(encoding: OtlpEncoding, status: StatusCode, reason: &str) -> Reply {
    let body = match encoding {
        OtlpEncoding::Json => json!({ "code": INVALID_ARGUMENT, "message": reason }).to_string().into_bytes(),
        _ => {
            let mut body = Vec::new();
            number(&mut body, 1, INVALID_ARGUMENT);
            bytes(&mut body, 2, reason.as_bytes());
            body
        }
    };
    Reply::new(status, body).with(header::CONTENT_TYPE, content_type(encoding))
}

fn content_type(encoding: OtlpEncoding) -> HeaderValue {
    HeaderValue::from_static(match encoding {
        OtlpEncoding::Json => "application/json",
        _ => "application/x-protobuf",
    })
}

/// A field of a number, in the encoding of protobuf.
fn number(out: &mut Vec<u8>, field: u8, value: u64) {
    out.push(field << 3);
    varint(out, value);
}

/// A field of bytes.
fn bytes(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    out.push(field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_messages_of_the_protocol() {
        assert!(success(OtlpEncoding::Protobuf, 0, "").body.is_empty());
        assert_eq!(success(OtlpEncoding::Json, 0, "").body, b"{}");
        // Field 1, 8 bytes: field 1 is 300 in two bytes, field 2 is "bad".
        let expected = [0x0a, 8, 0x08, 0xac, 0x02, 0x12, 3, b'b', b'a', b'd'];
        assert_eq!(success(OtlpEncoding::Protobuf, 300, "bad").body, expected);
        let json = success(OtlpEncoding::Json, 300, "bad").body;
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["partialSuccess"]["rejectedDataPoints"], "300");
        let failed = failure(OtlpEncoding::Protobuf, StatusCode::BAD_REQUEST, "no");
        assert_eq!(
            (failed.status, failed.body),
            (StatusCode::BAD_REQUEST, vec![0x08, 3, 0x12, 2, b'n', b'o'])
        );
    }
}
