//! OTLP metrics: from points of single series to the metrics of a service's minute.

mod minute;
mod reply;
mod series;

use super::{Receiver, counts::Counts, reply::Reply};
use crate::{ReceiveConfig, ServerError};
use axum::http::StatusCode;
use flate2::read::GzDecoder;
use forewarn_live::Input;
use forewarn_prometheus::{Limits, OtlpEncoding, OtlpMetrics, PrometheusError, read_otlp};
use forewarn_schema::{Schema, Step, Timestamp};
use minute::{Minute, Part, RequestMetrics};
use series::{Increment, SeriesKey, SeriesState};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Series that are remembered.
const MOST_SERIES: usize = 1_000_000;
/// Steps that a minute is kept after the newest.
const KEPT_STEPS: i64 = 3;
/// Steps without a point after which a series is forgotten.
const SILENT_STEPS: i64 = 15;

/// Takes points, adds them up by service and minute, and gives the metrics of each minute as far as they are known:
/// each request that touches a minute gives its metrics once more, and the last counts.
///
/// Rates are those between two points of a series, times the step, so that it does not matter how often a program
/// exports. Quantiles are those of all histograms of a service together.
pub(super) struct OtlpReceiver {
    metrics: Schema,
    step: Step,
    requests: RequestMetrics,
    /// Position of a metric by the name of an OTLP metric.
    others: BTreeMap<String, usize>,
    limits: Limits,
    most_services: usize,
    state: Mutex<State>,
    pub(super) counts: Counts,
}

/// A minute of a service: its end in milliseconds, and the service.
type Place = (i64, Arc<str>);

#[derive(Default)]
struct State {
    series: BTreeMap<SeriesKey, SeriesState>,
    /// By the end of the minute in milliseconds and the service.
    minutes: BTreeMap<Place, Minute>,
    /// Minutes of which something has not been journaled.
    open: BTreeSet<Place>,
    services: BTreeSet<Arc<str>>,
    /// End of the first minute that can be whole.
    whole_from: Option<i64>,
    newest: i64,
}

/// What of a request is to be journaled before it is answered.
#[derive(Debug)]
pub(super) struct Taken {
    inputs: Vec<Input>,
    encoding: OtlpEncoding,
    /// Minutes whose metrics these are, and how many requests they had seen.
    minutes: Vec<(Place, u64)>,
    rejected: u64,
    reason: Option<String>,
    points: u64,
}

impl OtlpReceiver {
    pub(super) fn new(config: &ReceiveConfig, metrics: &Schema, step: Step) -> Result<Self, ServerError> {
        let mut others = BTreeMap::new();
        for (name, metric) in &config.otlp_metrics {
            let place = metrics.index_of(metric).map_err(|error| ServerError::Config {
                reason: format!("receive.otlp_metrics.{name:?}: {error}"),
            })?;
            others.insert(name.clone(), place);
        }
        Ok(Self {
            requests: RequestMetrics::of(metrics),
            metrics: metrics.clone(),
            step,
            others,
            limits: Limits {
                max_bytes: config.max_bytes,
                max_samples: config.max_samples,
                ..Limits::default()
            },
            most_services: config.most_services,
            state: Mutex::default(),
            counts: Counts::default(),
        })
    }

    fn unpack(&self, body: &[u8], form: OtlpEncoding) -> Result<Vec<u8>, Reply> {
        let most = self.limits.max_bytes as u64;
        let mut bytes = Vec::new();
        match GzDecoder::new(body).take(most + 1).read_to_end(&mut bytes) {
            Ok(_) if bytes.len() as u64 <= most => Ok(bytes),
            Ok(_) => {
                let reason = format!("more than {most} bytes after unpacking: send less at once");
                Err(self.refuse(reply::failure(form, StatusCode::PAYLOAD_TOO_LARGE, &reason)))
            }
            Err(error) => {
                let reason = format!("not gzip: {error}");
                Err(self.refuse(reply::failure(form, StatusCode::BAD_REQUEST, &reason)))
            }
        }
    }

