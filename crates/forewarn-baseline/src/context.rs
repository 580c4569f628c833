use forewarn_core::{
    CoreError, Feature, FeatureState, ModelFileError, Origin, Registry, restore_part, save_part,
};
use forewarn_schema::{Kind, Metric, Schema, SchemaError, Unit, ValidRange};

/// What it is called where it is saved.
const KIND: &str = "context";
/// Column with the number of the service.
pub(crate) const SERVICE: &str = "service_number";
/// Column with the number of the step.
pub(crate) const STEP: &str = "step_number";

/// Steps after which the count of steps restarts: every whole number below it is an `f32`.
const STEP_CYCLE: i64 = 1 << 20;

/// Which service and which step a row is of, as the columns `service_number` and `step_number`: what
/// [`Control`](crate::Control)s go by, which look at nothing else.
///
/// Services are numbered in the order in which they are given, one that is not among them has no number. Steps count
/// from 1970 on and restart after 2^20, about two years of minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    services: Vec<String>,
}

impl Context {
    /// Numbers for these services.
    pub fn new<S: Into<String>>(services: impl IntoIterator<Item = S>) -> Self {
        Self { services: services.into_iter().map(Into::into).collect() }
    }
}

impl Feature for Context {
    fn outputs(&self, _: &Schema) -> Result<Vec<Metric>, SchemaError> {
        let column = |name| Metric::new(name, Unit::Dimensionless, Kind::Gauge, ValidRange::FINITE);
        Ok(vec![column(SERVICE), column(STEP)])
    }

    fn start(&self, _: &Schema, origin: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        let service = self.services.iter().position(|name| name == origin.service);
        let service = service.map_or(f32::NAN, |service| service as f32);
        let step = origin.start.millis().div_euclid(origin.step.millis()).rem_euclid(STEP_CYCLE);
        Ok(Box::new(Place { service, step }))
    }

    fn saved(&self) -> Option<serde_json::Value> {
        Some(serde_json::json!({ KIND: self.services }))
    }
}

/// The registry with this feature more.
pub(crate) fn register(registry: Registry) -> Registry {
    registry.with_feature(KIND, |saved, _| {
        let services = saved.get(KIND).cloned().unwrap_or_default();
        let services: Vec<String> = serde_json::from_value(services)
            .map_err(|error| ModelFileError::outside("reading the services of a context", error))?;
        Ok(Box::new(Context { services }))
    })
}

#[derive(Clone, Debug)]
struct Place {
    service: f32,
    step: i64,
}

impl FeatureState for Place {
    fn push(&mut self, _: &[f32], out: &mut [f32]) {
        (out[0], out[1]) = (self.service, self.step as f32);
        self.step = (self.step + 1) % STEP_CYCLE;
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&self.step, out)
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let step = restore_part(&mut rest)?;
        if !(0..STEP_CYCLE).contains(&step) {
            return Err(CoreError::damaged_state(format!(
                "step {step} is not among the {STEP_CYCLE} of a cycle"
            )));
        }
        (self.step, *from) = (step, rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Step, Timestamp};

    #[test]
    fn rows_know_their_place() {
        let context = Context::new(["a", "b"]);
        let rows = |service: &str, start: i64| {
            let start = Timestamp::from_millis(start * 60_000).unwrap();
            let mut state =
                context.start(&Schema::v1(), Origin { service, start, step: Step::MINUTE }).unwrap();
            [0; 3].map(|_| {
                let mut out = [0.0; 2];
                state.push(&[], &mut out);
                out
            })
        };
        assert_eq!(rows("b", 5), [[1.0, 5.0], [1.0, 6.0], [1.0, 7.0]]);
        assert_eq!(rows("a", STEP_CYCLE - 1)[1], [0.0, 0.0]);
        assert!(rows("c", -1)[0][0].is_nan());
    }
}
