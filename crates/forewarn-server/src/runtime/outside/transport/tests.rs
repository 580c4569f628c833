use super::*;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    thread,
};

/// A server that answers one request with `answer`, and gives what it was sent.
fn one_answer(answer: &'static [u8]) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://user:secret@{}/api?token=secret", listener.local_addr().unwrap());
    let thread = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(socket.try_clone().unwrap());
        let (mut text, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            text.push_str(&line);
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        socket.write_all(answer).unwrap();
        text + &String::from_utf8(body).unwrap()
    });
    (url, thread)
}

fn network() -> UreqTransport {
    UreqTransport::new(&TlsSettings::default()).unwrap()
}

#[test]
fn an_answer_of_any_status_comes_with_its_headers_and_body() {
    let (url, server) =
        one_answer(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy");
    let request = HttpRequest::post(url, "query=up").with_header("X-Scope-OrgID", "shop");
    let answer = network().send(&request).unwrap();
    assert_eq!((answer.status, answer.header("retry-after"), &*answer.text()), (429, Some("7"), "busy"));
    let seen = server.join().unwrap();
    assert!(seen.starts_with("POST /api?token=secret HTTP/1.1\r\n"), "{seen}");
    assert!(seen.to_ascii_lowercase().contains("x-scope-orgid: shop\r\n"), "{seen}");
    assert!(seen.ends_with("\r\n\r\nquery=up"), "{seen}");
}

#[test]
fn a_redirect_is_not_followed_and_a_long_body_is_refused() {
    let (url, server) =
        one_answer(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(network().send(&HttpRequest::get(url)).unwrap().status, 302);
    server.join().unwrap();
    let (url, server) = one_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnine byte");
    assert!(network().send(&HttpRequest::get(url).with_most_bytes(8)).is_err());
    server.join().unwrap();
}

#[test]
fn no_message_has_a_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let request = HttpRequest::get(format!("http://user:secret@{address}/a?token=secret"))
        .with_header("Authorization", "Bearer secret");
    let error = network().send(&request).unwrap_err().to_string();
    assert!(error.contains(&format!("http://{address}/a")), "{error}");
    assert!(!error.contains("secret") && !format!("{request:?}").contains("secret"), "{error}");
}

#[test]
fn retry_after_is_read_in_seconds() {
    let asks = |value: &str| HttpResponse::new(429, "").with_header("Retry-After", value).retry_after_secs();
    assert_eq!(asks(" 7 "), Some(7));
    assert_eq!((asks("Sun, 06 Nov 1994 08:49:37 GMT"), asks("Fri, 31 Dec")), (None, None));
    assert_eq!(HttpResponse::new(429, "").retry_after_secs(), None);
}
