use crate::ServerError;
use forewarn_core::read_small_file;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};
use tokio_rustls::TlsAcceptor;

/// Most bytes of a file with certificates or a key.
const MOST_BYTES: u64 = 1 << 20;

/// TLS with a certificate that can be replaced while connections are open.
pub(crate) struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// TLS 1.2 and 1.3 with the chain and the key of these PEM files.
    ///
    /// # Errors
    /// [`ServerError::File`] for a file that cannot be read, [`ServerError::Config`] for one without what is needed,
    /// or for a key of another certificate.
    pub(crate) fn open(certificate: &Path, key: &Path) -> Result<Self, ServerError> {
        let current = RwLock::new(Arc::new(read(certificate, key)?));
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), current })
    }

    /// What the files have now.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn read_again(&self) -> Result<ServerConfig, ServerError> {
        read(&self.certificate, &self.key)
    }

    /// Uses this from the next connection on; those that are open keep what they have.
    pub(crate) fn replace(&self, config: ServerConfig) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    /// For the handshake of the next connection.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, ServerError> {
    let wrong =
        |path: &Path, reason: String| ServerError::Config { reason: format!("{}: {reason}", path.display()) };
    let chain = CertificateDer::pem_slice_iter(&bytes(certificate)?).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| wrong(certificate, error.to_string()))?;
    if chain.is_empty() {
        let reason = "there is no certificate in it; expected PEM, the server's first".to_owned();
        return Err(wrong(certificate, reason));
    }
    let private = PrivateKeyDer::from_pem_slice(&bytes(key)?);
    let private = private.map_err(|error| wrong(key, format!("{error}; expected a private key in PEM")))?;
    // Named here, so that no other crate of the program decides which one it is.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private));
    let mut config = config.map_err(|error| wrong(key, error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn bytes(path: &Path) -> Result<Vec<u8>, ServerError> {
    read_small_file(path, MOST_BYTES).map_err(|source| ServerError::File { path: path.to_owned(), source })
}
