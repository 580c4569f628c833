//! The rule of the example, and the laws that the page about rules of one's own asks of it.

#[path = "../../custom_model/rule.rs"]
mod rule;

use forewarn::{
    core::conformance,
    prelude::*,
    schema::{Kind, Unit, ValidRange, strategies::frame_near},
};
use proptest::{collection::vec, prelude::*};
use rule::Backlog;

fn queues() -> Schema {
    let jobs = |name| Metric::new(name, Unit::Other("jobs".into()), Kind::Gauge, ValidRange::NON_NEGATIVE);
    Schema::new(vec![jobs("arrivals"), jobs("depth")]).expect("two names")
}

proptest! {
    #[test]
    fn the_backlog_keeps_the_laws_of_rules(
        // Frames with gaps, runs and values at and around the limit of 360 jobs.
        frame in frame_near("worker", queues(), &[("depth", 360.0)], 60),
        lost in vec((0usize..60, 0usize..2), 1..12),
    ) {
        let rule = Backlog { jobs: 360.0 };
        conformance::failure_rule(&rule, frame.view())?;
        conformance::missing_adds_nothing(&rule, frame.view(), lost)?;
        conformance::never_fails_more(&Backlog { jobs: 400.0 }, &rule, frame.view())?;
    }
}

/// A rule that breaks a law is found out: here missing depths count as failing.
#[test]
fn a_rule_that_takes_missing_for_failing_breaks_a_law() {
    struct Hasty;
    impl FailureRule for Hasty {
        fn describe(&self) -> String {
            "more than 360 jobs wait, or nobody knows".to_owned()
        }

        fn confirmation(&self) -> usize {
            1
        }

        fn assess(
            &self,
            frame: forewarn::schema::FrameView<'_>,
        ) -> Result<forewarn::core::Assessment, forewarn::core::CoreError> {
            let failing = frame.column("depth")?.map(|depth| depth > 360.0 || depth.is_nan());
            let episodes = Episodes::from_flags(frame.start(), frame.step(), 1, failing)?;
            Ok(forewarn::core::Assessment { episodes, unknown: Vec::new() })
        }
    }
    let values = [0.0, 100.0].repeat(20);
    let frame = Frame::new("worker", queues(), Timestamp::EPOCH, Step::MINUTE, values).expect("a frame");
    let breach = conformance::missing_adds_nothing(&Hasty, frame.view(), [(7, 1)]).expect_err("a breach");
    assert!(breach.to_string().contains("missing"), "{breach}");
}
