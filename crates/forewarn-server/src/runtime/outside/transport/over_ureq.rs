use super::{HttpRequest, HttpResponse, Method, Transport};
use crate::ServerError;
use forewarn_core::{SMALL_FILE_BYTES, read_text_file};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use ureq::{
    Agent, AsSendBody, Body,
    config::Config,
    http,
    tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem},
};

/// Whom to trust over TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// File of certificates (PEM) of the authorities that are trusted. Those of the system by default.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// File of the client's own certificate (PEM), for servers that ask for one. None by default.
    #[serde(default)]
    pub certificate_file: Option<PathBuf>,
    /// File of its private key (PEM).
    #[serde(default)]
    pub key_file: Option<PathBuf>,
}

/// Files in which systems keep the authorities that they trust, and the variable that names another one.
const SYSTEM_FILES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
const SYSTEM_VARIABLE: &str = "SSL_CERT_FILE";
/// Time until a connection stands.
const CONNECT: Duration = Duration::from_secs(10);

/// The network, over HTTP/1.1 with TLS by rustls and ring. Connections are kept open and used again; redirects are not
/// followed, and no proxy is used.
#[derive(Clone, Debug)]
pub struct UreqTransport(Agent);

impl UreqTransport {
    /// The network.
    ///
    /// # Errors
    /// [`ServerError::File`] for a file of authorities that cannot be read, [`ServerError::Config`] for one without
    /// any.
    pub fn new(tls: &TlsSettings) -> Result<Self, ServerError> {
        let roots = match &tls.ca_file {
            Some(path) => read_authorities(path)?,
            None => system_authorities()?,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .client_cert(own_certificate(tls)?)
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .user_agent(concat!("forewarn/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        Ok(Self(config.new_agent()))
    }
}

impl UreqTransport {
    fn run<B: AsSendBody>(
        &self,
        request: Result<http::Request<B>, http::Error>,
        timeout: Duration,
    ) -> Result<http::Response<Body>, ureq::Error> {
        let request = self.0.configure_request(request?).timeout_global(Some(timeout)).build();
        self.0.run(request)
    }
}

fn read_authorities(path: &Path) -> Result<Vec<Certificate<'static>>, ServerError> {
    let text = read_text_file(path, SMALL_FILE_BYTES)
        .map_err(|source| ServerError::File { path: path.to_owned(), source })?;
    let found: Vec<_> = parse_pem(text.as_bytes())
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        let reason = format!("{}: has no certificate in PEM form", path.display());
        return Err(ServerError::Config { reason });
    }
    Ok(found)
}

/// The client's own certificate, where both of its files are named.
fn own_certificate(tls: &TlsSettings) -> Result<Option<ClientCert>, ServerError> {
    let (Some(certificate), Some(key)) = (&tls.certificate_file, &tls.key_file) else { return Ok(None) };
    let chain = read_authorities(certificate)?;
    let text = read_text_file(key, SMALL_FILE_BYTES)
        .map_err(|source| ServerError::File { path: key.clone(), source })?;
    let key = PrivateKey::from_pem(text.as_bytes()).map_err(|_| ServerError::Config {
        reason: format!("{}: has no private key in PEM form", key.display()),
    })?;
    Ok(Some(ClientCert::new_with_certs(&chain, key)))
}

/// Those of the first file that is there. A system without any has none, and can use plain HTTP only.
fn system_authorities() -> Result<Vec<Certificate<'static>>, ServerError> {
    if let Some(path) = std::env::var_os(SYSTEM_VARIABLE) {
        return read_authorities(Path::new(&path));
    }
    let found = SYSTEM_FILES.iter().map(Path::new).find(|path| path.exists());
    found.map_or(Ok(Vec::new()), read_authorities)
}

impl Transport for UreqTransport {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, ServerError> {
        let failed = |reason: String| ServerError::Transport { url: request.printable_url(), reason };
        let method = match request.method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
        };
        let mut built = http::Request::builder().method(method).uri(&request.url);
        for (name, value) in &request.headers {
            built = built.header(name, value);
        }
        let timeout = request.timeout;
        let answer = match request.method {
            Method::Get => self.run(built.body(()), timeout),
            Method::Post => self.run(built.body(request.body.clone()), timeout),
        };
        let mut answer = answer.map_err(|error| failed(error.to_string()))?;
        let headers = answer.headers().iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let (status, headers) = (answer.status().as_u16(), headers.collect());
        let body = answer.body_mut().with_config().limit(request.most_bytes).read_to_vec();
        let body = body.map_err(|error| failed(error.to_string()))?;
        Ok(HttpResponse { status, headers, body })
    }
}
