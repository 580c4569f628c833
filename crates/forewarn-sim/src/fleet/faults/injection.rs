use crate::SimError;
use crate::fleet::{Blueprint, FaultKind, check::Check, fault::Placement, math::pow, random::Draws};
use serde::{Deserialize, Serialize};

/// A fault to be injected: what, where, how badly and for how long.
///
/// Its intensity rises from 0 to its severity over the ramp, stays there for the duration, and falls back over the
/// recovery, which begins by itself, or earlier by hand.
///
/// # Examples
/// ```
/// use forewarn_sim::fleet::{FaultKind, Injection};
///
/// let slow_disk = Injection::new(FaultKind::IoDelay, "database").with_severity(0.6).with_ramp_minutes(5.0).with_duration_minutes(20.0);
/// assert_eq!(slow_disk.with_recovery_minutes(1.0).minutes(), 26.0);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Injection {
    /// What happens.
    pub kind: FaultKind,
    /// Which service it strikes.
    pub target: String,
    /// How badly, 0..=1; see [`FaultKind`].
    pub severity: f64,
    /// Minutes until it is there in full.
    pub ramp_minutes: f64,
    /// Minutes that it stays.
    pub duration_minutes: f64,
    /// Minutes until it is gone.
    pub recovery_minutes: f64,
}

impl Injection {
    /// A fault of middling severity, ramp, duration and recovery for its kind.
    #[must_use]
    pub fn new(kind: FaultKind, target: impl Into<String>) -> Self {
        let habit = kind.habit();
        // Half-way on a logarithmic scale, and 0 for spans that are 0.
        let middle = |(low, high): (f64, f64)| (low * high).sqrt();
        Self {
            kind,
            target: target.into(),
            severity: 0.5 * (habit.severity.0 + habit.severity.1),
            ramp_minutes: middle(habit.ramp),
            duration_minutes: middle(habit.hold),
            recovery_minutes: middle(habit.recovery).ceil(),
        }
    }

    /// One as it may happen by itself.
    pub(crate) fn draw(kind: FaultKind, target: &str, draws: &mut Draws) -> Self {
        let habit = kind.habit();
        let severity = draws.between(habit.severity.0, habit.severity.1);
        let mut span = |(low, high): (f64, f64)| {
            let u = draws.uniform();
            if high > 0.0 { low * pow(high / low, u) } else { 0.0 }
        };
        Self {
            kind,
            target: target.to_owned(),
            severity,
            ramp_minutes: span(habit.ramp),
            duration_minutes: span(habit.hold),
            recovery_minutes: span(habit.recovery),
        }
    }

    /// The same with another severity, 0..=1.
    #[must_use]
    pub fn with_severity(mut self, severity: f64) -> Self {
        self.severity = severity;
        self
    }

    /// The same with another ramp; 0 to strike at once.
    #[must_use]
    pub fn with_ramp_minutes(mut self, minutes: f64) -> Self {
        self.ramp_minutes = minutes;
        self
    }

    /// The same with another duration.
    #[must_use]
    pub fn with_duration_minutes(mut self, minutes: f64) -> Self {
        self.duration_minutes = minutes;
        self
    }

    /// The same with another recovery.
    #[must_use]
    pub fn with_recovery_minutes(mut self, minutes: f64) -> Self {
        self.recovery_minutes = minutes;
        self
    }

    /// Minutes from its onset until it is gone.
    #[must_use]
    pub fn minutes(&self) -> f64 {
        self.ramp_minutes + self.duration_minutes + self.recovery_minutes
    }

    /// The target's position in `graph`, if the fault can strike there.
    pub(crate) fn check(&self, blueprint: &Blueprint) -> Result<usize, SimError> {
        let place = format!("{} on {:?}", self.kind, self.target);
        let check = Check(&place);
        check.share("severity", self.severity)?;
        check.positive("severity", self.severity)?;
        for (field, minutes) in [
            ("ramp_minutes", self.ramp_minutes),
            ("duration_minutes", self.duration_minutes),
            ("recovery_minutes", self.recovery_minutes),
        ] {
            check.not_negative(field, minutes)?;
            if minutes > 1e6 {
                return Err(SimError::InvalidField {
                    place,
                    field,
                    value: minutes.to_string(),
                    expected: "at most 1,000,000",
                });
            }
        }
        let target = blueprint.index_of(&self.target).map_err(|error| match error {
            SimError::UnknownService { name, available, .. } => {
                SimError::UnknownService { place: place.clone(), name, available }
            }
            other => other,
        })?;
        let placement = self.kind.habit().placement;
        if !places(blueprint, placement)[target] {
            let (kind, target) = (self.kind.name(), self.target.clone());
            return Err(SimError::MisplacedFault { kind, target, reason: placement.reason() });
        }
        Ok(target)
    }
}

/// Which services of a graph a placement allows.
pub(crate) fn places(blueprint: &Blueprint, placement: Placement) -> Vec<bool> {
    let services = blueprint.services();
    match placement {
        Placement::Anywhere => vec![true; services.len()],
        Placement::Called => blueprint.called(),
        Placement::Calling => {
            let mut calling = vec![false; services.len()];
            blueprint.ends().iter().for_each(|&(client, _)| calling[client] = true);
            calling
        }
        Placement::Entry => services.iter().map(|service| service.arrivals_per_second > 0.0).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_that_cannot_be_are_refused() {
        let blueprint = Blueprint::shop();
        let refusal = |injection: Injection| injection.check(&blueprint).unwrap_err().to_string();
        assert_eq!(
            refusal(Injection::new(FaultKind::CpuStress, "user").with_severity(1.2)),
            "cpu-stress on \"user\": severity is 1.2, expected a share in 0..=1"
        );
        assert_eq!(
            refusal(Injection::new(FaultKind::PodKill, "cart")),
            "pod-kill on \"cart\": there is no service \"cart\", only auth, database, gateway, user"
        );
        assert_eq!(
            refusal(Injection::new(FaultKind::TrafficSurge, "database")),
            "traffic-surge on \"database\": it has no requests from outside (arrivals_per_second is 0)"
        );
        assert!(refusal(Injection::new(FaultKind::DnsError, "database")).contains("calls no service"));
        assert!(
            refusal(Injection::new(FaultKind::IoDelay, "user").with_duration_minutes(f64::NAN))
                .contains("duration_minutes")
        );
        for kind in FaultKind::ALL {
            let places = places(&blueprint, kind.habit().placement);
            let target = places.iter().position(|&allowed| allowed).unwrap();
            assert_eq!(
                Injection::new(kind, &blueprint.services()[target].name).check(&blueprint).unwrap(),
                target,
                "{kind}"
            );
        }
    }
}
