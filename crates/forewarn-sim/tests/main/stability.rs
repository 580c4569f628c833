use forewarn_core::Source;
use forewarn_sim::StressWalk;

/// FNV-1a, so that the pinned bytes need no dependency.
fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[test]
fn seeded_values_are_a_promise() {
    let run = StressWalk::new(24 * 60, 2024).run().unwrap();
    let frame = run.frame.view();
    let rows = [
        (
            0,
            [
                1426.0,
                0.0027438106,
                99.82531,
                129.31956,
                194.30737,
                0.29878402,
                0.46201438,
                233.95718,
                195.09581,
                0.0,
            ],
        ),
        (
            1,
            [
                1177.0,
                0.0034803813,
                97.8499,
                163.07108,
                257.29208,
                0.27562737,
                0.42407674,
                231.56812,
                186.1705,
                0.0,
            ],
        ),
        (
            1439,
            [
                1358.0,
                0.026102707,
                150.04823,
                254.44476,
                427.8111,
                0.6019759,
                0.5949901,
                369.64307,
                298.4293,
                0.0,
            ],
        ),
    ];
    for (row, sample) in rows {
        assert_eq!(frame.row(row).unwrap(), sample, "{row}");
    }
    assert_eq!(run.stress[1439], 0.491_913_059_813_282_37);
    let bytes = frame.values().iter().flat_map(|value| value.to_le_bytes());
    assert_eq!(hash(bytes), 0xec70_ff33_072f_e03f);
    assert_eq!(hash(run.stress.iter().flat_map(|value| value.to_le_bytes())), 0x4a2f_6f91_7ff7_7bb6);
}

#[test]
fn a_feed_a_run_and_a_source_give_the_same_bytes() {
    let mut walk = StressWalk::new(3_000, 5);
    let run = walk.run().unwrap();
    let feed: Vec<_> = walk.steps().collect();
    assert_eq!(feed.len(), 3_000);
    assert_eq!(walk.steps().len(), 3_000);
    assert!(feed.iter().flat_map(|minute| minute.sample).eq(run.frame.view().values().iter().copied()));
    assert!(feed.iter().map(|minute| minute.stress).eq(run.stress.iter().copied()));
    assert!(feed.iter().map(|minute| minute.rule).eq(run.rule.iter().copied()));
    assert_eq!(walk.frames().unwrap().values(), run.frame.view().values());
    let longer = StressWalk::new(4_000, 5).run().unwrap();
    assert_eq!(longer.stress[..3_000], run.stress);
    assert_ne!(StressWalk::new(3_000, 6).run().unwrap().stress, run.stress);
}
