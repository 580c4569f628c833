//! Faults of a target that the configuration names, asked for over HTTP as the page does.

use crate::{client::*, world::*};
use forewarn_server::{
    Running, Stop, WatchConfig, WatchOptions,
    http::TokenHash,
    runtime::{FakeTransport, HttpResponse, Transport},
};
use serde_json::{Value, json};
use std::{path::Path, sync::Arc, thread};

/// A service that follows an empty file, with a target for faults.
fn configured(folder: &Path) -> Result<WatchConfig, BoxError> {
    write_model_to(folder)?;
    let header = "timestamp,service,request_count,error_rate,p50_latency,p95_latency,p99_latency,cpu_usage,\
                  memory_usage,network_in,network_out,pod_restarts\n";
    std::fs::write(folder.join("metrics.csv"), header)?;
    let tokens = [("viewer", VIEWER), ("operator", OPERATOR)].map(|(role, token)| {
        let hash = TokenHash::of(token);
        format!("[[token]]\nname = \"{role}\"\nrole = \"{role}\"\nsha256 = \"{hash}\"\n")
    });
    let text = format!(
        "[model]\npath = \"model.safetensors\"\n[source]\nkind = \"file\"\npath = \"metrics.csv\"\nfollow = true\n\
         [store]\npath = \"store\"\n[events]\npath = \"events.ndjson\"\n\
         [http]\nlisten = \"127.0.0.1:0\"\nanonymous_reads = true\n{}\
         [chaos]\nurl = \"https://chaos.example/hook?key=secret\"\n[[chaos.experiment]]\nkind = \"cpu_spike\"\n\
         services = [\"cart\"]\n",
        tokens.concat()
    );
    let path = folder.join("forewarn.toml");
    std::fs::write(&path, text)?;
    Ok(WatchConfig::from_path(&path)?)
}

#[test]
fn an_operator_breaks_what_is_listed_and_an_orderly_end_mends_it() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let network = Arc::new(FakeTransport::new(|_| Ok(HttpResponse::new(200, ""))));
    let options = WatchOptions::default().with_transport(Arc::clone(&network) as Arc<dyn Transport>);
    let running = Running::start(configured(folder.path())?, options)?;
    let (address, stop) = (running.address().ok_or("no address")?, Stop::default());
    let asked = stop.clone();
    let ends = thread::spawn(move || running.wait(&asked, &mut |_| {}).map_err(|error| error.to_string()));
    let url = format!("http://{address}/api/v1/chaos");
    let inject = |token: &str, fault: &Value| {
        let request = agent().post(&url).header("authorization", format!("Bearer {token}"));
        request.header("content-type", "application/json").send(fault.to_string()).unwrap()
    };
    let fault = json!({"service": "cart", "kind": "cpu_spike", "seconds": 300});
    assert_eq!(inject(VIEWER, &fault).status(), 403);
    assert_eq!(inject(OPERATOR, &json!({"service": "auth", "kind": "cpu_spike"})).status(), 400);
    // An address is no part of a request.
    assert_eq!(
        inject(OPERATOR, &json!({"service": "cart", "kind": "cpu_spike", "url": "http://a"})).status(),
        400
    );
    assert!(network.requests().is_empty());
    let answer = inject(OPERATOR, &fault);
    assert_eq!(answer.status(), 201);
    assert_eq!(body(answer)["phase"], "active");
    assert_eq!(inject(OPERATOR, &fault).status(), 409, "one at a time");
    let shown = agent().get(&url).call()?.body_mut().read_to_string()?;
    assert!(shown.contains("cpu_spike") && !shown.contains("chaos.example") && !shown.contains("secret"));
    stop.stop();
    ends.join().unwrap()?;
    let told: Vec<Value> =
        network.requests().iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
    let words: Vec<_> = told.iter().map(|told| (told["action"].as_str(), told["id"].as_u64())).collect();
    assert_eq!(words, [(Some("start"), Some(1)), (Some("stop"), Some(1))]);
    Ok(())
}
