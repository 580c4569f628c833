use crate::{RootRanking, ServiceGraph, Suspect, TopologyError};
use forewarn_schema::{FrameSet, FrameView, Step, Timestamp};
use serde::Serialize;
use std::collections::VecDeque;

mod aliases;
mod excess;

use aliases::ClientViews;
use excess::{Excess, Normal, Span};

/// Which direction of a metric is the bad one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Worse {
    /// More is worse: latencies, error rates.
    #[default]
    Higher,
    /// Less is worse: availability, throughput.
    Lower,
}

/// From metrics, a graph, a failing service and a time to a ranking of the services that it may have come from.
///
/// What is compared is one metric, the one that fails at the target, over all services that have it:
///
/// 1. *Excess.* The worst row since the onset minus the median of the rows before it. What was there before the onset
///    is not part of this failure, however unusual it is; months between the normal period and the incident do no harm.
/// 2. *In units of the service's own normal period.* The same difference is taken at every time of the normal period.
///    The excess counts as a multiple of its 99 % quantile there, and at least of a twentieth of the metric's normal
///    level (a hundredth for shares that are normally zero). A service that already was away from its normal level
///    before the onset moves by that much without any failure: the unit is at least that distance.
/// 3. *Compressed.* `ln(multiple)` where the multiple is above 1, else 0: a service that answers a hundred times slower
///    is not ten times as suspicious as one that answers ten times slower.
/// 4. *Weighted by correlation with the target* over the rows of the incident, 0 where it is negative.
/// 5. *Client-side views.* A service that calls nothing, but stands beside another server of its clients with an
///    excess, is the clients' view of that server (a balancer, a host name): its excess counts for the server, and the
///    server's score is shared with it.
/// 6. *Along calls.* Services that the target reaches by calls are ranked by [`RootRanking`]; the others score 0.
///
/// "Nothing is wrong" is an answer: see [`RootFindings::is_anything_wrong`].
///
/// # Examples
/// ```
/// use forewarn_schema::{Frame, FrameSet, Metric, Schema, Step, Timestamp};
/// use forewarn_topology::{RootSearch, ServiceGraph};
///
/// let graph = ServiceGraph::from_edge_list("web api\nweb search\napi database")?;
/// let schema = Schema::new(vec![Metric::gauge("latency")])?;
/// let frames = |rows: usize, slow: &[(&str, f32)]| {
///     let frame = |service: &str| {
///         let slow = slow.iter().find(|(name, _)| *name == service).map_or(0.0, |(_, by)| *by);
///         let values = (0..rows).map(|row| 100.0 + (row % 3) as f32 + if row >= 20 { slow } else { 0.0 });
///         Frame::new(service, schema.clone(), Timestamp::EPOCH, Step::MINUTE, values.collect())
///     };
///     FrameSet::from_frames(["web", "api", "search", "database"].map(frame).into_iter().collect::<Result<_, _>>()?)
/// };
/// let (normal, input) = (frames(200, &[])?, frames(30, &[("web", 60.0), ("api", 70.0), ("database", 80.0)])?);
/// let at = Timestamp::from_millis(20 * 60_000).unwrap_or(Timestamp::EPOCH);
/// let found = RootSearch::new("latency").find(&graph, &normal, &input, "web", at)?;
/// assert!(found.is_anything_wrong());
/// assert_eq!(graph.name(found.suspects[0].service), Some("database"));
/// # Ok::<(), forewarn_topology::TopologyError>(())
/// ```
///
/// # References
/// M. Hardt et al., *The `PetShop` dataset: finding causes of performance issues across microservices*, `CLeaR` 2024,
/// for
/// incidents to measure on. M. Kim, R. Sumbaly, S. Shah, *Root cause detection in a service-oriented architecture*,
/// SIGMETRICS 2013, for correlation with the target and client-side steps of the walk.
#[derive(Clone, Debug, PartialEq)]
pub struct RootSearch {
    metric: String,
    worse: Worse,
    ranking: RootRanking,
}

