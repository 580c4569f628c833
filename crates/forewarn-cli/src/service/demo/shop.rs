use forewarn::{
    prelude::Timestamp,
    sim::fleet::{Blueprint, FaultSchedule, Fleet, Load},
};

/// Minutes of a shop that does not end: 50 years.
pub(super) const ENDLESS: usize = 50 * 365 * 24 * 60;

/// Faults that build up come this many times as often as in a usual shop, so that there is something to see in minutes.
/// Those that strike at once, which nothing can warn of, and the daily routine come as often as ever.
const GRADUAL_FACTOR: f64 = 5.0;

/// The hour of a usual day at which the shop begins.
const FIRST_HOUR: usize = 10;

/// The shop of the demo from `start` on. At the time `opened` it is the morning of a working day there, whenever
/// somebody opens it: by night and on Sundays there are too few requests for some faults to become failures.
pub(super) fn shop(seed: u64, start: Timestamp, minutes: usize, opened: Timestamp) -> Fleet {
    let mut faults = FaultSchedule::default();
    for (kind, rate) in &mut faults.per_service_day {
        if kind.is_gradual() && !kind.is_routine() {
            *rate *= GRADUAL_FACTOR;
        }
    }
    Fleet::new(Blueprint::shop(), minutes, seed).with_start(start).with_faults(faults).with_load(load(opened))
}

/// Faults that are planned, so that something is announced in the first minutes: minute after the past, kind, service,
/// severity and seconds.
pub(super) const DRILLS: [(usize, &str, &str, f64, f64); 4] = [
    (2, "memory_leak", "user", 0.9, 2_700.0),
    (70, "cascade", "database", 0.9, 1_500.0),
    (140, "traffic_surge", "gateway", 0.9, 1_800.0),
    (200, "thread_leak", "auth", 0.9, 3_000.0),
];

/// The usual load, with days and weeks moved so that a Monday morning is when the shop was opened.
fn load(opened: Timestamp) -> Load {
    let hours = opened.millis().div_euclid(60 * 60 * 1_000);
    // The first of January 1970 was a Thursday.
    let (hour, weekday) = (hours.rem_euclid(24) as usize, (hours.div_euclid(24) + 3).rem_euclid(7) as usize);
    let mut load = Load::default();
    load.daily.rotate_right((hour + 24 - FIRST_HOUR) % 24);
    load.weekly.rotate_right(weekday);
    load
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_monday_morning_whenever_the_shop_is_opened() {
        let usual = Load::default();
        for hour in 0..7 * 24 {
            // From a Monday on.
            let opened = Timestamp::from_millis(1_704_067_200_000 + hour * 60 * 60 * 1_000).unwrap();
            let moved = load(opened);
            assert_eq!(moved.daily[hour as usize % 24], usual.daily[FIRST_HOUR]);
            assert_eq!(moved.weekly[hour as usize / 24], usual.weekly[0]);
        }
        let fixed = Timestamp::from_millis(1_704_103_200_000).unwrap();
        assert_eq!(load(fixed), usual, "the hour of `--once` is as the simulator has it");
    }
}
