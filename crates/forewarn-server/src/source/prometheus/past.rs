//! The past of services: whole days of rows.

use super::{
    client::Client,
    detect::detect,
    fetch::Fetcher,
    queries::{PrometheusQueries, joint_schema},
    retry::Retries,
    rows::Rows,
    server::settle_secs,
    span::{MOST_POINTS, Span},
};
use crate::{
    PrometheusConfig, ServerError,
    runtime::{Clock, Stop},
};
use forewarn_schema::{Frame, FrameSet, Schema, Step, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How often a query is asked before the whole reading ends.
const ATTEMPTS: u32 = 8;
const DAY_MILLIS: i64 = 86_400_000;

/// Reads the past of services from servers of the Prometheus API.
pub struct PrometheusPast {
    servers: Vec<Server>,
    schema: Schema,
    step: Step,
    clock: Arc<dyn Clock>,
}

struct Server {
    name: String,
    client: Client,
    queries: PrometheusQueries,
    positions: Vec<Option<usize>>,
    concurrency: usize,
    settle_secs: u32,
}

/// A day, or the part of it that is asked for: row times from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastDay {
    /// Time of its first row.
    pub first: Timestamp,
    /// Time of its last row.
    pub last: Timestamp,
}

/// What a day held.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct PastRows {
    /// A frame for each service that has a row, in order of their names; from its first row of the day to its last.
    pub frames: Vec<Frame>,
    /// Values outside the range of their metric: they are missing.
    pub out_of_range: u64,
    /// The server's words, where it says that its answer is not complete.
    pub partial: Option<String>,
    /// Names that the map of names lacks, as far as the first hundred.
    pub not_mapped: BTreeSet<String>,
}

impl PastDay {
    /// Row times from `from` to `to`, both included where they are on the clock, by days of UTC. A row has the time of
    /// the end of its step, so that a day's first row is a step after midnight.
    #[must_use]
    pub fn between(from: Timestamp, to: Timestamp, step: Step) -> Vec<Self> {
        let Some(span) = Span::aligned(from, to, step) else { return Vec::new() };
        let mut days = Vec::new();
        let mut first = span.first;
        while first <= span.last {
            // The midnight that ends the step of `first`, or a later one.
            let before = first.millis() - 1;
            let midnight = before - before.rem_euclid(DAY_MILLIS) + DAY_MILLIS;
            let last = midnight - midnight.rem_euclid(step.millis());
            let last = Timestamp::from_millis(last).unwrap_or(span.last).max(first).min(span.last);
            days.push(Self { first, last });
            let Some(next) = last.checked_add(step, 1) else { break };
            first = next;
        }
        days
    }

    /// The date on which it begins, such as `2026-01-05`.
    #[must_use]
    pub fn date(&self) -> String {
        let begin = Timestamp::from_millis(self.first.millis() - 1).unwrap_or(self.first).to_string();
        begin.split('T').next().unwrap_or(&begin).to_owned()
    }
}

impl PrometheusPast {
    /// Of the servers of a configuration; `transport` gives what carries the requests of each. Without recipes those
    /// that the first server has series for are taken.
    ///
    /// # Errors
    /// [`ServerError::Config`] for a setting that cannot be, [`ServerError::Source`] for a server that does not answer
    /// or whose clock is wrong.
    pub fn new(
        config: &PrometheusConfig,
        step: Step,
        clock: &Arc<dyn Clock>,
        transport: &mut super::Connect<'_>,
    ) -> Result<Self, ServerError> {
        let mut servers = Vec::new();
        for one in config.servers() {
            let failed = |words: String| ServerError::Source { what: one.url.clone(), reason: words };
            let client = Client::new(one, transport(one)?, Arc::clone(clock))?;
            let about = client.about().map_err(|failure| failed(failure.words))?;
            client.check_clock().map_err(|failure| failed(failure.words))?;
            let mut one = one.clone();
            if one.recipes.is_empty() {
                one.recipes = detect(&client).map_err(|failure| failed(failure.words))?.chosen;
            }
            if one.recipes.is_empty() {
                let reason =
                    "the server has series for no built-in recipe: name a recipe of your own".to_owned();
                return Err(failed(reason));
            }
            servers.push(Server {
                name: one.url.clone(),
                client,
                queries: PrometheusQueries::new(&one, step)?,
                positions: Vec::new(),
                concurrency: one.concurrency as usize,
                settle_secs: one.settle_secs.unwrap_or_else(|| settle_secs(about.flavour)),
            });
        }
        let schema = joint_schema(servers.iter().map(|server| &server.queries))?;
        for server in &mut servers {
            server.positions = server.queries.positions(&schema)?;
        }
        Ok(Self { servers, schema, step, clock: Arc::clone(clock) })
    }

