use super::ExperimentError;
use forewarn_schema::{FrameSet, Timestamp};
use forewarn_sim::fleet::Causes;
use forewarn_topology::{HealthRules, ServiceGraph, Status};

/// A group of services that failed together, as someone on call finds it, and where it really began: a question for a root ranking.
#[derive(Clone, Debug)]
pub struct RootCase {
    /// When the last of the group failed.
    pub at: Timestamp,
    /// One minus the worst health of each service of the graph since the first of the group failed; 0 where nothing is known.
    pub anomalies: Vec<f64>,
    /// When each service was first worse than healthy, in the quarter of an hour before the first failure and since.
    pub onsets: Vec<Option<Timestamp>>,
    /// Services that failed, by number.
    pub failed: Vec<usize>,
    /// The service that the fault struck, by number.
    pub root: usize,
}

/// Minutes within which failures of one fault count as one group.
const GROUP_MINUTES: f64 = 30.0;
/// Minutes before the first failure in which a service may have been the first to suffer.
const BEFORE_MINUTES: i64 = 15;

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
                let begin = first.millis() - BEFORE_MINUTES * 60_000;
                for row in 0..frame.rows() {
                    let time = frame.time(row);
                    if time.millis() < begin || time > at {
                        continue;
                    }
                    let health = frame.row(row).map_or(f64::NAN, |row| rules.health(row));
                    if onsets[service].is_none()
                        && matches!(Status::of(health), Status::Degraded | Status::Down)
                    {
                        onsets[service] = Some(time);
                    }
                    if time >= first && health < 1.0 {
                        anomalies[service] = f64::max(anomalies[service], 1.0 - health);
                    }
                }
            }
            cases.push(Self { at, anomalies, onsets, failed, root });
        }
        Ok(cases)
    }
}
