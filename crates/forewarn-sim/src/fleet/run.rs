use crate::SimError;
use crate::fleet::{FaultRecord, Fleet, hidden_schema};
use forewarn_core::{CoreError, Source};
use forewarn_schema::{Frame, FrameSet, Schema, Step};

/// The metrics of a simulation, and the truth that only the simulator knows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FleetRun {
    /// The metrics of every service, in the schema of [`Schema::v1`].
    pub frames: FrameSet,
    /// The hidden state of every service, row for row as in `frames`; see [`hidden_schema`].
    pub hidden: FrameSet,
    /// Faults in the order in which they began.
    pub log: Vec<FaultRecord>,
}

impl Fleet {
    /// Runs it to the end.
    ///
    /// Memory: 80 bytes a service and minute, twice that for a moment. For long runs of many services, step a
    /// [`simulation`](Self::simulation) and keep what is needed.
    ///
    /// # Errors
    /// Those of [`check`](Self::check); [`SimError::Schema`] for more rows than a frame set holds.
    pub fn run(&self) -> Result<FleetRun, SimError> {
        let services = self.blueprint.services().len();
        let mut simulation = self.simulation()?;
        let (mut metrics, mut hidden) = (self.blocks(), self.blocks());
        for _ in 0..self.minutes {
            simulation.step();
            for service in 0..services {
                metrics[service].extend_from_slice(simulation.metrics(service));
                hidden[service].extend_from_slice(&simulation.hidden(service));
            }
        }
        let log = simulation.log().to_vec();
        let frames = self.frame_set(&Schema::v1(), metrics)?;
        Ok(FleetRun { frames, hidden: self.frame_set(&hidden_schema(), hidden)?, log })
    }

    /// Room for the rows of each service.
    fn blocks(&self) -> Vec<Vec<f32>> {
        self.blueprint.services().iter().map(|_| Vec::with_capacity(self.minutes * 10)).collect()
    }

    fn frame_set(&self, schema: &Schema, blocks: Vec<Vec<f32>>) -> Result<FrameSet, SimError> {
        let frames = self.blueprint.services().iter().zip(blocks).map(|(service, values)| {
            Frame::new(service.name.as_str(), schema.clone(), self.start, Step::MINUTE, values)
        });
        Ok(FrameSet::from_frames(frames.collect::<Result<_, _>>()?)?)
    }
}

impl Source for Fleet {
    fn describe(&self) -> String {
        let (services, seed) = (self.blueprint.services().len(), self.seed);
        format!("simulated fleet: {} minutes of {services} services with seed {seed}", self.minutes)
    }

    /// Metrics alone, in half the memory of a run.
    fn frames(&mut self) -> Result<FrameSet, CoreError> {
        let outside = |error: SimError| CoreError::outside("fleet simulation", error);
        let mut simulation = self.simulation().map_err(outside)?;
        let mut metrics = self.blocks();
        for _ in 0..self.minutes {
            simulation.step();
            metrics
                .iter_mut()
                .enumerate()
                .for_each(|(service, rows)| rows.extend_from_slice(simulation.metrics(service)));
        }
        self.frame_set(&Schema::v1(), metrics).map_err(outside)
    }
}