    /// Metrics of the rows, in order.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Time between rows.
    #[must_use]
    pub fn step(&self) -> Step {
        self.step
    }

    /// What a model's metadata are to hold under [`PrometheusQueries::KEY`].
    #[must_use]
    pub fn metadata(&self) -> serde_json::Value {
        PrometheusQueries::metadata(&self.queries())
    }

    /// Names of the recipes, each once.
    #[must_use]
    pub fn recipes(&self) -> Vec<String> {
        let names = self.servers.iter().flat_map(|server| server.queries.recipes());
        let unique: BTreeSet<String> = names.map(|recipe| recipe.name().to_owned()).collect();
        unique.into_iter().collect()
    }

    /// The last row time whose samples are there by now.
    #[must_use]
    pub fn settled(&self) -> Timestamp {
        let settle = self.servers.iter().map(|server| server.settle_secs).max().unwrap_or(0);
        let settled = self.clock.now().millis() - 1000 * i64::from(settle);
        Timestamp::from_millis(settled - settled.rem_euclid(self.step.millis())).unwrap_or(Timestamp::EPOCH)
    }

    /// Reads a day; `None` where a stop was asked for. The rows are those of one query over the whole span, wherever
    /// it is cut.
    ///
    /// # Errors
    /// [`ServerError::Source`] where a metric cannot be read, with the server's words: a day is whole or not there.
    pub fn read(&self, day: PastDay, stop: &Stop) -> Result<Option<PastRows>, ServerError> {
        let span = Span { first: day.first, last: day.last, step: self.step };
        let mut services: BTreeMap<String, BTreeMap<Timestamp, Vec<f32>>> = BTreeMap::new();
        let mut read = PastRows::default();
        for server in &self.servers {
            let Some(rows) = self.ask(server, span, stop)? else { return Ok(None) };
            read.out_of_range += rows.out_of_range;
            read.partial = read.partial.or(rows.partial);
            read.not_mapped.extend(rows.left_out.not_mapped);
            for (time, minute) in rows.by_time {
                for (service, values) in minute {
                    let rows = services.entry(service).or_default();
                    let row = rows.entry(time).or_insert_with(|| vec![f32::NAN; self.schema.len()]);
                    for (at, value) in server.positions.iter().zip(values) {
                        // Of two servers that have a value the first counts, as it does live.
                        if let Some(own) = at.and_then(|at| row.get_mut(at)).filter(|own| own.is_nan()) {
                            *own = value;
                        }
                    }
                }
            }
        }
        for (service, rows) in services {
            read.frames.extend(self.frame(service, &rows)?);
        }
        Ok(Some(read))
    }

    fn ask(&self, server: &Server, span: Span, stop: &Stop) -> Result<Option<Rows>, ServerError> {
        let fetcher = Fetcher {
            client: &server.client,
            clock: &*self.clock,
            stop,
            concurrency: server.concurrency,
            most_points: MOST_POINTS,
        };
        let expressions: Vec<&str> =
            server.queries.set().queries().iter().map(|query| query.expression.as_str()).collect();
        let mut retries = Retries::new(ATTEMPTS, &server.name, span.first.millis().unsigned_abs());
        let Some(fetched) = fetcher.fetch(&expressions, span, &mut retries) else { return Ok(None) };
        let rows = Rows::of(&server.queries, fetched);
        match rows.failures.first() {
            None => Ok(Some(rows)),
            Some((metric, words)) => Err(ServerError::Source {
                what: server.name.clone(),
                reason: format!("{metric} from {} to {}: {words}", span.first, span.last),
            }),
        }
    }

    fn frame(
        &self,
        service: String,
        rows: &BTreeMap<Timestamp, Vec<f32>>,
    ) -> Result<Option<Frame>, ServerError> {
        let (Some((&first, _)), Some((&last, _))) = (rows.first_key_value(), rows.last_key_value()) else {
            return Ok(None);
        };
        let mut values = Vec::new();
        let missing = vec![f32::NAN; self.schema.len()];
        for time in (Span { first, last, step: self.step }).times() {
            values.extend_from_slice(rows.get(&time).unwrap_or(&missing));
        }
        let frame = Frame::new(service, self.schema.clone(), first, self.step, values);
        frame.map(Some).map_err(refuse)
    }

    fn queries(&self) -> Vec<PrometheusQueries> {
        self.servers.iter().map(|server| server.queries.clone()).collect()
    }
}

