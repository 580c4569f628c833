//! A program that follows failures live, by a rule that it reads from a text: rows by time, with a gap.

use forewarn::{
    label::{Rule, RuleEvent, RuleState},
    prelude::*,
};
use std::error::Error;

const RULE: &str = r#"
when = "error_rate >= 0.05 for 2 steps"

[episodes]
merge_gaps_below = "3 min"
"#;

#[test]
fn failures_of_live_rows_are_those_of_the_frame() -> Result<(), Box<dyn Error>> {
    let rule = Rule::from_toml(RULE)?;
    let schema = Schema::new(vec![Metric::gauge("error_rate")])?;
    let start: Timestamp = "2026-03-02T00:00:00Z".parse()?;
    // Minutes 20 to 31 fail but for two healthy ones; minute 25 never came.
    let errors = |minute: i64| match minute {
        23 | 24 => 0.0,
        20..32 => 0.2,
        _ => 0.01,
    };
    let (mut live, mut ended, mut confirmed) =
        (RuleState::new(&rule, &schema, start, Step::MINUTE)?, vec![], 0);
    let mut heard = |events: Vec<RuleEvent>| {
        for event in events {
            match event {
                RuleEvent::Confirmed { .. } => confirmed += 1,
                RuleEvent::Ended(episode) => ended.push(episode),
                _ => {}
            }
        }
    };
    for minute in (0..60).filter(|&minute| minute != 25) {
        let time = start.checked_add(Step::MINUTE, minute).ok_or("on the calendar")?;
        live.push_at(time, &[errors(minute)])?.into_iter().for_each(|row| heard(row.events));
    }
    heard(live.finish()?);

    let values = (0..60).map(|minute| if minute == 25 { f32::NAN } else { errors(minute) }).collect();
    let frame = Frame::new("shop", schema, start, Step::MINUTE, values)?;
    let episodes = rule.assess(frame.view())?.episodes;
    assert_eq!(ended, episodes.iter().copied().collect::<Vec<_>>());
    assert!(confirmed >= 1 && !ended.is_empty(), "{confirmed} {ended:?}");
    assert_eq!(ended[0].onset().minutes_since(start), 20.0);
    Ok(())
}
