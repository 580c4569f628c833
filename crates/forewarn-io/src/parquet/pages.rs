//! A look at a file's footer and pages before the decoder takes memory for them.

use super::thrift::{PageHeader, Refusal, check_footer, page_header};
use crate::{IoError, error::Origin};
use ::parquet::errors::ParquetError;
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

/// Largest footer.
const FOOTER_BYTES: u64 = 256 << 20;

/// Largest page once it is decompressed. Writers aim at 1 MiB.
const PAGE_BYTES: i64 = 128 << 20;

/// Bytes in which a page's header must end: it may hold the smallest and largest value.
const HEADER_BYTES: usize = 1 << 20;

fn general(refusal: Refusal) -> ParquetError {
    ParquetError::General(refusal.reason().to_owned())
}

fn damaged(origin: &Origin, column: Option<&str>, refusal: Refusal) -> IoError {
    let column = column.map(str::to_owned);
    IoError::ParquetDamaged { file: origin.file(), column, source: general(refusal).into() }
}

/// Refuses a footer that the decoder could not finish, of a file of `length_bytes` bytes.
pub(super) fn expect_footer(file: &mut File, length_bytes: u64, origin: &Origin) -> Result<(), IoError> {
    let failed = |source| IoError::Read { file: origin.file(), source };
    let mut size = [0; 4];
    file.seek(SeekFrom::Start(length_bytes.saturating_sub(8))).map_err(failed)?;
    file.read_exact(&mut size).map_err(failed)?;
    let size = u64::from(u32::from_le_bytes(size));
    if size > length_bytes.saturating_sub(12) {
        return Err(IoError::ParquetCut { file: origin.file() });
    }
    if size > FOOTER_BYTES {
        let column = String::new();
        return Err(IoError::TooLarge {
            file: origin.file(),
            column,
            what: "a footer",
            size,
            limit: FOOTER_BYTES,
        });
    }
    file.seek(SeekFrom::Start(length_bytes - 8 - size)).map_err(failed)?;
    let mut footer = vec![0; size as usize];
    file.read_exact(&mut footer).map_err(failed)?;
    check_footer(&footer).map_err(|refusal| damaged(origin, None, refusal))
}

/// Refuses pages of one column of a row group, which lie in `start..end` of the file, that ask for too much memory.
pub(super) fn expect_pages(
    file: &mut File,
    mut start: u64,
    end: u64,
    rows: i64,
    (origin, column): (&Origin, &str),
) -> Result<(), IoError> {
    let failed = |source| IoError::Read { file: origin.file(), source };
    let mut seen = 0;
    let mut bytes = Vec::new();
    // The decoder stops when it has all rows.
    while start < end && seen < rows {
        let header = header_at(file, start, end, &mut bytes).map_err(failed)?;
        let header = header.map_err(|refusal| damaged(origin, Some(column), refusal))?;
        for size in [header.uncompressed_bytes, header.compressed_bytes] {
            if !(0..=PAGE_BYTES).contains(&size) {
                return Err(IoError::TooLarge {
                    file: origin.file(),
                    column: column.to_owned(),
                    what: "a page",
                    size: size.unsigned_abs(),
                    limit: PAGE_BYTES.unsigned_abs(),
                });
            }
        }
        seen = header.rows.max(0).saturating_add(seen);
        start += header.header_bytes as u64 + header.compressed_bytes.unsigned_abs();
    }
    Ok(())
}

fn header_at(
    file: &mut File,
    start: u64,
    end: u64,
    bytes: &mut Vec<u8>,
) -> io::Result<Result<PageHeader, Refusal>> {
    let mut size = 512;
    loop {
        let wanted = size.min(usize::try_from(end - start).unwrap_or(usize::MAX));
        bytes.resize(wanted, 0);
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(bytes)?;
        match page_header(bytes) {
            Err(Refusal::Ended | Refusal::TooMany) if wanted == size && size < HEADER_BYTES => size *= 8,
            header => return Ok(header),
        }
    }
}
