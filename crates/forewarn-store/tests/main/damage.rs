//! Torn tails are cut and counted, damage is told, nothing wrong is ever read.

use crate::twin::record;
use forewarn_store::{
    Journal, Retention, StoreError, StoreOptions,
    disk::{Disk, simulated::SimulatedDisk},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

const FOLDER: &str = "journal";
const HEADER: usize = 32;

/// Small segments, so that there are several; or one for all.
const SMALL: u64 = 4 << 10;
const ONE: u64 = 64 << 10;

fn open_with(disk: &SimulatedDisk, segment_bytes: u64) -> Result<Journal, StoreError> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    Journal::open(disk, Path::new(FOLDER), &StoreOptions::default().with_segment_bytes(segment_bytes))
}

fn open(disk: &SimulatedDisk) -> Result<Journal, StoreError> {
    open_with(disk, ONE)
}

/// A journal of `groups` groups of three records; where each record ends in its segment, with the segments in order.
fn written(disk: &SimulatedDisk, groups: u64, segment_bytes: u64) -> Vec<(PathBuf, Vec<usize>)> {
    let mut journal = open_with(disk, segment_bytes).unwrap();
    let mut segments: Vec<(PathBuf, Vec<usize>)> = Vec::new();
    for group in 0..groups {
        for seq in group * 3..group * 3 + 3 {
            assert_eq!(journal.append(&record(seq)).unwrap(), seq);
        }
        assert_eq!(journal.commit().unwrap(), group * 3 + 3);
        let path = disk.paths().last().unwrap().clone();
        if segments.last().is_none_or(|(last, _)| *last != path) {
            segments.push((path, Vec::new()));
        }
        let ends = &mut segments.last_mut().unwrap().1;
        for seq in group * 3..group * 3 + 3 {
            ends.push(ends.last().copied().unwrap_or(HEADER) + 20 + record(seq).len());
        }
    }
    segments
}

#[track_caller]
fn check_readable(journal: &Journal, count: u64) {
    let all: Result<Vec<_>, _> = journal.read_from(journal.oldest_seq()).unwrap().collect();
    let all = all.unwrap();
    assert_eq!(all.len() as u64, count - journal.oldest_seq());
    for (kept, seq) in all.iter().zip(journal.oldest_seq()..) {
        assert_eq!((kept.seq, &kept.bytes), (seq, &record(seq)));
    }
}

#[test]
fn a_tail_torn_at_any_length_is_cut_and_counted_and_the_journal_goes_on() {
    let disk = SimulatedDisk::default();
    let segments = written(&disk, 12, ONE);
    assert_eq!(segments.len(), 1);
    let (path, ends) = &segments[0];
    let whole = disk.content(path).unwrap();
    assert_eq!(ends.last(), Some(&whole.len()));
    for size in HEADER..=whole.len() {
        disk.set_content(path, &whole[..size]);
        let mut journal = open(&disk).unwrap();
        let records = ends.partition_point(|&end| end <= size);
        let end = ends[..records].last().copied().unwrap_or(HEADER);
        assert_eq!(journal.next_seq(), records as u64, "{size} bytes");
        assert_eq!(journal.torn_bytes(), (size - end) as u64, "{size} bytes");
        journal.append(&record(records as u64)).unwrap();
        journal.commit().unwrap();
        drop(journal);
        let journal = open(&disk).unwrap();
        assert_eq!(journal.torn_bytes(), 0);
        check_readable(&journal, records as u64 + 1);
    }
}

/// Whole records after a broken one were never acknowledged. They must not come back behind the next record.
#[test]
fn what_was_cut_stays_cut() {
    let disk = SimulatedDisk::default();
    let path = written(&disk, 1, ONE)[0].0.clone();
    let mut content = disk.content(&path).unwrap();
    content[HEADER + 20 + 20] ^= 1;
    disk.set_content(&path, &content);
    let mut journal = open(&disk).unwrap();
    assert_eq!(journal.next_seq(), 1, "the second of three records is broken");
    journal.append(&vec![9; record(1).len()]).unwrap();
    journal.commit().unwrap();
    drop(journal);
    let journal = open(&disk).unwrap();
    assert_eq!((journal.next_seq(), journal.torn_bytes()), (2, 0));
}

