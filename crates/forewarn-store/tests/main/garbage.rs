//! Files of any content: an error or a cut, never a panic, and never a record that was not written.

use crate::twin::{EVENTS, FOLDER, Run, options, record};
use forewarn_store::{Durability, Journal, StoreOptions, disk::simulated::SimulatedDisk};
use proptest::prelude::*;
use std::{path::Path, sync::Arc};

#[derive(Clone, Debug)]
enum Edit {
    Cut(prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Replace(Vec<u8>),
}

fn edit() -> impl Strategy<Value = Edit> {
    let bytes = prop::collection::vec(any::<u8>(), 0..64);
    prop_oneof![
        any::<prop::sample::Index>().prop_map(Edit::Cut),
        (any::<prop::sample::Index>(), 1_u8..).prop_map(|(at, bits)| Edit::Flip(at, bits)),
        (any::<prop::sample::Index>(), bytes.clone()).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (any::<prop::sample::Index>(), 1_usize..64).prop_map(|(at, size)| Edit::Remove(at, size)),
        bytes.prop_map(Edit::Replace),
    ]
}

fn apply(edit: &Edit, content: &mut Vec<u8>) {
    let size = content.len();
    match edit {
        Edit::Replace(bytes) => content.clone_from(bytes),
        _ if size == 0 => {}
        Edit::Cut(at) => content.truncate(at.index(size)),
        Edit::Flip(at, bits) => content[at.index(size)] ^= bits,
        Edit::Insert(at, bytes) => {
            let at = at.index(size);
            content.splice(at..at, bytes.iter().copied());
        }
        Edit::Remove(at, count) => {
            let at = at.index(size);
            content.drain(at..size.min(at + count));
        }
    }
}

proptest! {
    #[test]
    fn a_store_with_a_changed_file_opens_or_says_why_not(
        file in any::<prop::sample::Index>(),
        edits in prop::collection::vec(edit(), 1..4),
    ) {
        let disk = SimulatedDisk::default();
        let options = options(Durability::Group);
        let open = || Run::open(Arc::new(disk.clone()), Path::new(FOLDER), &options);
        let mut run = open().unwrap();
        for seq in 0..40 {
            run.step().unwrap();
            if seq % 15 == 14 {
                run.checkpoint().unwrap();
            }
        }
        run.store.commit().unwrap();
        drop(run);
        let paths: Vec<_> = disk.paths().into_iter().filter(|path| path != Path::new(EVENTS)).collect();
        let path = &paths[file.index(paths.len())];
        let mut content = disk.content(path).unwrap();
        edits.iter().for_each(|edit| apply(edit, &mut content));
        disk.set_content(path, &content);
        // `Run` compares every record that it reads with what was written, and its events with the log.
        match open() {
            Ok(run) => prop_assert!(run.store.next_seq() <= 40),
            Err(error) => prop_assert!(error.to_string().contains("store"), "{error}"),
        }
    }

    #[test]
    fn a_journal_of_any_bytes_is_an_error_or_empty(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let disk = SimulatedDisk::default();
        let open = || Journal::open(Arc::new(disk.clone()), Path::new("j"), &StoreOptions::default());
        let mut journal = open().unwrap();
        journal.append(&record(5)).unwrap();
        journal.commit().unwrap();
        drop(journal);
        let path = disk.paths().remove(0);
        let header = disk.content(&path).unwrap()[..32].to_vec();
        disk.set_content(&path, &[header, bytes.clone()].concat());
        let journal = open().unwrap();
        prop_assert_eq!((journal.next_seq(), journal.torn_bytes()), (0, bytes.len() as u64));
        drop(journal);
        disk.set_content(&path, &bytes);
        prop_assert!(open().is_err());
    }
}
