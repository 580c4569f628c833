use super::*;
use crate::runtime::{FakeTransport, VirtualClock};
use crate::sink::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, signature};
use serde_json::Value;
use std::sync::atomic::{AtomicU16, Ordering};

/// A target that answers with a status which a test sets; 0 for no answer.
struct Target {
    folder: tempfile::TempDir,
    clock: Arc<VirtualClock>,
    network: Arc<FakeTransport>,
    status: Arc<AtomicU16>,
}

impl Target {
    fn new() -> Self {
        let status = Arc::new(AtomicU16::new(200));
        let answers = Arc::clone(&status);
        let network = FakeTransport::new(move |request| match answers.load(Ordering::Relaxed) {
            0 => Err(ServerError::Transport { url: request.printable_url(), reason: "no answer".to_owned() }),
            status => Ok(HttpResponse::new(status, "what\u{1b}[2J it says")),
        });
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(VirtualClock::new("2026-03-02T00:00:00Z".parse().unwrap())),
            network: Arc::new(network),
            status,
        }
    }

    fn open(&self) -> HookChaos {
        let secret = self.folder.path().join("secret");
        std::fs::write(&secret, "open sesame").unwrap();
        let config = format!(
            "url = \"https://chaos.example/hook\"\nmost_active = 2\nsecret_file = {secret:?}\n[[experiment]]\n\
             kind = \"cpu_spike\"\nservices = [\"auth\", \"cart\"]\nseconds = 60\nmost_seconds = 300\n"
        );
        let (transport, clock) = (Arc::clone(&self.network), Arc::clone(&self.clock));
        HookChaos::open(&toml::from_str(&config).unwrap(), self.folder.path(), transport, clock).unwrap()
    }

    fn answer(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Action and id of every request so far.
    fn told(&self) -> Vec<(String, u64)> {
        let read = |request: &HttpRequest| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            (body["action"].as_str().unwrap().to_owned(), body["id"].as_u64().unwrap())
        };
        self.network.requests().iter().map(read).collect()
    }
}

fn request(service: &str, seconds: Option<f64>) -> ChaosRequest {
    ChaosRequest { service: service.to_owned(), kind: "cpu_spike".to_owned(), severity: None, seconds }
}

fn told(list: &[(&str, u64)]) -> Vec<(String, u64)> {
    list.iter().map(|(action, id)| ((*action).to_owned(), *id)).collect()
}

#[test]
fn a_fault_ends_by_itself_and_is_asked_to_until_it_does() {
    let target = Target::new();
    let chaos = target.open();
    let begun = chaos.inject(&request("cart", None)).unwrap();
    assert_eq!((begun.phase, begun.left_seconds, begun.severity), (ChaosPhase::Active, 60.0, 0.5));
    target.pass(59);
    chaos.tick();
    assert_eq!(chaos.state().active[0].left_seconds, 1.0);
    target.answer(503);
    target.pass(1);
    chaos.tick();
    assert_eq!(chaos.state().active[0].phase, ChaosPhase::Recovering);
    // One, two, four seconds later.
    for (wait, asked) in [(0, 2), (1, 3), (1, 3), (1, 4), (4, 5)] {
        target.pass(wait);
        chaos.tick();
        assert_eq!(target.told().len(), asked, "after {wait} s");
    }
    target.answer(204);
    target.pass(60);
    chaos.tick();
    chaos.tick();
    assert_eq!(target.told()[5..], told(&[("stop", 1)]));
    let state = chaos.state();
    assert!(state.active.is_empty() && !state.past[0].stopped);
    assert_eq!(state.past[0].ends.millis() - state.past[0].started.millis(), 60_000);
}

#[test]
fn a_person_stops_it_and_only_what_is_listed_begins() {
    let target = Target::new();
    let chaos = target.open();
    let refusal = |request: &ChaosRequest| chaos.inject(request).unwrap_err().to_string();
    assert!(refusal(&request("database", None)).contains("expected one of auth, cart"));
    assert!(refusal(&request("cart", Some(301.0))).contains("expected 5 to 300"));
    assert!(refusal(&request("cart", Some(f64::NAN))).contains("expected 5 to 300"));
    assert!(
        refusal(&ChaosRequest { kind: "meteor".to_owned(), ..request("cart", None) }).contains("cpu_spike")
    );
    assert!(target.told().is_empty(), "the target is told of none of it");
    let one = chaos.inject(&request("cart", None)).unwrap();
    chaos.inject(&request("auth", None)).unwrap();
    assert!(matches!(chaos.inject(&request("auth", None)), Err(ChaosError::TooMany { most: 2 })));
    let stopped = chaos.stop(one.id).unwrap();
    assert_eq!((stopped.phase, stopped.stopped), (ChaosPhase::Over, true));
    assert_eq!(chaos.stop(one.id).unwrap(), stopped, "asking twice is not an error");
    assert_eq!(chaos.reset().unwrap(), 1);
    assert_eq!(target.told(), told(&[("start", 1), ("start", 2), ("stop", 1), ("stop", 2)]));
    assert!(matches!(chaos.stop(9), Err(ChaosError::NotFound { id: 9 })));
}

#[test]
fn what_may_have_begun_is_ended_and_what_was_refused_is_not() {
    let target = Target::new();
    let chaos = target.open();
    target.answer(422);
    let error = chaos.inject(&request("cart", None)).unwrap_err();
    assert!(matches!(error, ChaosError::Refused { status: 422, .. }));
    assert!(!error.to_string().contains('\u{1b}'), "{error}");
    chaos.tick();
    assert_eq!(target.told(), told(&[("start", 1)]));
    target.answer(0);
    let error = chaos.inject(&request("cart", None)).unwrap_err();
    assert!(matches!(error, ChaosError::Unanswered { .. }), "{error}");
    target.answer(200);
    chaos.tick();
    assert_eq!(target.told()[1..], told(&[("start", 2), ("stop", 2)]));
}

/// What a kill leaves is the file.
#[test]
fn faults_of_a_process_that_was_killed_are_ended_by_the_next() {
    let target = Target::new();
    let chaos = target.open();
    chaos.inject(&request("cart", Some(60.0))).unwrap();
    chaos.inject(&request("auth", Some(300.0))).unwrap();
    drop(chaos);
    target.pass(90);
    let chaos = target.open();
    chaos.tick();
    let state = chaos.state();
    assert_eq!((state.past[0].id, state.active[0].id, state.active[0].left_seconds), (1, 2, 210.0));
    let stop = Stop::default();
    stop.stop();
    // An orderly end leaves nothing broken.
    chaos.run(&stop);
    assert_eq!(target.told()[2..], told(&[("stop", 1), ("stop", 2)]));
    assert_eq!(target.open().inject(&request("cart", None)).unwrap().id, 3, "ids are never used twice");
}

#[test]
fn requests_are_signed() {
    let target = Target::new();
    target.open().inject(&request("cart", None)).unwrap();
    let request = &target.network.requests()[0];
    let header = |name: &str| {
        let found = request.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.clone()).unwrap()
    };
    let seconds = header(TIMESTAMP_HEADER).parse().unwrap();
    assert_eq!(header(ID_HEADER), "chaos-1-start");
    let expected = signature(b"open sesame", "chaos-1-start", seconds, &request.body);
    assert_eq!(header(SIGNATURE_HEADER), expected);
}
