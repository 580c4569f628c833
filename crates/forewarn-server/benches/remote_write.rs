//! Samples that are pushed: how many a second one core takes, and whether memory stays flat.
//!
//! 10,000 services with ten metrics each are written once a second, in requests of 2,000 samples, by two connections
//! that wait for each answer, as senders do. Every sample is decoded, journaled and synced before it is acknowledged,
//! and each minute is closed and scored. The time of the senders on the processor is taken off.
//!
//! ```text
//! cargo bench --profile dist -p forewarn-server --bench remote_write -- --seconds 600 --rate 100000
//! ```

mod support;

use forewarn_prometheus::{Labels, Sample, Series, encode_remote_write};
use forewarn_schema::{Schema, Timestamp};
use forewarn_server::{
    WatchOptions,
    runtime::{Clock, HttpRequest, SystemClock, TlsSettings, Transport, UreqTransport},
};
use std::{
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use support::{BoxError, Service, by_thread, option, own_processor_time, processor_time, resident_mib};

/// Samples of a request.
const REQUEST: usize = 2_000;
const SENDERS: u64 = 2;

#[derive(Default)]
struct Sent {
    samples: AtomicU64,
    failed: AtomicU64,
    /// Time of the senders on the processor, in nanoseconds.
    nanos: AtomicU64,
    /// How long answers took, in microseconds.
    micros: Mutex<Vec<u64>>,
    is_over: AtomicBool,
}

/// The series of one sender: a whole number of requests.
fn series(services: u64, sender: u64) -> Vec<Series> {
    let schema = Schema::v1();
    let mut all = Vec::new();
    for service in (0..services).filter(|service| service % SENDERS == sender) {
        for metric in schema.names() {
            let (name, job) = (format!("forewarn:{metric}"), format!("shop/service-{service:05}"));
            let labels = [("__name__", name.as_str()), ("job", job.as_str()), ("prometheus", "eu-1/k8s")];
            let labels = Labels::new(labels).unwrap_or_default();
            all.push(Series { labels, samples: Vec::new(), histograms: Vec::new() });
        }
    }
    all
}

/// Writes all series again and again, each time a second further, at `rate` samples a second.
fn send(url: &str, sender: u64, (services, rate): (u64, u64), sent: &Sent) -> Result<(), BoxError> {
    let mut all = series(services, sender);
    let network = UreqTransport::new(&TlsSettings::default())?;
    let (clock, started) = (SystemClock::new(), Instant::now());
    let (mut written, mut number) = (0_u64, 0_u64);
    while !sent.is_over.load(Ordering::Relaxed) {
        let now = clock.now().millis();
        for chunk in all.chunks_mut(REQUEST) {
            number += 1;
            for one in chunk.iter_mut() {
                let time = Timestamp::from_millis(now).unwrap_or(Timestamp::EPOCH);
                one.samples = vec![Sample { time, value: 0.01 + (number % 40) as f64 / 100.0 }];
            }
            let request = HttpRequest::post(url, encode_remote_write(chunk)?)
                .with_header("content-type", "application/x-protobuf")
                .with_header("content-encoding", "snappy");
            let asked = Instant::now();
            match network.send(&request)?.status {
                204 => drop(sent.samples.fetch_add(chunk.len() as u64, Ordering::Relaxed)),
                _ => drop(sent.failed.fetch_add(1, Ordering::Relaxed)),
            }
            let micros = u64::try_from(asked.elapsed().as_micros())?;
            sent.micros.lock().map_err(|_| "poisoned")?.push(micros);
            written += chunk.len() as u64;
            let due = Duration::from_secs_f64(written as f64 * SENDERS as f64 / rate as f64);
            thread::sleep(due.saturating_sub(started.elapsed()));
            if sent.is_over.load(Ordering::Relaxed) {
                break;
            }
        }
    }
    sent.nanos.fetch_add(u64::try_from(own_processor_time().as_nanos())?, Ordering::Relaxed);
    Ok(())
}

fn main() -> Result<(), BoxError> {
    let is_test = support::is_test();
    let seconds = option("--seconds", if is_test { 2 } else { 60 });
    let rate = option("--rate", if is_test { 4_000 } else { 100_000 });
    let services = (rate / 10).max(400);
    let folder = tempfile::tempdir()?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let more = format!(
        "[http]\nlisten = \"127.0.0.1:{port}\"\n[receive]\nremote_write = true\n[engine]\nmost_services = 100000\n"
    );
    let config = support::configure(folder.path(), "kind = \"push\"", &more)?;
    let service = Service::start(config, WatchOptions::default())?;
    while !service.handle.view().is_ready {
        thread::sleep(Duration::from_millis(10));
    }
    let (sent, url) = (Arc::new(Sent::default()), format!("http://127.0.0.1:{port}/api/v1/write"));
    let (begun, used) = (Instant::now(), processor_time());
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let (sent, url) = (Arc::clone(&sent), url.clone());
            thread::Builder::new()
                .name("sender".to_owned())
                .spawn(move || send(&url, sender, (services, rate), &sent))
        })
        .collect::<Result<_, _>>()?;
    let look = Duration::from_secs((seconds / 10).max(1));
    while begun.elapsed() < Duration::from_secs(seconds) {
        thread::sleep(look.min(Duration::from_secs(seconds).saturating_sub(begun.elapsed())));
        println!(
            "{:>4.0} s: {:>9} samples, {} minutes closed, {} MiB",
            begun.elapsed().as_secs_f64(),
            sent.samples.load(Ordering::Relaxed),
            service.handle.view().view.counters.minutes,
            resident_mib()
        );
    }
    let threads = by_thread();
    sent.is_over.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.join().map_err(|_| "a sender panicked")??;
    }
    let (wall, all) = (begun.elapsed(), processor_time().saturating_sub(used));
    let own = all.saturating_sub(Duration::from_nanos(sent.nanos.load(Ordering::Relaxed)));
    let (samples, failed) = (sent.samples.load(Ordering::Relaxed), sent.failed.load(Ordering::Relaxed));
    let mut micros = sent.micros.lock().map_err(|_| "poisoned")?.clone();
    micros.sort_unstable();
    let quantile =
        |share: f64| micros.get((micros.len() as f64 * share) as usize).copied().unwrap_or(0) / 1000;
    println!(
        "{samples} samples in {:.1} s: {:.0} a second; {failed} requests not taken; answers {} ms in the median, {} ms \
         at p99",
        wall.as_secs_f64(),
        samples as f64 / wall.as_secs_f64(),
        quantile(0.5),
        quantile(0.99)
    );
    println!(
        "the service used {:.1} s of processor: {:.0} samples a second and core",
        own.as_secs_f64(),
        samples as f64 / own.as_secs_f64()
    );
    for (name, time) in threads.iter().take(8) {
        println!("  {name:<16} {:>8.2} s", time.as_secs_f64());
    }
    service.end()?;
    assert!(samples > 0 && failed == 0);
    Ok(())
}
