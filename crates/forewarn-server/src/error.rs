use forewarn_io::IoError;
use forewarn_live::LiveError;
use forewarn_sim::SimError;
use forewarn_store::StoreError;
use std::{io, net::SocketAddr, path::PathBuf};

/// Why a live service cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The configuration says something that cannot be.
    #[error("configuration: {reason}")]
    Config {
        /// What, where, and what was expected.
        reason: String,
    },
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A model file cannot be served.
    #[error("{}: {source}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<LiveError>,
    },
    /// A metrics file cannot be read.
    #[error(transparent)]
    Metrics(Box<IoError>),
    /// The metrics lack what the model reads.
    #[error("{what}: {reason}")]
    Source {
        /// The source.
        what: String,
        /// What it lacks.
        reason: String,
    },
    /// A simulation cannot be run.
    #[error(transparent)]
    Simulate(#[from] SimError),
    /// The engine refused an input or its configuration.
    #[error(transparent)]
    Engine(#[from] LiveError),
    /// The store cannot be opened, or its disk fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state on disk is not one of this configuration and these models.
    #[error(
        "{}: the state kept there cannot be gone on from: {source}; go back to the configuration and models that it was \
         made with, or name an empty store folder", path.display()
    )]
    State {
        /// The store.
        path: PathBuf,
        /// What is wrong.
        source: Box<LiveError>,
    },
    /// The service has ended.
    #[error("the service has ended")]
    Stopped,
    /// Too much waits for the engine already.
    #[error("{waiting} inputs wait already: try again later")]
    Busy {
        /// Inputs that wait.
        waiting: usize,
    },
    /// Another server does not answer.
    #[error("{url}: {reason}")]
    Transport {
        /// Its address, without secrets.
        url: String,
        /// Why.
        reason: String,
    },
    /// The HTTP server cannot have its address.
    #[error("{address}: cannot be listened on: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A thread cannot be started, or has ended in a way that it should not.
    #[error("a thread of the service: {source}")]
    Thread {
        /// Why.
        source: io::Error,
    },
    /// A record of the journal cannot be understood.
    #[error("record {seq} of the journal cannot be understood: {source}; was it written by another version?")]
    Record {
        /// Its number.
        seq: u64,
        /// What is wrong.
        source: postcard::Error,
    },
}

impl From<IoError> for ServerError {
    fn from(error: IoError) -> Self {
        Self::Metrics(Box::new(error))
    }
}
