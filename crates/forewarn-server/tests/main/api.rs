//! The API of a running service, by a client on a loopback port.

use crate::{chaos::FakeChaos, client::*, world::*};
use forewarn_server::WatchOptions;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

/// A service at the end of a simulated day, for tests that change nothing that others look at.
fn service() -> &'static Service {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    SERVICE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap().keep();
        let slo = "[[slo]]\nname = \"answers\"\nobjective = 0.99\n\
                   indicator.availability = { requests = \"request_count\", error_rate = \"error_rate\" }\n";
        let more = format!("{}{slo}", http(""));
        let options = WatchOptions::default().with_chaos(Arc::new(FakeChaos::default()));
        let service = Service::start(&folder, "minutes = 1500", &more, options).unwrap();
        service.wait_for_minutes(1_500);
        service
    })
}

/// Every page of a list.
fn pages(path: &str, limit: usize) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let mark = if path.contains('?') { '&' } else { '?' };
        let page = service().json(&format!("{path}{mark}limit={limit}{cursor}"));
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => {
                assert_eq!(page["total"], all.len());
                return all;
            }
        }
    }
}

#[test]
fn the_services_are_listed_filtered_and_paged() {
    let all = pages("/api/v1/services", 2);
    let names: Vec<&str> = all.iter().map(|service| service["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 5);
    assert!(names.is_sorted() && names.contains(&SILENT));
    let found = pages("/api/v1/services?search=GATE", 10);
    assert_eq!(found.len(), 1);
    let gateway = &found[0];
    assert_eq!(gateway["name"], "gateway");
    assert!(gateway["metrics"]["error_rate"].is_number() && gateway["gauges"]["cpu"].is_number());
    let probability = gateway["probability"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&probability));
    let detail = service().json("/api/v1/services/gateway");
    assert_eq!(detail["servers"], json!(["auth", "user"]));
    assert_eq!(detail["clients"], json!([]));
    assert_eq!(detail["limits"]["error_rate"], json!({"above": 0.05}));
    assert_eq!(detail["slo"][0]["objective"], "answers");
    assert_eq!(detail["slo"], service().json("/api/v1/slos?service=gateway"));
    for standing in ["failing", "warning", "unknown", "at_risk", "ok"] {
        for found in pages(&format!("/api/v1/services?status={standing}"), 10) {
            assert_eq!(found["status"], standing);
        }
    }
}

#[test]
fn what_is_not_known_is_null_and_never_zero() {
    let name = "silent%2Fone%3A%20%C3%BC";
    let silent = service().json(&format!("/api/v1/services/{name}"));
    assert_eq!(silent["name"], SILENT);
    assert_eq!(
        (&silent["probability"], &silent["level"], &silent["health"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert!(silent["metrics"].as_object().unwrap().values().all(Value::is_null));
    assert!(silent["gauges"].as_object().unwrap().values().all(Value::is_null));
    assert_eq!(silent["status"], "unknown");
    assert!(silent["missing"].is_string() && silent["cannot_tell"].is_string());
    let short = service().json(&format!("/api/predict/{name}"));
    assert_eq!((&short["incident_probability"], &short["risk_level"]), (&Value::Null, &Value::Null));
    let prediction = service().json(&format!("/api/v1/predictions/{name}"));
    assert_eq!(prediction["probability"], Value::Null);
    assert_eq!(prediction["confidence"]["distance"], Value::Null);
    let history = service().json(&format!("/api/v1/history/{name}"));
    assert!(history["probability"].as_array().unwrap().iter().all(Value::is_null));
    assert!(history["metrics"]["error_rate"].as_array().unwrap().iter().all(Value::is_null));
}

#[test]
fn history_is_down_sampled_to_maxima_and_means() {
    let whole = service().json("/api/v1/history/gateway?resolution=60");
    let coarse = service().json("/api/v1/history/gateway?resolution=600");
    assert_eq!((&whole["step_seconds"], &coarse["step_seconds"]), (&json!(60.0), &json!(600.0)));
    let series = |history: &Value, field: &str| -> Vec<Option<f64>> {
        history[field].as_array().unwrap().iter().map(Value::as_f64).collect()
    };
    let (fine, means) = (series(&whole, "probability"), series(&coarse, "probability"));
    assert_eq!((fine.len(), means.len()), (360, 36));
    let largest = |part: &[Option<f64>]| part.iter().flatten().copied().reduce(f64::max);
    assert_eq!(means, fine.chunks(10).map(largest).collect::<Vec<_>>());
    assert_eq!(coarse["minutes"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum::<u64>(), 360);
    let cpu = |history: &Value| series(&history["metrics"], "cpu_usage");
    for (part, mean) in cpu(&whole).chunks(10).zip(cpu(&coarse)) {
        let sum: f64 = part.iter().flatten().sum();
        assert!((sum / 10.0 - mean.unwrap()).abs() < 1e-5);
    }
    // All lists have one entry a point.
    let points = coarse["times"].as_array().unwrap().len();
    assert!(
        ["minutes", "probability", "threshold"].iter().all(|field| series(&coarse, field).len() == points)
    );
    let late = service().json("/api/v1/history/gateway?from=2100-01-01T00:00:00Z&to=2100-01-02T00:00:00Z");
    assert_eq!(late["times"], json!([]));
}

#[test]
fn warnings_incidents_and_the_ledger_agree() {
    let warnings = pages("/api/v1/warnings", 7);
    assert!(!warnings.is_empty(), "the simulated day has no warning");
    let since: Vec<&str> = warnings.iter().map(|warning| warning["since"].as_str().unwrap()).collect();
    assert!(since.is_sorted_by(|a, b| a >= b), "{since:?}");
    let firing = pages("/api/v1/warnings?state=firing", 100).len();
    assert_eq!(firing + pages("/api/v1/warnings?state=resolved", 100).len(), warnings.len());
    let warning = &warnings[warnings.len() - 1];
    let id = warning["id"].as_str().unwrap().replace('/', "%2F");
    assert_eq!(service().json(&format!("/api/v1/warnings/{id}")), *warning);
    let incident = warning["incident"].as_str().unwrap();
    let incident = service().json(&format!("/api/v1/incidents/{incident}"));
    assert!(incident["warnings"].as_array().unwrap().contains(&warning["id"]));
    assert!(incident["services"].as_array().unwrap().contains(&warning["service"]));
    assert_eq!(incident["path"][0], incident["suspects"][0]["service"]);
    let ledger = service().json("/api/v1/ledger?limit=1000");
    let model = &ledger["models"][0];
    let entries = ledger["entries"]["items"].as_array().unwrap();
    for outcome in ["hit", "late", "false", "missed", "averted", "censored", "detected"] {
        let found =
            entries.iter().filter(|entry| entry["outcome"] == outcome && entry["shadow"] == false).count();
        let field = if outcome == "hit" { "hits" } else { outcome };
        assert_eq!(model[field], found, "{outcome}");
        let days: u64 =
            ledger["by_day"].as_array().unwrap().iter().map(|day| day[field].as_u64().unwrap()).sum();
        assert_eq!(days, found as u64, "{outcome}");
    }
    let judged = warnings.iter().filter(|warning| !warning["outcome"].is_null()).count();
    let of_warnings =
        entries.iter().filter(|entry| !entry["warning"].is_null() && entry["outcome"] != "detected");
    assert_eq!(judged, of_warnings.count());
    let filtered = service().json("/api/v1/ledger?service=gateway&limit=1000");
    let hits: Vec<_> =
        entries.iter().filter(|e| e["service"] == "gateway" && e["outcome"] == "hit").collect();
    assert_eq!(filtered["models"][0]["hits"], hits.len());
    let count: u64 =
        model["calibration"].as_array().unwrap().iter().map(|bin| bin["count"].as_u64().unwrap()).sum();
    assert!(count > 1_000, "{count} scores are judged");
}

#[test]
fn the_graph_shows_calls_and_what_is_near() {
    let graph = service().json("/api/v1/graph");
    assert_eq!(graph["nodes"].as_array().unwrap().len(), 5);
    assert_eq!(graph["edges"].as_array().unwrap().len(), 4);
    assert_eq!(graph["edges"][0]["requests"], Value::Null);
    assert_eq!(graph["critical_path"][0], "gateway");
    assert!(
        graph["blast_radius"]["database"].as_f64().unwrap() > graph["blast_radius"]["auth"].as_f64().unwrap()
    );
    let near = service().json("/api/v1/graph?around=auth&depth=1");
    let names: Vec<&str> =
        near["nodes"].as_array().unwrap().iter().map(|n| n["service"].as_str().unwrap()).collect();
    assert_eq!(names, ["auth", "database", "gateway"]);
    assert_eq!(service().get("/api/v1/graph?around=none").status(), 404);
}

#[test]
fn events_are_read_on_from_any_number() {
    let mut after = 0;
    let mut seen = Vec::new();
    loop {
        let page = service().json(&format!("/api/v1/events?kind=warning&after={after}&limit=3"));
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|event| event["seq"].as_u64().unwrap()));
        assert!(items.iter().all(|event| event["event"] == "warning"));
        after = page["next"].as_u64().unwrap();
        if items.len() < 3 {
            break;
        }
    }
    assert!(seen.is_sorted_by(|a, b| a < b) && !seen.is_empty());
    let newest = service().json("/api/v1/events?limit=5&service=gateway");
    assert_eq!(newest["items"].as_array().unwrap().len(), 5);
    assert!(newest["items"].as_array().unwrap().iter().all(|event| event["event"] != "row"));
    let row = service().json("/api/v1/events?kind=row&limit=1");
    assert_eq!(row["items"][0]["event"], "row");
}

#[test]
fn the_status_says_what_is_read_kept_and_refused() {
    let status = service().json("/api/v1/status");
    assert_eq!(status["name"], "forewarn");
    assert_eq!((&status["ready"], &status["simulator"]), (&json!(true), &json!(true)));
    assert!(status["counters"]["minutes"].as_u64().unwrap() >= 1_500);
    assert_eq!(status["metrics"].as_array().unwrap().len(), 10);
    assert_eq!(status["sources"].as_array().unwrap().len(), 2);
    assert_eq!(status["store"]["degraded"], false);
    assert!(status["limits_hit"]["rate"].is_number());
    assert_eq!(service().json("/-/healthy"), json!({"status": "ok"}));
    assert_eq!(service().json("/-/ready"), json!({"status": "ok"}));
}

#[test]
fn wrong_requests_are_problems_that_say_what_was_expected() {
    for (path, status, told) in [
        ("/api/v1/services?limit=0", 400, "1 to 10000"),
        ("/api/v1/services?limit=many", 400, "limit"),
        ("/api/v1/services?seach=x", 400, "seach"),
        ("/api/v1/services?level=extreme", 400, "extreme"),
        ("/api/v1/services?cursor=zz", 400, "next_cursor"),
        ("/api/v1/services/none", 404, "none"),
        ("/api/v1/services/%ff", 400, "UTF-8"),
        ("/api/v1/warnings?from=yesterday", 400, "yesterday"),
        ("/api/v1/warnings/none", 404, "none"),
        ("/api/v1/incidents/none", 404, "none"),
        ("/api/v1/history/none", 404, "none"),
        ("/api/v1/history/gateway?model=none", 404, "none"),
        ("/api/v1/history/gateway?resolution=0", 400, "resolution"),
        ("/api/v1/history/gateway?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 400, "from before to"),
        ("/api/v1/graph?depth=0", 400, "1 to 20"),
        ("/api/v2/status", 404, "openapi.json"),
        ("/ws", 400, "upgrade"),
    ] {
        let answer = service().get(path);
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        let problem = body(answer);
        assert!(problem["detail"].as_str().unwrap().contains(told), "{path}: {problem}");
    }
}

#[test]
fn the_document_has_every_route_and_no_other() {
    let document = service().json("/api/v1/openapi.json");
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 28, "{}", paths.len());
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            let concrete =
                path.replace("{id}", "0").replace("{name}", "gateway").replace("{service}", "gateway");
            let answer = service().send(&method.to_uppercase(), &concrete, None, None);
            let status = answer.status().as_u16();
            // Whatever changes something needs a token; signing out of nothing does nothing.
            let expected: &[u16] = match (method.as_str(), path.as_str()) {
                ("get", "/api/v1/live") => &[400],
                ("get", _) => &[200, 404],
                (_, "/api/v1/session") => &[204, 415],
                _ => &[401],
            };
            assert!(expected.contains(&status), "{method} {path}: {status}");
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
        }
    }
}

#[test]
fn short_names_have_the_same_answers() {
    let services = service().json("/api/services");
    // A simulation's gauges are of this moment.
    assert_eq!(services["gateway"]["cpu"], 0.25);
    assert_eq!(services["gateway"]["error_rate"], Value::Null);
    assert!(services["auth"]["cpu"].is_number() && services["auth"]["status"].is_string());
    let short = service().json("/api/predict/gateway");
    let whole = service().json("/api/v1/predictions/gateway");
    assert_eq!(
        short["incident_probability"].as_f64().unwrap(),
        100.0 * whole["probability"].as_f64().unwrap()
    );
    assert_eq!(short["risk_level"], whole["level"]);
}

#[test]
fn operators_acknowledge_act_silence_and_promote() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let service =
        Service::start(folder.path(), "minutes = 100000\nspeed = 6000", &http(""), WatchOptions::default())?;
    wait_for(|| service.handle.view().recent.warnings().any(|warning| warning.is_firing()));
    let firing = || body(service.get("/api/v1/warnings?state=firing&limit=1"))["items"][0]["id"].clone();
    let acted = loop {
        let Some(id) = firing().as_str().map(str::to_owned) else { continue };
        let path = format!("/api/v1/warnings/{id}/acknowledge");
        assert_eq!(service.send("POST", &path, None, None).status(), 401);
        assert_eq!(service.send("POST", &path, Some(VIEWER), None).status(), 403);
        let answer = service.send("POST", &path, Some(OPERATOR), None);
        // It may be over, and judged, by now.
        if answer.status() == 409 {
            continue;
        }
        assert_eq!(answer.status(), 200);
        assert_eq!(body(answer)["acknowledged"], true);
        let answer = service.send("POST", &format!("/api/v1/warnings/{id}/acted"), Some(OPERATOR), None);
        if answer.status() == 200 {
            break body(answer);
        }
    };
    assert_eq!(acted["acted"], true);
    assert_eq!(service.send("POST", "/api/v1/warnings/none/acted", Some(OPERATOR), None).status(), 404);
    let silence = json!({"service": "gateway", "minutes": 600, "comment": "a release"});
    let answer = service.send("POST", "/api/v1/silences", Some(OPERATOR), Some(&silence));
    assert_eq!(answer.status(), 201);
    let silence = &body(answer)["items"][0];
    assert_eq!(
        (&silence["service"], &silence["comment"], &silence["by"]),
        (&json!("gateway"), &json!("a release"), &json!("operator"))
    );
    assert!(service.json("/api/v1/services/gateway")["silenced_until"].is_string());
    let reason = json!({"reason": "it is better"});
    let promote = |name: &str, token| {
        service.send("POST", &format!("/api/v1/models/{name}/promote"), Some(token), Some(&reason)).status()
    };
    assert_eq!(promote("model", OPERATOR), 403);
    assert_eq!(promote("none", ADMIN), 404);
    assert_eq!(promote("model", ADMIN), 200);
    Ok(())
}

