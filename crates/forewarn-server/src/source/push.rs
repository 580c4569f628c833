//! The clock of a service whose samples are pushed.

use crate::{
    ServerError,
    runtime::{Source, SourceContext},
};
use forewarn_live::Input;
use std::time::Duration;

/// Tells the engine the time, so that minutes are closed; samples come by the receivers.
pub(super) struct PushSource;

/// Time between two looks at the clock.
const TICK: Duration = Duration::from_secs(5);

impl Source for PushSource {
    fn name(&self) -> &str {
        "push"
    }

    fn run(&mut self, context: &SourceContext) -> Result<(), ServerError> {
        loop {
            let now = context.clock.now();
            match context.handle.send(vec![Input::Advance { now }]) {
                Ok(_) => {}
                // Its own error says why.
                Err(ServerError::Stopped) => return Ok(()),
                Err(error) => return Err(error),
            }
            if !context.clock.sleep(TICK, &context.stop) {
                return Ok(());
            }
        }
    }
}
