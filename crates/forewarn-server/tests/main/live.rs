//! The live stream of a running service, by clients on loopback sockets.

use crate::{chaos::FakeChaos, client::*};
use forewarn_live::Event;
use forewarn_server::WatchOptions;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpSocket, runtime::Runtime, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// Far beyond what anything here takes, on a busy machine too.
const LONG: Duration = Duration::from_secs(300);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Sixty rows of each service a second.
const RUNNING: &str = "minutes = 100000\nspeed = 3600";

fn start(folder: &tempfile::TempDir, source: &str) -> Service {
    let options = WatchOptions::default().with_chaos(Arc::new(FakeChaos::default()));
    let service = Service::start(folder.path(), source, &http(""), options).unwrap();
    service.wait_for_minutes(30);
    service
}

async fn connect(service: &Service, query: &str) -> Socket {
    let url = format!("ws://{}/api/v1/live{query}", service.address);
    connect_async(url).await.unwrap().0
}

/// The next message, or why it was the last one.
async fn read<S>(socket: &mut WebSocketStream<S>) -> Result<Value, Option<CloseCode>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        match timeout(LONG, socket.next()).await.expect("it never came") {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code)),
            Some(Ok(_)) => {}
            None | Some(Err(_)) => return Err(None),
        }
    }
}

/// The next message that is more than the time.
async fn news(socket: &mut Socket) -> Value {
    loop {
        let message = read(socket).await.unwrap();
        if message["type"] != "beat" {
            return message;
        }
    }
}

fn number(message: &Value) -> u64 {
    message["seq"].as_u64().unwrap()
}

/// Reads a snapshot, then this many events, of which none is missing. Gives the last one's number.
async fn follow(socket: &mut Socket, events: u64) -> u64 {
    let whole = read(socket).await.unwrap();
    assert_eq!(whole["type"], "snapshot");
    let (first, mut last) = (number(&whole), number(&whole));
    while last < first + events {
        let message = read(socket).await.unwrap();
        if message["type"] == "event" {
            assert_eq!(number(&message), last + 1);
            assert_eq!(message["event"]["seq"], message["seq"]);
            last += 1;
        } else {
            assert_eq!(message["type"], "beat");
        }
    }
    last
}

#[test]
fn a_snapshot_comes_first_and_then_every_event() {
    let folder = tempfile::tempdir().unwrap();
    let service = start(&folder, RUNNING);
    runtime().block_on(async {
        let mut socket = connect(&service, "").await;
        let whole = read(&mut socket).await.unwrap();
        assert_eq!(whole["type"], "snapshot");
        assert_eq!(whole["services"].as_array().unwrap().len(), 5);
        assert_eq!(whole["graph"]["nodes"].as_array().unwrap().len(), 5);
        assert_eq!((&whole["status"]["name"], &whole["status"]["clients"]), (&json!("forewarn"), &json!(1)));
        assert_eq!(whole["chaos"]["available"], true);
        assert!(whole["warnings"].is_array() && whole["incidents"].is_array());
        // What it includes is what the API says of that moment or a later one.
        assert!(number(&whole) < service.handle.view().events.next());

        let (mut last, mut beats) = (number(&whole), 0);
        while last < number(&whole) + 300 || beats < 3 {
            let message = read(&mut socket).await.unwrap();
            if message["type"] == "beat" {
                beats += 1;
                assert!(message["now"].is_string() && message["row_age_seconds"].is_number());
                assert!(message["seq"].as_u64().unwrap() >= last);
                let gateway = &message["services"]["gateway"];
                assert_eq!((&gateway["cpu"], &gateway["latency"]), (&json!(0.25), &Value::Null));
            } else {
                assert_eq!(number(&message), last + 1, "{message}");
                last += 1;
                let view = service.handle.view();
                let event = view.events.since(last).next().unwrap();
                let said: Event = serde_json::from_value(message["event"].clone()).unwrap();
                assert_eq!(said, event.event);
            }
        }
    });
}

