use crate::{
    StoreError,
    disk::{Access, Disk, DiskFile, write_all_at},
    error::{damaged, failed, shown},
    frame::{u32_at, u64_at},
    input::Input,
};
use std::path::{Path, PathBuf};

/// The layout of the header is that of every version; the version says what follows it.
const MAGIC: &[u8; 8] = b"FWJOURN\n";
const VERSION: u32 = 1;
/// Magic, version, four bytes of zero, first sequence number, checksum, four bytes of zero.
pub(super) const HEADER: u64 = 32;
const EXTENSION: &str = ".journal";
pub(super) const TEMPORARY: &str = ".journal.new";

pub(super) fn path(folder: &Path, first_seq: u64) -> PathBuf {
    folder.join(format!("{first_seq:020}{EXTENSION}"))
}

/// The first sequence number, from a name; `None` for a file that is not ours.
pub(super) fn first_seq_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(EXTENSION)?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

fn header(first_seq: u64, version: u32) -> [u8; HEADER as usize] {
    let mut header = [0; HEADER as usize];
    header[..8].copy_from_slice(MAGIC);
    header[8..12].copy_from_slice(&version.to_le_bytes());
    header[16..24].copy_from_slice(&first_seq.to_le_bytes());
    let checksum = crc32c::crc32c(&header[..24]);
    header[24..28].copy_from_slice(&checksum.to_le_bytes());
    header
}

/// Creates a segment, durably. Until it has its name it has none that is read, so that no header is ever torn.
pub(super) fn create(
    disk: &dyn Disk,
    folder: &Path,
    first_seq: u64,
) -> Result<Box<dyn DiskFile>, StoreError> {
    let path = path(folder, first_seq);
    let temporary = folder.join(format!("{first_seq:020}{TEMPORARY}"));
    let mut file = disk.create(&temporary).map_err(failed(&temporary, "creating"))?;
    write_all_at(&mut *file, 0, &header(first_seq, VERSION)).map_err(failed(&temporary, "writing"))?;
    file.sync().map_err(failed(&temporary, "syncing"))?;
    disk.rename(&temporary, &path).map_err(failed(&path, "renaming"))?;
    disk.sync_folder(folder).map_err(failed(folder, "syncing"))?;
    Ok(file)
}

/// Opens a segment and checks its header.
pub(super) fn open(disk: &dyn Disk, folder: &Path, first_seq: u64) -> Result<Input, StoreError> {
    let path = path(folder, first_seq);
    let file = disk.open(&path, Access::Read).map_err(failed(&path, "opening"))?;
    let mut input = Input::new(file).map_err(failed(&path, "reading"))?;
    let header = input.bytes(0, HEADER as usize).map_err(failed(&path, "reading"))?;
    let Some(header) = header else {
        return Err(damaged(&path, 0, "the file ends within its header"));
    };
    if !header.starts_with(MAGIC) || crc32c::crc32c(&header[..24]) != u32_at(header, 24) {
        return Err(damaged(&path, 0, "this is not the header of a journal segment"));
    }
    let version = u32_at(header, 8);
    if version != VERSION {
        return Err(StoreError::NewerVersion { file: shown(&path), found: version, supported: VERSION });
    }
    if u64_at(header, 16) != first_seq {
        return Err(damaged(&path, 16, "the header belongs to a segment of another name"));
    }
    Ok(input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::simulated::SimulatedDisk;

    #[test]
    fn names_are_ours_or_left_alone() {
        assert_eq!(path(Path::new("j"), 42).to_str(), Some("j/00000000000000000042.journal"));
        assert_eq!(first_seq_of("00000000000000000042.journal"), Some(42));
        for other in ["42.journal", "0000000000000000004x.journal", "99999999999999999999.journal", "a", ""] {
            assert_eq!(first_seq_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_later_version_is_refused_and_a_damaged_one_named() {
        let disk = SimulatedDisk::default();
        let folder = Path::new("j");
        create(&disk, folder, 5).unwrap();
        assert_eq!(open(&disk, folder, 5).unwrap().size(), HEADER);
        disk.set_content(path(folder, 5), &header(5, 2));
        assert!(matches!(
            open(&disk, folder, 5),
            Err(StoreError::NewerVersion { found: 2, supported: 1, .. })
        ));
        for bit in 0..28 * 8 {
            let mut bytes = header(5, VERSION);
            bytes[bit / 8] ^= 1 << (bit % 8);
            disk.set_content(path(folder, 5), &bytes);
            assert!(matches!(open(&disk, folder, 5), Err(StoreError::Damaged { .. })), "bit {bit}");
        }
        disk.set_content(path(folder, 6), &header(5, VERSION));
        assert!(matches!(open(&disk, folder, 6), Err(StoreError::Damaged { offset: 16, .. })));
    }
}
