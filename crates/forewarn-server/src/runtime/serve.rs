//! The runtime of the HTTP server: there is none without `[http]`.

use super::{Clock, Handle, Reload, Reporter, Stop, sink::thread_error};
use crate::{ServerError, WatchConfig, chaos::ChaosControl, config::HttpConfig};
use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use tokio::{runtime::Runtime, sync::watch};

/// What the HTTP server has.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpContext {
    /// The configuration that the service was started with; [`Reload::state`] has the one that holds.
    pub config: Arc<WatchConfig>,
    /// The service.
    pub handle: Handle,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Reads the configuration again.
    pub reload: Arc<Reload>,
    /// Asks the whole service to end.
    pub stop: Stop,
    /// Tells the operator.
    pub reporter: Reporter,
    /// What injects faults, where something takes them.
    pub chaos: Option<Arc<dyn ChaosControl>>,
}

/// A server that runs.
pub(crate) struct Serving {
    runtime: Runtime,
    ends: watch::Sender<bool>,
    address: SocketAddr,
}

/// Starts the server. Its address is taken before this returns.
pub(crate) fn serve(config: &HttpConfig, context: HttpContext) -> Result<Serving, ServerError> {
    let cannot = |source| ServerError::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).map_err(cannot)?;
    listener.set_nonblocking(true).map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.thread_name("http").enable_all().build().map_err(thread_error)?;
    let (ends, end) = watch::channel(false);
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener).map_err(cannot)?
    };
    runtime.spawn(async move {
        let (reporter, stop) = (context.reporter.clone(), context.stop.clone());
        if let Err(error) = crate::http::serve(listener, context, end).await {
            reporter.tell(format!("the HTTP server ended: {error}"));
            stop.stop();
        }
    });
    Ok(Serving { runtime, ends, address })
}

impl Serving {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets requests that run end until `limit`; then it ends them.
    pub(crate) fn end(self, limit: Duration) {
        self.ends.send(true).ok();
        self.runtime.shutdown_timeout(limit);
    }
}
