use crate::{
    Select, WindowError,
    features::per_column::{self, ColumnState},
    features::saved::{fields, settings},
    settings::steps_setting,
};
use forewarn_core::{CoreError, Feature, FeatureState, Origin, restore_part, save_part};
use forewarn_schema::{Kind, Metric, Schema, SchemaError, ValidRange};

/// How far each metric is from what it was at the same point of earlier seasons, as columns named
/// `seasonal_1440(metric)`: the sample minus the mean of the samples a season, two seasons, ... before.
///
/// The mean is learnt on the way, from the past of this service only: plain over the first [memory](Self::with_memory)
/// seasons, then each new one weighs `1 / memory`. NaN during the first season and where the sample is missing.
/// Memory: 16 bytes a step of the season and metric, and 9 to 13 in a saved state.
#[derive(Clone, Debug)]
pub struct SeasonalResidual {
    season_steps: usize,
    memory_seasons: usize,
    select: Select,
}

impl SeasonalResidual {
    /// Residuals of every metric for a season of this number of steps (1,440 for a day of minutes), remembered for
    /// about seven seasons.
    ///
    /// # Errors
    /// [`forewarn_core::CoreError::InvalidSetting`] unless it is 1 to 10,000,000.
    pub fn new(season_steps: usize) -> Result<Self, WindowError> {
        let season_steps = steps_setting("steps of a season", season_steps)?;
        Ok(Self { season_steps, memory_seasons: 7, select: Select::All })
    }

    /// The same, with older seasons fading after `remembered` seasons.
    ///
    /// # Errors
    /// [`forewarn_core::CoreError::InvalidSetting`] unless it is 1 to 10,000,000.
    pub fn with_memory(self, seasons: usize) -> Result<Self, WindowError> {
        Ok(Self { memory_seasons: steps_setting("seasons remembered", seasons)?, ..self })
    }

    /// The same of these metrics.
    #[must_use]
    pub fn with_metrics(self, select: Select) -> Self {
        Self { select, ..self }
    }
}

impl Feature for SeasonalResidual {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        per_column::outputs(&self.select, input, |metric| {
            let name = format!("seasonal_{}({})", self.season_steps, metric.name);
            Metric::new(name, metric.unit.clone(), Kind::Gauge, ValidRange::FINITE)
        })
    }

    fn start(&self, input: &Schema, _: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        let season = Season::new(self.season_steps, self.memory_seasons as u32);
        per_column::start(&self.select, input, &season)
    }

    fn saved(&self) -> Option<serde_json::Value> {
        settings(
            "seasonal_residual",
            fields! { season_steps: self.season_steps, memory_seasons: self.memory_seasons, select: &self.select },
        )
    }
}

/// Mean and number of samples at each point of the season seen so far.
#[derive(Clone, Debug)]
pub(crate) struct Season {
    phases: Vec<(f64, u32)>,
    steps: usize,
    memory: u32,
    now: usize,
}

impl Season {
    pub(crate) fn new(steps: usize, memory: u32) -> Self {
        Self { phases: Vec::new(), steps, memory, now: 0 }
    }

    /// Takes the next sample and gives the mean of those before it at the same point; `None` without one.
    pub(crate) fn push(&mut self, sample: f32) -> Option<f64> {
        if self.phases.len() == self.now {
            self.phases.push((0.0, 0));
        }
        let (mean, count) = &mut self.phases[self.now];
        self.now = (self.now + 1) % self.steps;
        let expected = (*count > 0).then_some(*mean);
        if !sample.is_nan() {
            *count = (*count + 1).min(self.memory);
            *mean += (f64::from(sample) - *mean) / f64::from(*count);
        }
        expected
    }

    pub(crate) fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&(self.now, &self.phases), out)
    }

    pub(crate) fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let (now, phases): (usize, Vec<(f64, u32)>) = restore_part(&mut rest)?;
        let (seen, steps) = (phases.len(), self.steps);
        // Points are seen one after another until the first season is over.
        let follows = if seen < steps { now == seen } else { seen == steps && now < steps };
        if !follows || phases.iter().any(|&(_, count)| count > self.memory) {
            return Err(CoreError::damaged_state(format!(
                "point {now} of {seen} does not lie in a season of {steps} steps, or has more seasons than are remembered"
            )));
        }
        (self.now, self.phases, *from) = (now, phases, rest);
        Ok(())
    }
}

impl ColumnState for Season {
    fn push(&mut self, sample: f32) -> f32 {
        self.push(sample).map_or(f32::NAN, |expected| (f64::from(sample) - expected) as f32)
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        self.save(out)
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        self.restore(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_pattern_leaves_nothing() {
        let mut season = Season::new(3, 2);
        let pattern = [1.0f32, f32::NAN, 5.0];
        let made: Vec<f32> = (0..9).map(|i| ColumnState::push(&mut season, pattern[i % 3])).collect();
        assert!(made[..3].iter().all(|x| x.is_nan()));
        assert_eq!((made[3], made[5], made[6]), (0.0, 0.0, 0.0));
        assert!(made[4].is_nan() && made[7].is_nan());
        // Point 0 was 1 three times and remembers two seasons: a 4 moves it to 2.5, so another 4 is 1.5 away.
        assert_eq!(ColumnState::push(&mut season, 4.0), 3.0);
        ColumnState::push(&mut season, 0.0);
        ColumnState::push(&mut season, 5.0);
        assert_eq!(ColumnState::push(&mut season, 4.0), 1.5);
    }

    #[test]
    fn settings_are_checked() {
        assert!(SeasonalResidual::new(0).is_err());
        assert!(SeasonalResidual::new(60).unwrap().with_memory(0).is_err());
    }
}