#[test]
fn the_calls_of_a_simulation_have_their_flow() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let service = Service::start(folder.path(), "minutes = 60", &http(""), WatchOptions::default())?;
    service.wait_for_minutes(30);
    let graph = service.json("/api/v1/graph");
    let edges = graph["edges"].as_array().ok_or("no edges")?;
    assert_eq!(edges.len(), 4);
    for edge in edges {
        assert!(edge["requests"].as_f64().is_some_and(|requests| requests > 0.0), "{edge}");
        assert!(edge["error_rate"].as_f64().is_some_and(|rate| (0.0..=1.0).contains(&rate)), "{edge}");
    }
    Ok(())
}

#[test]
fn the_comment_of_a_silence_outlives_a_restart() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let start = || {
        let service = Service::start(folder.path(), "minutes = 60", &http(""), WatchOptions::default())?;
        service.wait_for_minutes(30);
        Ok::<_, BoxError>(service)
    };
    let before = {
        let service = start()?;
        wait_for(|| service.handle.view().view.services.iter().any(|service| service.name == "user"));
        let silence = json!({"service": "user", "minutes": 600, "comment": "a migration"});
        body(service.send("POST", "/api/v1/silences", Some(OPERATOR), Some(&silence)))
    };
    assert_eq!(
        (&before["items"][0]["comment"], &before["items"][0]["by"]),
        (&json!("a migration"), &json!("operator"))
    );
    let service = start()?;
    assert_eq!(service.json("/api/v1/silences"), before);
    // Another silence of the service is not what that comment was about.
    let silence = json!({"service": "user", "minutes": 300});
    let after = body(service.send("POST", "/api/v1/silences", Some(OPERATOR), Some(&silence)));
    assert_eq!(after["items"][0]["comment"], "");
    Ok(())
}