/// A service, and what is known of its part in the failure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RootSuspect {
    /// Number of the service.
    pub service: usize,
    /// How suspicious it is: a share of 1 over all services.
    pub score: f64,
    /// Its excess as a multiple of its own normal period's; NaN where that is not known.
    pub excess: f64,
    /// Correlation of its excess with the target's; NaN for fewer than three common rows or a constant.
    pub correlation: f64,
    /// The server that it is a client-side view of.
    pub view_of: Option<usize>,
}

/// What a [`RootSearch`] found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RootFindings {
    /// All services of the graph, the most suspicious first; equal scores in order of name.
    pub suspects: Vec<RootSuspect>,
    /// Number of the target.
    pub target: usize,
    /// Excess of the target as a multiple of its own normal period's; NaN where that is not known.
    pub target_excess: f64,
    /// Services of the graph whose excess is not known, in order: the metrics have no rows of them around the onset,
    /// or none in the normal period.
    pub unknown: Vec<usize>,
    strongest: f64,
}

impl RootFindings {
    /// Whether there is anything to find the root of.
    ///
    /// Nothing is wrong where the target's excess is within the 99 % of its normal period, and no service that it
    /// reaches, weighted by correlation, exceeds its own twice over. The suspects then say who would be first, not that
    /// anyone is to blame.
    #[must_use]
    pub fn is_anything_wrong(&self) -> bool {
        self.target_excess > 1.0 || self.strongest >= std::f64::consts::LN_2
    }
}

/// Rows before the onset whose median is the level that an excess is measured from.
const BEFORE_ROWS: usize = 12;
/// A failure shows within this time, or not at all.
const AFTER_MILLIS: i64 = 15 * 60_000;
/// And within no fewer rows.
const AFTER_ROWS: usize = 3;

impl RootSearch {
    /// A search by `metric`, of which more is worse.
    #[must_use]
    pub fn new(metric: impl Into<String>) -> Self {
        Self { metric: metric.into(), worse: Worse::Higher, ranking: RootRanking::default() }
    }

    /// With the direction of the metric that is bad. Default: [`Worse::Higher`].
    #[must_use]
    pub fn with_worse(self, worse: Worse) -> Self {
        Self { worse, ..self }
    }

    /// With another walk along calls. Default: [`RootRanking::default`].
    #[must_use]
    pub fn with_ranking(self, ranking: RootRanking) -> Self {
        Self { ranking, ..self }
    }

    /// Ranks the services that the failure of `service` at `at` may have come from.
    ///
    /// `at` is the onset: the first moment of the failure, as far as known. The row that holds it counts as after it,
    /// whether its time is that of its begin or its end. `normal` and `input` may be months apart and need not share a
    /// step or services; `input` needs a row before the onset for a good answer and works without. The result does not
    /// depend on rows later than a quarter of an hour (or three rows) after the onset.
    ///
    /// # Errors
    /// [`TopologyError::UnknownService`] unless the target is in the graph, [`TopologyError::NoRowAt`] unless `input`
    /// has rows of the target at the onset or just after, [`TopologyError::Core`] unless both have the metric,
    /// [`TopologyError::NoSharedName`] where graph and metrics have no service in common.
    pub fn find(
        &self,
        graph: &ServiceGraph,
        normal: &FrameSet,
        input: &FrameSet,
        service: &str,
        at: Timestamp,
    ) -> Result<RootFindings, TopologyError> {
        let target = graph.index_of(service)?;
        graph.compare_names(input.frames().map(|frame| frame.service()))?;
        normal.schema().index_of(&self.metric)?;
        input.schema().index_of(&self.metric)?;
        let step = input.layout().step();
        let span = Span { before: BEFORE_ROWS, after: after_rows(step) };
        let Some(failing) = frame_of(input, service).filter(|frame| span.has_row(frame, at)) else {
            let (start, end) = input.layout().span().unwrap_or((at, at));
            return Err(TopologyError::NoRowAt { service: service.to_owned(), at, start, end });
        };
        let target_rows = self.excess(normal, failing, span, at)?;
        let mut suspects = Vec::with_capacity(graph.len());
        for (number, name) in graph.services().enumerate() {
            let rows = match frame_of(input, name) {
                Some(frame) if span.has_row(&frame, at) => self.excess(normal, frame, span, at)?,
                _ => Excess::unknown(),
            };
            let (excess, correlation) = (rows.multiple, rows.correlation_with(&target_rows));
            suspects.push(RootSuspect { service: number, score: 0.0, excess, correlation, view_of: None });
        }
        self.rank(graph, target, suspects)
    }

