//! What a real sender pushes arrives, over an end of the receiver too.

use super::servers::{free_port, network, vmagent};
use forewarn_live::Input;
use forewarn_server::{
    Running, Stop, WatchOptions, journal_inputs,
    runtime::{Clock, HttpRequest, SystemClock, Transport},
};
use std::{collections::BTreeSet, thread, time::Duration};

/// Runs a receiver on `port` while `meanwhile` runs.
fn receive(folder: &std::path::Path, port: u16, meanwhile: impl FnOnce()) {
    let config = super::service::receiving(folder, port, "").unwrap();
    let running = Running::start(config, WatchOptions::default()).unwrap();
    let stop = Stop::default();
    let waits = stop.clone();
    let wait = thread::spawn(move || running.wait(&waits, &mut |_| {}).map_err(|error| error.to_string()));
    meanwhile();
    stop.stop();
    wait.join().unwrap().unwrap();
}

/// Time and value in thousandths of each sample of the journal.
fn journaled(folder: &std::path::Path) -> Vec<(i64, i64)> {
    let inputs = journal_inputs(folder.join("store")).unwrap();
    let samples = inputs.filter_map(|input| match input.unwrap() {
        Input::Sample { service, metric, time, value } => {
            assert_eq!((service.as_str(), metric.as_str()), ("web", "error_rate"));
            Some((time.millis(), (value * 1000.0).round() as i64))
        }
        _ => None,
    });
    samples.collect()
}

#[test]
#[ignore = "needs vmagent: run by cargo xtask test"]
fn vmagent_writes_into_the_receiver_and_nothing_is_lost_while_it_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let agent = vmagent(&format!("http://127.0.0.1:{port}/api/v1/write"), folder.path());
    let begin = SystemClock::new().now().millis() / 1000 * 1000 - 60_000;
    let send = |numbers: std::ops::Range<i64>| {
        let lines: String = numbers
            .map(|number| {
                let time = begin + 1000 * number;
                let error_rate =
                    format!("forewarn:error_rate{{job=\"web\"}} {} {time}\n", number as f64 / 1000.0);
                error_rate + &format!("up{{job=\"web\"}} 1 {time}\n")
            })
            .collect();
        let request = HttpRequest::post(format!("{}/api/v1/import/prometheus", agent.url), lines);
        let answer = network().send(&request).unwrap();
        assert_eq!(answer.status, 204);
    };
    let wait_for = |samples: usize| {
        let has_all = |_| {
            thread::sleep(Duration::from_millis(100));
            journaled(folder.path()).len() >= samples
        };
        assert!((0..600).any(has_all), "{} of {samples} samples", journaled(folder.path()).len());
    };
    receive(folder.path(), port, || {
        send(0..50);
        wait_for(50);
    });
    // Away: the sender keeps what it has.
    send(50..80);
    receive(folder.path(), port, || {
        send(80..100);
        wait_for(100);
    });
    let found = journaled(folder.path());
    let expected: BTreeSet<(i64, i64)> = (0..100).map(|number| (begin + 1000 * number, number)).collect();
    assert_eq!(found.iter().copied().collect::<BTreeSet<_>>(), expected);
    assert_eq!(found.len(), 100, "one of them twice");
}