/// All entries of a list, page by page.
fn all_pages(service: &Service, path: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = service.json(&format!("{path}&limit=37{cursor}"));
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

#[test]
fn warnings_and_incidents_of_the_past_come_from_the_history_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    // A budget that is never used up, so that memory is too small for the warnings.
    let more =
        format!("{}[recent]\nhours = 1\nrecords = 100\n[budget]\nper_service_week = 100000.0\n", http(""));
    let service = Service::start(folder.path(), "minutes = 1600", &more, WatchOptions::default()).unwrap();
    service.wait_for_minutes(1_600);
    let in_memory = || service.handle.view().recent.warnings().next().map(|first| first.event.since);
    wait_for(|| {
        let view = service.handle.view();
        let written = view.about.past.as_ref().and_then(|past| past.span());
        written.zip(in_memory()).is_some_and(|((_, until), first)| until > first)
    });
    let memory = all_pages(&service, "/api/v1/warnings?state=all");
    assert_eq!(memory.len(), 100, "memory holds what it may");
    let all = all_pages(&service, "/api/v1/warnings?from=2000-01-01T00:00:00Z");
    assert!(all.len() > memory.len() && all[..100] == memory[..], "{} warnings", all.len());
    let ids: std::collections::BTreeSet<&str> = all.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), all.len(), "each once");
    assert!(all.is_sorted_by(|a, b| a["since"].as_str() >= b["since"].as_str()));
    let oldest = &all[all.len() - 1];
    assert!(!oldest["resolved_at"].is_null() && !oldest["outcome"].is_null(), "{oldest}");
    let id = oldest["id"].as_str().unwrap();
    assert_eq!(service.json(&format!("/api/v1/warnings/{id}")), *oldest);
    let name = oldest["service"].as_str().unwrap();
    let of_service =
        all_pages(&service, &format!("/api/v1/warnings?from=2000-01-01T00:00:00Z&service={name}"));
    assert!(of_service.iter().all(|one| one["service"] == name) && of_service.last() == Some(oldest));
    let incident = oldest["incident"].as_str().unwrap();
    let found = service.json(&format!("/api/v1/incidents/{incident}"));
    assert!(found["warnings"].as_array().unwrap().contains(&oldest["id"]), "{found}");
    let incidents = all_pages(&service, "/api/v1/incidents?from=2000-01-01T00:00:00Z");
    assert!(incidents.iter().any(|one| one["id"] == incident));
    let since = found["since"].as_str().unwrap();
    let before = all_pages(&service, &format!("/api/v1/incidents?from=2000-01-01T00:00:00Z&to={since}"));
    assert!(before.iter().all(|one| one["since"].as_str().unwrap() < since));
    for path in ["/api/v1/warnings/w:none:2026-01-01T00:00:00Z", "/api/v1/incidents/none"] {
        assert_eq!(service.get(path).status(), 404, "{path}");
    }
}

