use crate::fleet::{FaultKind, Injection, plan::TICK_SECONDS};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};

/// Which fault of a simulation: 0 for the first, in the order in which they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultId(pub u32);

/// A fault that has happened: a line of the fault log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FaultRecord {
    /// Which it is.
    pub id: FaultId,
    /// What it was to be.
    pub injection: Injection,
    /// Minute in which it began.
    pub onset: Timestamp,
    /// Minute in which it was over; `None` while it lasts.
    pub ended: Option<Timestamp>,
    /// Whether somebody injected it; otherwise it came by itself.
    pub is_injected: bool,
}

/// A fault that is under way, in ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Active {
    pub(crate) id: FaultId,
    pub(crate) kind: FaultKind,
    pub(crate) target: usize,
    pub(crate) severity: f64,
    onset: u64,
    /// Ticks from the onset until it is there in full, until it recovers, until it is over.
    full: u64,
    mending: u64,
    over: u64,
}

impl Active {
    pub(crate) fn new(id: FaultId, injection: &Injection, target: usize, onset: u64) -> Self {
        let ticks = |minutes: f64| (minutes * 60.0 / TICK_SECONDS + 0.5) as u64;
        let full = ticks(injection.ramp_minutes);
        let mending = full + ticks(injection.duration_minutes);
        // It is there for a tick at least.
        let over = (mending + ticks(injection.recovery_minutes)).max(1);
        Self { id, kind: injection.kind, target, severity: injection.severity, onset, full, mending, over }
    }

    /// Severity, times how far the ramp has come, or how much of it is left.
    pub(crate) fn intensity(&self, tick: u64) -> f64 {
        let Some(age) = tick.checked_sub(self.onset) else { return 0.0 };
        let part = if age >= self.over {
            0.0
        } else if age >= self.mending {
            // What was reached when the recovery began.
            let reached = if self.mending < self.full { self.mending as f64 / self.full as f64 } else { 1.0 };
            reached * (self.over - age) as f64 / (self.over - self.mending) as f64
        } else if age < self.full {
            (age + 1) as f64 / self.full as f64
        } else {
            1.0
        };
        self.severity * part
    }

    /// Whether it begins in this tick.
    pub(crate) fn strikes(&self, tick: u64) -> bool {
        tick == self.onset
    }

    /// Whether its recovery begins in this tick.
    pub(crate) fn mends(&self, tick: u64) -> bool {
        tick == self.onset + self.mending && self.over > self.mending
    }

    /// The tick in which it begins.
    pub(crate) fn onset(&self) -> u64 {
        self.onset
    }

    /// The ticks in which its recovery begins, and in which it is over.
    pub(crate) fn ends(&self) -> (u64, u64) {
        (self.onset + self.mending, self.onset + self.over)
    }

    pub(crate) fn is_over(&self, tick: u64) -> bool {
        tick >= self.onset + self.over
    }

    /// Begins the recovery, as long as it would have taken. Returns whether it had not begun.
    pub(crate) fn stop(&mut self, tick: u64) -> bool {
        let age = tick.saturating_sub(self.onset);
        if age >= self.mending {
            return false;
        }
        let recovery = self.over - self.mending;
        (self.mending, self.over) = (age, age + recovery);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active(ramp: f64, hold: f64, recovery: f64) -> Active {
        let injection = Injection::new(FaultKind::CpuStress, "a").with_severity(0.8);
        let injection =
            injection.with_ramp_minutes(ramp).with_duration_minutes(hold).with_recovery_minutes(recovery);
        Active::new(FaultId(0), &injection, 0, 100)
    }

    #[test]
    fn intensity_rises_stays_and_falls() {
        let fault = active(1.0, 1.0, 1.0);
        let at = |tick| fault.intensity(tick) / 0.8;
        assert_eq!((at(99), at(105), at(111), at(123)), (0.0, 0.5, 1.0, 1.0));
        assert_eq!((at(124), at(130), at(136)), (1.0, 0.5, 0.0));
        assert!(fault.mends(124) && fault.is_over(136) && !fault.is_over(135));
    }

    #[test]
    fn stopped_early_it_recovers_from_where_it_is() {
        let mut fault = active(2.0, 5.0, 1.0);
        assert!(fault.stop(112));
        assert!(!fault.stop(113), "it recovers already");
        assert!((fault.intensity(112) - 0.4).abs() < 1e-12 && (fault.intensity(118) - 0.2).abs() < 1e-12);
        assert!(fault.is_over(124));
        let mut at_once = active(0.0, 9.0, 0.0);
        assert!(at_once.stop(105) && at_once.is_over(105));
        assert_eq!(active(0.0, 0.0, 0.0).intensity(100), 0.8);
    }
}
