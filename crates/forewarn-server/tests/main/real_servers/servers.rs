//! Servers on free ports of this machine, ended by the end of their value.

use forewarn_server::runtime::{HttpRequest, HttpResponse, TlsSettings, Transport, UreqTransport};
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// Tries until a server answers, a tenth of a second apart.
const TRIES: u32 = 600;

/// The program that a variable names, else the one of this name on the search path.
pub(crate) fn program(variable: &str, name: &str) -> PathBuf {
    std::env::var_os(variable).filter(|named| !named.is_empty()).map_or_else(|| name.into(), PathBuf::from)
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A process that ends with its value.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts `command`, and waits until `path` below `url` answers with 200.
    pub(crate) fn start(command: &mut Command, url: String, path: &str) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { child, url };
        let ready = HttpRequest::get(format!("{}{path}", server.url)).with_timeout(Duration::from_secs(5));
        let is_ready = |_| {
            let answer = network().send(&ready).is_ok_and(|answer| answer.status == 200);
            if !answer {
                thread::sleep(Duration::from_millis(100));
            }
            answer
        };
        assert!((0..TRIES).any(is_ready), "{} does not answer", server.url);
        server
    }
}

pub(crate) fn network() -> UreqTransport {
    UreqTransport::new(&TlsSettings::default()).unwrap()
}

/// Sends a form.
pub(crate) fn post(url: &str, form: &str) -> HttpResponse {
    let request =
        HttpRequest::post(url, form).with_header("content-type", "application/x-www-form-urlencoded");
    network().send(&request).unwrap()
}

/// A Prometheus with the samples of an OpenMetrics file, put into blocks by promtool.
pub(crate) fn prometheus(samples: &Path, folder: &Path) -> Server {
    let blocks = folder.join("blocks");
    let promtool = Command::new(program("FOREWARN_PROMTOOL", "promtool"))
        .args(["tsdb", "create-blocks-from", "--max-block-duration=744h", "-q", "openmetrics"])
        .args([samples, &blocks])
        .output()
        .unwrap();
    assert!(promtool.status.success(), "{}", String::from_utf8_lossy(&promtool.stderr));
    let config = folder.join("prometheus.yml");
    std::fs::write(&config, "").unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new(program("FOREWARN_PROMETHEUS", "prometheus"));
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", blocks.display()))
        .args(["--storage.tsdb.retention.time=4000d", "--web.route-prefix=/prefix"])
        .arg(format!("--web.listen-address={address}"));
    Server::start(&mut command, format!("http://{address}/prefix"), "/-/ready")
}

/// A vmagent that sends what it is given to `url` by remote write, and keeps it until it is taken.
pub(crate) fn vmagent(url: &str, folder: &Path) -> Server {
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new(program("FOREWARN_VMAGENT", "vmagent"));
    command
        .arg(format!("-httpListenAddr={address}"))
        .arg(format!("-remoteWrite.url={url}"))
        .arg(format!("-remoteWrite.tmpDataPath={}", folder.join("queue").display()))
        .args(["-remoteWrite.flushInterval=200ms", "-remoteWrite.queues=1"]);
    Server::start(&mut command, format!("http://{address}"), "/health")
}