    fn absorb(&self, export: OtlpMetrics, form: OtlpEncoding) -> Taken {
        let (mut rejected, mut points) = (export.refused.points(), 0);
        let mut reason = export.refused.first.as_ref().map(ToString::to_string);
        Counts::add(&self.counts.refused_samples, rejected);
        let mut state = self.state();
        let mut touched = BTreeSet::new();
        for metric in export.metrics {
            let requests = RequestMetrics::scale(&metric.name, &metric.unit);
            let other = self.others.get(&metric.name).copied();
            if requests.is_none() && other.is_none() {
                Counts::add(&self.counts.other_series, metric.points.len() as u64);
                continue;
            }
            let Some(service) = metric.service else {
                Counts::add(&self.counts.series_without_service, metric.points.len() as u64);
                continue;
            };
            if !state.services.contains(&service) {
                if state.services.len() >= self.most_services {
                    rejected += metric.points.len() as u64;
                    Counts::add(&self.counts.refused_samples, metric.points.len() as u64);
                    let limit =
                        || format!("more than {} services: see receive.most_services", self.most_services);
                    reason.get_or_insert_with(limit);
                    continue;
                }
                state.services.insert(Arc::clone(&service));
            }
            for point in metric.points {
                let time = point.time.millis();
                let Some(end) = self.minute(time) else { continue };
                let key = SeriesKey::of(&service, &metric.name, &point);
                if !state.series.contains_key(&key) && state.series.len() >= MOST_SERIES {
                    rejected += 1;
                    Counts::add(&self.counts.refused_samples, 1);
                    reason.get_or_insert_with(|| format!("more than {MOST_SERIES} series"));
                    continue;
                }
                points += 1;
                state.newest = state.newest.max(end);
                let step = self.step.millis();
                state.whole_from.get_or_insert(end + step);
                let increment = state.series.entry(key.clone()).or_default().push(point, step);
                let (place, kind) = match (requests, other) {
                    (Some(scale), _) => (None, minute::Kind::Requests { scale }),
                    (None, Some(place)) => (Some(place), minute::Kind::Other),
                    (None, None) => continue,
                };
                match increment {
                    Increment::Repeated => Counts::add(&self.counts.repeated_samples, 1),
                    Increment::Nothing => {}
                    Increment::Of(amount, span) => {
                        let minute = state.minutes.entry((end, Arc::clone(&service))).or_default();
                        minute.add(key, Part::new(amount, span, place, kind, step));
                        touched.insert((end, Arc::clone(&service)));
                    }
                }
            }
        }
        self.forget(&mut state);
        state.open.extend(touched);
        let (inputs, minutes) = self.inputs(&mut state);
        Taken { inputs, encoding: form, minutes, rejected, reason, points }
    }

    /// The metrics of all minutes that are not journaled as they are.
    fn inputs(&self, state: &mut State) -> (Vec<Input>, Vec<(Place, u64)>) {
        let (mut inputs, mut versions) = (Vec::new(), Vec::new());
        let State { open, minutes, whole_from, .. } = state;
        for place in open.iter() {
            let Some(minute) = minutes.get_mut(place) else { continue };
            minute.version += 1;
            versions.push((place.clone(), minute.version));
            let (end, service) = place;
            if whole_from.is_none_or(|first| *end <= first) {
                continue;
            }
            // Within its minute a time only says which of several values is the newest.
            let offset = i64::try_from(minute.version).unwrap_or(i64::MAX).min(self.step.millis() - 1);
            let Some(time) = Timestamp::from_millis(end - self.step.millis() + offset) else { continue };
            for (metric, value) in minute.metrics(&self.requests, self.step) {
                let metric = self.metrics.metrics()[metric].name.clone();
                inputs.push(Input::Sample { service: service.to_string(), metric, time, value });
            }
        }
        (inputs, versions)
    }

    /// The end of the minute that a time belongs to.
    fn minute(&self, time: i64) -> Option<i64> {
        let step = self.step.millis();
        let end = time.checked_add(step - 1)?;
        Some(end - end.rem_euclid(step))
    }

    fn forget(&self, state: &mut State) {
        let step = self.step.millis();
        let (oldest, silent) = (state.newest - KEPT_STEPS * step, state.newest - SILENT_STEPS * step);
        let State { series, minutes, open, .. } = state;
        minutes.retain(|(end, _), _| *end >= oldest);
        open.retain(|place| minutes.contains_key(place));
        series.retain(|_, state| state.newest().is_none_or(|newest| newest >= silent));
    }

    fn refuse(&self, reply: Reply) -> Reply {
        Counts::add(&self.counts.refused_requests, 1);
        reply
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Receiver for OtlpReceiver {
    type Taken = Taken;

    /// The metrics of the minutes that a request touches.
    fn take(&self, content_type: &str, encoding: &str, body: &[u8]) -> Result<Taken, Reply> {
        let Some(form) = OtlpEncoding::of_content_type(content_type) else {
            let expected = "expected Content-Type application/x-protobuf or application/json";
            return Err(self.refuse(Reply::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, expected)));
        };
        let unpacked = match encoding.to_ascii_lowercase().as_str() {
            "" | "identity" => None,
            "gzip" => Some(self.unpack(body, form)?),
            _ => {
                let expected = "expected Content-Encoding gzip, or none";
                return Err(self.refuse(Reply::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, expected)));
            }
        };
        let export = read_otlp(unpacked.as_deref().unwrap_or(body), form, &self.limits).map_err(|error| {
            let is_large = matches!(error, PrometheusError::Limit { setting: "max_bytes", .. });
            let status = if is_large { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
            self.refuse(reply::failure(form, status, &error.to_string()))
        })?;
        Ok(self.absorb(export, form))
    }

    fn inputs(taken: &mut Taken) -> Vec<Input> {
        std::mem::take(&mut taken.inputs)
    }

    fn kept(&self, taken: &Taken) -> Reply {
        let mut state = self.state();
        for (place, version) in &taken.minutes {
            if state.minutes.get(place).is_none_or(|minute| minute.version == *version) {
                state.open.remove(place);
            }
        }
        Counts::add(&self.counts.samples, taken.points);
        Counts::add(&self.counts.requests, 1);
        reply::success(taken.encoding, taken.rejected, taken.reason.as_deref().unwrap_or_default())
    }

    fn counts(&self) -> &Counts {
        &self.counts
    }
}

#[cfg(test)]
mod tests;
