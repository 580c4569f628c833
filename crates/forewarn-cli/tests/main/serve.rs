//! The live service's API and page, as a process.

use crate::support::{done, refused};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

/// A model for the simulated shop, and a configuration around it.
pub(crate) fn prepare(folder: &Path, more: &str) {
    let simulate = ["simulate", "--simulate", "shop", "--quiet", "--days", "8", "--seed", "3"];
    done(folder, &[&simulate[..], &["--output", "past.csv"]].concat());
    let train = ["train", "--input", "past.csv", "--models", "logistic_snapshot", "--quiet"];
    done(folder, &[&train[..], &["--save", "model.safetensors"]].concat());
    configure(folder, more);
}

fn configure(folder: &Path, more: &str) {
    let text = format!(
        "[model]\npath = \"model.safetensors\"\n[source]\nkind = \"simulator\"\nminutes = 10000\nspeed = 60\n\
         [store]\npath = \"store\"\n[events]\npath = \"events.ndjson\"\n[http]\nlisten = \"127.0.0.1:0\"\n{more}"
    );
    fs::write(folder.join("forewarn.toml"), text).unwrap();
}

/// Ends the process with the test.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the service in `folder`; the process, and where it listens.
pub(crate) fn start(folder: &Path) -> (Running, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forewarn"));
    command.args(["watch", "--config", "forewarn.toml"]).current_dir(folder);
    let mut running = Running(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stderr.take().unwrap()).lines().map_while(Result::ok);
    let address = lines.find_map(|line| Some(line.split_once("http://")?.1.trim_end_matches('/').to_owned()));
    // What follows is read to its end, so that the process is not stopped by a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    (running, address.unwrap())
}

fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head =
        format!("{request} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_page_and_the_api_are_served_until_the_process_is_asked_to_end() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path(), "");
    let (mut running, address) = start(folder.path());
    let page = ask(&address, "GET /services/gateway");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("<title>forewarn</title>"), "{page}");
    assert!(page.contains("content-security-policy: default-src 'self'"), "{page}");
    assert!(ask(&address, "GET /api/v1/status").contains("\"name\":\"forewarn\""));
    assert!(ask(&address, "POST /api/v1/reset").starts_with("HTTP/1.1 401"));
    let pid = running.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(running.0.wait().unwrap().success());
}

#[test]
fn a_configuration_is_checked_with_what_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let made = done(at, &["token"]);
    let (token, line) = made.trim().split_once('\n').unwrap();
    let token = token.strip_prefix("token: ").unwrap();
    assert!(token.starts_with("fw_") && !line.contains(token), "{made}");
    prepare(at, &format!("[[token]]\nname = \"on-call\"\nrole = \"operator\"\n{line}\n"));
    let text = done(at, &["check", "--config", "forewarn.toml"]);
    assert!(
        text.contains("models model") && text.contains("tokens: on-call") && text.contains("error_rate"),
        "{text}"
    );
    let json = done(at, &["check", "--config", "forewarn.toml", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["config"]["tls"], &json["config"]["tokens"][0]["role"]),
        (&false.into(), &"operator".into())
    );
    assert!(!at.join("store").exists() && !at.join("events.ndjson").exists(), "a check writes nothing");
    fs::write(at.join("secret"), "hunter2").unwrap();
    for (more, told) in [
        ("[[token]]\nname = \"a\"\nrole = \"admin\"\nfile = \"secret\"\n", "43 to 512"),
        ("[[token]]\nname = \"a\"\nrole = \"root\"\nfile = \"secret\"\n", "root"),
        ("[http.tls]\ncertificate = \"none.pem\"\nkey = \"none.pem\"\n", "none.pem"),
        ("[log]\nfilter = \"a=loud\"\n", "log.filter"),
        ("[engine]\nrule = \"no_such_metric > 1\"\n", "no_such_metric"),
    ] {
        configure(at, more);
        let error = refused(at, 1, &["check", "--config", "forewarn.toml"]);
        assert!(error.contains(told) && !error.contains("hunter2"), "{error}");
    }
}
