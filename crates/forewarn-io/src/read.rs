pub(crate) mod cell_rows;
pub(crate) mod files;
pub(crate) mod open;
pub(crate) mod source;

use crate::{
    Duplicates, Format, IoError, ReadOptions, ReadSummary, Recording,
    assemble::{
        Assembler, Keep,
        coded::{Code, SidedRecording},
    },
    columns::SERVICE,
    csv::{self, Input},
    error::Origin,
    json,
    read::{
        files::{InputFile, find},
        open::{Opened, open_unpacked, unpack},
    },
};
use forewarn_core::table::Content;
use std::{io::Read, path::Path, sync::Arc};

/// Reads a recording from a file, whatever its format, from the files of a folder, or from those that a pattern names.
///
/// The content decides, not the name: Parquet, JSON lines or an array of JSON records, else separated text; each text
/// may be compressed by gzip or zstd. A folder is read with the folders in it; those called `name=value` (as Hive and
/// Spark write them) stand for a column. A pattern has `*`, `?` or `[...]` in it. All files are one recording: see
/// [`read_files`].
///
/// # Errors
/// [`IoError`], with the file, the row and the column in question.
pub fn read(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Recording, IoError> {
    read_files(&[path], options)
}

/// Reads one recording from several files, folders and patterns. Files without a column of services are of one
/// service each, called by the file's name.
///
/// # Errors
/// As [`read`].
pub fn read_files(paths: &[impl AsRef<Path>], options: &ReadOptions) -> Result<Recording, IoError> {
    assemble(paths, options, Keep::Values)?.finish()
}

/// [`read_files`] that keeps only the values of the first metric and of those whose names `keep` holds for; the summary
/// counts all. For a question about a few columns of a large file, in little memory.
///
/// # Errors
/// As [`read`].
pub fn read_metrics(
    paths: &[impl AsRef<Path>],
    options: &ReadOptions,
    keep: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> Result<Recording, IoError> {
    assemble(paths, options, Keep::Some(Arc::new(keep)))?.finish()
}

/// [`read_files`] that keeps of each value only on which side of the limits of its metric it lies, in a byte: for what
/// a rule of comparisons says of files of any size. `limits` says of a metric by its name what it is compared with, in
/// ascending order, and `None` where it is not asked for. The summary counts all.
///
/// `None` where that does not answer the question: where no metric is asked for, for counters and outcomes, more than
/// 120 limits of a metric, and where rows of one time are to be put together.
///
/// # Errors
/// As [`read`].
pub fn read_sides(
    paths: &[impl AsRef<Path>],
    options: &ReadOptions,
    limits: impl Fn(&str) -> Option<Vec<f32>> + Send + Sync + 'static,
) -> Result<Option<SidedRecording>, IoError> {
    if options.duplicates != Duplicates::Error {
        return Ok(None);
    }
    let code = move |name: &str| limits(name).and_then(|limits| Code::new(&limits));
    assemble(paths, options, Keep::Codes(Arc::new(code)))?.finish_coded()
}

/// What [`read_files`] would find, without keeping the values: for files of any size, in little memory.
///
/// # Errors
/// As [`read`].
pub fn inspect(paths: &[impl AsRef<Path>], options: &ReadOptions) -> Result<ReadSummary, IoError> {
    assemble(paths, options, Keep::Counts)?.finish_summary()
}

/// Reads a recording from anything that gives bytes, such as standard input: any format of [`read`] but Parquet,
/// which has its table of contents at the end. `name` stands for it in errors.
///
/// # Errors
/// As [`read`], and [`IoError::NotCsv`] for Parquet.
pub fn read_from(from: impl Read, name: &str, options: &ReadOptions) -> Result<Recording, IoError> {
    stream(from, name, options, Keep::Values)?.finish()
}

/// What [`read_from`] would find, without keeping the values.
///
/// # Errors
/// As [`read_from`].
pub fn inspect_from(from: impl Read, name: &str, options: &ReadOptions) -> Result<ReadSummary, IoError> {
    stream(from, name, options, Keep::Counts)?.finish_summary()
}

fn stream(from: impl Read, name: &str, options: &ReadOptions, keep: Keep) -> Result<Assembler, IoError> {
    let mut assembler = Assembler::new(options, keep)?;
    let opened = unpack(from).map_err(|source| IoError::Read { file: name.to_owned(), source })?;
    text_into(opened, name, options, SERVICE, &[], &mut assembler)?;
    Ok(assembler)
}

fn assemble(paths: &[impl AsRef<Path>], options: &ReadOptions, keep: Keep) -> Result<Assembler, IoError> {
    let mut files = Vec::new();
    for path in paths {
        find(path.as_ref(), &mut files)?;
    }
    let mut assembler = Assembler::new(options, keep)?;
    if files.len() > 1 {
        assembler.note(format!("{} files were read as one recording", files.len()));
    }
    for file in &files {
        let service = if files.len() > 1 { file.stem() } else { SERVICE.to_owned() };
        read_file(file, options, &service, &mut assembler)?;
    }
    Ok(assembler)
}

fn read_file(
    file: &InputFile,
    options: &ReadOptions,
    service: &str,
    assembler: &mut Assembler,
) -> Result<(), IoError> {
    let opened = open_unpacked(&file.path)?;
    if opened.content == Content::Parquet {
        return read_parquet(file, options, service, assembler);
    }
    let name = file.path.display().to_string();
    text_into(opened, &name, options, service, &file.folders, assembler)
}

fn text_into<R: Read>(
    opened: Opened<R>,
    name: &str,
    options: &ReadOptions,
    service: &str,
    folders: &[(String, String)],
    assembler: &mut Assembler,
) -> Result<(), IoError> {
    let Opened { prefix, content, rest } = opened;
    let format = if content == Content::Json { Format::Json } else { Format::Csv };
    let origin = Origin::new(name, format);
    assembler.begin(&origin);
    let input = Input { origin: &origin, options, service, folders };
    match content {
        Content::Json => json::read_into(&prefix, rest, &input, assembler),
        _ => csv::read_into(prefix, rest, &input, assembler),
    }
}

#[cfg(feature = "parquet")]
fn read_parquet(
    file: &InputFile,
    options: &ReadOptions,
    service: &str,
    assembler: &mut Assembler,
) -> Result<(), IoError> {
    crate::parquet::read_into(&file.path, options, service, &file.folders, assembler)
}

#[cfg(not(feature = "parquet"))]
fn read_parquet(file: &InputFile, _: &ReadOptions, _: &str, _: &mut Assembler) -> Result<(), IoError> {
    Err(IoError::ParquetDisabled { file: file.path.display().to_string() })
}
