//! Beside a real Prometheus that scrapes the service: rules and dashboards find what they ask for.

use super::servers::{Server, free_port, network, program};
use crate::{
    client::{Service, http},
    world::BoxError,
};
use forewarn_server::{
    WatchOptions,
    runtime::{HttpRequest, Transport},
};
use serde_json::{Value, json};
use std::{
    fmt::Write,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

fn promtool(arguments: &[&str], input: &str) -> (bool, String) {
    let mut child = Command::new(program("FOREWARN_PROMTOOL", "promtool"))
        .args(arguments)
        .current_dir(deploy())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
#[ignore = "needs promtool: run by cargo xtask test"]
fn the_rules_for_the_service_itself_pass_their_tests() {
    for arguments in [
        &["check", "rules", "prometheus-rules.yml"][..],
        &["test", "rules", "prometheus-rules.test.yml", "prometheus-rules.quality.test.yml"],
    ] {
        let (is_ok, said) = promtool(arguments, "");
        assert!(is_ok, "{said}");
    }
}

fn get(url: &str, accept: &str) -> (Option<String>, String) {
    let answer = network().send(&HttpRequest::get(url).with_header("accept", accept)).unwrap();
    assert_eq!(answer.status, 200, "{url}: {}", answer.text());
    (answer.header("content-type").map(str::to_owned), answer.text().into_owned())
}

/// A query's parameter with all but letters and digits escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            escaped.push(char::from(byte));
        } else {
            write!(escaped, "%{byte:02X}").unwrap();
        }
    }
    escaped
}

fn query(prometheus: &str, expression: &str) -> Vec<Value> {
    let (_, text) = get(&format!("{prometheus}/api/v1/query?query={}", escaped(expression)), "*/*");
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["status"], "success", "{expression}: {text}");
    answer["data"]["result"].as_array().cloned().unwrap_or_default()
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(90), "{what}: it never came");
        thread::sleep(Duration::from_millis(200));
    }
}

/// The configuration of a Prometheus that scrapes the service and has its rules, none of which waits for minutes.
fn scraping(folder: &Path, service: u16) -> Value {
    let rules = fs::read_to_string(deploy().join("prometheus-rules.yml")).unwrap();
    let quick = folder.join("prometheus-rules.yml");
    fs::write(&quick, rules.replace("interval: 5m", "interval: 1s")).unwrap();
    json!({
        "global": { "scrape_interval": "1s", "evaluation_interval": "1s" },
        "rule_files": [quick],
        "scrape_configs": [{
            "job_name": "forewarn",
            "static_configs": [{ "targets": [format!("127.0.0.1:{service}")] }],
        }],
    })
}

fn prometheus(folder: &Path, port: u16, config: &Value) -> Server {
    let path = folder.join("prometheus.yml");
    fs::write(&path, config.to_string()).unwrap();
    let address = format!("127.0.0.1:{port}");
    let mut command = Command::new(program("FOREWARN_PROMETHEUS", "prometheus"));
    command
        .arg(format!("--config.file={}", path.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("tsdb").display()))
        .arg(format!("--web.listen-address={address}"))
        .arg("--web.enable-remote-write-receiver");
    Server::start(&mut command, format!("http://{address}"), "/-/ready")
}

/// The queries of a dashboard's panels, with the choices of its variables put in.
fn panels(dashboard: &Value) -> Vec<(String, String)> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| {
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        targets.into_iter().map(move |target| (panel["title"].clone(), target["expr"].clone()))
    });
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let chosen =
        |expr: String| expr.replace("$job", ".*").replace("$model", ".*").replace("$service", "gateway");
    targets.map(|(title, expr)| (text(&title), chosen(text(&expr)))).collect()
}

