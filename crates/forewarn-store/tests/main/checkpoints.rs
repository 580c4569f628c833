//! Checkpoints: the last good one, fallback, fingerprints, positions, and one process at a time.

use crate::twin::{FOLDER, Run, options};
use forewarn_store::{
    Durability, Fingerprint, Fingerprints, Store, StoreError, StoreOptions,
    disk::{Disk, simulated::SimulatedDisk},
};
use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

fn open(disk: &SimulatedDisk) -> Result<Run, StoreError> {
    Run::open(Arc::new(disk.clone()), Path::new(FOLDER), &options(Durability::Group))
}

fn checkpoints(disk: &SimulatedDisk) -> Vec<PathBuf> {
    let all = disk.paths().into_iter();
    all.filter(|path| path.extension().is_some_and(|extension| extension == "checkpoint")).collect()
}

/// A store with checkpoints at 20, 40 and so on, and ten records after the last.
fn written(disk: &SimulatedDisk, count: u64) {
    let mut run = open(disk).unwrap();
    for seq in 0..count * 20 + 10 {
        run.step().unwrap();
        if seq % 20 == 19 {
            run.checkpoint().unwrap();
        }
    }
    run.store.commit().unwrap();
}

#[test]
fn the_last_few_are_kept_and_the_journal_serves_the_oldest_of_them() {
    let disk = SimulatedDisk::default();
    written(&disk, 6);
    let run = open(&disk).unwrap();
    assert_eq!(run.store.checkpoints().positions(), [100, 120]);
    assert_eq!(checkpoints(&disk).len(), 2);
    let oldest = run.store.journal().oldest_seq();
    assert!((40..=100).contains(&oldest), "{oldest}");
    assert_eq!(run.store.recovery().tail_records, 10);
    assert!(matches!(run.store.records_from(oldest - 1), Err(StoreError::Gone { .. })));
}

#[test]
fn a_newest_checkpoint_damaged_anywhere_falls_back_to_the_one_before() {
    let disk = SimulatedDisk::default();
    written(&disk, 3);
    let newest = checkpoints(&disk).pop().unwrap();
    let whole = disk.content(&newest).unwrap();
    // Every byte but the version's own checksum is covered; a size too small or too large is seen, too.
    let flips = (0..whole.len()).map(|byte| {
        let mut damaged = whole.clone();
        damaged[byte] ^= 0x10;
        damaged
    });
    let cuts = (0..whole.len()).map(|size| whole[..size].to_vec());
    let longer = std::iter::once([&whole[..], &[0]].concat());
    for damaged in flips.chain(cuts).chain(longer) {
        disk.set_content(&newest, &damaged);
        let run = open(&disk).unwrap();
        assert_eq!(run.store.recovery().checkpoint.as_ref().unwrap().next_seq(), 40);
        assert_eq!(run.store.recovery().damaged_checkpoints.len(), 1);
        assert!(run.store.recovery().damaged_checkpoints[0].contains("60.checkpoint: damaged at byte"));
        assert_eq!(run.store.recovery().tail_records, 30);
    }
    let mut run = open(&disk).unwrap();
    run.checkpoint().unwrap();
    assert_eq!(run.store.checkpoints().positions(), [40, 70]);
    assert_eq!(checkpoints(&disk).len(), 2, "the damaged one is gone");
    assert_eq!(run.store.checkpoints().damaged().len(), 0);
}

#[test]
fn without_any_checkpoint_the_journal_serves_if_it_is_whole() {
    let disk = SimulatedDisk::default();
    written(&disk, 1);
    disk.set_content(checkpoints(&disk).pop().unwrap(), b"");
    let run = open(&disk).unwrap();
    assert!(run.store.recovery().checkpoint.is_none());
    assert_eq!(run.store.recovery().tail_records, 30);
    drop(run);

    let disk = SimulatedDisk::default();
    written(&disk, 6);
    for path in checkpoints(&disk) {
        disk.set_content(path, b"");
    }
    let error = open(&disk).err().unwrap();
    assert!(matches!(error, StoreError::NoCheckpoint { checkpoints: 2, oldest: 1.. }), "{error}");
}

#[test]
fn a_journal_that_lacks_acknowledged_records_is_refused() {
    let disk = SimulatedDisk::default();
    written(&disk, 1);
    let journal = disk.paths().into_iter().find(|path| path.extension().is_some_and(|e| e == "journal"));
    let journal = journal.unwrap();
    let content = disk.content(&journal).unwrap();
    // The last record has events, so that the log knows it although no checkpoint does.
    disk.set_content(&journal, &content[..content.len() - 1]);
    let error = open(&disk).err().unwrap();
    assert!(
        matches!(error, StoreError::JournalBehind { next: 29, needed: 30, by: "the log of events" }),
        "{error}"
    );
    disk.set_content(&journal, &content[..32]);
    let error = open(&disk).err().unwrap();
    assert!(
        matches!(error, StoreError::JournalBehind { next: 0, needed: 20, by: "the checkpoint" }),
        "{error}"
    );
}

