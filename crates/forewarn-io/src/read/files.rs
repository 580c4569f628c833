use crate::IoError;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Most files of one reading.
const FILES: usize = 100_000;

/// Folders within folders.
const DEPTH: usize = 16;

/// What names of metrics files end in, besides `.gz` and `.zst` after it.
const EXTENSIONS: [&str; 8] = ["csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet", "pq"];

/// A file to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InputFile {
    pub(crate) path: PathBuf,
    /// Columns that folders called `name=value` stand for.
    pub(crate) folders: Vec<(String, String)>,
}

impl InputFile {
    fn new(path: PathBuf) -> Self {
        let names = path.parent().into_iter().flat_map(Path::components);
        let folders = names.filter_map(|name| {
            let (name, value) = name.as_os_str().to_str()?.split_once('=')?;
            // What has no value is a column with an empty cell, not a file without the column.
            let value = if value == "__HIVE_DEFAULT_PARTITION__" { "" } else { value };
            (!name.is_empty()).then(|| (unescaped(name), unescaped(value)))
        });
        Self { folders: folders.collect(), path }
    }

    /// The file's name without what it ends in.
    pub(crate) fn stem(&self) -> String {
        let name = self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let mut stem = name.as_str();
        while let Some((rest, end)) = stem.rsplit_once('.')
            && !rest.is_empty()
            && (["gz", "zst"].iter().chain(&EXTENSIONS).any(|known| end.eq_ignore_ascii_case(known)))
        {
            stem = rest;
        }
        stem.to_owned()
    }
}

/// A part of a folder's name, in which Hive and Spark write special characters such as `:` as `%3A`.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        let escaped = (*byte == b'%').then(|| after.get(..2)).flatten();
        let code = escaped.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        match code {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Adds the files that `path` stands for: itself, those of a folder, or those of a pattern; in order of their names.
pub(crate) fn find(path: &Path, files: &mut Vec<InputFile>) -> Result<(), IoError> {
    let pattern = path.display().to_string();
    let before = files.len();
    if path.is_dir() {
        walk(path, DEPTH, &pattern, files)?;
    } else if !path.exists() && pattern.contains(['*', '?', '[']) {
        let refuse = |error: &dyn std::fmt::Display| IoError::Setting {
            option: "pattern",
            value: pattern.clone(),
            expected: error.to_string(),
        };
        for found in glob::glob(&pattern).map_err(|error| refuse(&error))? {
            let found = found.map_err(|error| refuse(&error))?;
            if found.is_dir() {
                walk(&found, DEPTH, &pattern, files)?;
            } else {
                add(found, &pattern, files)?;
            }
        }
    } else {
        return add(path.to_owned(), &pattern, files);
    }
    if files.len() == before { Err(IoError::NoFiles { pattern }) } else { Ok(()) }
}

fn add(path: PathBuf, pattern: &str, files: &mut Vec<InputFile>) -> Result<(), IoError> {
    if files.len() == FILES {
        return Err(IoError::TooManyFiles { pattern: pattern.to_owned(), limit: FILES });
    }
    files.push(InputFile::new(path));
    Ok(())
}

/// Adds the metrics files of a folder. What begins with a dot or an underscore is not data.
fn walk(folder: &Path, depth: usize, pattern: &str, files: &mut Vec<InputFile>) -> Result<(), IoError> {
    let refuse = |source| IoError::Open { file: folder.display().to_string(), source };
    let entries = fs::read_dir(folder).map_err(refuse)?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(refuse)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (name, kind) = (entry.file_name(), entry.file_type().map_err(refuse)?);
        let name = name.to_string_lossy();
        if name.starts_with(['.', '_']) {
            continue;
        }
        // Links to folders are not followed: they may lead back.
        if kind.is_dir() {
            if depth > 0 {
                walk(&entry.path(), depth - 1, pattern, files)?;
            }
        } else if is_metrics(&name) && entry.path().is_file() {
            add(entry.path(), pattern, files)?;
        }
    }
    Ok(())
}

fn is_metrics(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    name.rsplit_once('.').is_some_and(|(stem, end)| !stem.is_empty() && EXTENSIONS.contains(&end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_in_order_with_their_folders() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "service=web/year=2024/a.csv",
            "service=shop%2Fapi/b.csv.gz",
            "_SUCCESS.csv",
            ".c.csv",
            "notes.md",
            "z.jsonl",
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let found = |pattern: &str| {
            let mut files = Vec::new();
            find(&folder.path().join(pattern), &mut files).map(|()| files)
        };
        let all = found("").unwrap();
        assert_eq!(all.iter().map(InputFile::stem).collect::<Vec<_>>(), ["b", "a", "z"]);
        assert_eq!(all[0].folders, [("service".to_owned(), "shop/api".to_owned())]);
        assert_eq!(unescaped("100%"), "100%");
        let pairs = [("service".to_owned(), "web".to_owned()), ("year".to_owned(), "2024".to_owned())];
        assert_eq!(all[1].folders, pairs);
        assert_eq!(found("*.jsonl").unwrap().len(), 1);
        assert!(matches!(found("*.nothing"), Err(IoError::NoFiles { .. })));
        assert_eq!(found("missing.csv").unwrap().len(), 1, "whoever opens it says so");
    }
}