#[test]
fn a_client_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let service = start(&folder, RUNNING);
    runtime().block_on(async {
        let mut socket = connect(&service, "").await;
        let mut last = follow(&mut socket, 20).await;
        socket.close(None).await.unwrap();

        let mut socket = connect(&service, &format!("?after={last}")).await;
        let first = news(&mut socket).await;
        assert_eq!((&first["type"], number(&first)), (&json!("event"), last + 1));

        // What is said at once is heard; what comes late, on a busy machine, is answered by the snapshot.
        let mut tries = 0;
        loop {
            let mut socket = connect(&service, "").await;
            socket.send(Message::text(format!("{{\"resume\":{last}}}"))).await.unwrap();
            let first = news(&mut socket).await;
            if first["type"] == "event" {
                assert_eq!(number(&first), last + 1);
                break;
            }
            assert_eq!(first["type"], "snapshot");
            last = number(&first);
            tries += 1;
            assert!(tries < 100, "a resume was never heard");
        }

        for elsewhere in ["?after=999999999999", "?after=18446744073709551615"] {
            let mut socket = connect(&service, elsewhere).await;
            assert_eq!(read(&mut socket).await.unwrap()["type"], "snapshot", "{elsewhere}");
        }
        let mut socket = connect(&service, "").await;
        socket.send(Message::text("{\"resum\":1}")).await.unwrap();
        let over = loop {
            if let Err(code) = read(&mut socket).await {
                break code;
            }
        };
        assert_eq!(over, Some(CloseCode::Unsupported));
    });
}

#[test]
fn a_client_that_has_everything_gets_the_time_only() {
    let folder = tempfile::tempdir().unwrap();
    let service = start(&folder, "minutes = 30");
    wait_for(|| {
        let before = service.handle.view().events.next();
        std::thread::sleep(Duration::from_millis(300));
        service.handle.view().events.next() == before
    });
    let next = service.handle.view().events.next();
    runtime().block_on(async {
        let mut socket = connect(&service, &format!("?after={}", next - 1)).await;
        let first = read(&mut socket).await.unwrap();
        assert_eq!((&first["type"], number(&first)), (&json!("beat"), next - 1));
        let mut socket = connect(&service, "?after=0").await;
        let first = read(&mut socket).await.unwrap();
        assert_eq!((&first["type"], number(&first)), (&json!("event"), 1));
    });
}

#[test]
fn a_slow_client_is_told_what_it_missed_and_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    // As fast as it goes.
    let service = start(&folder, "minutes = 400000");
    runtime().block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8 << 10).unwrap();
        let stream = socket.connect(service.address).await.unwrap();
        let url = format!("ws://{}/api/v1/live", service.address);
        let (mut slow, _) = client_async(url, stream).await.unwrap();
        let whole = read(&mut slow).await.unwrap();
        let mut last = number(&whole);
        // More than it may be behind, beside what the system keeps between the two.
        let enough = last + 40_000;
        timeout(LONG, async {
            while service.handle.view().events.next() < enough {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .expect("the simulation stands still");
        let mut other = connect(&service, "").await;
        assert_eq!(read(&mut other).await.unwrap()["type"], "snapshot");

        let missed = loop {
            let message = read(&mut slow).await.unwrap();
            match message["type"].as_str() {
                Some("event") => {
                    assert_eq!(number(&message), last + 1);
                    last += 1;
                }
                Some("beat") => {}
                _ => break message,
            }
        };
        assert_eq!(missed["type"], "lagged");
        let whole = read(&mut slow).await.unwrap();
        assert_eq!(whole["type"], "snapshot");
        assert_eq!(missed["missed"], number(&whole) - last);
        assert!(number(&whole) > last);
        last = number(&whole);
        let next = loop {
            let message = read(&mut slow).await.unwrap();
            match message["type"].as_str() {
                Some("event") => break number(&message),
                // It may be too slow again.
                Some("snapshot") => last = number(&message),
                _ => {}
            }
        };
        assert_eq!(next, last + 1);
    });
}

