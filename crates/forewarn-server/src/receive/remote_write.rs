//! Remote write 1.0 and 2.0: what of a request is taken, and what is answered.

use super::{Receiver, counts::Counts, reply::Reply, seen::Seen};
use crate::{ReceiveConfig, ServerError};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use forewarn_live::Input;
use forewarn_prometheus::{
    Limits, PrometheusError, RemoteWriteVersion, SeriesMap, ServiceLabels, Written, read_remote_write,
};
use forewarn_schema::Schema;
use std::sync::{Mutex, MutexGuard, PoisonError};

const SAMPLES_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-samples-written");
const HISTOGRAMS_WRITTEN: HeaderName =
    HeaderName::from_static("x-prometheus-remote-write-histograms-written");
const EXEMPLARS_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-exemplars-written");

/// Takes series that are rows of the model already: what recording rules of the recipes write.
pub(super) struct WriteReceiver {
    map: SeriesMap,
    metrics: Schema,
    limits: Limits,
    most_services: usize,
    seen: Mutex<Seen>,
    pub(super) counts: Counts,
}

/// What of a request is to be journaled before it is answered.
#[derive(Debug, Default)]
pub(super) struct Taken {
    inputs: Vec<Input>,
    /// By service, place of the metric and time in milliseconds of each input.
    keys: Vec<(String, Vec<(usize, i64)>)>,
    written: Written,
    /// Why something was refused.
    refused: Option<String>,
}

impl WriteReceiver {
    pub(super) fn new(config: &ReceiveConfig, metrics: &Schema) -> Result<Self, ServerError> {
        let labels = ServiceLabels::new(config.service_labels.iter().cloned());
        let labels = match &config.service_names {
            Some(names) => labels.with_names(names.clone()),
            None => labels,
        };
        let recorded = metrics.names().map(|name| (format!("forewarn:{name}"), name.to_owned()));
        let own = config.series.iter().map(|(series, metric)| (series.clone(), metric.clone()));
        let map = SeriesMap::new(metrics, labels, recorded.chain(own))
            .map_err(|error| ServerError::Config { reason: format!("receive.series: {error}") })?;
        let limits =
            Limits { max_bytes: config.max_bytes, max_samples: config.max_samples, ..Limits::default() };
        Ok(Self {
            map,
            metrics: metrics.clone(),
            limits,
            most_services: config.most_services,
            seen: Mutex::default(),
            counts: Counts::default(),
        })
    }

