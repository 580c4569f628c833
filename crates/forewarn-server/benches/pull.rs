//! A minute of 10,000 services that are pulled: from the end of the settle delay until its events are there.
//!
//! A stand-in for Prometheus answers each query from memory, over HTTP on this machine. Time jumps to the end of the
//! next settle delay as soon as the service waits for it, so that a minute takes as long as its work. A sink takes the
//! events, as an Alertmanager's would.
//!
//! ```text
//! cargo bench --profile dist -p forewarn-server --bench pull -- --services 10000 --minutes 200
//! ```

mod support;

use forewarn_live::EventBody;
use forewarn_schema::{Schema, Timestamp};
use forewarn_server::{
    Stop, WatchOptions,
    runtime::{Batch, Clock, Sink, SinkContext, SystemClock},
};
use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use support::{BoxError, Service, by_thread, option, own_processor_time, processor_time, resident_mib};

/// The machine's clock, ahead by what its sources did not wait.
struct JumpingClock {
    system: SystemClock,
    start: i64,
    /// Milliseconds that were jumped.
    jumped: AtomicI64,
    /// When the last wait of a source was over.
    woken: Mutex<Option<Instant>>,
}

impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        let passed = self.system.elapsed().as_millis() as i64 + self.jumped.load(Ordering::SeqCst);
        Timestamp::from_millis(self.start + passed).unwrap_or(Timestamp::EPOCH)
    }

    fn elapsed(&self) -> Duration {
        self.system.elapsed()
    }

    fn sleep(&self, time: Duration, stop: &Stop) -> bool {
        if thread::current().name().is_some_and(|name| name.starts_with("source")) {
            self.jumped.fetch_add(time.as_millis() as i64, Ordering::SeqCst);
            if let Ok(mut woken) = self.woken.lock() {
                *woken = Some(Instant::now());
            }
            return !stop.is_stopped();
        }
        self.system.sleep(time, stop)
    }
}

/// Notes when the last row of a minute has arrived.
struct Arrivals {
    clock: Arc<JumpingClock>,
    services: u64,
    scores: u64,
    took: Arc<Mutex<Vec<Duration>>>,
}

impl Sink for Arrivals {
    fn name(&self) -> &str {
        "arrivals"
    }

    fn deliver(&mut self, batch: &Batch, _: &SinkContext) {
        let score = |event: &&Arc<forewarn_server::runtime::Numbered>| {
            matches!(event.event.body, EventBody::Score(_))
        };
        self.scores += batch.events.iter().filter(score).count() as u64;
        if self.scores < self.services {
            return;
        }
        self.scores = 0;
        let woken = self.clock.woken.lock().ok().and_then(|woken| *woken);
        if let (Some(woken), Ok(mut took)) = (woken, self.took.lock()) {
            took.push(woken.elapsed());
        }
    }
}

/// Series of an answer, cut where a time has to be put in.
struct StandIn {
    services: u64,
    nanos: AtomicU64,
}

impl StandIn {
    /// The answer to a range query with a value for each service and time.
    fn matrix(&self, (start, end): (i64, i64), salt: u64) -> Vec<u8> {
        let times: Vec<String> = (start..=end).step_by(60).map(|time| format!("[{time},\"")).collect();
        let mut body = String::with_capacity(self.services as usize * (60 + 30 * times.len()));
        body += "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[";
        for service in 0..self.services {
            let comma = if service == 0 { "" } else { "," };
            let _ =
                write!(body, "{comma}{{\"metric\":{{\"job\":\"shop/service-{service:05}\"}},\"values\":[");
            for (at, time) in times.iter().enumerate() {
                let minute = (start / 60) as u64 + at as u64;
                let value = 100 + (service * 7 + minute * 13 + salt * 29) % 300;
                body += if at == 0 { "" } else { "," };
                body += time;
                let _ = write!(body, "0.{value}\"]");
            }
            body += "]}";
        }
        body += "]}}";
        body.into_bytes()
    }

    fn answer(&self, path: &str, form: &str, now: i64) -> Vec<u8> {
        let seconds = |name: &str| -> i64 {
            let value = form.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap_or("=0");
            value[1..].split('.').next().and_then(|value| value.parse().ok()).unwrap_or(0)
        };
        match path {
            "/api/v1/status/buildinfo" => {
                br#"{"status":"success","data":{"version":"2.42.0","goVersion":"go1.19"}}"#.to_vec()
            }
            "/api/v1/query_range" => self.matrix((seconds("start"), seconds("end")), form.len() as u64),
            _ if form.contains("time%28%29") => {
                let data = format!("{{\"resultType\":\"scalar\",\"result\":[{now},\"{now}\"]}}");
                format!("{{\"status\":\"success\",\"data\":{data}}}").into_bytes()
            }
            _ => br#"{"status":"success","data":{"resultType":"vector","result":[]}}"#.to_vec(),
        }
    }

