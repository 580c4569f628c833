use crate::ExperimentError;
use forewarn_schema::{FrameSet, FrameView, Timestamp};
use forewarn_sim::fleet::Causes;
use forewarn_topology::{BoundHealthRules, HealthRules, ServiceGraph};

/// A group of services that failed together, as someone on call finds it, and where it really began: a question for a
/// root ranking.
#[derive(Clone, Debug)]
pub struct RootCase {
    /// When the last of the group failed.
    pub at: Timestamp,
    /// For each service of the graph how far its health has fallen, at the most, since the first of the group failed:
    /// below the mean of the hour that ends a quarter of an hour before. 0 where nothing is known.
    pub anomalies: Vec<f64>,
    /// When the health of each service first fell by a quarter, in the quarter of an hour before the first failure
    /// and since.
    pub onsets: Vec<Option<Timestamp>>,
    /// Services that failed, by number.
    pub failed: Vec<usize>,
    /// The service that the fault struck, by number.
    pub root: usize,
}

/// Minutes within which failures of one fault count as one group.
const GROUP_MINUTES: f64 = 30.0;
/// Minutes before the first failure in which a service may have been the first to suffer.
const BEFORE_MINUTES: f64 = 15.0;
/// Minutes before that, which show how a service usually does.
const USUAL_MINUTES: f64 = 60.0;
/// Fall of health at which a service has begun to suffer.
const SUFFERS: f64 = 0.25;

impl RootCase {
    /// The groups of at least `least` services that failed of one fault in a simulated fleet.
    ///
    /// # Errors
    /// [`ExperimentError::Topology`] for a fleet of other services than the graph, or metrics that the rules lack.
    pub fn all(
        graph: &ServiceGraph,
        frames: &FrameSet,
        causes: &Causes,
        rules: &HealthRules,
        least: usize,
    ) -> Result<Vec<Self>, ExperimentError> {
        let rules = rules.bind(frames.schema())?;
        let mut place = Vec::new();
        for frame in frames.frames() {
            place.push(graph.index_of(frame.service())?);
        }
        let mut cases = Vec::new();
        for fault in &causes.log {
            let root = graph.index_of(&fault.injection.target);
            let (Ok(root), Some(first)) = (root, causes.of(fault.id).next()) else { continue };
            let first = first.episode.onset();
            let group = causes.of(fault.id).filter(|failure| {
                failure.episode.onset().minutes_since(first) <= GROUP_MINUTES && failure.service < place.len()
            });
            let group: Vec<_> = group.collect();
            let mut failed: Vec<usize> = group.iter().map(|failure| place[failure.service]).collect();
            failed.sort_unstable();
            failed.dedup();
            let Some(at) = group.iter().map(|failure| failure.episode.confirmed_at()).max() else { continue };
            if failed.len() < least {
                continue;
            }
            let (mut anomalies, mut onsets) = (vec![0.0; graph.len()], vec![None; graph.len()]);
            for (frame, &service) in frames.frames().zip(&place) {
                let (mut sum, mut count) = (0.0, 0.0);
                for (time, health) in between(frame, &rules, first, at) {
                    let since = time.minutes_since(first);
                    if since < -BEFORE_MINUTES {
                        sum += health;
                        count += 1.0;
                        continue;
                    }
                    let usual = if count > 0.0 { sum / count } else { 1.0 };
                    let fallen = usual - health;
                    if fallen >= SUFFERS && onsets[service].is_none() {
                        onsets[service] = Some(time);
                    }
                    if since >= 0.0 {
                        anomalies[service] = f64::max(anomalies[service], fallen);
                    }
                }
            }
            cases.push(Self { at, anomalies, onsets, failed, root });
        }
        Ok(cases)
    }
}

/// Health of a service, where it is known, from before a first failure to the time of a question.
fn between(
    frame: FrameView<'_>,
    rules: &BoundHealthRules,
    first: Timestamp,
    at: Timestamp,
) -> impl Iterator<Item = (Timestamp, f64)> {
    let steps = |minutes: f64| (minutes / frame.step().minutes()).max(0.0) as usize;
    let from = steps(first.minutes_since(frame.start()) - BEFORE_MINUTES - USUAL_MINUTES);
    (from..frame.rows())
        .map(move |row| (row, frame.time(row)))
        .take_while(move |(_, time)| *time <= at)
        .filter_map(move |(row, time)| Some((time, rules.health(frame.row(row)?))))
        .filter(|(_, health)| !health.is_nan())
}
