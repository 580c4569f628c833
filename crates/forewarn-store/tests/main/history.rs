//! The history: rows of services by time, over days, faults and crashes.

use forewarn_store::{
    History, HistoryOptions, HistoryRow, HistoryTable, StoreError,
    disk::simulated::{Fault, Outage, SimulatedDisk},
};
use std::{path::Path, sync::Arc};

const HOUR: i64 = 3_600_000;
const SERVICES: [&str; 3] =
    ["cart", "login", "a service whose name is longer than what statistics of a file keep of it, by far"];

fn tables() -> Vec<HistoryTable> {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    vec![
        HistoryTable { name: "rows".into(), numbers: names(&["cpu", "errors"]), texts: Vec::new() },
        HistoryTable { name: "events".into(), numbers: Vec::new(), texts: names(&["kind", "json"]) },
    ]
}

fn options() -> HistoryOptions {
    HistoryOptions::default().with_group_rows(128)
}

fn open(disk: &SimulatedDisk) -> Result<History, StoreError> {
    History::open_on(Arc::new(disk.clone()), Path::new("history"), tables(), options())
}

fn row(step: i64, place: usize) -> HistoryRow {
    let missing = (step + place as i64) % 7 == 0;
    HistoryRow {
        time_millis: step * HOUR / 4,
        service: SERVICES[place].to_owned(),
        numbers: vec![step as f32, if missing { f32::NAN } else { place as f32 }],
        texts: Vec::new(),
    }
}

fn event(step: i64) -> HistoryRow {
    HistoryRow {
        time_millis: step * HOUR / 4,
        service: SERVICES[(step % 3) as usize].to_owned(),
        numbers: Vec::new(),
        texts: vec!["warning".into(), format!("{{\"step\":{step}}}")],
    }
}

const STEPS: i64 = 4 * 24 * 2 + 30;

/// Pushes what a replay from the beginning gives, and flushes every 20 steps, on as after errors.
fn run(history: &mut History) {
    for step in 0..STEPS {
        for place in 0..SERVICES.len() {
            history.push(0, row(step, place)).unwrap();
        }
        if step % 5 == 0 {
            history.push(1, event(step)).unwrap();
        }
        if step % 20 == 19 {
            history.flush((step + 1) * HOUR / 4).ok();
        }
    }
}

fn shown(rows: &[HistoryRow]) -> String {
    format!("{rows:?}")
}

fn check(history: &History) {
    let all = (0, STEPS * HOUR);
    for (place, service) in SERVICES.iter().enumerate() {
        let expected: Vec<_> = (0..STEPS).map(|step| row(step, place)).collect();
        assert_eq!(shown(&history.query(0, service, all).unwrap()), shown(&expected));
        let part = history.query(0, service, (5 * HOUR, 30 * HOUR)).unwrap();
        assert_eq!(shown(&part), shown(&expected[20..120]));
        let expected: Vec<_> =
            (0..STEPS).filter(|step| step % 5 == 0 && step % 3 == place as i64).map(event).collect();
        assert_eq!(shown(&history.query(1, service, all).unwrap()), shown(&expected));
    }
    assert!(history.query(0, "unknown", all).unwrap().is_empty());
}