/// Puts days together, service by service; rows between them are missing.
///
/// # Errors
/// [`ServerError::Source`] where there is no row at all, or days overlap.
pub fn join_days(days: Vec<PastRows>, schema: &Schema, step: Step) -> Result<FrameSet, ServerError> {
    let mut services: BTreeMap<String, (Timestamp, Vec<f32>)> = BTreeMap::new();
    for frame in days.into_iter().flat_map(|day| day.frames) {
        let view = frame.view();
        let (start, values) =
            services.entry(view.service().to_owned()).or_insert_with(|| (view.start(), Vec::new()));
        let rows = (view.start().millis() - start.millis()) / step.millis();
        let begin = usize::try_from(rows).unwrap_or(0) * schema.len();
        if begin < values.len() {
            return Err(ServerError::Source {
                what: forewarn_schema::printable(view.service()),
                reason: format!("rows of {} come twice", view.start()),
            });
        }
        values.resize(begin, f32::NAN);
        values.extend_from_slice(view.values());
    }
    if services.is_empty() {
        return Err(ServerError::Source {
            what: "the past".to_owned(),
            reason: "no service has a row in it; `forewarn check --prometheus URL` says what the server has"
                .to_owned(),
        });
    }
    let frames = services.into_iter().map(|(service, (start, values))| {
        Frame::new(service, schema.clone(), start, step, values).map_err(refuse)
    });
    FrameSet::from_frames(frames.collect::<Result<_, _>>()?).map_err(refuse)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn refuse(error: forewarn_schema::SchemaError) -> ServerError {
    ServerError::Source { what: "the past".to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn days_begin_a_step_after_midnight_and_have_each_row_once() {
        let days = PastDay::between(at("2026-01-01T22:00:30Z"), at("2026-01-03T00:01:59Z"), Step::MINUTE);
        let text: Vec<_> =
            days.iter().map(|day| (day.date(), day.first.to_string(), day.last.to_string())).collect();
        let expected = [
            ("2026-01-01", "2026-01-01T22:01:00Z", "2026-01-02T00:00:00Z"),
            ("2026-01-02", "2026-01-02T00:01:00Z", "2026-01-03T00:00:00Z"),
            ("2026-01-03", "2026-01-03T00:01:00Z", "2026-01-03T00:01:00Z"),
        ];
        let expected =
            expected.map(|(date, first, last)| (date.to_owned(), first.to_owned(), last.to_owned()));
        assert_eq!(text, expected);
        assert!(
            PastDay::between(at("2026-01-01T00:00:01Z"), at("2026-01-01T00:00:59Z"), Step::MINUTE).is_empty()
        );
        for step in [7_000, 60_000, 3_600_000, 86_400_000] {
            let step = Step::from_millis(step).unwrap();
            let days = PastDay::between(at("2026-01-01T00:00:00Z"), at("2026-01-04T12:00:00Z"), step);
            let whole = Span::aligned(at("2026-01-01T00:00:00Z"), at("2026-01-04T12:00:00Z"), step).unwrap();
            let spans = days.iter().flat_map(|day| Span { first: day.first, last: day.last, step }.times());
            assert!(spans.eq(whole.times()), "{step:?}");
        }
    }

    #[test]
    fn days_are_joined_with_what_is_missing_between_them() {
        let schema = Schema::v1();
        let frame = |service: &str, start: &str, rows: usize| {
            Frame::new(service, schema.clone(), at(start), Step::MINUTE, vec![0.5; rows * schema.len()])
                .unwrap()
        };
        let day = |frames| PastRows { frames, ..PastRows::default() };
        let days = vec![
            day(vec![frame("a", "2026-01-01T00:01:00Z", 2), frame("b", "2026-01-01T00:01:00Z", 1)]),
            day(vec![frame("a", "2026-01-01T00:05:00Z", 1)]),
        ];
        let joined = join_days(days, &schema, Step::MINUTE).unwrap();
        let a = joined.frame(0).unwrap();
        assert_eq!(a.rows(), 5);
        assert!(a.row(2).unwrap()[0].is_nan() && a.row(4).unwrap()[0] == 0.5);
        assert!(join_days(Vec::new(), &schema, Step::MINUTE).is_err());
        let twice = vec![
            day(vec![frame("a", "2026-01-01T00:01:00Z", 2)]),
            day(vec![frame("a", "2026-01-01T00:02:00Z", 2)]),
        ];
        assert!(join_days(twice, &schema, Step::MINUTE).unwrap_err().to_string().contains("twice"));
    }
}
