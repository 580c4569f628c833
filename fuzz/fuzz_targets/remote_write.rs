//! Whatever a sender writes, reading it ends in an error or in series that are written and read again as they were. The
//! first byte chooses the version, and whether the rest is a block or the message in it.
//!
//! `cargo +nightly fuzz run remote_write fuzz/corpus/remote_write crates/forewarn-prometheus/tests/seeds/remote_write`

#![no_main]

use forewarn_prometheus::{
    Limits, RemoteWriteVersion, Series, encode_remote_write, encode_remote_write_2, read_remote_write,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let version = if first & 1 == 0 { RemoteWriteVersion::V1 } else { RemoteWriteVersion::V2 };
    let body = if first & 2 == 0 { rest.to_vec() } else { literal_block(rest) };
    let limits = Limits::default();
    let Ok(request) = read_remote_write(&body, version, &limits) else { return };
    for histogram in request.series.iter().flat_map(|one| &one.histograms) {
        let _ = histogram.quantile(0.99);
    }
    let plain: Vec<Series> = request
        .series
        .into_iter()
        .filter(|one| !one.samples.is_empty())
        .map(|one| Series { histograms: Vec::new(), ..one })
        .collect();
    for (body, version) in [
        (encode_remote_write(&plain), RemoteWriteVersion::V1),
        (encode_remote_write_2(&plain), RemoteWriteVersion::V2),
    ] {
        let body = body.expect("a message of this size can be packed");
        let again = read_remote_write(&body, version, &limits).expect("what was written can be read");
        // Two tags and a length are added to each label, which a limit may not have room for.
        assert!(again.series == plain || again.refused.is_partial());
    }
});

/// A snappy block that holds its content as it is.
fn literal_block(content: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    let mut length = content.len();
    while length >= 0x80 {
        block.push(length as u8 | 0x80);
        length >>= 7;
    }
    block.push(length as u8);
    for chunk in content.chunks(60) {
        block.push(((chunk.len() - 1) as u8) << 2);
        block.extend(chunk);
    }
    block
}