#[test]
fn a_state_comes_back_with_its_fingerprints() {
    let disk: Arc<dyn Disk> = Arc::new(SimulatedDisk::default());
    let fingerprints = Fingerprints {
        model: Fingerprint([1; 32]),
        configuration: Fingerprint([2; 32]),
        state_format: Fingerprint([3; 32]),
    };
    let state: Vec<u8> = (0..300_000_u32).map(|at| (at.wrapping_mul(at) >> 7) as u8).collect();
    let options = StoreOptions::default();
    let mut store = Store::open_on(Arc::clone(&disk), Path::new(FOLDER), &options).unwrap();
    let record = store.append(b"record").unwrap();
    // On another thread, while records arrive.
    let writer = store.begin_checkpoint(record + 1, fingerprints).unwrap();
    let saved = std::thread::scope(|scope| {
        let saved = scope.spawn(|| writer.write(|out| out.write_all(&state)));
        store.append(b"later").unwrap();
        store.commit().unwrap();
        saved.join().unwrap().unwrap()
    });
    store.finish_checkpoint(saved).unwrap();
    drop(store);

    let store = Store::open_on(disk, Path::new(FOLDER), &options).unwrap();
    let checkpoint = store.recovery().checkpoint.clone().unwrap();
    assert_eq!(checkpoint.state_bytes(), state.len() as u64);
    assert!(checkpoint.fingerprints().check(&fingerprints).is_ok());
    let other = Fingerprints { model: Fingerprint([9; 32]), ..fingerprints };
    assert!(matches!(
        checkpoint.fingerprints().check(&other),
        Err(StoreError::Fingerprint { which: "model", .. })
    ));
    let mut read = Vec::new();
    checkpoint.state().unwrap().read_to_end(&mut read).unwrap();
    assert!(read == state);
    let tail: Vec<_> = store.tail().unwrap().map(|record| record.unwrap().bytes).collect();
    assert_eq!(tail, [b"later"]);
}

#[test]
fn a_state_that_cannot_be_written_changes_nothing() {
    let disk = SimulatedDisk::default();
    written(&disk, 2);
    let mut run = open(&disk).unwrap();
    let failing = run.store.checkpoint(50, Fingerprints::default(), |out| {
        out.write_all(&[0; 100_000])?;
        Err(std::io::Error::other("the engine gave up"))
    });
    assert!(failing.unwrap_err().to_string().ends_with("the engine gave up"));
    assert!(disk.paths().iter().all(|path| !path.to_string_lossy().ends_with(".new")));
    assert_eq!(run.store.checkpoints().positions(), [20, 40]);
}

#[test]
fn positions_are_of_records_on_disk_and_never_go_back() {
    let disk = SimulatedDisk::default();
    written(&disk, 2);
    let mut run = open(&disk).unwrap();
    for asked in [0, 39, 51, u64::MAX] {
        assert!(matches!(
            run.store.begin_checkpoint(asked, Fingerprints::default()),
            Err(StoreError::CheckpointPosition { oldest: 40, newest: 50, .. })
        ));
    }
    assert!(run.store.begin_checkpoint(45, Fingerprints::default()).is_ok());
}

#[test]
fn one_process_at_a_time() {
    let disk = SimulatedDisk::default();
    let first = open(&disk).unwrap();
    let second = open(&disk).err().unwrap();
    assert_eq!(
        second.to_string(),
        "store: is in use by another process; stop it, or give this one a folder of its own"
    );
    drop(first);
    open(&disk).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let first = Store::open(folder.path(), &StoreOptions::default()).unwrap();
    assert!(matches!(Store::open(folder.path(), &StoreOptions::default()), Err(StoreError::Locked { .. })));
    drop(first);
    assert!(Store::open(folder.path(), &StoreOptions::default()).is_ok());
}

#[test]
fn what_threads_share_can_be_shared() {
    fn check<T: Send + Sync>() {}
    fn check_send<T: Send>() {}
    check::<forewarn_store::StoreError>();
    check::<forewarn_store::Recovery>();
    check_send::<forewarn_store::Store>();
    check_send::<forewarn_store::Records>();
    check_send::<forewarn_store::CheckpointWriter>();
}
