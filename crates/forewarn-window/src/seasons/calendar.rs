use crate::{
    Cycle,
    features::saved::{fields, settings},
};
use forewarn_core::{CoreError, Feature, FeatureState, Origin, restore_part, save_part};
use forewarn_schema::{Kind, Metric, Schema, SchemaError, Unit, UtcOffset, ValidRange};

/// Where a row lies in the day and in the week, as points on a circle: `sin(day)`, `cos(day)`, `sin(week)`,
/// `cos(week)`.
///
/// A circle, so that 23:59 and 00:00 are neighbours. The day begins at midnight and the week on Monday, both in UTC
/// unless [`with_utc_offset`](Self::with_utc_offset) says otherwise. Summer time is not followed: it would take a time-zone
/// database. A saved state takes up to 6 bytes a cycle.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    utc_offset: UtcOffset,
    day: bool,
    week: bool,
}

impl Calendar {
    /// Time of day alone.
    #[must_use]
    pub fn time_of_day() -> Self {
        Self::of(&[Cycle::Day], UtcOffset::UTC)
    }

    /// Time of week alone.
    #[must_use]
    pub fn time_of_week() -> Self {
        Self::of(&[Cycle::Week], UtcOffset::UTC)
    }

    /// Time of day and time of week.
    #[must_use]
    pub fn day_and_week() -> Self {
        Self::of(&[Cycle::Day, Cycle::Week], UtcOffset::UTC)
    }

    /// The same for clocks that do not show UTC.
    #[must_use]
    pub fn with_utc_offset(self, utc_offset: UtcOffset) -> Self {
        Self { utc_offset, ..self }
    }

    /// Time of these cycles.
    pub(crate) fn of(cycles: &[Cycle], utc_offset: UtcOffset) -> Self {
        Self { utc_offset, day: cycles.contains(&Cycle::Day), week: cycles.contains(&Cycle::Week) }
    }

    fn cycles(self) -> impl Iterator<Item = Cycle> {
        let day = self.day.then_some(Cycle::Day);
        day.into_iter().chain(self.week.then_some(Cycle::Week))
    }
}

impl Feature for Calendar {
    fn outputs(&self, _: &Schema) -> Result<Vec<Metric>, SchemaError> {
        let range = ValidRange::new(-1.0, 1.0)?;
        let column = |name: String| Metric::new(name, Unit::Dimensionless, Kind::Gauge, range);
        Ok(self
            .cycles()
            .map(Cycle::name)
            .flat_map(|cycle| [column(format!("sin({cycle})")), column(format!("cos({cycle})"))])
            .collect())
    }

    fn start(&self, _: &Schema, origin: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        let now = origin.start.millis() + self.utc_offset.millis();
        let phases = self.cycles().map(|cycle| (cycle.phase_millis(now), cycle.length_millis()));
        Ok(Box::new(Circles { step: origin.step.millis(), phases: phases.collect() }))
    }

    fn saved(&self) -> Option<serde_json::Value> {
        let cycles: Vec<Cycle> = self.cycles().collect();
        settings("calendar", fields! { cycles: cycles, utc_offset_minutes: self.utc_offset })
    }
}

#[derive(Clone, Debug)]
struct Circles {
    step: i64,
    phases: Vec<(i64, i64)>,
}

impl FeatureState for Circles {
    fn push(&mut self, _: &[f32], out: &mut [f32]) {
        for (out, (phase, length)) in out.chunks_exact_mut(2).zip(&mut self.phases) {
            let (sin, cos) = (std::f64::consts::TAU * *phase as f64 / *length as f64).sin_cos();
            (out[0], out[1]) = (sin as f32, cos as f32);
            *phase = (*phase + self.step % *length) % *length;
        }
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        self.phases.iter().try_for_each(|(phase, _)| save_part(phase, out))
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let (mut phases, mut rest) = (self.phases.clone(), *from);
        for (phase, length) in &mut phases {
            *phase = restore_part(&mut rest)?;
            if !(0..*length).contains(phase) {
                return Err(CoreError::damaged_state(format!(
                    "{phase} ms lie outside a cycle of {length} ms"
                )));
            }
        }
        (self.phases, *from) = (phases, rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::Step;

    fn rows(calendar: Calendar, start: &str, step_hours: i64, count: usize) -> Vec<Vec<f32>> {
        let step = Step::from_millis(step_hours * 3_600_000).unwrap();
        let origin = Origin { service: "s", start: start.parse().unwrap(), step };
        let mut state = calendar.start(&Schema::v1(), origin).unwrap();
        let width = calendar.outputs(&Schema::v1()).unwrap().len();
        let row = |_| {
            let mut out = vec![f32::NAN; width];
            state.push(&[], &mut out);
            out.iter().map(|x| (x * 1000.0).round() / 1000.0).collect()
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn the_day_is_a_circle_that_begins_at_midnight() {
        let made = rows(Calendar::time_of_day(), "2024-03-05T00:00:00Z", 6, 5);
        assert_eq!(made, [[0.0, 1.0], [1.0, 0.0], [0.0, -1.0], [-1.0, 0.0], [0.0, 1.0]]);
        let east = Calendar::time_of_day().with_utc_offset(UtcOffset::from_minutes(360).unwrap());
        assert_eq!(rows(east, "2024-03-05T00:00:00Z", 6, 1), [[1.0, 0.0]]);
    }

    #[test]
    fn the_week_begins_on_monday() {
        // 2024-01-01 was a Monday, before 1970 too: 1969-12-29.
        for monday in ["2024-01-01T00:00:00Z", "1969-12-29T00:00:00Z"] {
            let made = rows(Calendar::day_and_week(), monday, 42, 2);
            assert_eq!(made[0], [0.0, 1.0, 0.0, 1.0]);
            assert_eq!(made[1][2..], [1.0, 0.0]);
        }
    }
}
