//! The simulators keep the laws of sources.

use forewarn_core::conformance;
use forewarn_sim::{StressWalk, fleet::Fleet};

#[test]
fn simulations_are_sources() -> Result<(), Box<dyn std::error::Error>> {
    conformance::source(&mut StressWalk::new(120, 7))?;
    conformance::source(&mut Fleet::shop(7).with_minutes(90))?;
    Ok(())
}
