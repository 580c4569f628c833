//! Faults of a published dashboard of this kind that must not be possible here. Time-outs, limits, origins and CORS are
//! tested beside the server itself.

use crate::{chaos::FakeChaos, client::*, world::*};
use forewarn_server::{Running, WatchConfig, WatchOptions};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::Arc,
    thread,
    time::Duration,
};
use tokio_tungstenite::tungstenite::{Message, connect, stream::MaybeTlsStream};

fn with_chaos() -> WatchOptions {
    WatchOptions::default().with_chaos(Arc::new(FakeChaos::default()))
}

#[test]
fn faults_are_injected_with_a_token_only_and_each_is_one_of_its_own() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let service = Service::start(folder.path(), "minutes = 30", &http(""), with_chaos())?;
    let fault = json!({"service": "database", "kind": "cpu_spike", "severity": 0.5, "seconds": 30});
    let short = json!({"target_service": "database", "chaos_type": "cpu_spike", "duration": 30});
    for token in [None, Some("wrong"), Some(VIEWER)] {
        for (method, path, body) in [
            ("POST", "/api/v1/chaos", Some(&fault)),
            ("POST", "/api/chaos/inject", Some(&short)),
            ("POST", "/api/reset", None),
            ("POST", "/api/v1/reset", None),
            ("DELETE", "/api/v1/chaos", None),
            ("DELETE", "/api/v1/chaos/0", None),
        ] {
            let status = service.send(method, path, token, body).status().as_u16();
            assert!([401, 403].contains(&status), "{method} {path}: {status}");
        }
    }
    assert_eq!(service.json("/api/v1/chaos")["active"], json!([]));
    // Many at once: each gets an id, and all are there.
    let ids: Vec<u64> = thread::scope(|scope| {
        let inject = || {
            let answer = service.send("POST", "/api/v1/chaos", Some(OPERATOR), Some(&fault));
            assert_eq!(answer.status(), 201);
            body(answer)["id"].as_u64().unwrap()
        };
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(inject)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 16);
    assert_eq!(service.json("/api/v1/chaos")["active"].as_array().unwrap().len(), 16);
    let stop = |path: &str| service.send("DELETE", path, Some(OPERATOR), None).status().as_u16();
    assert_eq!((stop("/api/v1/chaos/3"), stop("/api/v1/chaos/99"), stop("/api/v1/chaos/x")), (200, 404, 400));
    assert_eq!(service.send("POST", "/api/chaos/inject", Some(OPERATOR), Some(&short)).status(), 201);
    assert_eq!(body(service.send("POST", "/api/reset", Some(OPERATOR), None)), json!({"ended": 16}));
    for wrong in [
        json!({"service": "database", "kind": "none"}),
        json!({"service": "none", "kind": "cpu_spike"}),
        json!({"service": "database", "kind": "cpu_spike", "seconds": -1}),
        json!({"service": "database", "kind": "cpu_spike", "secs": 1}),
    ] {
        assert_eq!(
            service.send("POST", "/api/v1/chaos", Some(OPERATOR), Some(&wrong)).status(),
            400,
            "{wrong}"
        );
    }
    Ok(())
}

#[test]
fn a_browser_signs_in_for_a_cookie_and_needs_its_own_origin() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let service = Service::start(folder.path(), "minutes = 30", &http(""), with_chaos())?;
    assert_eq!(service.json("/api/v1/session"), json!({"role": null, "name": null, "reads": true}));
    let sign_in = |token: &str| service.send("POST", "/api/v1/session", None, Some(&json!({"token": token})));
    assert_eq!(sign_in("wrong").status(), 401);
    let answer = sign_in(OPERATOR);
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].to_str()?.to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(OPERATOR));
    let cookie = cookie.split(';').next().unwrap().to_owned();
    assert_eq!(body(answer)["role"], "operator");
    let own = service.url("");
    let reset = |headers: &[(&str, &str)]| {
        let request = agent().post(service.url("/api/v1/reset")).header("cookie", &cookie);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.send_empty().unwrap().status().as_u16()
    };
    assert_eq!(reset(&[]), 403);
    assert_eq!(reset(&[("origin", &own)]), 403);
    assert_eq!(reset(&[("x-forewarn", "1")]), 403);
    assert_eq!(reset(&[("origin", "http://evil.com"), ("x-forewarn", "1")]), 403);
    assert_eq!(reset(&[("origin", &own), ("x-forewarn", "1")]), 200);
    let end = agent().delete(service.url("/api/v1/session")).header("cookie", &cookie).header("origin", &own);
    assert_eq!(end.header("x-forewarn", "1").call()?.status(), 204);
    assert_eq!(reset(&[("origin", &own), ("x-forewarn", "1")]), 401);
    Ok(())
}