#[test]
fn pages_of_other_origins_get_no_stream() {
    let folder = tempfile::tempdir().unwrap();
    let service = start(&folder, "minutes = 30");
    let answer = service.get("/api/v1/live");
    assert_eq!((answer.status().as_u16(), body(answer)["status"].clone()), (400, json!(400)));
    for (query, told) in [("?after=x", "after"), ("?since=1", "since")] {
        let answer = service.get(&format!("/api/v1/live/sse{query}"));
        assert_eq!(answer.status(), 400);
        assert!(body(answer)["detail"].as_str().unwrap().contains(told));
    }
    runtime().block_on(async {
        let own = service.url("");
        for (origin, status) in [("http://evil.com", 403), ("null", 403), (own.as_str(), 101)] {
            let mut request = format!("ws://{}/api/v1/live", service.address).into_client_request().unwrap();
            request.headers_mut().insert("origin", origin.parse().unwrap());
            let found = match connect_async(request).await {
                Ok((_, response)) => response.status().as_u16(),
                Err(Error::Http(response)) => response.status().as_u16(),
                Err(error) => panic!("{error}"),
            };
            assert_eq!(found, status, "{origin}");
        }
    });
    assert_eq!(service.json("/api/v1/status")["limits_hit"]["origin"], 2);
}

#[test]
fn two_hundred_clients_get_every_event_and_a_goodbye() {
    let folder = tempfile::tempdir().unwrap();
    let service = start(&folder, "minutes = 100000\nspeed = 600");
    let runtime = runtime();
    let ready = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = runtime.block_on(async {
        let mut tasks = Vec::new();
        for _ in 0..200 {
            let (mut socket, ready) = (connect(&service, "").await, Arc::clone(&ready));
            tasks.push(tokio::spawn(async move {
                follow(&mut socket, 40).await;
                ready.fetch_add(1, Ordering::Relaxed);
                loop {
                    if let Err(code) = read(&mut socket).await {
                        return code;
                    }
                }
            }));
        }
        tasks
    });
    wait_for(|| ready.load(Ordering::Relaxed) == 200);
    assert_eq!(service.json("/api/v1/status")["clients"], 200);
    drop(service);
    for task in tasks {
        assert_eq!(runtime.block_on(task).unwrap(), Some(CloseCode::Away));
    }
}

/// Id and data of the next message of a stream of server-sent events.
fn sent(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> (Option<u64>, Value) {
    let (mut id, mut data) = (None, None);
    loop {
        let line = lines.next().unwrap().unwrap();
        match line.split_once(": ") {
            Some(("id", number)) => id = Some(number.parse().unwrap()),
            Some(("data", text)) => data = Some(serde_json::from_str(text).unwrap()),
            None if line.is_empty() => return (id, data.unwrap()),
            _ => panic!("{line}"),
        }
    }
}

#[test]
fn streams_whose_token_is_taken_away_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    let service = start(&folder, RUNNING);
    let events = agent().get(service.url("/api/v1/live/sse"));
    let events = events.header("authorization", format!("Bearer {VIEWER}")).call().unwrap();
    let mut events = BufReader::new(events.into_body().into_reader());
    events.read_line(&mut String::new()).unwrap();
    runtime().block_on(async {
        let open = async |token: &str| {
            let mut request = format!("ws://{}/api/v1/live", service.address).into_client_request().unwrap();
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
            let mut socket = connect_async(request).await.unwrap().0;
            assert_eq!(read(&mut socket).await.unwrap()["type"], "snapshot");
            socket
        };
        let (mut viewer, mut operator) = (open(VIEWER).await, open(OPERATOR).await);
        let path = folder.path().join("forewarn.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let start = text.find("[[token]]\nname = \"viewer\"").unwrap();
        let end = text.find("[[token]]\nname = \"operator\"").unwrap();
        std::fs::write(&path, [&text[..start], &text[end..]].concat()).unwrap();
        assert_eq!(service.send("POST", "/-/reload", Some(ADMIN), None).status(), 200);
        let code = loop {
            if let Err(code) = read(&mut viewer).await {
                break code;
            }
        };
        assert_eq!(code, Some(CloseCode::Policy));
        // Others go on.
        let seen = service.handle.view().events.next();
        while number(&news(&mut operator).await) < seen {}
    });
    // The body of the events ends as well, in order or not.
    let mut line = String::new();
    while events.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
        line.clear();
    }
}

