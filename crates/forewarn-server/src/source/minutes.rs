use super::{Minute, Minutes, Row};
use crate::{
    ServerError,
    runtime::{Source, SourceContext},
};
use forewarn_live::Input;
use forewarn_schema::Timestamp;
use std::time::Duration;

/// Time between two looks at a file that is followed.
const POLL: Duration = Duration::from_millis(500);

/// A source of whole minutes that can be read from the beginning at any time, at a pace of its own: what it gives
/// depends on no clock.
pub(super) struct MinuteSource {
    name: &'static str,
    minutes: Box<dyn Minutes>,
    /// Seconds of data in a second; 0 for as fast as it goes.
    speed: f64,
    settle_millis: i64,
}

impl MinuteSource {
    pub(super) fn new(name: &'static str, minutes: Box<dyn Minutes>, speed: f64, settle_millis: i64) -> Self {
        Self { name, minutes, speed, settle_millis }
    }

    /// The inputs of a minute, but for rows that the journal has: then the clock, so that it is closed.
    fn inputs(&self, minute: Minute, context: &SourceContext) -> Vec<Input> {
        let (time, taken) = (minute.time, &context.resume.taken);
        let is_new = |service: &String| taken.is_empty() || !taken.contains(&(time, service.clone()));
        let rows = minute.rows.into_iter().filter(|(service, _)| is_new(service));
        // The calendar ends before this overflows.
        let now = Timestamp::from_millis(time.millis().saturating_add(self.settle_millis)).unwrap_or(time);
        rows.map(|(service, values)| Input::Row { service, time, values })
            .chain([Input::Advance { now }])
            .collect()
    }

    /// Rows that came late, for the engine to count and the journal to keep. Those of before a restart are left out:
    /// what is read again from the beginning cannot be told from what is new.
    fn late(&mut self, context: &SourceContext) -> Vec<Input> {
        let resume = context.resume.next;
        let late = self.minutes.take_late().into_iter();
        let late = late.filter(|row| resume.is_none_or(|next| row.time >= next));
        late.map(|Row { service, time, values }| Input::Row { service, time, values }).collect()
    }

    /// Whether the service goes on.
    fn send(&self, inputs: Vec<Input>, context: &SourceContext) -> Result<bool, ServerError> {
        if inputs.is_empty() {
            return Ok(true);
        }
        match context.handle.send(inputs) {
            Ok(_) => Ok(true),
            // Its own error says why.
            Err(ServerError::Stopped) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Source for MinuteSource {
    fn name(&self) -> &str {
        self.name
    }

    fn run(&mut self, context: &SourceContext) -> Result<(), ServerError> {
        let seconds = context.step.millis() as f64 / 1000.0 / self.speed;
        let between = if self.speed > 0.0 {
            Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
        } else {
            Duration::ZERO
        };
        let (started, mut given) = (context.clock.elapsed(), 0_u32);
        while !context.stop.is_stopped() {
            let minute = self.minutes.next();
            let late = self.late(context);
            let has_late = !late.is_empty();
            if !self.send(late, context)? {
                break;
            }
            let Some(minute) = minute? else {
                if has_late {
                    continue;
                }
                if !self.minutes.is_followed() {
                    break;
                }
                context.clock.sleep(POLL, &context.stop);
                continue;
            };
            // What the journal has already is not taken twice.
            if context.resume.next.is_some_and(|next| minute.time < next) {
                continue;
            }
            let due = between.saturating_mul(given);
            let left = due.saturating_sub(context.clock.elapsed().saturating_sub(started));
            if !left.is_zero() && !context.clock.sleep(left, &context.stop) {
                break;
            }
            given = given.saturating_add(1);
            if !self.send(self.inputs(minute, context), context)? {
                break;
            }
        }
        Ok(())
    }
}
