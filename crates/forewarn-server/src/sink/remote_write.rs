//! Scores by remote write, so that they stand beside the metrics that they were made of.

use super::{
    Answer, Next, Outgoing, Outlet, TargetKind, TargetStatus, Truth, Verdict, alerts::labels::LabelSet,
    delivery::pause::Pause,
};
use crate::config::{AlertsConfig, RemoteWriteConfig};
use forewarn_live::{Event, EventBody, ScoreEvent};
use forewarn_prometheus::{Labels, NAME, RemoteWriteVersion, Sample, Series, encode_remote_write};
use forewarn_schema::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Name of the series of probabilities.
pub(crate) const PROBABILITY: &str = "forewarn_failure_probability_ratio";
/// Samples of one request.
const BATCH: usize = 5_000;

/// One receiver of scores, without socket and clock.
///
/// A score is a sample at its row's time. Where the model cannot tell, the series ends with a stale marker, so that a
/// graph has a gap and not a line. What was not taken waits; as remote write asks, what was refused is not sent again.
pub(crate) struct RemoteWrite {
    alerts: AlertsConfig,
    config: RemoteWriteConfig,
    next_seq: u64,
    waiting: VecDeque<Point>,
    /// Series that have a value: service and model.
    live: BTreeSet<(String, String)>,
    /// Samples of the request that is on its way.
    in_flight: usize,
    pause: Pause,
    status: TargetStatus,
    /// The position that was saved last.
    saved: Option<u64>,
}

#[derive(Debug)]
struct Point {
    seq: u64,
    service: String,
    model: String,
    sample: Sample,
}

impl RemoteWrite {
    /// One that goes on from `state`, or begins.
    pub(crate) fn new(alerts: AlertsConfig, config: &RemoteWriteConfig, state: Option<&[u8]>) -> Self {
        let name = config.target.name();
        // A state that cannot be read is none: scores are sent again, which changes nothing.
        let saved = state.and_then(|state| std::str::from_utf8(state).ok()?.trim().parse().ok());
        Self {
            pause: Pause::new(name),
            status: TargetStatus::new(TargetKind::RemoteWrite, name),
            config: config.clone(),
            alerts,
            next_seq: saved.unwrap_or(0),
            waiting: VecDeque::new(),
            live: BTreeSet::new(),
            in_flight: 0,
            saved,
        }
    }

    fn push(&mut self, seq: u64, (service, model): (String, String), sample: Sample) {
        self.waiting.push_back(Point { seq, service, model, sample });
        if self.waiting.len() > self.config.most_samples {
            // Those on their way are not dropped under their answer.
            if self.waiting.remove(self.in_flight).is_some() {
                self.status.dropped += 1;
            }
        }
    }

    fn score(&mut self, event: &Event, score: &ScoreEvent) {
        if score.shadow && !self.config.shadows {
            return;
        }
        let key = (score.service.to_string(), score.model.to_string());
        match score.probability {
            Some(value) => {
                self.live.insert(key.clone());
                self.push(event.seq, key, Sample { time: event.time, value });
            }
            None if self.live.remove(&key) => self.push(event.seq, key, Sample::stale(event.time)),
            None => {}
        }
    }

    fn series(&self, count: usize) -> Vec<Series> {
        let mut series: BTreeMap<(&str, &str), Vec<Sample>> = BTreeMap::new();
        for point in self.waiting.range(..count) {
            series.entry((&point.service, &point.model)).or_default().push(point.sample);
        }
        let labels = |service: &str, model: &str| {
            let mut labels: LabelSet = self.alerts.service_labels(service);
            labels.insert(NAME.to_owned(), PROBABILITY.to_owned());
            labels.insert("model".to_owned(), model.to_owned());
            // Names are there once, in order.
            Labels::new(labels).unwrap_or_default()
        };
        let series = series.into_iter().map(|((service, model), samples)| Series {
            labels: labels(service, model),
            samples,
            histograms: Vec::new(),
        });
        series.collect()
    }
}

impl Outlet for RemoteWrite {
    fn next_seq(&self) -> u64 {
        self.next_seq
    }

