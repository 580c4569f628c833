//! What a live service is made of, apart from what it is connected to: the engine on a thread of its own, what it
//! publishes, and the traits of everything around it.
//!
//! - The engine's thread owns engine and store. It takes [`Input`](forewarn_live::Input)s from a bounded queue, writes
//!   them to the journal, applies them, and acknowledges them once they are on disk. It never waits for a reader.
//! - A [`Handle`] is what everything else holds: it sends inputs, and reads the last [`Snapshot`], which is immutable.
//! - A [`Source`] sends inputs, a [`Sink`] gets events; each runs on a thread of its own. A [`Transport`] carries what
//!   they ask of other servers, a [`Clock`] tells them the time: with a [`VirtualClock`] and a [`FakeTransport`] the
//!   whole service runs in a test.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod handle;
mod http_context;
mod outside;
mod queue;
mod reload;
mod serve;
mod sharding;
mod views;
mod worker;

pub use handle::{Ack, Handle, Pending, Refused};
pub use http_context::HttpContext;
pub use outside::clock::{Clock, SystemClock, VirtualClock};
pub use outside::sink::{Batch, Sink, SinkContext};
pub use outside::source::{Resume, Source, SourceContext};
pub use outside::stop::Stop;
pub use outside::transport::{
    FakeTransport, HttpRequest, HttpResponse, Method, TlsSettings, Transport, UreqTransport,
};
pub use reload::{Reload, ReloadHook, ReloadState};
pub use views::feed::Feed;
pub use views::history::{Happened, Past};
pub use views::recent::{
    FailureRecord, IncidentRecord, MinuteBlock, OutcomeRecord, Recent, RowView, ScoreColumn, ScoreDetail,
    ScoreView, SourceRecord, WarningRecord,
};
pub use views::report::Reporter;
pub use views::ring::{EventRing, Numbered};
pub use views::snapshot::{About, Snapshot, SourceAge, StoreState};

pub(crate) use handle::channel;
pub(crate) use outside::sink::SinkThread;
pub(crate) use serve::{Serving, serve};
pub(crate) use sharding::Sharding;
pub(crate) use views::history::HistoryWriter;
pub(crate) use worker::{Worker, WorkerOptions, changes_nothing, engine_of};
