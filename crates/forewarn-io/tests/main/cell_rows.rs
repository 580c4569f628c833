//! Rows of files that are not metrics, as cells of text.

use flate2::{Compression, write::GzEncoder};
use forewarn_core::table::{TableError, TableRows};
use forewarn_io::{CellRows, IoError, ReadOptions};
use std::{fs, io::Write as _, path::Path};

/// All rows, each with its line.
pub(crate) fn all(mut rows: CellRows) -> Result<Vec<(u64, Vec<String>)>, TableError> {
    let mut found = Vec::new();
    while rows.advance()? {
        let cells = (0..rows.header().len()).map(|column| rows.text(column).map(str::to_owned));
        let cells = cells.collect::<Result<_, _>>()?;
        found.push((rows.line(), cells));
    }
    Ok(found)
}

fn open(text: &str) -> CellRows {
    CellRows::from_reader(std::io::Cursor::new(text.to_owned()), "m", &ReadOptions::default()).unwrap()
}

fn error(text: &str) -> String {
    match CellRows::from_reader(std::io::Cursor::new(text.to_owned()), "m", &ReadOptions::default()) {
        Ok(rows) => all(rows).unwrap_err().to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn one_table_in_many_formats() {
    let expected = [["web", "0.5", "2024-01-01T00:00:00Z"], ["api", "", "2024-01-01T00:01:00Z"]];
    for (text, lines) in [
        ("service,score,time\nweb,0.5,2024-01-01T00:00:00Z\napi,,2024-01-01T00:01:00Z\n", [2, 3]),
        ("service;score;time\r\n\"web\";0.5;2024-01-01T00:00:00Z\r\napi;;2024-01-01T00:01:00Z\r\n", [2, 3]),
        (
            "{\"service\":\"web\",\"score\":0.5,\"time\":\"2024-01-01T00:00:00Z\"}\n{\"time\":\"2024-01-01T00:01:00Z\",\
             \"service\":\"api\",\"score\":null}\n",
            [1, 2],
        ),
        (
            "[{\"service\":\"web\",\"score\":0.5,\"time\":\"2024-01-01T00:00:00Z\"},\n\n{\"service\":\"api\",\
             \"time\":\"2024-01-01T00:01:00Z\",\"score\":NaN}]",
            [1, 3],
        ),
        (
            "{\"status\":\"ok\",\n\"data\":[{\"service\":\" web\",\"score\":0.5,\"time\":\"2024-01-01T00:00:00Z\"},\
             {\"service\":\"api\",\"time\":\"2024-01-01T00:01:00Z\"}]}",
            [2, 2],
        ),
    ] {
        assert_eq!(open(text).header(), ["service", "score", "time"], "{text}");
        let rows = all(open(text)).unwrap();
        assert_eq!(rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), lines, "{text}");
        assert!(rows.iter().map(|(_, cells)| cells).eq(&expected), "{rows:?}");
    }
}

#[test]
fn records_keep_what_each_field_says() {
    let text = "{\"a\":1704067200123456789,\"b\":true,\"c\":{\"d\":\"x\"},\"e\":1e-7}\n\
                {\"a\":2,\"a\":3,\"b\":false,\"late\":1,\"never\":null}";
    let mut rows = open(text);
    assert_eq!(rows.header(), ["a", "b", "c.d", "e", "late", "never"]);
    assert!(rows.advance().unwrap());
    let cells: Vec<_> = (0..4).map(|column| rows.text(column).unwrap().to_owned()).collect();
    assert_eq!(cells, ["1704067200123456789", "true", "x", "0.0000001"]);
    assert!(rows.advance().unwrap());
    assert_eq!((rows.text(0).unwrap(), rows.text(2).unwrap(), rows.text(9).unwrap()), ("3", "", ""));
    // A field of which the first records show nothing.
    let mut many = "{\"a\":1}\n".repeat(300);
    many += "{\"a\":1,\"label\":1}\n{\"a\":1,\"label\":0}\n";
    let mut rows = open(&many);
    while rows.advance().unwrap() {}
    assert_eq!((rows.header(), rows.late_columns()), (&["a".to_owned()][..], &["label".to_owned()][..]));
}

#[test]
fn arrays_are_refused_where_they_are_asked_for() {
    let mut rows = open("{\"a\":[1,2],\"b\":3}\n{\"a\":4,\"b\":5}");
    assert!(rows.advance().unwrap());
    assert_eq!(rows.text(1).unwrap(), "3");
    let error = rows.text(0).unwrap_err().to_string();
    assert_eq!(error, "m, line 1, column \"a\": is an array or an object, expected text or a number");
    assert!(rows.advance().unwrap());
    assert_eq!(rows.text(0).unwrap(), "4");
}

#[test]
fn what_is_no_table_is_refused_with_its_place() {
    for (text, expected) in [
        ("", "m: is empty"),
        ("a,b\n1\n2,3\n", "m, line 2: has 1 fields"),
        ("{\"a\":1}\n{\"a\":}\n", "m, line 2: "),
        ("{\"a\":[1,2],\"b\":[3,4]}", "expected an object a row"),
        (
            r#"{"data":{"result":[{"metric":{"job":"a"},"values":[[1,"2"]]}]}}"#,
            "series are read as metrics only",
        ),
        ("PAR1 and more", "looks like a Parquet file"),
    ] {
        assert!(error(text).contains(expected), "{text}: {}", error(text));
    }
}

#[test]
fn the_files_of_a_folder_are_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(b"score,time\n0.25,60\n").unwrap();
    write("service=api/a.csv", b"time,score\n0,0.5\n");
    write("service=api/b.csv.gz", &packed.finish().unwrap());
    write("service=web/c.jsonl", b"{\"time\":0,\"score\":1,\"label\":0}\n");
    write("_SUCCESS", b"");
    let options = ReadOptions::default().with_rename("score", "p");
    let mut rows = CellRows::open(folder.path(), &options).unwrap();
    assert_eq!(rows.header(), ["time", "p", "service"]);
    let mut found = Vec::new();
    while rows.advance().unwrap() {
        let file = Path::new(rows.file().unwrap()).file_name().unwrap().to_string_lossy().into_owned();
        let cell = |column| rows.text(column).unwrap().to_owned();
        found.push((file, rows.line(), [cell(0), cell(1), cell(2)]));
    }
    let row = |file: &str, line, cells: [&str; 3]| (file.to_owned(), line, cells.map(str::to_owned));
    let expected = [
        row("a.csv", 2, ["0", "0.5", "api"]),
        row("b.csv.gz", 2, ["60", "0.25", "api"]),
        row("c.jsonl", 1, ["0", "1", "web"]),
    ];
    assert_eq!(found, expected);
    assert_eq!(
        (rows.file().unwrap(), rows.late_columns()),
        (&*folder.path().to_string_lossy(), &["label".to_owned()][..])
    );
    let nothing = CellRows::open(folder.path().join("*.nothing"), &options).err().unwrap();
    assert!(matches!(nothing, IoError::NoFiles { .. }), "{nothing}");
}