#[test]
fn server_sent_events_have_the_same_messages() {
    let folder = tempfile::tempdir().unwrap();
    let service = start(&folder, RUNNING);
    let open = |query: &str, id: Option<u64>| {
        let mut request = agent().get(service.url(&format!("/api/v1/live/sse{query}")));
        if let Some(id) = id {
            request = request.header("last-event-id", id.to_string());
        }
        let answer = request.call().unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        BufReader::new(answer.into_body().into_reader()).lines()
    };
    let mut lines = open("", None);
    let (id, whole) = sent(&mut lines);
    assert_eq!((&whole["type"], whole["seq"].as_u64()), (&json!("snapshot"), id));
    let mut last = number(&whole);
    for _ in 0..50 {
        let (id, message) = sent(&mut lines);
        if message["type"] == "event" {
            assert_eq!((id, number(&message)), (Some(last + 1), last + 1));
            last += 1;
        } else {
            assert_eq!((&message["type"], id), (&json!("beat"), None));
        }
    }
    assert_eq!(service.json("/api/v1/status")["clients"], 1);
    drop(lines);
    // The browser's own word is newer than the address.
    for (query, id) in [(format!("?after={last}"), None), ("?after=1".to_owned(), Some(last))] {
        let mut lines = open(&query, id);
        let first =
            std::iter::from_fn(|| Some(sent(&mut lines))).find(|(_, message)| message["type"] != "beat");
        let (id, message) = first.unwrap();
        assert_eq!((id, &message["type"]), (Some(last + 1), &json!("event")));
    }
    wait_for(|| service.json("/api/v1/status")["clients"] == 0);
}

/// Seconds of processor time that the threads of the server have had.
fn server_seconds() -> f64 {
    let mut ticks = 0.0;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap_or_default();
        if let Some((head, fields)) = stat.rsplit_once(')')
            && head.ends_with("(http")
        {
            let fields: Vec<f64> =
                fields.split_whitespace().map(|field| field.parse().unwrap_or(0.0)).collect();
            ticks += fields[11] + fields[12];
        }
    }
    ticks / 100.0
}

#[test]
#[ignore = "measures: cargo test -p forewarn-server --test main a_thousand -- --ignored --nocapture"]
fn a_thousand_clients_cost_little() {
    let folder = tempfile::tempdir().unwrap();
    // A row of each of five services every second.
    let service = start(&folder, "minutes = 100000\nspeed = 60");
    let runtime = runtime();
    let began = server_seconds();
    let mut clients: Vec<Socket> = runtime.block_on(async {
        let mut clients = Vec::new();
        for _ in 0..1_000 {
            clients.push(connect(&service, "").await);
        }
        for socket in &mut clients {
            assert_eq!(read(socket).await.unwrap()["type"], "snapshot");
        }
        clients
    });
    let connected = server_seconds();
    let (started, first) = (std::time::Instant::now(), service.handle.view().events.next());
    let messages: u64 = runtime.block_on(async {
        let mut tasks = Vec::new();
        for mut socket in clients.drain(..) {
            tasks.push(tokio::spawn(async move {
                let mut messages = 0;
                while started.elapsed() < Duration::from_secs(30) {
                    read(&mut socket).await.unwrap();
                    messages += 1;
                }
                (messages, socket)
            }));
        }
        let mut all = 0;
        for task in tasks {
            all += task.await.unwrap().0;
        }
        all
    });
    let (seconds, events) = (started.elapsed().as_secs_f64(), service.handle.view().events.next() - first);
    let spent = server_seconds() - connected;
    println!(
        "1,000 clients: connecting {:.2} s of processor time; then {events} events and {messages} messages in \
         {seconds:.1} s for {spent:.2} s of processor time, {:.1} µs a message",
        connected - began,
        1e6 * spent / messages as f64,
    );
}
