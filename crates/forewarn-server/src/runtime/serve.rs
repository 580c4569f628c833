//! The runtime of the HTTP server: there is none without `[http]`.

use super::{HttpContext, outside::sink::thread_error};
use crate::{ServerError, config::HttpConfig, http::Server};
use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};
use tokio::{runtime::Runtime, sync::watch, task::JoinHandle};

/// How long blocking work has to end after the requests.
const LAST: Duration = Duration::from_secs(1);

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