#[test]
fn what_is_no_longer_in_memory_comes_from_the_history_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let more = format!("{}[recent]\nhours = 1\nrecords = 100\n", http(""));
    let service = Service::start(folder.path(), "minutes = 1600", &more, WatchOptions::default()).unwrap();
    service.wait_for_minutes(1_600);
    // The last checkpoint is no further back than memory.
    wait_for(|| {
        let view = service.handle.view();
        let written = view.about.past.as_ref().and_then(|past| past.span());
        written.zip(view.last_row).is_some_and(|((_, until), last)| last.minutes_since(until) < 58.0)
    });
    let status = service.json("/api/v1/status");
    let last: forewarn_schema::Timestamp = status["last_row"].as_str().unwrap().parse().unwrap();
    let ago =
        |minutes: i64| forewarn_schema::Timestamp::from_millis(last.millis() - minutes * 60_000).unwrap();
    let path = format!("/api/v1/history/gateway?from={}&to={}&resolution=60", ago(1_500), ago(1_000),);
    let history = service.json(&path);
    let times = history["times"].as_array().unwrap();
    assert_eq!((times.len(), times[0].as_str()), (500, Some(ago(1_500).to_string().as_str())));
    let known = |list: &Value| list.as_array().unwrap().iter().filter(|value| value.is_number()).count();
    assert_eq!(known(&history["metrics"]["error_rate"]), 500);
    assert!(known(&history["probability"]) > 400 && known(&history["threshold"]) > 400);
    // A span over the edge of memory has each minute once.
    let both = service.json(&format!("/api/v1/history/gateway?from={}&resolution=60", ago(400)));
    assert_eq!(both["times"].as_array().unwrap().len(), 401);
    assert!(both["minutes"].as_array().unwrap().iter().all(|rows| rows == 1), "{both}");
    // The ledger and failures of before.
    let memory = service.json("/api/v1/ledger?limit=1000");
    let all = service.json(&format!("/api/v1/ledger?limit=1000&from={}", ago(1_600)));
    let total = |page: &Value| page["entries"]["total"].as_u64().unwrap();
    assert!(total(&all) >= total(&memory), "{all}");
    let numbers: Vec<u64> = all["entries"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["seq"].as_u64().unwrap())
        .collect();
    assert!(numbers.windows(2).all(|pair| pair[0] > pair[1]));
    assert_eq!(service.get(&format!("/api/v1/history/gateway?from={}", ago(200 * 1440))).status(), 200);
}
