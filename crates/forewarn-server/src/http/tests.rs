//! The server on a loopback port, by a client that waits, as a user's would.

use super::*;
use crate::{HttpLimits, HttpTlsConfig, http::connections::server::Front};
use axum::{
    Json,
    extract::ws::WebSocketUpgrade,
    routing::{get, post},
};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};
use ureq::{Agent, http::Response};

/// Stand for tokens of 256 bits.
const VIEWER: &str = "viewer-0123456789012345678901234567890123456789";
const OPERATOR: &str = "operator-0123456789012345678901234567890123456789";
const ADMIN: &str = "admin-0123456789012345678901234567890123456789";

fn tokens() -> Tokens {
    let all = [("v", Role::Viewer, VIEWER), ("o", Role::Operator, OPERATOR), ("a", Role::Admin, ADMIN)];
    let known = |(name, role, token): (&str, Role, &str)| KnownToken {
        name: name.to_owned(),
        role,
        hash: TokenHash::of(token),
    };
    Tokens::new(all.into_iter().map(known).collect())
}

fn config(limits: HttpLimits) -> HttpConfig {
    HttpConfig { listen: SocketAddr::from(([127, 0, 0, 1], 0)), limits, ..HttpConfig::default() }
}

fn routes() -> Router {
    Router::new()
        .route("/api/v1/status", get(async || Json(json!({"name": "forewarn"}))))
        .route("/api/v1/chaos", post(async |Body(body): Body<Value>| Json(body)))
        .route("/api/v1/large", get(async || vec![b'x'; 32 << 20]))
        .route("/api/v1/slow", get(async || tokio::time::sleep(Duration::from_secs(60)).await))
        .route("/api/v1/nap", get(nap))
        .route("/api/v1/panic", get(panicking))
        .route("/-/reload", post(async || ()))
        .route("/ws", get(async |socket: WebSocketUpgrade| socket.on_upgrade(async |_| ())))
}

/// Whether someone naps.
static NAPS: AtomicBool = AtomicBool::new(false);

async fn nap() {
    NAPS.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(700)).await;
}

async fn panicking() {
    panic!("secret text");
}

/// A server on a runtime of its own.
struct HttpServer {
    front: Arc<Front>,
    address: SocketAddr,
    config: HttpConfig,
    ends: watch::Sender<bool>,
    task: Option<std::thread::JoinHandle<()>>,
}

fn start(config: HttpConfig, tokens: Tokens) -> HttpServer {
    let listener = std::net::TcpListener::bind(config.listen).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let front = Arc::new(Front::new(&config, address, tokens).unwrap());
    let (ends, end) = watch::channel(false);
    let serving = Arc::clone(&front);
    let task = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            let served = Served { routes: routes(), receivers: Router::new(), pages: None };
            serving.serve(listener, served, end).await;
        });
    });
    HttpServer { front, address, config, ends, task: Some(task) }
}

impl HttpServer {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn limits_hit(&self) -> &LimitCounters {
        &self.front.guard().counters
    }

    fn reload(&self, tokens: Tokens) {
        self.front.prepare(Some(&self.config), tokens).unwrap()();
    }

    fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.ends.send_replace(true);
        self.task.take().into_iter().for_each(|task| task.join().unwrap());
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.end();
    }
}

fn agent() -> Agent {
    let config =
        Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(60)));
    config.build().into()
}

fn url(server: &HttpServer, path: &str) -> String {
    format!("http://{}{path}", server.address())
}

fn get_as(server: &HttpServer, path: &str, token: Option<&str>) -> Response<ureq::Body> {
    let mut request = agent().get(url(server, path));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.call().unwrap()
}

