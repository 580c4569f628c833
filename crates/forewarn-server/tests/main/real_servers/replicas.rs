//! Two equal replicas of a service that pulls from a real Prometheus, killed in turn beside a real Alertmanager.

use super::{
    hook::Hook,
    notified::{Replica, alertmanager, alerts, eventually, stays},
    servers::{free_port, network, prometheus},
    service::pulling,
};
use crate::world::BoxError;
use forewarn_server::runtime::{Clock, HttpRequest, SystemClock, Transport};
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// A shop whose web begins to answer with errors three minutes ago, and goes on to for a while: OpenMetrics text of
/// scrapes every 15 seconds.
fn write_samples(path: &Path) {
    let now = SystemClock::new().now().millis() / 1000;
    let (name, mut text) = ("http_server_request_duration_seconds", String::new());
    writeln!(text, "# TYPE {name} histogram").unwrap();
    for (status, each) in [("200", 10), ("503", 4)] {
        let labels = format!("job=\"shop/web\",http_response_status_code=\"{status}\"");
        let series = [
            ("_bucket", ",le=\"0.25\""),
            ("_bucket", ",le=\"1\""),
            ("_bucket", ",le=\"+Inf\""),
            ("_count", ""),
        ];
        for (suffix, bound) in series {
            let mut sum = 0;
            for time in (now - 120 * 60..now + 20 * 60).step_by(15) {
                let is_slow = status == "503" && bound == ",le=\"0.25\"";
                if !is_slow && (status == "200" || time > now - 180) {
                    sum += each;
                }
                writeln!(text, "{name}{suffix}{{{labels}{bound}}} {sum} {time}").unwrap();
            }
        }
    }
    text.push_str("# EOF\n");
    fs::write(path, text).unwrap();
}

/// The configuration of a replica in a folder of its own, with the port of its API. The model was trained on another
/// system, of which this one is far away.
fn configure(folder: &Path, prometheus: &str, alertmanager: u16) -> Result<(PathBuf, u16), BoxError> {
    fs::create_dir_all(folder)?;
    let source = format!(
        "kind = \"prometheus\"\nurl = \"{prometheus}\"\nrecipes = [\"opentelemetry\"]\nwarm_up_minutes = 45\n\
         settle_secs = 0"
    );
    pulling(folder, &source)?;
    let (path, port) = (folder.join("forewarn.toml"), free_port());
    let more = format!(
        "[budget]\nmode = \"static\"\n[engine]\nfar_factor = 1000.0\nsettle_secs = 10\n[http]\nlisten = \"127.0.0.1:{port}\"\nanonymous_reads = true\n[alerts]\n\
         resend_secs = 1\n[[alertmanager]]\nurl = \"http://127.0.0.1:{alertmanager}\"\n"
    );
    fs::write(&path, fs::read_to_string(&path)? + &more)?;
    Ok((path, port))
}

#[test]
#[ignore = "needs Prometheus and Alertmanager: run by cargo xtask test"]
fn replicas_of_one_prometheus_that_are_killed_in_turn_are_one_alert() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let samples = folder.path().join("samples");
    write_samples(&samples);
    let source = prometheus(&samples, folder.path());
    let (hook, port) = (Hook::start(), free_port());
    let server = alertmanager(folder.path(), port, &hook);
    let url = server.url.clone();
    let configs = ["one", "two"].map(|name| configure(&folder.path().join(name), &source.url, port));
    let [(one, port_one), (two, port_two)] = configs.map(|config| config.unwrap());
    let both = [(one, port_one), (two, port_two)];
    let mut running = both.each_ref().map(|(config, _)| Some(Replica::start(config)));
    let is_ready = |port: u16| {
        let ready = HttpRequest::get(format!("http://127.0.0.1:{port}/-/ready"));
        network().send(&ready).is_ok_and(|answer| answer.status == 200)
    };
    let is_told_once = || alerts(&url).len() == 1 && hook.statuses("/alertmanager") == ["firing"];
    eventually("both are ready", || both.iter().all(|(_, port)| is_ready(*port)));
    eventually("one alert, told once", is_told_once);
    assert_eq!(alerts(&url)[0]["labels"]["service"], "web");
    for round in 0..4 {
        let (config, port) = &both[round % 2];
        // A value that is dropped is killed by SIGKILL, and has to be before another may have its store.
        running[round % 2] = None;
        running[round % 2] = Some(Replica::start(config));
        eventually("it is back", || is_ready(*port));
        assert!(is_told_once(), "after kill {round}");
    }
    stays("four kills", is_told_once);
    drop((running, server, source));
    Ok(())
}
