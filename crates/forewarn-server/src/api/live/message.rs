use crate::{
    api::{
        alarms::{incidents::Incident, older::OlderAlarms, warnings::Warning},
        control::{chaos::ChaosView, status::Status},
        fleet::{
            graph::Graph,
            services::{ServiceSummary, Summaries},
        },
        state::Api,
        words::Time,
    },
    chaos::Reading,
    http::Problem,
    runtime::Snapshot,
};
use forewarn_schema::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A message of the live stream.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum LiveMessage {
    /// All there is: the first message, unless the client goes on where it was.
    Snapshot(Box<Everything>),
    /// An event. Their numbers have no gaps.
    #[cfg_attr(not(test), expect(dead_code, reason = "an event writes its own message, of this form"))]
    Event {
        /// Number of the event.
        seq: u64,
        /// The event: `seq`, `time`, its kind as `event`, and what it says.
        #[schema(value_type = Object)]
        event: Value,
    },
    /// That the server lives: every 2 s, and after each snapshot.
    Beat(Beat),
    /// That the client was too slow; a snapshot follows.
    Lagged {
        /// Events that it is not sent, up to the one of that snapshot.
        missed: u64,
    },
}

/// All that a page shows, of one moment.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Everything {
    /// Number of the last event that it includes; null before the first.
    pub(super) seq: Option<u64>,
    /// How the whole service is.
    status: Status,
    /// The services in order of name.
    services: Vec<ServiceSummary>,
    /// The warnings that fire, the newest first.
    warnings: Vec<Warning>,
    /// The incidents that are open, the newest first.
    incidents: Vec<Incident>,
    /// The service graph.
    graph: Graph,
    /// The faults.
    chaos: ChaosView,
}

impl Everything {
    pub(super) fn of(api: &Api, snapshot: &Snapshot) -> Result<Self, Problem> {
        let graphs = api.graphs(&snapshot.view.calls)?;
        let firing = snapshot.recent.warnings().rev().filter(|record| record.is_firing());
        let open = snapshot.recent.incidents().rev().filter(|record| record.closed_at.is_none());
        let older = OlderAlarms::none();
        Ok(Self {
            seq: snapshot.events.next().checked_sub(1),
            status: Status::of(api, snapshot),
            services: Summaries::new(api, snapshot).all(),
            warnings: firing.map(|record| Warning::from(&**record)).collect(),
            incidents: open.map(|record| Incident::of(record, snapshot, &older, &graphs)).collect(),
            graph: Graph::of(api, snapshot, &graphs, None),
            chaos: ChaosView::of(api),
        })
    }
}

/// The clock, and what changes between two rows.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Beat {
    /// The clock of the data, as that of the status.
    now: Time,
    /// Seconds since the last closed row, by the clock of the data; null for data without a clock.
    row_age_seconds: Option<f64>,
    /// Number of the last event; null before the first.
    seq: Option<u64>,
    /// What each service does at this moment; left out unless a simulation is the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    services: Option<BTreeMap<String, Moment>>,
    /// Availability of the services, as in their summaries, but for those without a failure in the last 24 h; left out
    /// unless a row was closed since the beat before.
    #[serde(skip_serializing_if = "Option::is_none")]
    availability: Option<BTreeMap<String, f64>>,
}

/// What a simulated service does at a moment, finer than its rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Moment {
    /// Share of the processor in use.
    cpu: f64,
    /// Share of the memory in use.
    memory: f64,
    /// Milliseconds: the 95th percentile; null without requests.
    latency: Option<f64>,
    /// Share of the requests that failed; null without requests.
    error_rate: Option<f64>,
    /// Requests a second.
    throughput: f64,
    /// Share of the pods that take requests.
    pods_up: f64,
}

impl Moment {
    fn of(reading: Reading) -> (String, Self) {
        let Reading { service, cpu, memory, latency, error_rate, throughput, pods_up } = reading;
        (service, Self { cpu, memory, latency, error_rate, throughput, pods_up })
    }
}

impl Beat {
    /// A beat, with what a closed row changes unless `before` is the last one.
    pub(super) fn of(api: &Api, snapshot: &Snapshot, before: Option<Timestamp>) -> Self {
        let readings = api.readings().map(|readings| readings.services);
        Self {
            availability: (before != snapshot.last_row).then(|| api.day(snapshot).imperfect()),
            now: api.now().into(),
            row_age_seconds: api.age_seconds(snapshot),
            seq: snapshot.events.next().checked_sub(1),
            services: readings.map(|services| services.into_iter().map(Moment::of).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_message_says_its_type() {
        let json = |message: LiveMessage| serde_json::to_value(message).unwrap();
        let event = json!({"seq": 3, "event": "late"});
        assert_eq!(
            json(LiveMessage::Event { seq: 3, event: event.clone() }),
            json!({"type": "event", "seq": 3, "event": event})
        );
        assert_eq!(json(LiveMessage::Lagged { missed: 2 }), json!({"type": "lagged", "missed": 2}));
        let now = forewarn_schema::Timestamp::EPOCH.into();
        let beat = Beat { now, row_age_seconds: None, seq: None, services: None, availability: None };
        assert_eq!(
            json(LiveMessage::Beat(beat)),
            json!({"type": "beat", "now": now, "row_age_seconds": null, "seq": null})
        );
    }
}
