//! The ways out: Alertmanagers, webhooks and remote write.
//!
//! Each is a state machine that takes events and says what to send; it has no clock, no socket and no thread. What
//! they share is the book of the alerts that stand. A thread of its own joins each to the service.

mod alertmanager;
mod alerts;
mod delivery;
pub(crate) mod inbound;
mod remote_write;
mod template;
#[cfg(test)]
mod testing;
mod webhook;

pub use delivery::status::{MutedAlert, SilenceNote, TargetKind, TargetStatus, Targets};

pub(crate) use alerts::labels::split_name;
pub(crate) use delivery::outlet::{Answer, Next, Outgoing, Outlet, Truth, Verdict};
pub(crate) use delivery::sign::headers as signed_headers;
#[cfg(test)]
pub(crate) use delivery::sign::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, signature};
pub(crate) use remote_write::PROBABILITY;

use crate::{
    ServerError, WatchConfig,
    config::{TargetConfig, WebhookConfig},
    outgoing::read_secret,
    runtime::{Sink, Transport, UreqTransport},
};
use alertmanager::Alertmanager;
use delivery::runner::Runner;
use delivery::saved::SavedState;
use remote_write::RemoteWrite;
use std::sync::Arc;
use template::Template;
use webhook::Webhook;

/// The sinks of a configuration; `targets` shows how they do. Requests are carried by the network, or by `transport`.
///
/// # Errors
/// [`ServerError`] for a template, a secret or authorities that cannot be used, or a saved state that cannot be read.
pub(crate) fn open(
    config: &WatchConfig,
    transport: Option<&Arc<dyn Transport>>,
    targets: &Targets,
) -> Result<Vec<Box<dyn Sink>>, ServerError> {
    let folder = config.store.path.join("targets");
    let (mut sinks, mut shared) = (Vec::<Box<dyn Sink>>::new(), Vec::new());
    let mut add = |outlet: Box<dyn Outlet>, target: &TargetConfig, saved: SavedState| {
        let transport = match transport {
            Some(transport) => Arc::clone(transport),
            None => Arc::new(UreqTransport::new(&target.tls)?) as Arc<dyn Transport>,
        };
        let runner = Runner::new(outlet, target, transport, saved);
        shared.push(runner.shared());
        sinks.push(Box::new(runner));
        Ok::<(), ServerError>(())
    };
    for one in &config.alertmanagers {
        let saved = SavedState::open(&folder, TargetKind::Alertmanager, one.target.name())?;
        let state = saved.read();
        let outlet = Alertmanager::new(config.alerts.clone(), one, state);
        let outlet = outlet.map_err(|error| saved.damaged(&error))?;
        add(Box::new(outlet), &one.target, saved)?;
    }
    for one in &config.webhooks {
        let (template, secret) = prepare(one)?;
        let saved = SavedState::open(&folder, TargetKind::Webhook, one.target.name())?;
        let outlet = Webhook::new(config.alerts.clone(), one, template, secret, saved.read());
        let outlet = outlet.map_err(|error| saved.damaged(&error))?;
        add(Box::new(outlet), &one.target, saved)?;
    }
    for one in &config.remote_writes {
        let saved = SavedState::open(&folder, TargetKind::RemoteWrite, one.target.name())?;
        let outlet = RemoteWrite::new(config.alerts.clone(), one, saved.read());
        add(Box::new(outlet), &one.target, saved)?;
    }
    targets.replace(shared);
    Ok(sinks)
}

/// Whether templates, secrets and authorities can be used.
///
/// # Errors
/// As [`open`].
pub(crate) fn check(config: &WatchConfig) -> Result<(), ServerError> {
    config.webhooks.iter().try_for_each(|one| prepare(one).map(drop))?;
    let targets = config.alertmanagers.iter().map(|one| &one.target);
    let targets = targets.chain(config.webhooks.iter().map(|one| &one.target));
    let mut targets = targets.chain(config.remote_writes.iter().map(|one| &one.target));
    targets.try_for_each(|target| UreqTransport::new(&target.tls).map(drop))
}

fn prepare(webhook: &WebhookConfig) -> Result<(Template, Option<Vec<u8>>), ServerError> {
    let secret = webhook.secret_file.as_deref().map(read_secret).transpose()?;
    Ok((Template::new(&webhook.template)?, secret.map(String::into_bytes)))
}