fn names(disk: &SimulatedDisk) -> Vec<String> {
    disk.paths().iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn days_become_files_and_queries_join_them_with_memory() {
    let disk = SimulatedDisk::default();
    let mut history = open(&disk).unwrap();
    run(&mut history);
    check(&history);
    let names = names(&disk);
    assert_eq!(names.iter().filter(|name| name.contains(".day.")).count(), 4, "{names:?}");
    assert!(names.iter().all(|name| name.contains(".day.") || name.contains(".2.part.")), "{names:?}");
    assert_eq!((history.days(0), history.last_error()), (Some((0, 2)), None));
    // What was flushed is not taken again; what was in memory comes again with a replay.
    drop(history);
    let mut history = open(&disk).unwrap();
    assert!(!history.push(0, row(3, 0)).unwrap());
    run(&mut history);
    check(&history);
    assert!(history.push(0, row(1, 1)).is_ok_and(|taken| !taken) && history.push(0, event(STEPS)).is_err());
}

#[test]
fn a_fault_at_any_operation_loses_no_row() {
    let operations = {
        let disk = SimulatedDisk::default();
        let mut history = open(&disk).unwrap();
        run(&mut history);
        disk.operations()
    };
    for operation in 0..operations {
        let fault = [Fault::Error, Fault::TornError, Fault::ShortWrite][operation as usize % 3];
        let disk = SimulatedDisk::default();
        disk.fail_at(operation, fault);
        if let Ok(mut history) = open(&disk) {
            run(&mut history);
            history.flush((STEPS - 5) * HOUR / 4).unwrap();
            check(&history);
            // What the fault left behind is not taken for rows of its own by the next process.
            drop(history);
            let mut history = open(&disk).unwrap();
            run(&mut history);
            check(&history);
        }
        for keep in [false, true] {
            let disk = SimulatedDisk::default();
            disk.fail_at(operation, Fault::Stop);
            if let Ok(mut history) = open(&disk) {
                run(&mut history);
            }
            disk.power_loss(|| keep);
            let mut history = open(&disk).unwrap();
            run(&mut history);
            check(&history);
            assert!(names(&disk).iter().all(|name| !name.ends_with(".new")));
        }
    }
}

#[test]
fn a_full_disk_is_told_and_what_waits_is_bounded() {
    let disk = SimulatedDisk::default();
    let mut history =
        History::open_on(Arc::new(disk.clone()), Path::new("h"), tables(), options().with_buffer_rows(1_000))
            .unwrap();
    disk.set_outage(Outage::Full { capacity: 500 });
    let mut taken = 0;
    for step in 0..400 {
        for place in 0..3 {
            taken += usize::from(history.push(0, row(step, place)).unwrap());
        }
    }
    assert!(history.flush(400 * HOUR / 4).is_err());
    assert!(history.last_error().is_some_and(|error| error.contains("Parquet") || error.contains("failed")));
    assert_eq!((taken, history.refused_rows()), (1_000, 200));
    disk.set_outage(Outage::None);
    history.flush(400 * HOUR / 4).unwrap();
    assert_eq!(history.last_error(), None);
    let rows: usize =
        SERVICES.iter().map(|service| history.query(0, service, (0, i64::MAX)).unwrap().len()).sum();
    assert_eq!(rows, 1_000);
}

#[test]
fn old_days_and_too_many_bytes_go() {
    let disk = SimulatedDisk::default();
    let mut history =
        History::open_on(Arc::new(disk.clone()), Path::new("h"), tables(), options().with_keep_days(3))
            .unwrap();
    for step in 0..4 * 24 * 6 {
        history.push(0, row(step, 0)).unwrap();
        if step % 96 == 95 {
            history.flush((step + 1) * HOUR / 4).unwrap();
        }
    }
    assert_eq!(history.days(0), Some((3, 5)));
    assert!(history.bytes().unwrap() > 1_000);
    assert!(history.query(0, "cart", (0, 3 * 24 * HOUR)).unwrap().is_empty());
    // Noise does not compress: a mebibyte is a day or two of it.
    let disk = SimulatedDisk::default();
    let options = options().with_keep_bytes(1 << 20);
    let mut history = History::open_on(Arc::new(disk.clone()), Path::new("h"), tables(), options).unwrap();
    let mut noise = 1_u32;
    for step in 0..4 * 1440 {
        for place in 0..SERVICES.len() {
            let mut row = row(0, place);
            row.time_millis = step * HOUR / 60;
            for number in &mut row.numbers {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *number = f32::from_bits(0x3f80_0000 | noise >> 9);
            }
            for _ in 0..20 {
                history.push(0, row.clone()).unwrap();
            }
        }
        if step % 720 == 719 {
            history.flush((step + 1) * HOUR / 60).unwrap();
        }
    }
    assert!(history.days(0).is_some_and(|(first, last)| first > 0 && last == 3), "{:?}", history.days(0));
}

#[test]
fn damaged_files_and_settings_out_of_range_are_errors() {
    let disk = SimulatedDisk::default();
    let mut history = open(&disk).unwrap();
    run(&mut history);
    let path = disk.paths().into_iter().find(|path| path.to_string_lossy().contains("rows.0.day")).unwrap();
    let whole = disk.content(&path).unwrap();
    for at in (0..whole.len()).step_by(3) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        disk.set_content(&path, &damaged);
        // An error or an answer, never a panic.
        history.query(0, "cart", (0, i64::MAX)).ok();
        disk.set_content(&path, &whole[..at]);
        assert!(history.query(0, "cart", (0, i64::MAX)).is_err());
    }
    let open = |tables, options| {
        History::open_on(Arc::new(SimulatedDisk::default()), Path::new("h"), tables, options).is_err()
    };
    assert!(open(tables(), HistoryOptions::default().with_keep_days(0)));
    assert!(open(tables(), HistoryOptions::default().with_group_rows(1)));
    let mut twice = tables();
    twice[1].name = "rows".into();
    assert!(open(twice, HistoryOptions::default()));
    let mut path = tables();
    path[0].name = "../rows".into();
    assert!(open(path, HistoryOptions::default()));
}

/// Another model has other metrics: what a file lacks is missing.
#[test]
fn columns_are_found_by_name() {
    let disk = SimulatedDisk::default();
    let mut history = open(&disk).unwrap();
    history.push(0, row(1, 1)).unwrap();
    history.flush(HOUR).unwrap();
    let mut tables = tables();
    tables[0].numbers = vec!["errors".into(), "memory".into(), "cpu".into()];
    let history = History::open_on(Arc::new(disk), Path::new("history"), tables, options()).unwrap();
    let rows = history.query(0, "login", (0, HOUR)).unwrap();
    assert_eq!((rows[0].numbers[0], rows[0].numbers[2]), (1.0, 1.0));
    assert!(rows[0].numbers[1].is_nan());
}