fn post_as(server: &HttpServer, path: &str, headers: &[(&str, &str)]) -> Response<ureq::Body> {
    let request = agent().post(url(server, path));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.content_type("application/json").send("{}").unwrap()
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn problem(mut response: Response<ureq::Body>) -> Value {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Value = serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!(problem["status"], response.status().as_u16());
    assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    problem
}

/// Sends bytes and reads until the other end closes.
fn raw(server: &HttpServer, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A server that refuses may close before it has read everything.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn wait_for(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(60), "it never came");
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn without_tokens_anyone_on_loopback_reads_and_no_one_changes_anything() {
    let server = start(config(HttpLimits::default()), Tokens::default());
    assert_eq!(get_as(&server, "/api/v1/status", None).status(), 200);
    for headers in [&[][..], &[("authorization", "Bearer x")], &[("authorization", "")], &[("cookie", "a=b")]]
    {
        let answer = post_as(&server, "/api/v1/chaos", headers);
        assert_eq!(answer.status(), 401, "{headers:?}");
        assert!(answer.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        assert_eq!(problem(answer)["code"], "unauthenticated");
    }
    assert!(server.limits_hit().get(Limit::Authentication) == 4);
}

#[test]
fn a_first_token_closes_what_was_open() {
    let server = start(config(HttpLimits::default()), Tokens::default());
    assert_eq!(get_as(&server, "/api/v1/status", None).status(), 200);
    server.reload(tokens());
    assert_eq!(get_as(&server, "/api/v1/status", None).status(), 401);
    assert_eq!(get_as(&server, "/api/v1/status", Some(VIEWER)).status(), 200);
}

#[test]
fn each_role_may_do_its_own_and_no_more() {
    let server = start(config(HttpLimits::default()), tokens());
    let statuses = |call: &dyn Fn(Option<&str>) -> u16| {
        [None, Some("wrong"), Some(VIEWER), Some(OPERATOR), Some(ADMIN)].map(call)
    };
    let reads = statuses(&|token| get_as(&server, "/api/v1/status", token).status().as_u16());
    assert_eq!(reads, [401, 401, 200, 200, 200]);
    let sends = |path: &'static str| {
        let server = &server;
        move |token: Option<&str>| {
            let line = token.map(bearer);
            let headers: Vec<_> = line.iter().map(|line| ("authorization", line.as_str())).collect();
            post_as(server, path, &headers).status().as_u16()
        }
    };
    assert_eq!(statuses(&sends("/api/v1/chaos")), [401, 401, 403, 200, 200]);
    assert_eq!(statuses(&sends("/-/reload")), [401, 401, 403, 403, 200]);
    // Paths that are not there tell nothing to those who may not ask.
    assert_eq!(statuses(&sends("/nowhere")), [401, 401, 403, 404, 404]);
}

#[test]
fn tokens_that_are_replaced_are_refused() {
    let server = start(config(HttpLimits::default()), tokens());
    assert_eq!(get_as(&server, "/api/v1/status", Some(VIEWER)).status(), 200);
    let other = KnownToken { name: "n".to_owned(), role: Role::Viewer, hash: TokenHash::of(OPERATOR) };
    server.reload(Tokens::new(vec![other]));
    assert_eq!(get_as(&server, "/api/v1/status", Some(VIEWER)).status(), 401);
    assert_eq!(get_as(&server, "/api/v1/status", Some(OPERATOR)).status(), 200);
}

#[test]
fn names_and_origins_of_others_are_refused() {
    let listed = vec!["https://ops.example.com".to_owned()];
    let config = HttpConfig { allow_origins: listed, ..config(HttpLimits::default()) };
    let server = start(config, tokens());
    let line = bearer(OPERATOR);
    let line = line.as_str();
    let send = |headers: &[(&str, &str)]| {
        let headers: Vec<_> = [("authorization", line)].iter().chain(headers).copied().collect();
        post_as(&server, "/api/v1/chaos", &headers)
    };
    assert_eq!(send(&[("host", "evil.com")]).status(), 421);
    assert_eq!(send(&[("origin", "https://evil.com")]).status(), 403);
    assert_eq!(send(&[("origin", "null")]).status(), 403);
    let own = url(&server, "");
    assert_eq!(send(&[("origin", &own)]).status(), 200);
    let listed = send(&[("origin", "https://ops.example.com")]);
    assert_eq!(listed.status(), 200);
    assert_eq!(listed.headers()["access-control-allow-origin"], "https://ops.example.com");
    assert!(!listed.headers().contains_key("access-control-allow-credentials"));
    let foreign =
        agent().get(url(&server, "/api/v1/status")).header("origin", "https://evil.com").call().unwrap();
    assert!(!foreign.headers().contains_key("access-control-allow-origin"));
    let upgrade = |origin: &str| {
        let request = format!(
            "GET /ws HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nauthorization: {line}\r\n{origin}\r\n\r\n",
            server.address()
        );
        raw(&server, &request).split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(upgrade("origin: https://evil.com"), "403");
    assert_eq!(upgrade(&format!("origin: {own}")), "101");
    assert_eq!(upgrade("x-none: 1"), "101");
    assert!(server.limits_hit().get(Limit::Origin) == 3 && server.limits_hit().get(Limit::Host) == 1);
}

#[test]
fn every_answer_has_the_security_headers() {
    let server = start(config(HttpLimits::default()), Tokens::default());
    for path in ["/api/v1/status", "/api/v1/none", "/none.txt", "/api/v1/panic", "/api/v1/chaos"] {
        let answer = get_as(&server, path, None);
        assert!(
            answer.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'self'")
        );
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
        assert!(!answer.headers().contains_key("access-control-allow-origin"));
    }
}

#[test]
fn what_is_wrong_is_a_problem() {
    let server = start(config(HttpLimits::default()), tokens());
    assert_eq!(problem(get_as(&server, "/api/v1/none", Some(ADMIN)))["code"], "not_found");
    let refused = get_as(&server, "/api/v1/chaos", Some(ADMIN));
    assert_eq!((refused.status().as_u16(), &refused.headers()["allow"]), (405, &"POST".parse().unwrap()));
    assert_eq!(problem(refused)["code"], "method_not_allowed");
    let failed = problem(get_as(&server, "/api/v1/panic", Some(ADMIN)));
    assert_eq!(failed["code"], "internal");
    assert!(!failed.to_string().contains("secret"));
    let send = |kind: &str, body: &str| {
        let request = agent().post(url(&server, "/api/v1/chaos")).header("authorization", bearer(ADMIN));
        problem(request.content_type(kind).send(body).unwrap())["status"].as_u64().unwrap()
    };
    assert_eq!(send("application/json", "{"), 400);
    assert_eq!(send("text/plain", "{}"), 415);
}

#[test]
fn an_answer_that_the_client_has_is_not_sent_again() {
    let server = start(config(HttpLimits::default()), Tokens::default());
    let first = get_as(&server, "/api/v1/status", None);
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    let again = agent().get(url(&server, "/api/v1/status")).header("if-none-match", tag).call().unwrap();
    assert_eq!(again.status(), 304);
}

#[test]
fn sizes_are_limited_and_counted() {
    let limits = HttpLimits { body_bytes: 1_000, header_bytes: 8_192, headers: 20, ..HttpLimits::default() };
    let server = start(config(limits), tokens());
    let body = format!("\"{}\"", "x".repeat(2_000));
    let request = agent().post(url(&server, "/api/v1/chaos")).header("authorization", bearer(ADMIN));
    let answer = request.content_type("application/json").send(&body).unwrap();
    assert_eq!(problem(answer)["code"], "body_too_large");
    let long = get_as(&server, &format!("/api/v1/status?{}", "x".repeat(5_000)), Some(ADMIN));
    assert_eq!(problem(long)["code"], "query_too_long");
    let large =
        raw(&server, &format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "x".repeat(20_000)));
    assert!(large.starts_with("HTTP/1.1 431"), "{large}");
    let many = raw(&server, &format!("GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x: y\r\n".repeat(50)));
    assert!(many.starts_with("HTTP/1.1 431"), "{many}");
    let hit = |limit| server.limits_hit().get(limit);
    // What the protocol refuses is counted when its connection ends, which the client may see first.
    wait_for(|| hit(Limit::Header) == 2);
    assert_eq!((hit(Limit::Body), hit(Limit::Query), hit(Limit::Header)), (1, 1, 2));
}

#[test]
fn a_client_that_does_not_send_read_or_wait_is_cut_off() {
    let limits = HttpLimits { header_secs: 1, request_secs: 1, write_secs: 1, ..HttpLimits::default() };
    let server = start(config(limits), Tokens::default());
    // Headers that never end.
    raw(&server, "GET /api/v1/status HTTP/1.1\r\nhost: local");
    wait_for(|| server.limits_hit().get(Limit::Header) == 1);
    // A route that takes too long.
    assert_eq!(problem(get_as(&server, "/api/v1/slow", None))["code"], "took_too_long");
    assert_eq!(server.limits_hit().get(Limit::Time), 1);
    // A large answer that is not read.
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(b"GET /api/v1/large HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    wait_for(|| server.limits_hit().get(Limit::Write) == 1);
    // The others are served all the while.
    assert_eq!(get_as(&server, "/api/v1/status", None).status(), 200);
}

#[test]
fn connections_and_requests_beyond_the_limit_are_refused_and_counted() {
    let limits = HttpLimits { connections: 2, requests_per_second: 1, burst: 3, ..HttpLimits::default() };
    let server = start(config(limits), tokens());
    let held: Vec<_> = (0..2).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    wait_for(|| raw(&server, "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").contains("too many connections"));
    assert!(server.limits_hit().get(Limit::Connections) > 0);
    drop(held);
    wait_for(|| {
        let request = agent().get(url(&server, "/api/v1/status")).header("authorization", bearer(ADMIN));
        request.call().is_ok_and(|answer| answer.status() == 200)
    });
    let agent = agent();
    let ask = |token| agent.get(url(&server, "/api/v1/status")).header("authorization", bearer(token)).call();
    // Each answer is let go before the next, as its connection counts too.
    let refused = (0..100).filter_map(|_| ask(ADMIN).ok()).find(|answer| answer.status() == 429).unwrap();
    assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u32>().unwrap() >= 1);
    assert_eq!(problem(refused)["code"], "rate_limited");
    // Another token has an allowance of its own.
    wait_for(|| ask(VIEWER).is_ok_and(|answer| answer.status() == 200));
    assert!(server.limits_hit().get(Limit::Rate) > 0);
}

#[test]
fn requests_that_have_begun_end_when_the_server_does() {
    let server = start(config(HttpLimits::default()), Tokens::default());
    let address = url(&server, "/api/v1/nap");
    let running = std::thread::spawn(move || agent().get(address).call().unwrap().status());
    wait_for(|| NAPS.load(Ordering::Relaxed));
    let address = server.address();
    server.stop();
    assert_eq!(running.join().unwrap(), 200);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_prefix_stands_before_every_route() {
    let config = HttpConfig { base_path: "/ops".to_owned(), ..config(HttpLimits::default()) };
    let server = start(config, Tokens::default());
    assert_eq!(get_as(&server, "/ops/api/v1/status", None).status(), 200);
    assert_eq!(problem(get_as(&server, "/api/v1/status", None))["code"], "not_found");
    assert_eq!(post_as(&server, "/ops/api/v1/chaos", &[]).status(), 401);
}

#[test]
fn tls_is_spoken_and_its_certificate_is_what_the_file_has() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/http/tests");
    let file = |name: &str| folder.join(name);
    let tls = HttpTlsConfig { certificate: file("certificate.pem"), key: file("key.pem") };
    let config = HttpConfig { tls: Some(tls), ..config(HttpLimits::default()) };
    let server = start(config.clone(), tokens());
    let certificate = std::fs::read(file("certificate.pem")).unwrap();
    let roots =
        ureq::tls::RootCerts::new_with_certs(&[ureq::tls::Certificate::from_pem(&certificate).unwrap()]);
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = ureq::tls::TlsConfig::builder()
        .root_certs(roots)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let agent: Agent = Agent::config_builder().tls_config(tls).http_status_as_error(false).build().into();
    let path = format!("https://localhost:{}/api/v1/status", server.address().port());
    let answer = agent.get(&path).header("authorization", bearer(VIEWER)).call().unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("strict-transport-security"));
    // Plain HTTP gets nothing.
    assert!(!raw(&server, "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").starts_with("HTTP"));
    server.reload(tokens());
    let swapped = HttpTlsConfig { certificate: file("key.pem"), key: file("certificate.pem") };
    let swapped = HttpConfig { tls: Some(swapped), ..config };
    let error = Front::new(&swapped, server.address(), tokens()).err().unwrap().to_string();
    assert!(error.contains("key.pem"), "{error}");
}
