use super::{
    chunk::{Chunk, fenced},
    file_columns::{FileColumns, Wanted},
    pages::{expect_footer, expect_pages},
};
use crate::{IoError, columns::Role, error::Origin, read::open::open};
use ::parquet::{
    basic::Compression,
    errors::ParquetError,
    file::{
        metadata::RowGroupMetaData,
        reader::{FileReader, RowGroupReader, SerializedFileReader},
    },
    schema::types::SchemaDescriptor,
};
use forewarn_core::table::{Content, sniff, take_prefix};
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

/// Rows that are decoded at once: a batch of some tens of columns stays in the processor's cache.
const BATCH_ROWS: usize = 8192;

/// The row groups of a file, a batch of rows after another.
pub(super) struct Groups {
    reader: SerializedFileReader<File>,
    /// The same file, for a look at pages before they are decoded.
    pages: File,
    length_bytes: u64,
    next_group: usize,
    /// The wanted columns of the present row group, and its rows that are not decoded yet.
    pub(super) chunks: Vec<(usize, Chunk)>,
    left: usize,
}

impl Groups {
    pub(super) fn open(path: &Path, origin: &Origin) -> Result<Self, IoError> {
        let mut file = open(path)?;
        let length_bytes = expect_ends(&mut file, origin)?;
        expect_footer(&mut file, length_bytes, origin)?;
        let pages = open(path)?;
        let reader =
            fenced(|| SerializedFileReader::new(file)).map_err(|source| damaged(origin, None, source))?;
        Ok(Self { reader, pages, length_bytes, next_group: 0, chunks: Vec::new(), left: 0 })
    }

    pub(super) fn schema(&self) -> &SchemaDescriptor {
        self.reader.metadata().file_metadata().schema_descr()
    }

    /// Goes back to the first row.
    pub(super) fn rewind(&mut self) {
        (self.next_group, self.left, self.chunks) = (0, 0, Vec::new());
    }

    /// How many rows the next batch has, none after the last; each chunk is to decode that many.
    pub(super) fn advance(&mut self, file: &FileColumns, wanted: Wanted) -> Result<usize, IoError> {
        while self.left == 0 {
            for (index, chunk) in &mut self.chunks {
                chunk.expect_end().map_err(|source| file.damaged_column(*index, source))?;
            }
            self.chunks.clear();
            if self.next_group == self.reader.num_row_groups() {
                return Ok(0);
            }
            let damaged = |source| damaged(&file.origin, None, source);
            let group = self.reader.get_row_group(self.next_group).map_err(damaged)?;
            self.left = file.expect_places(group.metadata(), self.length_bytes)?;
            file.expect_pages(group.metadata(), &mut self.pages, wanted)?;
            self.chunks = file.open_chunks(&*group, wanted)?;
            self.next_group += 1;
        }
        let rows = self.left.min(BATCH_ROWS);
        self.left -= rows;
        Ok(rows)
    }
}

/// Refuses what does not begin and end as Parquet does, with a better reason than the decoder has; returns the length.
fn expect_ends(file: &mut File, origin: &Origin) -> Result<u64, IoError> {
    let failed = |source| IoError::Read { file: origin.file(), source };
    let prefix = take_prefix(file).map_err(failed)?;
    match sniff(&prefix) {
        Content::Parquet => {}
        Content::Empty => return Err(IoError::Empty { file: origin.file() }),
        content => {
            return Err(IoError::NotParquet { file: origin.file(), looks_like: content.looks_like() });
        }
    }
    let mut end = [0; 4];
    file.seek(SeekFrom::End(-4)).map_err(failed)?;
    file.read_exact(&mut end).map_err(failed)?;
    let length = file.stream_position().map_err(failed)?;
    // Magic number, footer's length, magic number: less is no file.
    if &end != b"PAR1" || length < 12 {
        return Err(IoError::ParquetCut { file: origin.file() });
    }
    Ok(length)
}

impl FileColumns {
    /// Refuses a row group whose columns lie outside the file or have not one value a row; returns its rows.
    ///
    /// The decoder trusts these numbers of the footer, and would panic.
    fn expect_places(&self, group: &RowGroupMetaData, length_bytes: u64) -> Result<usize, IoError> {
        let rows = usize::try_from(group.num_rows())
            .map_err(|_| damaged(&self.origin, None, general("a row group has a negative number of rows")))?;
        for (index, chunk) in group.columns().iter().enumerate().take(self.holds.len()) {
            let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
            let end = u64::try_from(start)
                .ok()
                .zip(u64::try_from(chunk.compressed_size()).ok())
                .and_then(|(start, size)| start.checked_add(size));
            if end.is_none_or(|end| end > length_bytes) {
                return Err(self.damaged_column(index, general("it lies outside the file")));
            }
            if self.columns.roles[index] != Role::Ignored && chunk.num_values() != group.num_rows() {
                return Err(self.damaged_column(index, general("it has not one value for each row")));
            }
        }
        Ok(rows)
    }

    /// The wanted columns of a row group, each with its position.
    fn open_chunks(
        &self,
        group: &dyn RowGroupReader,
        wanted: Wanted,
    ) -> Result<Vec<(usize, Chunk)>, IoError> {
        let open = |index: usize| {
            fenced(|| Ok(Chunk::new(group.get_column_reader(index)?, self.nullable[index])))
                .map(|chunk| (index, chunk))
                .map_err(|source| self.damaged_column(index, source))
        };
        self.wanted(wanted).map(open).collect()
    }

    /// Columns that are decoded.
    fn wanted(&self, wanted: Wanted) -> impl Iterator<Item = usize> {
        (0..self.holds.len()).filter(move |index| match self.columns.roles[*index] {
            Role::Ignored => false,
            Role::Time(_) | Role::Service(_) => true,
            _ => wanted == Wanted::Everything || self.counters.contains(index),
        })
    }

    /// Refuses codecs that are not built in, and pages that ask for too much memory.
    fn expect_pages(&self, group: &RowGroupMetaData, file: &mut File, wanted: Wanted) -> Result<(), IoError> {
        for index in self.wanted(wanted) {
            let chunk = group.column(index);
            let column = &self.columns.names[index];
            if matches!(chunk.compression(), Compression::BROTLI(_) | Compression::LZO) {
                let codec = match chunk.compression() {
                    Compression::LZO => "LZO",
                    _ => "brotli",
                };
                return Err(IoError::Codec {
                    file: self.origin.file(),
                    column: column.clone(),
                    codec: codec.to_owned(),
                });
            }
            // Both have been checked to lie within the file.
            let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset()).unsigned_abs();
            let end = start + chunk.compressed_size().unsigned_abs();
            expect_pages(file, start, end, group.num_rows(), (&self.origin, column))?;
        }
        Ok(())
    }

    pub(super) fn damaged_column(&self, index: usize, source: ParquetError) -> IoError {
        damaged(&self.origin, self.columns.names.get(index).map(String::as_str), source)
    }
}

fn general(reason: &str) -> ParquetError {
    ParquetError::General(reason.to_owned())
}

fn damaged(origin: &Origin, column: Option<&str>, source: ParquetError) -> IoError {
    IoError::ParquetDamaged { file: origin.file(), column: column.map(str::to_owned), source: source.into() }
}