#[test]
fn sockets_come_and_go_and_each_message_is_whole() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let service = Service::start(folder.path(), "minutes = 100000\nspeed = 6000", &http(""), with_chaos())?;
    service.wait_for_minutes(30);
    let address = format!("ws://{}/ws", service.address);
    let read = |messages: usize| {
        let (mut socket, _) = connect(&address).unwrap();
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        }
        for _ in 0..messages {
            let Message::Text(text) = socket.read().unwrap() else { panic!("not a text") };
            let services: Value = serde_json::from_str(&text).unwrap();
            assert!(services["gateway"]["cpu"].is_number());
        }
        // Some say goodbye, some are just gone.
        if messages == 1 {
            socket.close(None).unwrap();
        }
    };
    thread::scope(|scope| {
        for client in 0..60 {
            scope.spawn(move || read(1 + client % 2));
        }
    });
    wait_for(|| service.json("/api/v1/status")["clients"] == 0);
    Ok(())
}

#[test]
fn an_answer_is_of_one_moment_while_the_engine_runs() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let service = Service::start(folder.path(), "minutes = 3000", &http(""), WatchOptions::default())?;
    service.wait_for_minutes(1);
    let read = || {
        let (mut last, mut moments) = (0, BTreeSet::new());
        while moments.len() < 20 && service.handle.view().view.counters.minutes < 3_000 {
            let answer = service.json("/api/v1/services");
            let times: BTreeSet<_> = answer["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|service| service["time"].to_string())
                .collect();
            assert!(times.len() <= 1, "{times:?}");
            moments.extend(times);
            let seq = service.json("/api/v1/status")["seq"].as_u64().unwrap_or(0);
            assert!(seq >= last);
            last = seq;
        }
        moments.len()
    };
    thread::scope(|scope| {
        let readers: Vec<_> = (0..4).map(|_| scope.spawn(read)).collect();
        assert!(readers.into_iter().any(|reader| reader.join().unwrap() > 1));
    });
    Ok(())
}

#[test]
fn connections_that_are_left_half_way_are_let_go() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let few = http("").replace("burst", "connections = 4\nheader_secs = 1\nrequest_secs = 1\nburst");
    let service = Service::start(folder.path(), "minutes = 30", &few, with_chaos())?;
    let mut held = Vec::new();
    for _ in 0..5 {
        // Bodies that are announced and never sent, with a token and without.
        for token in [OPERATOR, "wrong"] {
            let mut stream = TcpStream::connect(service.address)?;
            let request = format!(
                "POST /api/v1/chaos HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
                 content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{"
            );
            stream.write_all(request.as_bytes())?;
            held.push(stream);
        }
        wait_for(|| agent().get(service.url("/-/healthy")).call().is_ok_and(|answer| answer.status() == 200));
    }
    Ok(())
}

#[test]
fn a_model_file_is_data_and_a_pickle_is_none() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let config: WatchConfig = configure(folder.path(), "minutes = 30", "")?;
    // What Python would run when it reads it: os.system("true").
    let pickle = b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R\x94.";
    for bytes in [&pickle[..], b"PK\x03\x04", b"\x7fELF", b""] {
        std::fs::write(&config.model.path, bytes)?;
        let error = Running::start(config.clone(), WatchOptions::default()).err().ok_or("it was read")?;
        assert!(error.to_string().contains("model.safetensors"), "{error}");
    }
    Ok(())
}

#[test]
fn secrets_are_in_no_answer() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let service = Service::start(folder.path(), "minutes = 30", &http(""), with_chaos())?;
    let document = service.json("/api/v1/openapi.json");
    for path in document["paths"].as_object().unwrap().keys().filter(|path| !path.contains('{')) {
        let request = agent().get(service.url(path)).header("authorization", format!("Bearer {ADMIN}"));
        let mut body = BufReader::new(request.call()?.into_body().into_reader());
        let mut text = String::new();
        if path.ends_with("/sse") {
            // A stream has no end: id and data of its snapshot.
            body.read_line(&mut text)?;
            body.read_line(&mut text)?;
        } else {
            body.read_to_string(&mut text)?;
        }
        for token in [VIEWER, OPERATOR, ADMIN] {
            let hash = forewarn_server::http::TokenHash::of(token).to_string();
            assert!(!text.contains(token) && !text.contains(&hash), "{path}");
        }
    }
    Ok(())
}
