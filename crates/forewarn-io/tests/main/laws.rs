//! Files keep the laws of sources, read whole and piece by piece.

use forewarn_core::conformance;
use forewarn_io::{FileSource, ReadOptions};
use std::fs;

const TEXT: &str = "\
timestamp,service,error_rate,depth
2026-03-02T00:00:00Z,cart,0.01,4
2026-03-02T00:01:00Z,cart,,5
2026-03-02T00:04:00Z,cart,0.2,6
2026-03-02T00:01:00Z,shop,0.3,7
";

#[test]
fn a_file_is_a_source() {
    let folder = tempfile::tempdir().unwrap();
    // The name of a file may hold what no terminal should be sent.
    for name in ["m.csv", "m\u{1b}[31m.csv"] {
        let path = folder.path().join(name);
        fs::write(&path, TEXT).unwrap();
        assert_eq!(
            conformance::source(&mut FileSource::new(path, ReadOptions::default())),
            Ok(()),
            "{name:?}"
        );
    }
}

#[cfg(feature = "parquet")]
#[test]
fn a_parquet_file_is_a_stream_of_its_frames() {
    use forewarn_core::Source as _;
    use forewarn_io::parquet::{self, ParquetStream};

    let folder = tempfile::tempdir().unwrap();
    let (text, path) = (folder.path().join("m.csv"), folder.path().join("m.parquet"));
    fs::write(&text, TEXT).unwrap();
    let frames = FileSource::new(text, ReadOptions::default()).frames().unwrap();
    parquet::write(&frames, &path).unwrap();
    for rows_at_once in [1, 2, 1000] {
        let stream = ParquetStream::open(&path, &ReadOptions::default()).unwrap();
        assert_eq!(
            conformance::frame_stream(&mut stream.with_rows_at_once(rows_at_once), Some(&frames)),
            Ok(())
        );
    }
}
