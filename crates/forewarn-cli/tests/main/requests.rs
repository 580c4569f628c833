//! The requests of the guides demo.md, secure.md and webhooks.md, sent by curl as a reader types them.

use crate::{
    serve::{Running, prepare, start},
    support::done,
};
use std::{fs, path::Path, process::Command};

/// Read when the tests run: the package has no pages, and its tests shall build.
const GUIDES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/how-to");

/// Every curl of a guide, on one line.
fn requests(guide: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(GUIDES).join(guide)).unwrap().replace("\\\n", " ");
    let lines = text.lines().map(|line| line.trim().trim_start_matches("$ "));
    let found: Vec<_> = lines.filter(|line| line.starts_with("curl ")).map(str::to_owned).collect();
    assert!(!found.is_empty(), "{guide} has no request");
    found
}

#[test]
fn every_request_of_the_guides_is_understood() {
    if !Path::new(GUIDES).is_dir() || Command::new("curl").arg("--version").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let made = done(at, &["token"]);
    let (token, hash) = made.trim().split_once('\n').unwrap();
    let token = token.strip_prefix("token: ").unwrap();
    prepare(at, &format!("[[token]]\nname = \"on-call\"\nrole = \"operator\"\n{hash}\n"));
    let (running, address): (Running, String) = start(at);
    for guide in ["demo.md", "secure.md", "webhooks.md"] {
        for request in requests(guide) {
            // Where this service is, and what it watches.
            let here = request
                .replace("http://127.0.0.1:8080", &format!("http://{address}"))
                .replace("https://forewarn.example", &format!("http://{address}"))
                .replace("shop/web", "gateway");
            assert!(here.contains(&address), "{guide}: {request} goes elsewhere");
            let asked = here.replacen("curl ", "curl --silent --show-error --write-out '\n%{http_code}' ", 1);
            let answer = Command::new("sh").args(["-c", &asked]).env("TOKEN", token).output().unwrap();
            let said = String::from_utf8_lossy(&answer.stdout).into_owned();
            // No warning has come that one could act on; the body was understood.
            let is_understood = said.ends_with("\n200")
                || said.ends_with("\n201")
                || said.ends_with("\n204")
                || said.contains("no warning");
            assert!(is_understood, "{guide}: {request}: {said}{}", String::from_utf8_lossy(&answer.stderr));
        }
    }
    drop(running);
}
