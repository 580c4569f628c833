//! What a live service is made of, apart from what it is connected to: the engine on a thread of its own, what it
//! publishes, and the traits of everything around it.
//!
//! - The engine's thread owns engine and store. It takes [`Input`](forewarn_live::Input)s from a bounded queue, writes
//!   them to the journal, applies them, and acknowledges them once they are on disk. It never waits for a reader.
//! - A [`Handle`] is what everything else holds: it sends inputs, and reads the last [`Snapshot`], which is immutable.
//! - A [`Source`] sends inputs, a [`Sink`] gets events; each runs on a thread of its own. A [`Transport`] carries what
//!   they ask of other servers, a [`Clock`] tells them the time: with a [`VirtualClock`] and a [`FakeTransport`] the
//!   whole service runs in a test.

mod clock;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod feed;
mod handle;
mod history;
mod past;
mod queue;
mod recent;
mod reload;
mod report;
mod serve;
mod sharding;
mod sink;
mod snapshot;
mod source;
mod stop;
mod transport;
mod worker;

pub use clock::{Clock, SystemClock, VirtualClock};
pub use feed::{EventRing, Feed, Numbered};
pub use handle::{Ack, Handle, Pending, Refused};
pub use history::{Happened, Past};
pub use recent::{
    FailureRecord, IncidentRecord, MinuteBlock, OutcomeRecord, Recent, RowView, ScoreColumn, ScoreDetail,
    ScoreView, SourceRecord, WarningRecord,
};
pub use reload::{Reload, ReloadHook, ReloadState};
pub use report::Reporter;
pub use serve::HttpContext;
pub use sink::{Batch, Sink, SinkContext};
pub use snapshot::{About, Snapshot, SourceAge, StoreState};
pub use source::{Resume, Source, SourceContext};
pub use stop::Stop;
pub use transport::{
    FakeTransport, HttpRequest, HttpResponse, Method, TlsSettings, Transport, UreqTransport,
};

pub(crate) use handle::channel;
pub(crate) use history::HistoryWriter;
pub(crate) use serve::{Serving, serve};
pub(crate) use sharding::Sharding;
pub(crate) use sink::SinkThread;
pub(crate) use worker::{Worker, WorkerOptions, changes_nothing, engine_of};
