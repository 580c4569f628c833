use super::{ChaosExperiment, ChaosPhase, ChaosState};
use crate::runtime::Recent;
use forewarn_schema::Timestamp;

/// Minutes after a fault in which warnings and failures of the services that it reaches still count as its own:
/// backlogs drain, pods start, caches warm up.
const AFTERMATH_MINUTES: i64 = 10;

/// What was warned, and what failed.
struct Seen<'a> {
    service: &'a str,
    time: Timestamp,
    warning: Option<&'a str>,
}

/// Says of every experiment whether the service announced its failures and how early, as far as warnings and failures are still kept.
///
/// Where several experiments reach one service at a time, a warning counts for each: which of them it came from cannot
/// be told apart.
pub(super) fn judge(state: &mut ChaosState, recent: &Recent) {
    let warnings = recent.warnings().map(|warning| Seen {
        service: &warning.event.service,
        time: warning.event.since,
        warning: Some(&warning.event.id),
    });
    let failures = recent.failures().map(|failure| Seen {
        service: &failure.event.service,
        time: failure.event.onset,
        warning: None,
    });
    let (warnings, failures): (Vec<Seen>, Vec<Seen>) = (warnings.collect(), failures.collect());
    state.active.iter_mut().chain(&mut state.past).for_each(|one| judge_one(one, &warnings, &failures));
}

fn judge_one(experiment: &mut ChaosExperiment, warnings: &[Seen], failures: &[Seen]) {
    if experiment.phase == ChaosPhase::Waiting {
        return;
    }
    let end = experiment.over.millis().saturating_add(60_000 * AFTERMATH_MINUTES);
    let belongs = |seen: &&Seen| {
        // A row that ends when it begins has seen nothing of it.
        let is_during = seen.time > experiment.started && seen.time.millis() <= end;
        is_during && experiment.reaches.iter().any(|service| service == seen.service)
    };
    let first = |seen: &[Seen]| seen.iter().filter(belongs).map(|seen| seen.time).min();
    let warned = warnings.iter().filter(belongs).min_by_key(|seen| seen.time);
    let failed = first(failures);
    let minutes =
        |warned: &Seen, failed: Timestamp| (failed.millis() - warned.time.millis()) as f64 / 60_000.0;
    experiment.minutes_ahead = warned.zip(failed).map(|(warned, failed)| minutes(warned, failed));
    experiment.warned = warned.and_then(|seen| seen.warning).map(str::to_owned);
    experiment.failed = failed;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(60_000 * minute).unwrap()
    }

    fn experiment() -> ChaosExperiment {
        ChaosExperiment {
            id: 1,
            kind: "memory_leak".to_owned(),
            service: "user".to_owned(),
            severity: 0.9,
            seconds: 1_200.0,
            phase: ChaosPhase::Active,
            started: at(10),
            ends: at(30),
            over: at(31),
            left_seconds: 0.0,
            stopped: false,
            reaches: vec!["gateway".to_owned(), "user".to_owned()],
            warned: None,
            failed: None,
            minutes_ahead: None,
        }
    }

    fn judged(warnings: &[(i64, &'static str)], failures: &[(i64, &'static str)]) -> ChaosExperiment {
        let seen = |times: &[(i64, &'static str)], warning: bool| -> Vec<Seen> {
            let one =
                |&(minute, service)| Seen { service, time: at(minute), warning: warning.then_some(service) };
            times.iter().map(one).collect()
        };
        let mut experiment = experiment();
        judge_one(&mut experiment, &seen(warnings, true), &seen(failures, false));
        experiment
    }

    #[test]
    fn the_first_of_each_within_its_reach_counts() {
        let found = judged(
            &[(5, "user"), (10, "user"), (15, "auth"), (21, "gateway"), (22, "user")],
            &[(9, "user"), (24, "user"), (27, "gateway")],
        );
        assert_eq!((found.warned.as_deref(), found.failed), (Some("gateway"), Some(at(24))));
        assert_eq!(found.minutes_ahead, Some(3.0));
        let late = judged(&[(26, "user")], &[(24, "user")]);
        assert_eq!(late.minutes_ahead, Some(-2.0));
    }

    #[test]
    fn what_did_not_come_is_not_made_up() {
        let missed = judged(&[(42, "user")], &[(41, "user")]);
        assert_eq!((missed.warned, missed.failed, missed.minutes_ahead), (None, Some(at(41)), None));
        let only_warned = judged(&[(41, "user")], &[(60, "user")]);
        assert_eq!((only_warned.failed, only_warned.minutes_ahead), (None, None));
        let mut waiting = ChaosExperiment { phase: ChaosPhase::Waiting, ..experiment() };
        judge_one(&mut waiting, &[Seen { service: "user", time: at(20), warning: Some("w") }], &[]);
        assert_eq!(waiting.warned, None);
    }
}
