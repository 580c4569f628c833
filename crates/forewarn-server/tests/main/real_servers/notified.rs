//! Beside a real Alertmanager: what arrives, what stays, what ends, and who is told how often.

use super::{
    hook::Hook,
    servers::{Server, free_port, network, program},
    story::Story,
};
use crate::world::{BoxError, write_model_to};
use forewarn_server::{
    Stop, WatchConfig,
    runtime::{Clock, HttpRequest, SystemClock, Transport},
    watch,
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Names the configuration of a service to the process that is to run it.
const CONFIG: &str = "FOREWARN_TEST_CONFIG";

/// Not a test: the process of a service, where another test starts one.
#[test]
#[ignore = "needs Alertmanager: run by cargo xtask test"]
fn replica() -> Result<(), BoxError> {
    if let Some(path) = std::env::var_os(CONFIG) {
        let config = WatchConfig::from_path(Path::new(&path))?;
        watch(&config, &Stop::default(), &mut |line| eprintln!("{line}"))?;
    }
    Ok(())
}

/// A service in a process of its own, which is killed with its value.
pub(super) struct Replica(Child);

impl Replica {
    pub(super) fn start(config: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "real_servers::notified::replica", "--ignored", "--nocapture"]);
        let command = command.env(CONFIG, config).stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // SIGKILL; fails only where it has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(super) fn alertmanager(folder: &Path, port: u16, hook: &Hook) -> Server {
    let config = folder.join("alertmanager.yml");
    let receiver =
        json!({ "name": "hook", "webhook_configs": [{ "url": format!("{}/alertmanager", hook.url) }] });
    let route = json!({
        "receiver": "hook", "group_by": ["alertname", "service"],
        "group_wait": "1s", "group_interval": "1s", "repeat_interval": "1h",
    });
    fs::write(&config, json!({ "route": route, "receivers": [receiver] }).to_string()).unwrap();
    let address = format!("127.0.0.1:{port}");
    let mut command = Command::new(program("FOREWARN_ALERTMANAGER", "prometheus-alertmanager"));
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", folder.join("alertmanager").display()))
        .arg(format!("--web.listen-address={address}"))
        // What was notified is on disk a second later, so that a kill does not make it tell again by itself.
        .args(["--cluster.listen-address=", "--data.maintenance-interval=1s"]);
    Server::start(&mut command, format!("http://{address}"), "/-/ready")
}

fn get(url: &str) -> Option<Value> {
    let answer = network().send(&HttpRequest::get(url)).ok()?;
    serde_json::from_slice(&answer.body).ok()
}

/// The alerts that Alertmanager has now.
pub(super) fn alerts(server: &str) -> Vec<Value> {
    let found = get(&format!("{server}/api/v2/alerts"));
    found.and_then(|found| found.as_array().cloned()).unwrap_or_default()
}

pub(super) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(90), "{what}: it never came");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Holds for longer than an alert lives without being heard of.
pub(super) fn stays(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(7) {
        assert!(condition(), "{what}: it did not stay");
        thread::sleep(Duration::from_millis(200));
    }
}

