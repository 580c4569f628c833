//! Services that go from the store of one shard to that of another, while neither runs.

use crate::{
    ServerError, WatchConfig,
    runtime::{Sharding, changes_nothing, engine_of},
    watch::models,
};
use forewarn_core::{Fingerprint, restore_part, save_part, seal, unseal};
use forewarn_live::{Engine, Event, EventBody, Input, LiveError};
use forewarn_store::{EventId, Fingerprints, Store, StoreOptions};
use std::path::PathBuf;

/// The state of a live service that does not run, opened to take services from it or put them into it.
///
/// Whatever is done is journaled as any other input, so that a replay says the same again, and is on disk when the
/// call returns.
pub struct StoppedService {
    engine: Engine,
    store: Store,
    sharding: Option<Sharding>,
    folder: PathBuf,
}

/// What became of services that were to be taken in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// Those that were taken in.
    pub taken: Vec<String>,
    /// Those of them with a warning that fires, and goes on.
    pub firing: Vec<String>,
    /// Those that are other shards'.
    pub others: Vec<String>,
    /// Those that could not be taken in, and why.
    pub refused: Vec<(String, String)>,
}

impl StoppedService {
    /// Opens the state of a configuration: the last checkpoint and the journal after it.
    ///
    /// # Errors
    /// [`ServerError::Store`] while the service runs, and as a start.
    pub fn open(config: &WatchConfig) -> Result<Self, ServerError> {
        let models = models(config)?;
        let options = StoreOptions::default()
            .with_durability(config.store.durability.into())
            .with_events(&config.events.path);
        let store = Store::open(&config.store.path, &options)?;
        let mut opened = Self {
            engine: engine_of(config, &models, &store)?,
            store,
            sharding: Sharding::open(config)?,
            folder: config.store.path.clone(),
        };
        opened.replay()?;
        Ok(opened)
    }

    fn replay(&mut self) -> Result<(), ServerError> {
        for record in self.store.tail()? {
            let record = record?;
            let input = postcard::from_bytes(&record.bytes)
                .map_err(|source| ServerError::Record { seq: record.seq, source })?;
            match self.engine.apply(input) {
                Ok(events) => self.log(record.seq, &events)?,
                Err(error) if changes_nothing(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// All services, in order of name.
    #[must_use]
    pub fn services(&self) -> Vec<String> {
        self.engine.view().services.into_iter().map(|service| service.name).collect()
    }

    /// The services that are of another shard by the configuration.
    #[must_use]
    pub fn foreign(&self) -> Vec<String> {
        let Some(sharding) = &self.sharding else { return Vec::new() };
        self.services().into_iter().filter(|service| !sharding.is_own(service)).collect()
    }

    /// What another service [imports](Self::import) of these services. They stay here until they are
    /// [released](Self::release).
    ///
    /// # Errors
    /// [`ServerError::Engine`] for a service that is not there.
    pub fn export(&self, services: &[String]) -> Result<Vec<u8>, ServerError> {
        let states = services.iter().map(|service| {
            let state = self.engine.hand_over(service)?;
            Ok((service.clone(), state))
        });
        let states = states.collect::<Result<Vec<(String, Vec<u8>)>, LiveError>>()?;
        let mut bytes = Vec::new();
        seal(fingerprint(), &mut bytes, |out| save_part(&states, out)).map_err(LiveError::from)?;
        Ok(bytes)
    }

    /// Lets go of services: their warnings are not over, and are told of no more.
    ///
    /// # Errors
    /// [`ServerError::Engine`] for a service that is not there, [`ServerError::Store`] for a disk that fails.
    pub fn release(&mut self, services: &[String]) -> Result<(), ServerError> {
        for service in services {
            self.apply(Input::Release { service: service.clone() })?;
        }
        self.keep()
    }

    /// Takes in what another service [exported](Self::export), as far as it is of this shard.
    ///
    /// # Errors
    /// [`ServerError::State`] for bytes that are none, [`ServerError::Store`] for a disk that fails.
    pub fn import(&mut self, bytes: &[u8]) -> Result<Imported, ServerError> {
        let damaged = |error: forewarn_core::CoreError| ServerError::State {
            path: self.folder.clone(),
            source: Box::new(error.into()),
        };
        let mut rest = bytes;
        let mut body = unseal(fingerprint(), "a service that was exported", &mut rest).map_err(damaged)?;
        let states: Vec<(String, Vec<u8>)> = restore_part(&mut body).map_err(damaged)?;
        let mut imported = Imported::default();
        for (service, state) in states {
            if self.sharding.as_ref().is_some_and(|sharding| !sharding.is_own(&service)) {
                imported.others.push(service);
                continue;
            }
            match self.apply(Input::Adopt { state }) {
                Ok(fires) => {
                    if fires {
                        imported.firing.push(service.clone());
                    }
                    imported.taken.push(service);
                }
                Err(ServerError::Engine(error)) => imported.refused.push((service, error.to_string())),
                Err(error) => return Err(error),
            }
        }
        self.keep()?;
        Ok(imported)
    }

    /// Journals an input that the engine takes; whether a warning of an adopted service fires.
    fn apply(&mut self, input: Input) -> Result<bool, ServerError> {
        let bytes = postcard::to_allocvec(&input)
            .map_err(|source| ServerError::Record { seq: self.store.next_seq(), source })?;
        let events = self.engine.apply(input)?;
        let seq = self.store.append(&bytes)?;
        self.log(seq, &events)?;
        Ok(events
            .iter()
            .any(|event| matches!(&event.body, EventBody::ServiceAdopted { warning: Some(_), .. })))
    }

    /// Hands events of a record to the log.
    fn log(&mut self, seq: u64, events: &[Event]) -> Result<(), ServerError> {
        for (index, event) in (0..).zip(events) {
            self.store.write_event(EventId { seq, index }, event)?;
        }
        Ok(())
    }

    fn keep(&mut self) -> Result<(), ServerError> {
        self.store.commit()?;
        let state = self.engine.snapshot()?;
        let seq = self.store.next_seq();
        self.store.checkpoint(seq, Fingerprints::default(), |out| out.write_all(&state)).map(drop)?;
        Ok(())
    }
}

/// That bytes are exported services.
fn fingerprint() -> Fingerprint {
    Fingerprint::of("services that are handed over")
}