#[test]
#[ignore = "needs Prometheus: run by cargo xtask test"]
fn scores_that_waited_are_in_prometheus_at_the_times_of_their_rows() -> Result<(), BoxError> {
    let (folder, own) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let port = free_port();
    let more = format!(
        "{}[alerts]\nlabels = {{ cluster = \"test\" }}\n\
         [[remote_write]]\nname = \"scores\"\nurl = \"http://127.0.0.1:{port}/api/v1/write\"\n",
        http("")
    );
    let service = Service::start(own.path(), "minutes = 200", &more, WatchOptions::default())?;
    service.wait_for_minutes(200);
    let target = || service.json("/api/v1/targets")["items"][0].clone();
    // Nothing listens yet: the scores wait.
    eventually("a failed request", || target()["is_up"] == false);
    let server = prometheus(folder.path(), port, &json!({}));
    eventually("everything is taken", || target()["is_up"] == true && target()["waiting"] == 0);
    let target = target();
    assert_eq!((&target["refused"], &target["dropped"]), (&json!(0), &json!(0)), "{target}");
    let prediction = service.json("/api/v1/predictions/gateway");
    let selector = "forewarn_failure_probability_ratio{service=\"gateway\",cluster=\"test\",model=\"model\"}";
    let time = prediction["time"].as_str().unwrap();
    let url = format!("{}/api/v1/query?query={}&time={}", server.url, escaped(selector), escaped(time));
    let answer: Value = serde_json::from_str(&get(&url, "*/*").1)?;
    let value = answer["data"]["result"][0]["value"][1].as_str().ok_or(answer.to_string())?;
    assert_eq!(value.parse::<f64>()?, prediction["probability"].as_f64().unwrap());
    Ok(())
}

/// Parts of queries that have no answer in a service that is well, or that has only just begun.
const MAY_BE_EMPTY: [&str; 8] = [
    "> 0",
    "forewarn_source_",
    "forewarn_median_lead",
    "forewarn_target_",
    "rate(",
    "increase(",
    "histogram_quantile",
    "forewarn_false_alarms_per_service_week",
];

#[test]
#[ignore = "needs Prometheus: run by cargo xtask test"]
fn dashboards_rules_and_scores_are_found_in_prometheus() -> Result<(), BoxError> {
    let (folder, own) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let more = format!("{}[metrics]\nservices = true\n", http(""));
    let service = Service::start(own.path(), "minutes = 300", &more, WatchOptions::default())?;
    service.wait_for_minutes(300);
    let metrics = service.url("/metrics");
    let (kind, text) = get(&metrics, "text/plain");
    assert_eq!(kind.as_deref(), Some("text/plain; version=0.0.4; charset=utf-8"));
    let (is_ok, said) = promtool(&["check", "metrics"], &text);
    assert!(is_ok && said.is_empty(), "{said}");
    let (kind, open) = get(&metrics, "application/openmetrics-text;version=1.0.0");
    assert_eq!(kind.as_deref(), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(open.ends_with("# EOF\n") && open.contains("# UNIT forewarn_lead_seconds seconds\n"));

    let server = prometheus(folder.path(), free_port(), &scraping(folder.path(), service.address.port()));
    eventually("a scrape", || !query(&server.url, "forewarn_ready == 1").is_empty());
    let mut asked = 0;
    for entry in fs::read_dir(deploy().join("grafana/dashboards"))? {
        let dashboard: Value = serde_json::from_str(&fs::read_to_string(entry?.path())?)?;
        for (title, expression) in panels(&dashboard) {
            let found = query(&server.url, &expression);
            let may_be_empty = MAY_BE_EMPTY.iter().any(|part| expression.contains(part));
            assert!(may_be_empty || !found.is_empty(), "{title}: {expression} finds nothing");
            asked += 1;
        }
    }
    assert!(asked >= 30, "{asked}");
    eventually("rules are evaluated", || {
        let (_, text) = get(&format!("{}/api/v1/rules", server.url), "*/*");
        !text.contains("\"health\":\"unknown\"")
    });
    let (_, text) = get(&format!("{}/api/v1/rules", server.url), "*/*");
    assert!(!text.contains("\"health\":\"err\"") && text.contains("ForewarnBudgetExceeded"), "{text}");
    Ok(())
}
