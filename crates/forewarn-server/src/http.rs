//! The HTTP server below the API: connections, who calls, limits, and the headers of every answer.

mod access;
mod connections;
mod etag;
mod extract;
mod headers;
mod pages;
mod problem;
#[cfg(test)]
mod tests;

pub use access::token::{KnownToken, Role, TokenHash, Tokens, check_token, new_token};
pub use connections::limit::{Limit, LimitCounters};
pub use pages::{PageFile, Pages};
pub use problem::Problem;

pub(crate) use access::guard::{Caller, Guard};
pub(crate) use access::secrets::read_tokens;
pub(crate) use connections::connection::ended;
pub(crate) use connections::server::{Front, Served};
pub(crate) use extract::{Body, Name, Params};

use crate::{HttpConfig, ServerError, WatchConfig, api, receive::Receivers, runtime::HttpContext};
use axum::Router;
use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::watch};

/// Whether the tokens and certificates of a configuration can be used.
///
/// # Errors
/// [`ServerError::Config`] and [`ServerError::File`] for those that cannot.
pub(crate) fn check_tokens(config: &WatchConfig) -> Result<(), ServerError> {
    let tokens = read_tokens(&config.tokens)?;
    config.http.as_ref().map_or(Ok(()), |http| Front::new(http, http.listen, tokens).map(drop))
}

/// The HTTP server of a service, ready to answer.
pub(crate) struct Server {
    front: Arc<Front>,
    api: api::Shared,
    routes: Router,
    receivers: Router,
    pages: Option<Pages>,
    end: watch::Receiver<bool>,
}

impl Server {
    /// A server for this address that answers until `end` becomes true. A reload of the configuration replaces its
    /// tokens and its certificate.
    ///
    /// # Errors
    /// [`ServerError::Config`] and [`ServerError::File`] for tokens and certificates that cannot be used.
    pub(crate) fn new(
        config: &HttpConfig,
        address: SocketAddr,
        context: HttpContext,
        end: watch::Receiver<bool>,
    ) -> Result<Self, ServerError> {
        let tokens = read_tokens(&context.config.tokens)?;
        let front = Arc::new(Front::new(config, address, tokens)?);
        front.guard().sessions.keep_in(&context.config.store.path);
        context.reload.add({
            let front = Arc::clone(&front);
            Box::new(move |config| front.prepare(config.http.as_ref(), read_tokens(&config.tokens)?))
        });
        let pages = context.pages;
        let receivers = context.receivers.clone().map(Receivers::router).unwrap_or_default();
        let api = api::Api::new(context, Arc::clone(front.guard()), end.clone(), config.limits.sockets);
        let api = Arc::new(api);
        Ok(Self { front, routes: api::routes(Arc::clone(&api)), api, receivers, pages, end })
    }

    /// Answers. Then waits for live streams, whose clients are told.
    pub(crate) async fn serve(self, listener: TcpListener) {
        let Self { front, api, routes, receivers, pages, end } = self;
        front.serve(listener, Served { routes, receivers, pages }, end).await;
        api.streams_ended().await;
    }
}
