use forewarn_core::Source;
use forewarn_io::{FileSource, Format, ReadOptions, read};
use std::fs;

const TEXT: &str = "timestamp,x\n2024-01-01T00:00:00Z,1\n2024-01-01T00:01:00Z,2";

#[test]
fn a_path_that_is_no_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("nowhere.csv");
    let error = read(&missing, &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: cannot be opened: ", missing.display())), "{error}");
    let error = read(folder.path(), &ReadOptions::default()).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("{}: no file with a name in .csv", folder.path().display())),
        "{error}"
    );
}

#[test]
fn the_content_decides_before_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    for name in ["m.csv", "m.txt", "m"] {
        let recording = read(write(name, TEXT.as_bytes()), &ReadOptions::default()).unwrap();
        assert_eq!((recording.summary.format, recording.summary.rows), (Format::Csv, 2));
    }
    let message =
        |name, content: &[u8]| read(write(name, content), &ReadOptions::default()).unwrap_err().to_string();
    let error = message("text.parquet", TEXT.as_bytes());
    assert!(
        error.ends_with("does not begin with PAR1, as every Parquet file does: it looks like text"),
        "{error}"
    );
    assert!(message("empty.parquet", b"").ends_with("is empty"));
    assert!(message("empty.csv", b"").ends_with("is empty"));
    let error = message("parquet.csv", b"PAR1 and no more");
    if cfg!(feature = "parquet") {
        assert!(error.ends_with("the Parquet footer is missing: the file was cut off"), "{error}");
    } else {
        assert!(error.ends_with("enable the cargo feature `parquet` of forewarn-io"), "{error}");
    }
    let error = message("metrics.csv.gz", b"\x1f\x8b\x08\x00");
    assert!(error.contains("metrics.csv.gz: cannot be read"), "{error}");
}

#[test]
fn a_file_is_a_source_and_keeps_its_summary() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.csv");
    fs::write(&path, TEXT).unwrap();
    let mut source = FileSource::new(&path, ReadOptions::default());
    assert_eq!(source.describe(), path.display().to_string());
    assert!(source.summary().is_none());
    assert_eq!(source.frames().unwrap().values(), [1.0, 2.0]);
    assert_eq!(source.summary().unwrap().notes.len(), 1);

    fs::write(&path, "timestamp,x\n0,1\n60,one\n").unwrap();
    let error = source.frames().unwrap_err().to_string();
    assert!(error.starts_with("reading the recording failed: "), "{error}");
    assert!(error.ends_with("m.csv, line 3, column \"x\": \"one\" is not a number"), "{error}");
    assert!(source.summary().is_none(), "a summary is of the last reading");
}
