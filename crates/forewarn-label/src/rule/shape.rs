use crate::{LabelError, Span, condition::check_span};
use forewarn_schema::Step;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How runs of failing rows become episodes, in this order. The default changes nothing.
///
/// 1. Gaps **shorter** than `merge_gaps_below` are bridged: the rows between count as failing.
/// 2. Episodes shorter than `at_least` are dropped; the others are confirmed no sooner than they have lasted so long.
/// 3. After an episode the service recovers for `cool_down`: these rows still count as failing, and an episode that
///    begins among them is the same failure going on. So a relapse is never a new onset, and never labelled healthy
///    either.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Gaps shorter than this are bridged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_gaps_below: Option<Span>,
    /// Shortest episode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Span>,
    /// How long recovery lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cool_down: Option<Span>,
}

/// A shape in steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShapeSteps {
    /// Gaps shorter than this are bridged: 1 bridges none.
    pub(crate) gap: usize,
    /// Shortest episode: 1 drops none.
    pub(crate) minimum: usize,
    pub(crate) cool_down: usize,
}

impl Shape {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn in_steps(&self, step: Step) -> ShapeSteps {
        let steps = |span: Option<Span>, none| span.map_or(none, |span| span.in_steps(step));
        ShapeSteps {
            gap: steps(self.merge_gaps_below, 1),
            minimum: steps(self.at_least, 1),
            cool_down: steps(self.cool_down, 0),
        }
    }

    pub(crate) fn check(&self, at: &str) -> Result<(), LabelError> {
        let spans = [
            ("merge_gaps_below", self.merge_gaps_below),
            ("at_least", self.at_least),
            ("cool_down", self.cool_down),
        ];
        spans
            .into_iter()
            .filter_map(|(name, span)| Some((name, span?)))
            .try_for_each(|(name, span)| check_span(span, &format!("{at}.{name}")))
    }
}

impl fmt::Display for Shape {
    /// What to append to a condition's sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(span) = self.merge_gaps_below {
            write!(f, "; gaps shorter than {span} are bridged")?;
        }
        if let Some(span) = self.at_least {
            write!(f, "; what is over in less than {span} is not a failure")?;
        }
        if let Some(span) = self.cool_down {
            write!(f, "; the {span} after a failure still belong to it")?;
        }
        Ok(())
    }
}
