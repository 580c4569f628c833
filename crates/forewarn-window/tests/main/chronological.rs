use crate::support::{frames, labels};
use forewarn_core::{Split, WindowSpec};
use forewarn_schema::Timestamp;
use forewarn_window::{Fractions, WindowError, chronological, chronological_without_test};
use proptest::prelude::*;

#[test]
fn the_parts_follow_one_another_with_a_purge() {
    let frames = frames(&[1000]);
    let split = chronological(&labels(&frames, WindowSpec::default()), Fractions::default()).unwrap();
    // 991 windows end in rows 9..=999; the boundaries are rows 9 + 693 and 9 + 842.
    assert_eq!((split.train().rows()[0], *split.train().rows().last().unwrap()), (9, 702 - 17));
    assert_eq!((split.validation().rows()[0], *split.validation().rows().last().unwrap()), (702, 851 - 17));
    assert_eq!((split.test().rows()[0], *split.test().rows().last().unwrap()), (851, 999));
}

#[test]
fn without_a_test_part_the_rest_of_the_time_is_for_training() {
    let frames = frames(&[1000]);
    let labels = labels(&frames, WindowSpec::default());
    let split = chronological_without_test(&labels, Fractions::default()).unwrap();
    // The last 15 % of 991 windows begin at row 9 + 842.
    assert_eq!((split.train().rows()[0], *split.train().rows().last().unwrap()), (9, 851 - 17));
    assert_eq!((split.validation().rows()[0], *split.validation().rows().last().unwrap()), (851, 999));
    assert!(split.test().is_empty() && split.test().layout() == labels.layout());
}

#[test]
fn without_a_test_part_train_and_validation_still_share_nothing() {
    let frames = frames(&[300]);
    let labels = labels(&frames, WindowSpec::default());
    let part =
        |from: i64, to: i64| labels.samples(move |_, time| (from..to).contains(&(time.millis() / 60_000)));
    assert!(Split::without_test(part(0, 100), part(116, 300), labels.purge()).is_ok());
    let close = Split::without_test(part(0, 100), part(115, 300), labels.purge()).unwrap_err().to_string();
    assert!(close.contains("train and validation overlap: a has"), "{close}");
    let none = Split::without_test(part(0, 100), part(300, 300), labels.purge()).unwrap_err().to_string();
    assert!(none.contains("validation part"), "{none}");
}

#[test]
fn what_cannot_be_split_says_why() {
    let tiny = labels(&frames(&[5]), WindowSpec::default());
    assert!(matches!(
        chronological(&tiny, Fractions::default()),
        Err(WindowError::TooShort { longest: 5, .. })
    ));
    let short = labels(&frames(&[40]), WindowSpec::default());
    let error = chronological(&short, Fractions::default()).unwrap_err().to_string();
    assert!(error.contains("validation part"), "{error}");
    assert_eq!("0.70, 0.15,0.15".parse::<Fractions>().unwrap(), Fractions::default());
    for wrong in ["", "0.7,0.3", "0.7,0.1,0.1,0.1", "0.7,x,0.15", "0.7,0.2,0.2"] {
        assert!(wrong.parse::<Fractions>().is_err(), "{wrong}");
    }
    for wrong in [[0.5, 0.5, 0.5], [1.0, 0.0, 0.0], [f64::NAN, 0.5, 0.5], [-0.2, 0.6, 0.6]] {
        assert!(Fractions::new(wrong[0], wrong[1], wrong[2]).is_err());
    }
}

#[test]
fn a_split_that_shares_windows_is_refused() {
    let frames = frames(&[300, 300]);
    let labels = labels(&frames, WindowSpec::default());
    let minute = |time: Timestamp| time.millis() / 60_000;
    let part = |from: i64, to: i64| labels.samples(move |_, time| (from..to).contains(&minute(time)));
    assert!(Split::new(part(0, 100), part(116, 200), part(216, 300), labels.purge()).is_ok());
    let close =
        Split::new(part(0, 100), part(115, 200), part(216, 300), labels.purge()).unwrap_err().to_string();
    assert!(close.contains("train and validation overlap: a has"), "{close}");
    assert!(Split::new(part(116, 200), part(0, 100), part(216, 300), labels.purge()).is_err());
    let interleaved = |of: i64| labels.samples(move |_, time| minute(time) % 3 == of);
    assert!(Split::new(interleaved(0), interleaved(1), interleaved(2), labels.purge()).is_err());
}

proptest! {
    #[test]
    fn no_split_shares_a_row_or_a_label(
        rows in proptest::collection::vec(60usize..400, 1..=3),
        (observation, lead, period) in (1usize..12, 0usize..5, 1usize..8),
        train in 0.3f64..0.7,
    ) {
        let frames = frames(&rows);
        let spec = WindowSpec::new(observation, lead, period).unwrap();
        let labels = labels(&frames, spec);
        let rest = (1.0 - train) / 2.0;
        if let Ok(split) = chronological(&labels, Fractions::new(train, rest, rest).unwrap()) {
            let parts = [&**split.train(), &**split.validation(), &**split.test()];
            // Rows that a window's features or its label, confirmation included, are made of.
            let used = |row: u32| i64::from(row) + 1 - observation as i64..=i64::from(row) + (spec.horizon() + 1) as i64;
            for (earlier, later) in [(0, 1), (1, 2)] {
                for service in frames.layout().services() {
                    let within = |row: &&u32| service.rows().contains(&(**row as usize));
                    let last = parts[earlier].rows().iter().filter(within).max().map(|&row| *used(row).end());
                    let first = parts[later].rows().iter().filter(within).min().map(|&row| *used(row).start());
                    if let (Some(last), Some(first)) = (last, first) {
                        prop_assert!(last < first);
                    }
                }
            }
        }
    }
}
