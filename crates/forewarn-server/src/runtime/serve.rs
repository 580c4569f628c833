//! The runtime of the HTTP server: there is none without `[http]`.

use super::{Clock, Handle, Reload, Reporter, Stop, outside::sink::thread_error};
use crate::{
    ServerError, WatchConfig,
    chaos::ChaosControl,
    config::HttpConfig,
    http::{Pages, Server},
    receive::Receivers,
    sink::Targets,
    source::Flows,
};
use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use tokio::{runtime::Runtime, sync::watch, task::JoinHandle};

/// How long blocking work has to end after the requests.
const LAST: Duration = Duration::from_secs(1);

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
    /// What others push to, where the configuration says so.
    pub(crate) receivers: Option<Receivers>,
    /// Asks the whole service to end.
    pub stop: Stop,
    /// Tells the operator.
    pub reporter: Reporter,
    /// What injects faults, where something takes them.
    pub chaos: Option<Arc<dyn ChaosControl>>,
    /// What goes over the calls of the service graph, where the source knows it.
    pub(crate) flows: Flows,
    /// The page, where there is one.
    pub pages: Option<Pages>,
    /// Where warnings and scores go, and how that does.
    pub targets: Targets,
}

impl HttpContext {
    /// What receivers took and refused so far, by receiver and counter.
    #[must_use]
    pub fn received(&self) -> BTreeMap<&'static str, BTreeMap<&'static str, u64>> {
        self.receivers.as_ref().map(Receivers::counts).unwrap_or_default()
    }
}

/// A server that runs.
pub(crate) struct Serving {
    runtime: Runtime,
    task: JoinHandle<()>,
    ends: watch::Sender<bool>,
    address: SocketAddr,
    /// How long requests have to end.
    limit: Duration,
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
    let reporter = context.reporter.clone();
    let server = Server::new(config, address, context, end)?;
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    reporter.tell(format!("listening on {scheme}://{address}{}/", config.base_path));
    let task = runtime.spawn(server.serve(listener));
    let limit = Duration::from_secs(u64::from(config.limits.drain_secs) + 1);
    Ok(Serving { runtime, task, ends, address, limit })
}

impl Serving {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets requests that have begun end, for as long as the configuration says.
    pub(crate) fn end(self) {
        self.ends.send(true).ok();
        // A runtime that is shut down drops its tasks where they wait, so that the server's end is waited for first.
        let (task, limit) = (self.task, self.limit);
        self.runtime.block_on(async { tokio::time::timeout(limit, task).await.ok() });
        self.runtime.shutdown_timeout(LAST);
    }
}
