//! A receiver of webhooks on a free port of this machine.

use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

/// One request that came.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

/// Takes what is posted to it, and answers 200.
pub(crate) struct Hook {
    pub(crate) url: String,
    taken: Arc<Mutex<Vec<Delivery>>>,
}

impl Hook {
    /// Its thread ends with the process.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let taken = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(delivery) = read(stream) {
                    keep.lock().unwrap().push(delivery);
                }
            }
        });
        Self { url, taken }
    }

    /// What came to a path, oldest first.
    pub(crate) fn taken(&self, path: &str) -> Vec<Delivery> {
        self.taken.lock().unwrap().iter().filter(|one| one.path == path).cloned().collect()
    }

    /// Statuses of the notifications that came to a path.
    pub(crate) fn statuses(&self, path: &str) -> Vec<String> {
        let status = |one: &Delivery| one.body["status"].as_str().unwrap_or_default().to_owned();
        self.taken(path).iter().map(status).collect()
    }
}

/// `None` for anything but a request, such as the end of a sender that was killed.
fn read(stream: TcpStream) -> Option<Delivery> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split_whitespace().nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    reader.get_mut().write_all(answer.as_bytes()).ok()?;
    Some(Delivery { path, headers, body: serde_json::from_slice(&body).ok()? })
}
