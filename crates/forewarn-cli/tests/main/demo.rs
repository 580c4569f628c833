//! The demo as a process: it trains, tells its story, ends, and goes on after a kill with the same events.

use crate::support::{done, refused};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

/// A folder with trained models, in which nothing has run.
fn trained(at: &Path, name: &str) {
    fs::create_dir(at.join(name)).unwrap();
    for entry in fs::read_dir(at.join("first")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "safetensors" || extension == "json") {
            fs::copy(&path, at.join(name).join(path.file_name().unwrap())).unwrap();
        }
    }
}

/// The live demo, ready: the process, address and token.
fn start(at: &Path, arguments: &[&str]) -> (Child, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forewarn"));
    command.args(["demo", "--quiet", "--port", "18080"]).args(arguments).current_dir(at);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let link = lines.find_map(|line| line.ok().filter(|line| line.contains("#token="))).unwrap();
    let (address, token) = link.split_once("/#token=").unwrap();
    let address = address.strip_prefix("http://").unwrap().to_owned();
    // What follows is read to its end, so that the process is not stopped by a full pipe.
    let token = token.to_owned();
    std::thread::spawn(move || lines.for_each(drop));
    (child, address, token)
}

fn post(address: &str, path: &str, token: Option<&str>, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let token = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\n{token}Content-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_tells_an_hour_and_goes_on_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let story = done(at, &["demo", "--once", "--quiet", "--folder", "first"]);
    assert!(story.starts_with("60 minutes of the simulated shop, 2024-01-02T10:00:00Z to"), "{story}");
    assert!(
        story.contains("injected memory leak into user") && story.contains("With the day before:"),
        "{story}"
    );
    // Where the trouble of others comes from.
    assert!(story.contains("gateway may fail") && story.contains("; look at "), "{story}");
    // All has been said: nothing is trained, simulated or said again.
    let events = fs::read(at.join("first/events.ndjson")).unwrap();
    assert_eq!(done(at, &["demo", "--once", "--quiet", "--folder", "first"]), story);
    assert_eq!(fs::read(at.join("first/events.ndjson")).unwrap(), events);

    // Killed in the middle, and gone on with.
    trained(at, "killed");
    let run = ["--folder", "killed", "--minutes", "200", "--speed", "1800"];
    let (mut child, address, token) = start(at, &run);
    let leak = r#"{"service": "auth", "kind": "memory_leak", "severity": 1.0, "seconds": 3000}"#;
    assert!(post(&address, "/api/v1/chaos", None, leak).starts_with("HTTP/1.1 401"));
    let answer = post(&address, "/api/v1/chaos", Some(&token), leak);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    child.kill().unwrap();
    child.wait().unwrap();
    let (mut child, ..) = start(at, &run);
    assert!(child.wait().unwrap().success());

    // The same commands without a kill say the same.
    trained(at, "whole");
    fs::create_dir(at.join("whole/store")).unwrap();
    fs::copy(at.join("killed/store/chaos.ndjson"), at.join("whole/store/chaos.ndjson")).unwrap();
    let (mut child, ..) = start(at, &["--folder", "whole", "--minutes", "200", "--speed", "100000"]);
    assert!(child.wait().unwrap().success());
    let log = fs::read_to_string(at.join("whole/store/chaos.ndjson")).unwrap();
    assert!(log.contains(r#""service":"auth","severity":1.0"#), "{log}");
    let read = |name: &str| fs::read(at.join(name).join("events.ndjson")).unwrap();
    assert!(read("killed") == read("whole"), "the events differ");
    assert!(read("whole").len() > events.len());

    let error = refused(at, 2, &["demo", "--once", "--folder", "first", "--seed", "8"]);
    assert!(error.contains("seed 7") && error.contains("another folder"), "{error}");
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("mine.txt"), "kept").unwrap();
    let error = refused(at, 2, &["demo", "--once", "--folder", "."]);
    assert!(error.contains("neither empty nor a folder of a demo"), "{error}");
    for arguments in
        [&["--speed", "0"][..], &["--minutes", "0"], &["--once", "--minutes", "5"], &["--port", "0"]]
    {
        refused(at, 2, &[&["demo"][..], arguments].concat());
    }
    assert_eq!(fs::read_dir(at).unwrap().count(), 1);
}
