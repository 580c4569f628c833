//! A whole service in one process.

use crate::world::*;
use forewarn_live::{Action, Event, Input};
use forewarn_schema::Timestamp;
use forewarn_server::{
    Running, ServerError, Stop, WatchOptions,
    runtime::{
        Clock, FakeTransport, HttpRequest, HttpResponse, ReloadHook, Snapshot, Source, SourceContext,
        TlsSettings, Transport, UreqTransport, VirtualClock,
    },
    watch,
};
use serde::Deserialize;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// Every row and score in memory.
fn rows(snapshot: &Snapshot) -> Vec<(i64, String, Vec<u32>, Option<u32>)> {
    let after = |last: Timestamp| Timestamp::from_millis(last.millis() + 1).unwrap();
    let blocks = snapshot.recent.span().map(|(first, last)| snapshot.recent.minutes(first, after(last)));
    let mut all = Vec::new();
    for row in blocks.into_iter().flatten().flat_map(|block| block.rows()) {
        let values = row.values().iter().map(|value| value.to_bits()).collect();
        let score = row.main().and_then(|score| score.probability).map(f32::to_bits);
        all.push((row.time().millis(), row.service().to_owned(), values, score));
    }
    all
}

fn wait_until_ready(running: &Running) {
    while !running.handle().view().is_ready {
        std::thread::yield_now();
    }
}

#[test]
fn a_sink_gets_each_event_once_and_a_restart_shows_the_same_page() -> Result<(), BoxError> {
    #[derive(Deserialize)]
    struct Line {
        event: Event,
    }
    let folder = tempfile::tempdir()?;
    let config = configure(folder.path(), "minutes = 700", "")?;
    let kept = Kept::default();
    let options = WatchOptions::default().with_sink(Box::new(kept.clone()));
    let running = Running::start(config.clone(), options)?;
    let handle = running.handle().clone();
    let summary = running.wait(&Stop::default(), &mut |line| panic!("{line}"))?;
    assert_eq!((summary.minutes, summary.rows, summary.replayed), (700, 2_800, 0));
    let log = std::fs::read_to_string(&config.events.path)?;
    let log = log.lines().map(|line| Ok(serde_json::from_str::<Line>(line)?.event));
    let log = log.collect::<Result<Vec<_>, BoxError>>()?;
    let (events, is_last) = std::mem::take(&mut *kept.0.lock().unwrap());
    assert!(is_last && events == log && events.iter().enumerate().all(|(at, event)| event.seq == at as u64));
    let before = handle.view();
    assert_eq!(rows(&before).len(), 2_800);
    assert!(matches!(handle.send(Vec::new()), Err(ServerError::Stopped)));

    let again = Running::start(config, WatchOptions::default())?;
    wait_until_ready(&again);
    let after = again.handle().view();
    assert_eq!(rows(&after), rows(&before));
    assert_eq!(after.view, before.view);
    assert_eq!(after.live_from, events.len() as u64);
    assert!(after.recent.warnings().eq(before.recent.warnings()));
    assert!(after.recent.outcomes().eq(before.recent.outcomes()) && after.recent.outcomes().count() > 0);
    assert_eq!(after.events.first(), 0);
    assert_eq!(again.wait(&Stop::default(), &mut |line| panic!("{line}"))?.minutes, 0);
    Ok(())
}

#[test]
fn the_pace_is_that_of_the_clock() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let config = configure(folder.path(), "minutes = 50\nspeed = 60", "")?;
    let clock = Arc::new(VirtualClock::new("2026-03-02T00:00:00Z".parse()?));
    let running =
        Running::start(config, WatchOptions::default().with_clock(Arc::clone(&clock) as Arc<dyn Clock>))?;
    let handle = running.handle().clone();
    let stop = Stop::default();
    let asked = stop.clone();
    let thread = std::thread::spawn(move || running.wait(&asked, &mut |_| {}).map_err(Box::new));
    // No service is known in the first minute, so that only the next one closes it.
    for minutes in [0, 0, 2, 3] {
        clock.wait_for_sleepers(1);
        assert_eq!(handle.view().view.counters.minutes, minutes);
        clock.advance(Duration::from_millis(500));
        clock.wait_for_sleepers(1);
        assert_eq!(handle.view().view.counters.minutes, minutes, "half a second is half a minute");
        clock.advance(Duration::from_millis(500));
    }
    clock.wait_for_sleepers(1);
    let view = handle.view();
    assert_eq!(view.now, "2026-03-02T00:00:04Z".parse()?);
    assert_eq!(view.sources["simulator"].rows, 16);
    stop.stop();
    assert_eq!(thread.join().unwrap()?.minutes, 4);
    Ok(())
}

/// Sends an action on nothing, then fails.
struct Wrong;

impl Source for Wrong {
    fn name(&self) -> &str {
        "wrong"
    }

