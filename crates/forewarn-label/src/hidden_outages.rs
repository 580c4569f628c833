//! Total outages that a rule does not see: without traffic there is no rate to judge.

use crate::{Rule, sentence::token::named};
use forewarn_core::FailureRule;
use forewarn_schema::{FrameSet, printable};
use std::fmt;

/// Words in the name of a metric that counts requests.
const TRAFFIC: [&str; 4] = ["request", "throughput", "traffic", "rps"];

/// Services that are named in the sentence.
const NAMED: usize = 5;

/// Rows without any traffic in which a rule is unknown: a total outage looks like a gap in the data there, and counts
/// as no failure. Printed as a sentence with the rule that sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HiddenOutages {
    /// The metric that is zero in these rows.
    pub metric: String,
    /// Services with such rows and how many, in order of name.
    pub services: Vec<(String, usize)>,
    /// The rule, as a sentence.
    pub rule: String,
}

impl HiddenOutages {
    /// Whether a metric of this name says how much traffic there is.
    #[must_use]
    pub fn is_traffic(metric: &str) -> bool {
        let name = metric.to_lowercase();
        TRAFFIC.iter().any(|word| name.contains(word))
    }

    /// Looks for them in the first metric that [says](Self::is_traffic) how much traffic there is. `None` where there
    /// are none, and where the rule does not fit the metrics. Costs a look at the metric, and an assessment of services
    /// where it is ever zero.
    #[must_use]
    pub fn find(frames: &FrameSet, rule: &dyn FailureRule) -> Option<Self> {
        let metric = frames.schema().names().position(Self::is_traffic)?;
        let width = frames.schema().len();
        let mut services = Vec::new();
        for frame in frames.frames() {
            let is_silent = |row: usize| frame.values()[row * width + metric] == 0.0;
            if !(0..frame.rows()).any(is_silent) {
                continue;
            }
            let Ok(assessment) = rule.assess(frame) else { continue };
            let rows = assessment.unknown.into_iter().flatten().filter(|&row| is_silent(row)).count();
            if rows > 0 {
                services.push((frame.service().to_owned(), rows));
            }
        }
        let metric = frames.schema().metrics()[metric].name.clone();
        (!services.is_empty()).then(|| Self { metric, services, rule: rule.describe() })
    }

    /// All of these rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.services.iter().map(|(_, rows)| rows).sum()
    }

    /// A rule that finds them; beside what the rule finds, where both can be said in a sentence.
    fn remedy(&self) -> String {
        let outage = format!("{} == 0 while it was not for 2 steps", named(&self.metric));
        let both = format!("{} or {outage}", self.rule);
        if both.parse::<Rule>().is_ok() { both } else { outage }
    }
}

impl fmt::Display for HiddenOutages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<String> = self
            .services
            .iter()
            .take(NAMED)
            .map(|(name, rows)| format!("{} {rows}", printable(name)))
            .collect();
        let more = match self.services.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more services"),
        };
        write!(
            f,
            "in {} rows ({}{more}) {} is 0 and the rule is unknown: total outages look like gaps; count them as failures \
             with the rule '{}'",
            self.rows(),
            shown.join(", "),
            printable(&self.metric),
            self.remedy()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Frame, Metric, Schema, Step, Timestamp};

    /// `(requests, error rate)` of each minute.
    fn frame(service: &str, rows: &[(f32, f32)]) -> Frame {
        let schema = Schema::new(vec![Metric::gauge("http requests"), Metric::gauge("error_rate")]).unwrap();
        let values = rows.iter().flat_map(|&(requests, rate)| [requests, rate]).collect();
        Frame::new(service, schema, Timestamp::EPOCH, Step::MINUTE, values).unwrap()
    }

    #[test]
    fn rows_without_traffic_that_the_rule_cannot_judge_are_told_with_one_that_can() {
        let well = (100.0, 0.0);
        let out = (0.0, f32::NAN);
        let frames = FrameSet::from_frames(vec![
            frame("quiet", &[well, (0.0, 0.0), well]),
            frame("out", &[well, well, out, out, well]),
            frame("gap", &[well, (f32::NAN, f32::NAN), well]),
        ])
        .unwrap();
        let found = HiddenOutages::find(&frames, &Rule::v1()).unwrap();
        assert_eq!((found.rows(), &found.services[..]), (2, &[("out".to_owned(), 2)][..]));
        let text = found.to_string();
        assert!(text.starts_with("in 2 rows (out 2) http requests is 0 and the rule is unknown"), "{text}");
        let rule: Rule = text.split('\'').nth(1).unwrap().parse().unwrap();
        let by_that = FrameSet::frames(&frames).find(|frame| frame.service() == "out").unwrap();
        assert_eq!(rule.assess(by_that).unwrap().episodes.len(), 1, "{rule}");
        assert_eq!(HiddenOutages::find(&frames, &rule), None);
    }
}
