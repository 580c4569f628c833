//! A service with its HTTP server in this process, and a client that waits.

use crate::world::*;
use forewarn_live::Input;
use forewarn_schema::Timestamp;
use forewarn_server::{
    Running, ServerError, Stop, WatchOptions,
    http::TokenHash,
    runtime::{Handle, Source, SourceContext},
};
use serde_json::Value;
use std::{
    fmt::Write,
    net::SocketAddr,
    path::Path,
    thread::{JoinHandle, sleep},
    time::{Duration, Instant},
};
use ureq::{Agent, http::Response};

pub(crate) type Answer = Response<ureq::Body>;

/// Stand for tokens of 256 bits.
pub(crate) const VIEWER: &str = "viewer-0123456789012345678901234567890123456789";
pub(crate) const OPERATOR: &str = "operator-0123456789012345678901234567890123456789";
pub(crate) const ADMIN: &str = "admin-0123456789012345678901234567890123456789";

/// Says who calls whom and sends rows of a service without values, then waits for the end.
struct Shop;

/// A service of which nothing is known.
pub(crate) const SILENT: &str = "silent/one: ü";

impl Source for Shop {
    fn name(&self) -> &str {
        "shop graph"
    }

    fn run(&mut self, context: &SourceContext) -> Result<(), ServerError> {
        let calls = [("gateway", "auth"), ("gateway", "user"), ("auth", "database"), ("user", "database")];
        let calls = calls.map(|(client, server)| (client.to_owned(), server.to_owned())).to_vec();
        context.handle.send(vec![Input::Graph { calls }])?;
        let (mut sent, mut pause) = (None::<Timestamp>, true);
        while pause {
            let next = context.handle.view().view.next;
            if next.is_some() && next != sent {
                sent = next;
                // Ahead of a simulation that goes as fast as it can: what comes late is counted, and no row.
                let times = (0..50).filter_map(|step| next?.checked_add(context.step, step));
                let row = |time| {
                    let values = vec![f32::NAN; context.metrics.len()];
                    Input::Row { service: SILENT.to_owned(), time, values }
                };
                context.handle.send(times.map(row).collect())?;
            }
            pause = context.clock.sleep(Duration::from_millis(5), &context.stop);
        }
        Ok(())
    }
}

/// A service that runs.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) handle: Handle,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

/// `[http]` on a free port, with limits that a test does not meet, and three tokens.
pub(crate) fn http(more: &str) -> String {
    let mut text = format!(
        "[http]\nlisten = \"127.0.0.1:0\"\nanonymous_reads = true\n{more}\n[http.limits]\n\
         requests_per_second = 1000000\nburst = 1000000\n"
    );
    for (role, token) in [("viewer", VIEWER), ("operator", OPERATOR), ("admin", ADMIN)] {
        let hash = TokenHash::of(token);
        write!(text, "[[token]]\nname = \"{role}\"\nrole = \"{role}\"\nsha256 = \"{hash}\"\n").unwrap();
    }
    text
}

impl Service {
    /// A service that watches a simulation, and goes on when that has ended.
    pub(crate) fn start(
        folder: &Path,
        source: &str,
        more: &str,
        options: WatchOptions,
    ) -> Result<Self, BoxError> {
        let config = configure(folder, source, more)?;
        let file = folder.join("forewarn.toml");
        let options = options.with_source(Box::new(Shop)).with_config_file(file);
        let running = Running::start(config, options)?;
        let address = running.address().ok_or("no address")?;
        let (handle, stop) = (running.handle().clone(), Stop::default());
        let asked = stop.clone();
        let thread = std::thread::spawn(move || {
            running.wait(&asked, &mut |line| eprintln!("{line}")).unwrap();
        });
        Ok(Self { address, handle, stop, thread: Some(thread) })
    }

    /// Waits until this many minutes are closed.
    pub(crate) fn wait_for_minutes(&self, minutes: u64) {
        wait_for(|| self.handle.view().view.counters.minutes >= minutes);
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        agent().get(self.url(path)).call().unwrap()
    }

    /// What a path has, which must be there.
    #[track_caller]
    pub(crate) fn json(&self, path: &str) -> Value {
        let mut answer = self.get(path);
        let text = answer.body_mut().read_to_string().unwrap();
        assert_eq!(answer.status(), 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// A call that changes something.
    pub(crate) fn send(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
        let mut request = ureq::http::Request::builder().method(method).uri(self.url(path));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        match body {
            Some(body) => {
                let request = request.header("content-type", "application/json").body(body.to_string());
                agent().run(request.unwrap()).unwrap()
            }
            None => agent().run(request.body(()).unwrap()).unwrap(),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking());
        }
    }
}

pub(crate) fn agent() -> Agent {
    let config = Agent::config_builder().http_status_as_error(false).allow_non_standard_methods(true);
    config.timeout_global(Some(Duration::from_secs(60))).build().into()
}

pub(crate) fn body(mut answer: Answer) -> Value {
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
}

pub(crate) fn wait_for(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(120), "it never came");
        sleep(Duration::from_millis(10));
    }
}