    /// The excess of one service, judged by its own normal period.
    fn excess(
        &self,
        normal: &FrameSet,
        frame: FrameView<'_>,
        span: Span,
        at: Timestamp,
    ) -> Result<Excess, TopologyError> {
        let rows = span.rows(&frame, &self.metric, self.worse, at)?;
        let own = match frame_of(normal, frame.service()) {
            // A normal period of another step has as many minutes, not as many rows.
            Some(own) => Normal::of(&own, &self.metric, self.worse, rows.span_in(own.step()))?,
            None => None,
        };
        Ok(rows.judge(own.as_ref()))
    }

    /// Client-side views, calls and the walk, from each service's excess.
    fn rank(
        &self,
        graph: &ServiceGraph,
        target: usize,
        mut suspects: Vec<RootSuspect>,
    ) -> Result<RootFindings, TopologyError> {
        let reached = reached_from(graph, target);
        let mut anomalies: Vec<f64> = suspects
            .iter()
            .map(|suspect| if reached[suspect.service] { suspect.anomaly() } else { 0.0 })
            .collect();
        let strongest = anomalies.iter().copied().fold(0.0, f64::max);
        let views = ClientViews::find(graph, &anomalies);
        views.merge(&mut anomalies);
        let walked = if strongest > 0.0 { self.ranking.rank(graph, &anomalies)? } else { Vec::new() };
        for Suspect { service, score } in walked {
            suspects[service].score = score;
        }
        views.share(&mut suspects);
        let (target_excess, of) = (suspects[target].excess, |suspect: &RootSuspect| suspect.service);
        let unknown = suspects.iter().filter(|suspect| suspect.excess.is_nan()).map(of).collect();
        suspects.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.service.cmp(&b.service)));
        Ok(RootFindings { suspects, target, target_excess, unknown, strongest })
    }
}

impl RootSuspect {
    /// How anomalous the service is, 0 for not at all or not known.
    fn anomaly(&self) -> f64 {
        let compressed = if self.excess > 1.0 { self.excess.ln() } else { 0.0 };
        // Too few rows to correlate do not clear a service.
        let weight = if self.correlation.is_nan() { 1.0 } else { self.correlation.max(0.0) };
        compressed * weight
    }
}

fn frame_of<'a>(frames: &'a FrameSet, service: &str) -> Option<FrameView<'a>> {
    let services = frames.layout().services();
    let place = services.binary_search_by(|rows| rows.name().cmp(service)).ok()?;
    frames.frame(place)
}

/// Rows from the one that holds the onset on in which a failure shows.
fn after_rows(step: Step) -> usize {
    1 + usize::try_from(AFTER_MILLIS.div_euclid(step.millis())).unwrap_or(usize::MAX - 1).max(AFTER_ROWS)
}

/// Which services `from` calls, directly or through others, itself among them.
fn reached_from(graph: &ServiceGraph, from: usize) -> Vec<bool> {
    let mut reached = vec![false; graph.len()];
    let mut next = VecDeque::from([from]);
    reached[from] = true;
    while let Some(service) = next.pop_front() {
        for (server, _) in graph.servers_of(service) {
            if !std::mem::replace(&mut reached[server], true) {
                next.push_back(server);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests;