    fn run(&mut self, context: &SourceContext) -> Result<(), ServerError> {
        let action = Action::Acknowledge { warning: "w:none".to_owned() };
        let ack = context.handle.send(vec![Input::Graph { calls: Vec::new() }, Input::Action(action)])?;
        assert!(ack.is_kept);
        let reasons: Vec<_> =
            ack.refused.iter().map(|refused| (refused.index, refused.reason.as_str())).collect();
        let expected = "there is no open warning \"w:none\"";
        let reason =
            if reasons == [(1, expected)] { "as expected".to_owned() } else { format!("{reasons:?}") };
        Err(ServerError::Source { what: "wrong".to_owned(), reason })
    }
}

#[test]
fn what_changes_nothing_is_refused_and_the_error_of_a_source_ends_the_service() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let config = configure(folder.path(), "minutes = 100000\nspeed = 1", "")?;
    let running = Running::start(config.clone(), WatchOptions::default().with_source(Box::new(Wrong)))?;
    let error = running.wait(&Stop::default(), &mut |_| {}).unwrap_err().to_string();
    assert_eq!(error, "wrong: as expected");
    // It ended in order: what it had is there, without the refused action.
    let stop = Stop::default();
    stop.stop();
    assert_eq!(watch(&config, &stop, &mut |line| panic!("{line}"))?.replayed, 0);
    Ok(())
}

#[test]
#[allow(clippy::result_large_err, reason = "the error is that of the hook's type")]
fn a_server_says_when_it_is_ready_and_a_wrong_configuration_changes_nothing() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let http = "[http]\nlisten = \"127.0.0.1:0\"\n";
    let config = configure(folder.path(), "minutes = 100000\nspeed = 1", http)?;
    let path = folder.path().join("forewarn.toml");
    let running = Running::start(config.clone(), WatchOptions::default().with_config_file(&path))?;
    let address = running.address().ok_or("an address")?;
    let (reload, stop) = (Arc::clone(running.reload()), Stop::default());
    wait_until_ready(&running);
    let asked = stop.clone();
    let thread = std::thread::spawn(move || running.wait(&asked, &mut |_| {}).map_err(Box::new));
    let network = UreqTransport::new(&TlsSettings::default())?;
    assert_eq!(network.send(&HttpRequest::get(format!("http://{address}/-/ready")))?.status, 200);

    let text = std::fs::read_to_string(&path)?;
    std::fs::write(&path, text.replace("minutes = 100000", "minutes = 9"))?;
    let error = reload.reload().unwrap_err().to_string();
    assert!(error.contains("source: changed, which needs a restart"), "{error}");
    std::fs::write(&path, "no configuration")?;
    assert!(reload.reload().is_err());
    assert_eq!((*reload.state().config == config, reload.state().refused), (true, 2));
    let accepts: ReloadHook = Box::new(|config| match config.log.filter.as_str() {
        "debug" => Ok(Box::new(|| {})),
        _ => Err(ServerError::Config { reason: "not that one".to_owned() }),
    });
    reload.add(accepts);
    std::fs::write(&path, format!("{text}[log]\nfilter = \"warn\"\n"))?;
    assert!(reload.reload().is_err_and(|error| error.to_string().contains("not that one")));
    std::fs::write(&path, format!("{text}[log]\nfilter = \"debug\"\n"))?;
    reload.reload()?;
    assert_eq!((reload.state().accepted, reload.state().error), (1, None));
    stop.stop();
    thread.join().unwrap()?;
    assert!(network.send(&HttpRequest::get(format!("http://{address}/-/healthy"))).is_err());
    Ok(())
}

#[test]
fn a_changed_target_is_told_from_then_on_and_a_wrong_one_changes_nothing() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let target = |url: &str| format!("[[remote_write]]\nname = \"scores\"\nurl = \"{url}\"\n");
    let config = configure(folder.path(), "minutes = 100000\nspeed = 3000", &target("http://first"))?;
    let path = folder.path().join("forewarn.toml");
    let asked = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&asked);
    let network: Arc<dyn Transport> = Arc::new(FakeTransport::new(move |request| {
        keep.lock().unwrap().push(request.url.clone());
        Ok(HttpResponse::new(204, ""))
    }));
    let options = WatchOptions::default().with_config_file(&path).with_transport(network);
    let running = Running::start(config, options)?;
    let (reload, stop) = (Arc::clone(running.reload()), Stop::default());
    let ends = stop.clone();
    let thread = std::thread::spawn(move || running.wait(&ends, &mut |_| {}).map_err(Box::new));
    let told = |host: &str| asked.lock().unwrap().iter().filter(|url: &&String| url.contains(host)).count();
    let wait_for = |host: &str, more: usize| {
        let begun = told(host);
        while told(host) < begun + more {
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    wait_for("//first", 1);
    let text = std::fs::read_to_string(&path)?;
    let wrong = "[[webhook]]\nurl = \"http://hook\"\ntemplate = \"none.j2\"\n";
    std::fs::write(&path, format!("{text}{wrong}"))?;
    assert!(reload.reload().is_err_and(|error| error.to_string().contains("none.j2")));
    wait_for("//first", 1);
    std::fs::write(&path, text.replace("http://first", "http://second"))?;
    reload.reload()?;
    wait_for("//second", 2);
    let first = told("//first");
    wait_for("//second", 2);
    assert_eq!(told("//first"), first, "it is no longer a target");
    stop.stop();
    thread.join().unwrap()?;
    Ok(())
}