    fn refuse(&self, reply: Reply) -> Reply {
        Counts::add(&self.counts.refused_requests, 1);
        reply
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Receiver for WriteReceiver {
    type Taken = Taken;

    fn take(&self, content_type: &str, encoding: &str, body: &[u8]) -> Result<Taken, Reply> {
        let Some(version) = RemoteWriteVersion::of_content_type(content_type) else {
            let expected = "expected Content-Type application/x-protobuf, of remote write 1.0 or 2.0";
            return Err(self.refuse(Reply::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, expected)));
        };
        if !encoding.eq_ignore_ascii_case("snappy") {
            let expected = "expected Content-Encoding snappy";
            return Err(self.refuse(Reply::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, expected)));
        }
        let request = read_remote_write(body, version, &self.limits).map_err(|error| {
            let is_large = matches!(error, PrometheusError::Limit { setting: "max_bytes", .. });
            let status = if is_large { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
            self.refuse(Reply::text(status, error.to_string()))
        })?;
        let mut taken =
            Taken { refused: request.refused.first.as_ref().map(ToString::to_string), ..Taken::default() };
        let refused = &request.refused;
        Counts::add(
            &self.counts.refused_samples,
            refused.samples_over_limit + refused.samples_of_refused_series,
        );
        Counts::add(&self.counts.refused_samples, refused.samples_out_of_time + refused.wrong_histograms);
        let placed = self.map.place(&request.series);
        Counts::add(&self.counts.other_series, placed.left_out.series_of_other_metrics);
        Counts::add(
            &self.counts.series_without_service,
            placed.left_out.series_without_service + placed.left_out.series_not_mapped,
        );
        let seen = self.seen();
        for (service, samples) in placed.services {
            if !seen.has_room(&service, self.most_services) {
                Counts::add(&self.counts.refused_samples, samples.len() as u64);
                taken.refused.get_or_insert_with(|| {
                    format!("more than {} services: see receive.most_services", self.most_services)
                });
                continue;
            }
            let mut keys = Vec::with_capacity(samples.len());
            for sample in samples {
                taken.written.samples += 1;
                let (metric, time) = (sample.metric, sample.time.millis());
                if seen.has(&service, metric, time) {
                    Counts::add(&self.counts.repeated_samples, 1);
                    continue;
                }
                keys.push((metric, time));
                taken.inputs.push(Input::Sample {
                    service: service.clone(),
                    metric: self.metrics.metrics()[metric].name.clone(),
                    time: sample.time,
                    value: sample.value,
                });
            }
            if !keys.is_empty() {
                taken.keys.push((service, keys));
            }
        }
        Ok(taken)
    }

    fn inputs(taken: &mut Taken) -> Vec<Input> {
        std::mem::take(&mut taken.inputs)
    }

    /// What was journaled is not taken again.
    fn kept(&self, taken: &Taken) -> Reply {
        let mut seen = self.seen();
        for (service, keys) in &taken.keys {
            seen.keep(service, keys, self.metrics.len());
            Counts::add(&self.counts.samples, keys.len() as u64);
        }
        drop(seen);
        Counts::add(&self.counts.requests, 1);
        let reply = match &taken.refused {
            None => Reply::new(StatusCode::NO_CONTENT, Vec::new()),
            Some(reason) => Reply::text(StatusCode::BAD_REQUEST, format!("a part was refused: {reason}")),
        };
        reply
            .with(SAMPLES_WRITTEN, HeaderValue::from(taken.written.samples))
            .with(HISTOGRAMS_WRITTEN, HeaderValue::from(taken.written.histograms))
            .with(EXEMPLARS_WRITTEN, HeaderValue::from(taken.written.exemplars))
    }

    fn counts(&self) -> &Counts {
        &self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_prometheus::{Labels, Sample, Series, encode_remote_write, encode_remote_write_2};
    use forewarn_schema::Timestamp;

    fn series(name: &str, job: &str, samples: &[(i64, f64)]) -> Series {
        let at = |millis| Timestamp::from_millis(millis).unwrap();
        let samples = samples.iter().map(|&(millis, value)| Sample { time: at(millis), value }).collect();
        let labels = Labels::new([("__name__", name), ("job", job)]).unwrap();
        Series { labels, samples, histograms: Vec::new() }
    }

    fn receiver() -> WriteReceiver {
        WriteReceiver::new(&ReceiveConfig::default(), &Schema::v1()).unwrap()
    }

    const V1: &str = "application/x-protobuf";
    const V2: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

    #[test]
    fn a_request_that_is_repeated_is_taken_once_and_only_after_it_was_kept() {
        let receiver = receiver();
        let series = [
            series("forewarn:error_rate", "web", &[(1_000, 0.5), (2_000, 0.25)]),
            series("up", "web", &[(1_000, 1.0)]),
        ];
        for (content_type, body) in
            [(V1, encode_remote_write(&series).unwrap()), (V2, encode_remote_write_2(&series).unwrap())]
        {
            let taken = receiver.take(content_type, "snappy", &body).unwrap();
            if content_type == V1 {
                // Not kept yet: the sender comes again, and nothing is lost.
                assert_eq!(taken.inputs.len(), 2);
                assert_eq!(receiver.take(V1, "snappy", &body).unwrap().inputs, taken.inputs);
            } else {
                assert_eq!(taken.inputs, []);
            }
            let reply = receiver.kept(&taken);
            assert_eq!(reply.status, StatusCode::NO_CONTENT);
            assert!(reply.headers.contains(&(SAMPLES_WRITTEN, HeaderValue::from(2u64))), "{reply:?}");
        }
        let counts = receiver.counts.now();
        assert_eq!((counts["samples"], counts["repeated_samples"], counts["other_series"]), (2, 2, 3));
    }

    #[test]
    fn what_cannot_be_taken_has_the_status_of_the_specification() {
        let receiver = receiver();
        let body = encode_remote_write(&[series("forewarn:error_rate", "web", &[(1, 0.5)])]).unwrap();
        let status = |content_type, encoding, body: &[u8]| {
            receiver.take(content_type, encoding, body).unwrap_err().status
        };
        assert_eq!(status("application/json", "snappy", &body), StatusCode::UNSUPPORTED_MEDIA_TYPE);
        let unknown = "application/x-protobuf;proto=io.prometheus.write.v3.Request";
        assert_eq!(status(unknown, "snappy", &body), StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(status(V1, "gzip", &body), StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(status(V1, "snappy", b"no"), StatusCode::BAD_REQUEST);
        // A block that declares 1 GiB.
        let huge = [0x80, 0x80, 0x80, 0x80, 0x04, 0];
        assert_eq!(status(V1, "snappy", &huge), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(receiver.counts.now()["refused_requests"], 5);
    }

    #[test]
    fn a_part_that_is_refused_is_400_and_the_rest_is_kept() {
        let nameless =
            Series { labels: Labels::new([("job", "web")]).unwrap(), ..series("x", "web", &[(1_000, 1.0)]) };
        let body =
            encode_remote_write(&[nameless, series("forewarn:error_rate", "web", &[(1_000, 0.5)])]).unwrap();
        let receiver = receiver();
        let taken = receiver.take(V1, "snappy", &body).unwrap();
        assert_eq!(taken.inputs.len(), 1);
        let reply = receiver.kept(&taken);
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert!(reply.headers.contains(&(SAMPLES_WRITTEN, HeaderValue::from(1u64))));
        let config = ReceiveConfig { most_services: 1, ..ReceiveConfig::default() };
        let small = WriteReceiver::new(&config, &Schema::v1()).unwrap();
        let body = |job| encode_remote_write(&[series("forewarn:error_rate", job, &[(1_000, 0.5)])]).unwrap();
        small.kept(&small.take(V1, "snappy", &body("a")).unwrap());
        let second = small.take(V1, "snappy", &body("b")).unwrap();
        assert_eq!((second.inputs.len(), small.kept(&second).status), (0, StatusCode::BAD_REQUEST));
    }

    #[test]
    fn own_series_and_names_are_mapped() {
        let config = ReceiveConfig {
            service_names: Some([("web-7".to_owned(), "web".to_owned())].into()),
            series: [("shop:errors".to_owned(), "error_rate".to_owned())].into(),
            ..ReceiveConfig::default()
        };
        let receiver = WriteReceiver::new(&config, &Schema::v1()).unwrap();
        let body = [series("shop:errors", "web-7", &[(1, 0.5)]), series("shop:errors", "other", &[(1, 0.5)])];
        let taken = receiver.take(V1, "snappy", &encode_remote_write(&body).unwrap()).unwrap();
        assert!(matches!(&taken.inputs[..], [Input::Sample { service, metric, .. }]
            if service == "web" && metric == "error_rate"));
        assert_eq!(receiver.counts.now()["series_without_service"], 1);
        let wrong =
            ReceiveConfig { series: [("a".to_owned(), "b".to_owned())].into(), ..ReceiveConfig::default() };
        assert!(WriteReceiver::new(&wrong, &Schema::v1()).is_err());
    }
}