    fn take(&mut self, event: &Event, _now: Timestamp) {
        if event.seq < self.next_seq {
            return;
        }
        self.next_seq = event.seq + 1;
        match &event.body {
            EventBody::Score(score) => self.score(event, score),
            EventBody::ServiceExpired { service } => {
                let gone: Vec<_> = self.live.iter().filter(|(name, _)| name == service).cloned().collect();
                for key in gone {
                    self.live.remove(&key);
                    self.push(event.seq, key, Sample::stale(event.time));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, truth: &Truth<'_>, _now: Timestamp) {
        self.next_seq = truth.next_seq;
    }

    fn next(&mut self, now: Timestamp) -> Next {
        if let Some(until) = self.pause.waits_until(now) {
            return Next::Wait(until);
        }
        while !self.waiting.is_empty() {
            let count = self.waiting.len().min(BATCH);
            match encode_remote_write(&self.series(count)) {
                Ok(body) => {
                    self.in_flight = count;
                    let headers = vec![
                        ("Content-Type", RemoteWriteVersion::V1.content_type().to_owned()),
                        ("Content-Encoding", "snappy".to_owned()),
                        ("X-Prometheus-Remote-Write-Version", "0.1.0".to_owned()),
                    ];
                    let url = self.config.target.url.clone();
                    return Next::Send(Outgoing { is_post: true, url, headers, body });
                }
                Err(error) => {
                    self.waiting.drain(..count);
                    self.status.refused(count, error.to_string());
                }
            }
        }
        Next::Idle
    }

    fn answered(&mut self, answer: &Answer, now: Timestamp) {
        let count = std::mem::take(&mut self.in_flight).min(self.waiting.len());
        if count == 0 {
            return;
        }
        match answer.verdict() {
            Verdict::Taken => {
                self.pause.succeed();
                self.status.arrived(now, count);
                self.waiting.drain(..count);
            }
            Verdict::Refused(words) => {
                self.pause.succeed();
                self.status.refused(count, words);
                self.waiting.drain(..count);
            }
            Verdict::Later(words, asked) => {
                self.pause.fail(now, asked);
                self.status.failed(words);
            }
        }
    }

    fn hurry(&mut self, _now: Timestamp) {
        self.pause.succeed();
    }

    fn status(&self) -> TargetStatus {
        TargetStatus { waiting: self.waiting.len(), ..self.status.clone() }
    }

    fn changed_state(&mut self) -> Option<Vec<u8>> {
        let position = self.waiting.front().map_or(self.next_seq, |first| first.seq);
        if self.saved == Some(position) {
            return None;
        }
        self.saved = Some(position);
        Some(position.to_string().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::testing::{minute, score};
    use forewarn_prometheus::{Limits, read_remote_write};

    fn outlet(most_samples: usize) -> RemoteWrite {
        let toml = format!("url = \"http://p/api/v1/write\"\nmost_samples = {most_samples}");
        RemoteWrite::new(AlertsConfig::default(), &toml::from_str(&toml).unwrap(), None)
    }

    fn ok() -> Answer {
        Answer::Response { status: 204, retry_after: None, body: Vec::new() }
    }

    fn sent(outlet: &mut RemoteWrite, now: Timestamp) -> Vec<Series> {
        let Next::Send(request) = outlet.next(now) else { panic!("nothing to send") };
        read_remote_write(&request.body, RemoteWriteVersion::V1, &Limits::default()).unwrap().series
    }

    #[test]
    fn scores_are_samples_at_row_times_and_what_cannot_be_told_ends_a_series() {
        let mut outlet = outlet(1_000);
        for (seq, (at, probability)) in
            [(1, Some(0.25)), (2, Some(0.5)), (3, None), (4, None)].iter().enumerate()
        {
            outlet.take(&score(seq as u64, "shop/web", *at, *probability), minute(*at));
        }
        let series = sent(&mut outlet, minute(5));
        assert_eq!(series.len(), 1);
        assert_eq!(
            series[0].labels.to_string(),
            "forewarn_failure_probability_ratio{model=\"main\", namespace=\"shop\", service=\"web\"}"
        );
        let values: Vec<f64> = series[0].samples.iter().map(|sample| sample.value).collect();
        assert_eq!(&values[..2], [0.25, 0.5]);
        assert!(series[0].samples[2].is_stale() && series[0].samples[2].time == minute(3));
        assert_eq!(values.len(), 3, "a series ends once");
        assert_eq!(outlet.changed_state(), Some(b"0".to_vec()), "nothing has arrived");
        outlet.answered(&ok(), minute(5));
        assert_eq!((outlet.next(minute(5)), outlet.status().delivered), (Next::Idle, 3));
        assert_eq!(outlet.changed_state(), Some(b"4".to_vec()));
        assert_eq!(outlet.changed_state(), None);
    }

    #[test]
    fn an_outage_keeps_the_newest_and_counts_what_it_drops() {
        let mut outlet = outlet(1_000);
        for seq in 0..1_500 {
            outlet.take(&score(seq, "web", seq as i64, Some(0.1)), minute(0));
        }
        assert_eq!((outlet.status().waiting, outlet.status().dropped), (1_000, 500));
        let first = sent(&mut outlet, minute(0));
        assert_eq!(first[0].samples[0].time, minute(500));
        outlet.answered(&Answer::Failed("connection refused".to_owned()), minute(0));
        assert!(matches!(outlet.next(minute(0)), Next::Wait(_)));
        assert_eq!(sent(&mut outlet, minute(1)), first, "what was not taken is sent again");
        outlet.answered(
            &Answer::Response { status: 400, retry_after: None, body: b"too old".to_vec() },
            minute(1),
        );
        assert_eq!((outlet.next(minute(1)), outlet.status().refused), (Next::Idle, 1_000));
        assert_eq!(outlet.status().last_error.as_deref(), Some("answered 400: too old"));
    }

    #[test]
    fn a_saved_position_is_gone_on_from() {
        let config = toml::from_str("url = \"http://p/\"").unwrap();
        let mut outlet = RemoteWrite::new(AlertsConfig::default(), &config, Some(b"7"));
        outlet.take(&score(6, "web", 1, Some(0.1)), minute(1));
        assert_eq!((outlet.next(minute(1)), outlet.next_seq()), (Next::Idle, 7));
        outlet.take(&score(7, "web", 2, Some(0.1)), minute(2));
        assert_eq!(sent(&mut outlet, minute(2))[0].samples.len(), 1);
    }
}