#[test]
fn a_tail_of_garbage_or_zeros_is_cut() {
    for garbage in [vec![0; 700], vec![0xff; 700], (0..=255).collect()] {
        let disk = SimulatedDisk::default();
        let path = written(&disk, 4, ONE)[0].0.clone();
        let mut content = disk.content(&path).unwrap();
        content.extend_from_slice(&garbage);
        disk.set_content(&path, &content);
        let journal = open(&disk).unwrap();
        assert_eq!(journal.torn_bytes(), garbage.len() as u64);
        check_readable(&journal, 12);
    }
}

/// The last group cannot be told from one that was never synced. Everything before it can.
#[test]
fn a_flipped_bit_is_an_error_with_its_place_or_in_the_last_group_a_cut() {
    let disk = SimulatedDisk::default();
    let (path, ends) = written(&disk, 8, ONE).remove(0);
    let whole = disk.content(&path).unwrap();
    for byte in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[byte] ^= 1 << (byte % 8);
        disk.set_content(&path, &damaged);
        // A record that later ones, in another group, know as durable.
        let hit = ends.partition_point(|&end| end <= byte);
        let begin = hit.checked_sub(1).map_or(HEADER, |before| ends[before]);
        match open(&disk) {
            // Four bytes at the end of the header mean nothing.
            Ok(journal) if (28..HEADER).contains(&byte) => check_readable(&journal, 24),
            Err(StoreError::Damaged { file, offset, .. }) if byte < HEADER => {
                assert_eq!((file.as_str(), offset), (path.to_str().unwrap(), 0));
            }
            Err(StoreError::Damaged { file, offset, .. }) => {
                assert!(hit < 21, "byte {byte}");
                assert_eq!((file.as_str(), offset), (path.to_str().unwrap(), begin as u64));
            }
            Ok(journal) => {
                assert!(hit >= 21, "byte {byte} of record {hit}");
                assert_eq!(journal.torn_bytes(), (whole.len() - begin) as u64);
                check_readable(&journal, hit as u64);
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn damage_in_an_older_segment_is_told_when_it_is_read() {
    let disk = SimulatedDisk::default();
    let segments = written(&disk, 40, SMALL);
    assert!(segments.len() > 2);
    let (path, ends) = &segments[1];
    let whole = disk.content(path).unwrap();
    let first_seq = segments[0].1.len() as u64;
    for byte in (HEADER..whole.len()).step_by(97) {
        let mut damaged = whole.clone();
        damaged[byte] ^= 1;
        disk.set_content(path, &damaged);
        let journal = open(&disk).unwrap();
        assert_eq!(journal.next_seq(), 120);
        let read: Vec<_> = journal.read_from(0).unwrap().collect();
        let hit = ends.partition_point(|&end| end <= byte);
        assert_eq!(read.len() as u64, first_seq + hit as u64 + 1, "nothing follows the error");
        let begin = hit.checked_sub(1).map_or(HEADER, |before| ends[before]) as u64;
        assert!(
            matches!(read.last(), Some(Err(StoreError::Damaged { offset, .. })) if *offset == begin),
            "{:?}",
            read.last()
        );
        // Records after the damaged segment can be read.
        let after = first_seq + ends.len() as u64;
        assert!(journal.read_from(after).unwrap().all(|record| record.is_ok()));
    }
    // Cut short, it lacks records.
    disk.set_content(path, &whole[..ends[0]]);
    let last = open(&disk).unwrap().read_from(0).unwrap().last().unwrap().unwrap_err();
    assert_eq!(
        last.to_string(),
        format!(
            "{}: damaged at byte {}: the file ends and records are missing; restore the file from a copy, or move \
             the store's folder away to start without it",
            path.display(),
            ends[0]
        )
    );
}

#[test]
fn segments_go_when_they_are_not_needed_and_asking_for_them_says_so() {
    let disk = SimulatedDisk::default();
    let segments = written(&disk, 40, SMALL);
    let mut journal = open(&disk).unwrap();
    let second = segments[0].1.len() as u64;
    assert_eq!(journal.retain_from(second - 1, Retention::Needed).unwrap(), 0);
    assert_eq!(journal.retain_from(120, Retention::Everything).unwrap(), 0);
    assert_eq!(journal.retain_from(120, Retention::Bytes(1 << 30)).unwrap(), 0);
    assert_eq!(journal.retain_from(second, Retention::Needed).unwrap(), 1);
    assert_eq!(journal.oldest_seq(), second);
    check_readable(&journal, 120);
    assert_eq!(
        journal.read_from(second - 1).unwrap_err().to_string(),
        format!("record {} is no longer in the journal; the oldest is {second}", second - 1)
    );
    assert!(matches!(journal.read_from(121), Err(StoreError::NotWritten { asked: 121, next: 120 })));
    // A bound in bytes keeps the newest that fit.
    journal.retain_from(120, Retention::Bytes(10_000)).unwrap();
    let kept: usize = disk.paths().iter().map(|path| disk.content(path).unwrap().len()).sum();
    assert!(journal.segments() == disk.paths().len() && kept <= 10_000 && journal.segments() > 1);
    journal.retain_from(120, Retention::Needed).unwrap();
    assert_eq!(journal.segments(), 1, "the one that is written to stays");
    check_readable(&open(&disk).unwrap(), 120);
}

#[test]
fn reading_begins_at_any_record_and_ends_where_the_journal_was() {
    let disk = SimulatedDisk::default();
    written(&disk, 30, SMALL);
    let mut journal = open(&disk).unwrap();
    for from in 0..=90 {
        let records = journal.read_from(from).unwrap();
        assert_eq!(records.remaining(), 90 - from);
        journal.append(b"not committed").unwrap();
        assert!(records.map(|record| record.unwrap().seq).eq(from..90));
    }
}

#[test]
fn a_record_too_large_is_refused_and_the_largest_comes_back() {
    let disk = SimulatedDisk::default();
    let mut journal = open(&disk).unwrap();
    let largest = vec![1; Journal::MAX_RECORD_BYTES];
    assert_eq!(journal.append(&largest).unwrap(), 0);
    assert!(matches!(
        journal.append(&vec![1; Journal::MAX_RECORD_BYTES + 1]),
        Err(StoreError::TooLarge { what: "record", bytes: 16_777_217, limit: 16_777_216 })
    ));
    assert_eq!(journal.append(b"").unwrap(), 1);
    journal.commit().unwrap();
    let records: Vec<_> = open(&disk).unwrap().read_from(0).unwrap().map(Result::unwrap).collect();
    assert!(records.len() == 2 && records[0].bytes == largest && records[1].bytes.is_empty());
}

#[test]
fn a_journal_is_read_while_it_is_written_and_is_not_changed() {
    let disk = SimulatedDisk::default();
    let segments = written(&disk, 30, SMALL);
    let look = || Journal::read_only(Arc::new(disk.clone()), Path::new(FOLDER)).unwrap();
    assert_eq!(look().map(|kept| kept.unwrap().seq).collect::<Vec<_>>(), (0..90).collect::<Vec<_>>());
    // A record that is half written, and a segment that was dropped.
    let last = &segments.last().unwrap().0;
    let whole = disk.content(last).unwrap();
    disk.set_content(last, &whole[..whole.len() - 1]);
    disk.remove(&segments[0].0).unwrap();
    let before = disk.paths();
    let first_seq = segments[0].1.len() as u64;
    assert_eq!((look().next_seq(), look().remaining()), (first_seq, 89 - first_seq));
    for (kept, seq) in look().map(Result::unwrap).zip(first_seq..) {
        assert_eq!((kept.seq, kept.bytes), (seq, record(seq)));
    }
    assert_eq!(disk.paths(), before);
    assert_eq!(disk.content(last).unwrap().len(), whole.len() - 1);
    assert_eq!(Journal::read_only(Arc::new(SimulatedDisk::default()), Path::new(FOLDER)).unwrap().count(), 0);
}