fn amtool(server: &str, arguments: &[&str]) -> String {
    let output = Command::new(program("FOREWARN_AMTOOL", "amtool"))
        .arg(format!("--alertmanager.url={server}"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The configuration of a replica in a folder of its own.
fn configure(folder: &Path, rows: &Path, more: &str) -> Result<PathBuf, BoxError> {
    fs::create_dir_all(folder)?;
    write_model_to(folder)?;
    let path = folder.join("forewarn.toml");
    let text = format!(
        "[model]\npath = \"model.safetensors\"\n[source]\nkind = \"file\"\npath = {rows:?}\nfollow = true\n\
         [store]\npath = \"store\"\n[events]\npath = \"events.ndjson\"\n[budget]\nmode = \"static\"\n\
         [alerts]\nlabels = {{ cluster = \"test\" }}\nresend_secs = 1\nexternal_url = \"http://forewarn.test\"\n{more}"
    );
    fs::write(&path, text)?;
    Ok(path)
}

#[test]
#[ignore = "needs Alertmanager: run by cargo xtask test"]
fn two_replicas_make_one_notification_and_kills_make_none() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let (hook, port, http) = (Hook::start(), free_port(), free_port());
    let rows = folder.path().join("rows.csv");
    fs::write(folder.path().join("secret"), "open sesame\n")?;
    let target = format!("[[alertmanager]]\nurl = \"http://127.0.0.1:{port}\"\n");
    let own = format!(
        "{target}[[webhook]]\nurl = \"{}/own\"\nsecret_file = \"../secret\"\ngroup_wait_secs = 0\n\
         [http]\nlisten = \"127.0.0.1:{http}\"\nanonymous_reads = true\n",
        hook.url
    );
    let first = configure(&folder.path().join("first"), &rows, &own)?;
    let second = configure(&folder.path().join("second"), &rows, &target)?;
    let story = Story::find(&WatchConfig::from_path(&first)?, SystemClock::new().now())?;
    story.write(&rows, 0..story.raised)?;
    let server = alertmanager(folder.path(), port, &hook);
    let url = server.url.clone();
    let (one, two) = (Replica::start(&first), Replica::start(&second));

    eventually("the alert", || alerts(&url).len() == 1);
    let alert = alerts(&url).remove(0);
    let labels = &alert["labels"];
    assert_eq!(labels["alertname"], "ForewarnFailurePredicted");
    assert_eq!((&labels["namespace"], &labels["service"]), (&json!("shop"), &json!("web")));
    assert_eq!(labels["cluster"], "test");
    assert!(["warning", "critical"].contains(&labels["severity"].as_str().unwrap()));
    assert!(labels.as_object().unwrap().len() == 5, "{labels}");
    assert!(alert["annotations"]["probability"].is_string() && alert["annotations"]["evidence"].is_string());
    assert_eq!(alert["generatorURL"], "http://forewarn.test/services/shop%2Fweb");
    eventually("the notification", || hook.statuses("/alertmanager") == ["firing"]);
    eventually("the own webhook", || hook.statuses("/own") == ["firing"]);
    let own = hook.taken("/own").remove(0);
    assert_eq!(own.body["version"], "4");
    assert_eq!(own.body["alerts"][0]["fingerprint"], alert["fingerprint"], "as Alertmanager has it");
    assert_eq!(
        own.body["alerts"][0]["startsAt"].as_str().map(|time| &time[..16]),
        alert["startsAt"].as_str().map(|time| &time[..16])
    );
    assert!(
        own.headers["x-forewarn-signature"].starts_with("v1=")
            && own.headers["x-forewarn-signature"].len() == 67
    );
    let is_told_once = || {
        alerts(&url).len() == 1
            && hook.statuses("/alertmanager") == ["firing"]
            && hook.statuses("/own") == ["firing"]
    };
    stays("resends keep it", is_told_once);

    drop(one);
    stays("one replica is enough", is_told_once);
    drop(two);
    let (one, two) = (Replica::start(&first), Replica::start(&second));
    eventually("the first is back", || get(&format!("http://127.0.0.1:{http}/api/v1/targets")).is_some());
    stays("kills of ourselves", is_told_once);

    drop(server);
    thread::sleep(Duration::from_secs(3));
    let server = alertmanager(folder.path(), port, &hook);
    eventually("Alertmanager hears of it again", || alerts(&url).len() == 1);
    stays("a kill of Alertmanager", is_told_once);

    let silence =
        amtool(&url, &["silence", "add", "service=web", "--author=mia", "--comment=deploy", "--duration=1h"]);
    let muted = || {
        let targets = get(&format!("http://127.0.0.1:{http}/api/v1/targets"))?;
        targets["items"][0]["muted"].as_array()?.first().cloned()
    };
    eventually("the silence is shown", || {
        muted().is_some_and(|muted| muted["silences"][0]["created_by"] == "mia")
    });
    assert_eq!(muted().unwrap()["silences"][0]["comment"], "deploy");
    amtool(&url, &["silence", "expire", &silence]);
    eventually("the end of the silence is shown", || muted().is_none());

    story.write(&rows, story.raised..story.len())?;
    eventually("its end", || alerts(&url).is_empty());
    eventually("the end is told", || hook.statuses("/alertmanager") == ["firing", "resolved"]);
    eventually("the end is told by ourselves", || hook.statuses("/own") == ["firing", "resolved"]);
    drop((one, two, server));
    Ok(())
}

#[test]
#[ignore = "needs Alertmanager: run by cargo xtask test"]
fn alertmanager_takes_what_it_can_of_a_batch_that_it_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let server = alertmanager(folder.path(), free_port(), &Hook::start());
    let alert = |name: &str| json!({ "labels": { name: "x", "alertname": "A" }, "annotations": {} });
    let body = json!([alert("good"), alert("not good")]).to_string();
    let request = HttpRequest::post(format!("{}/api/v2/alerts", server.url), body);
    let answer = network().send(&request.with_header("content-type", "application/json")).unwrap();
    assert_eq!(answer.status, 400, "{}", answer.text());
    eventually("the good one", || alerts(&server.url).len() == 1);
}
