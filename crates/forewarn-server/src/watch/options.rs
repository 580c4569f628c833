use crate::{
    ServerError, WatchConfig,
    chaos::ChaosControl,
    http::Pages,
    runtime::{Clock, Sink, Source, SystemClock, TlsSettings, Transport, UreqTransport},
    source::Flows,
};
use forewarn_live::Shard;
use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

/// What a service is started with beside its configuration. By default the clock of the machine and the network.
#[non_exhaustive]
pub struct WatchOptions {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Carries requests in place of the network.
    pub transport: Option<Arc<dyn Transport>>,
    /// Sources beside that of the configuration.
    pub sources: Vec<Box<dyn Source>>,
    /// Sinks beside those of the configuration.
    pub sinks: Vec<Box<dyn Sink>>,
    /// The file that the configuration came from, to read it again.
    pub config_file: Option<PathBuf>,
    /// The shard, in place of that of the configuration.
    pub shard: Option<Shard>,
    /// Set, such as by a handler of SIGHUP, it asks to read the configuration again.
    pub reload: Arc<AtomicBool>,
    /// What injects faults into what is watched.
    pub chaos: Option<Arc<dyn ChaosControl>>,
    /// The page that the HTTP server shows.
    pub pages: Option<Pages>,
    /// What goes over calls, where the source of the configuration knows it.
    pub(crate) flows: Flows,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            transport: None,
            sources: Vec::new(),
            sinks: Vec::new(),
            config_file: None,
            shard: None,
            reload: Arc::default(),
            chaos: None,
            pages: None,
            flows: Flows::default(),
        }
    }
}

impl WatchOptions {
    /// Sets [`clock`](Self::clock).
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Sets [`transport`](Self::transport).
    #[must_use]
    pub fn with_transport(self, transport: Arc<dyn Transport>) -> Self {
        Self { transport: Some(transport), ..self }
    }

    /// Adds a source.
    #[must_use]
    pub fn with_source(mut self, source: Box<dyn Source>) -> Self {
        self.sources.push(source);
        self
    }

    /// Adds a sink.
    #[must_use]
    pub fn with_sink(mut self, sink: Box<dyn Sink>) -> Self {
        self.sinks.push(sink);
        self
    }

    /// Sets [`config_file`](Self::config_file).
    #[must_use]
    pub fn with_config_file(self, path: impl Into<PathBuf>) -> Self {
        Self { config_file: Some(path.into()), ..self }
    }

    /// Sets [`shard`](Self::shard).
    #[must_use]
    pub fn with_shard(self, shard: Shard) -> Self {
        Self { shard: Some(shard), ..self }
    }

    /// Sets [`reload`](Self::reload).
    #[must_use]
    pub fn with_reload(self, reload: Arc<AtomicBool>) -> Self {
        Self { reload, ..self }
    }

    /// Sets [`chaos`](Self::chaos).
    #[must_use]
    pub fn with_chaos(self, chaos: Arc<dyn ChaosControl>) -> Self {
        Self { chaos: Some(chaos), ..self }
    }

    /// Sets [`pages`](Self::pages).
    #[must_use]
    pub fn with_pages(self, pages: Pages) -> Self {
        Self { pages: Some(pages), ..self }
    }

    /// What carries the requests of a source or sink with these settings.
    ///
    /// # Errors
    /// As [`UreqTransport::new`].
    pub fn transport(&self, tls: &TlsSettings) -> Result<Arc<dyn Transport>, ServerError> {
        match &self.transport {
            Some(transport) => Ok(Arc::clone(transport)),
            None => Ok(Arc::new(UreqTransport::new(tls)?)),
        }
    }

    /// What reads the configuration again.
    pub(super) fn read_again(
        &self,
    ) -> Option<Box<dyn Fn() -> Result<WatchConfig, ServerError> + Send + Sync>> {
        let (path, shard) = (self.config_file.clone()?, self.shard);
        Some(Box::new(move || WatchConfig::from_path(&path).map(|config| config.with_shard(shard))))
    }
}