    /// Answers requests of one connection until it ends.
    fn serve(&self, stream: &TcpStream, clock: &JumpingClock) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let mut stream = stream;
        stream.set_nodelay(true).ok()?;
        loop {
            let (mut line, mut length) = (String::new(), 0);
            reader.read_line(&mut line).ok()?;
            let path = line.split_whitespace().nth(1)?.to_owned();
            loop {
                line.clear();
                reader.read_line(&mut line).ok()?;
                let Some((name, value)) = line.trim_end().split_once(": ") else { break };
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.parse().ok()?;
                }
            }
            let mut form = vec![0; length];
            reader.read_exact(&mut form).ok()?;
            let before = own_processor_time();
            let now = clock.now().millis() / 1000;
            let body = self.answer(&path, &String::from_utf8_lossy(&form), now);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).ok()?;
            stream.write_all(&body).ok()?;
            let used = own_processor_time().saturating_sub(before);
            self.nanos.fetch_add(used.as_nanos() as u64, Ordering::Relaxed);
        }
    }
}

/// A recipe of the ten metrics, each by one query.
fn write_recipe(path: &Path) -> Result<(), BoxError> {
    let mut text =
        "name = \"bench\"\nabout = \"one query a metric\"\nservice = { labels = [\"job\"] }\n".to_owned();
    for metric in Schema::v1().metrics() {
        let unit = serde_json::to_value(&metric.unit)?;
        let unit = unit.as_str().ok_or("a unit is a word")?;
        write!(text, "[metrics.{0}]\nform = \"query\"\nunit = \"{unit}\"\nquery = \"{0}\"\n", metric.name)?;
    }
    Ok(std::fs::write(path, text)?)
}

fn main() -> Result<(), BoxError> {
    let is_test = support::is_test();
    let services = option("--services", if is_test { 100 } else { 10_000 });
    let minutes = option("--minutes", if is_test { 3 } else { 200 }) as usize;
    let folder = tempfile::tempdir()?;
    write_recipe(&folder.path().join("bench.toml"))?;
    let system = SystemClock::new();
    let start = system.now().millis();
    let clock = Arc::new(JumpingClock { start, system, jumped: AtomicI64::new(0), woken: Mutex::new(None) });
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let stand_in = Arc::new(StandIn { services, nanos: AtomicU64::new(0) });
    let (server, own) = (Arc::clone(&stand_in), Arc::clone(&clock));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (server, clock) = (Arc::clone(&server), Arc::clone(&own));
            let _ = thread::Builder::new()
                .name("stand-in".to_owned())
                .spawn(move || server.serve(&stream, &clock));
        }
    });
    let source = format!(
        "kind = \"prometheus\"\nurl = \"http://127.0.0.1:{port}\"\nrecipes = [\"bench.toml\"]\nwarm_up_minutes = 15\n"
    );
    let config = support::configure(folder.path(), &source, "")?;
    let took = Arc::new(Mutex::new(Vec::new()));
    let arrivals = Arrivals { clock: Arc::clone(&clock), services, scores: 0, took: Arc::clone(&took) };
    let options = WatchOptions::default()
        .with_clock(Arc::clone(&clock) as Arc<dyn Clock>)
        .with_sink(Box::new(arrivals));
    let service = Service::start(config, options)?;
    // The minutes that it begins with come at once.
    let warm_up = 20;
    let count = || took.lock().map_or(0, |took| took.len());
    while count() < warm_up {
        thread::sleep(Duration::from_millis(20));
    }
    let (used, memory, first) = (processor_time(), resident_mib(), count());
    let stand_in_before = stand_in.nanos.load(Ordering::Relaxed);
    let begun = Instant::now();
    while count() < warm_up + minutes {
        thread::sleep(Duration::from_millis(20));
    }
    let wall = begun.elapsed();
    let own = processor_time().saturating_sub(used);
    let theirs = Duration::from_nanos(stand_in.nanos.load(Ordering::Relaxed) - stand_in_before);
    let mut measured: Vec<Duration> = took.lock().map_err(|_| "poisoned")?[first..].to_vec();
    let counted = measured.len();
    measured.sort_unstable();
    let quantile = |share: f64| measured[((counted as f64 * share) as usize).min(counted - 1)].as_secs_f64();
    println!(
        "{services} services, {counted} minutes: from the end of settle to events {:.3} s in the median, {:.3} s at \
         p99, {:.3} s at most",
        quantile(0.5),
        quantile(0.99),
        quantile(1.0)
    );
    println!(
        "a minute takes {:.3} s of wall time and {:.3} s of processor, without {:.3} s of the stand-in; {} MiB, {} MiB \
         before; {} minutes closed in all",
        wall.as_secs_f64() / counted as f64,
        own.saturating_sub(theirs).as_secs_f64() / counted as f64,
        theirs.as_secs_f64() / counted as f64,
        resident_mib(),
        memory,
        service.handle.view().view.counters.minutes
    );
    for (name, time) in by_thread().iter().take(8) {
        println!("  {name:<16} {:>8.2} s", time.as_secs_f64());
    }
    service.end()
}
