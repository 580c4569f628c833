use super::{Minute, Minutes};
use crate::{ServerError, SimulatedSystem};
use forewarn_core::{SMALL_FILE_BYTES, read_text_file};
use forewarn_live::ServedModel;
use forewarn_schema::Schema;
use forewarn_sim::fleet::{Blueprint, Fleet, Simulation};
use std::path::Path;

/// A simulated fleet, minute by minute.
pub(super) struct SimulatedMinutes {
    simulation: Simulation,
    names: Vec<String>,
    columns: Vec<usize>,
    minutes: usize,
}

impl SimulatedMinutes {
    pub(super) fn new(
        system: SimulatedSystem,
        scenario: Option<&Path>,
        seed: u64,
        minutes: usize,
        model: &ServedModel,
    ) -> Result<Self, ServerError> {
        let fleet = match (scenario, system) {
            (Some(path), _) => {
                let text = read_text_file(path, SMALL_FILE_BYTES)
                    .map_err(|source| ServerError::File { path: path.to_owned(), source })?;
                Fleet::from_toml(&text)?
            }
            (None, SimulatedSystem::Shop) => Fleet::new(Blueprint::shop(), minutes, seed)?,
            (None, SimulatedSystem::Twelve) => Fleet::new(Blueprint::twelve(), minutes, seed)?,
        };
        let metrics = Schema::v1();
        let columns = model.metrics().names().map(|name| metrics.index_of(name));
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(|error| ServerError::Source {
            what: "simulator".to_owned(),
            reason: format!("the model reads what is not simulated: {error}"),
        })?;
        let names = fleet.blueprint().services().iter().map(|service| service.name.clone()).collect();
        let minutes = fleet.minutes();
        Ok(Self { simulation: fleet.simulation(), names, columns, minutes })
    }
}

impl Minutes for SimulatedMinutes {
    fn next(&mut self) -> Result<Option<Minute>, ServerError> {
        if self.simulation.minutes() >= self.minutes {
            return Ok(None);
        }
        let time = self.simulation.now();
        self.simulation.step();
        let row = |service: usize| {
            let metrics = self.simulation.metrics(service);
            self.columns.iter().map(|&column| metrics[column]).collect()
        };
        let rows = self.names.iter().enumerate().map(|(service, name)| (name.clone(), row(service)));
        Ok(Some(Minute { time, rows: rows.collect() }))
    }
}
