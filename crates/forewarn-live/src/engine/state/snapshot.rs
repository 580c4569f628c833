//! An engine as bytes.

use super::service::Service;
use crate::engine::{
    Counters, Engine, EngineConfig, EngineModels, MissingReason, SourceStatus,
    incidents::Incident,
    intake::inbox::{CounterState, Inbox, SavedInbox},
    model::{Ledger, ModelService},
    slos::followed,
    warning::{normal::Normal, risk::Onsets},
};
use crate::{LiveError, room::push_slowly};
use forewarn_core::{BudgetController, CoreError, restore_part, save_part, seal, unseal};
use forewarn_schema::Timestamp;
use forewarn_topology::{Call, ServiceGraph};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Version of the bytes; every change of what is saved takes the next number.
const VERSION: u16 = 5;

/// All but services and models.
#[derive(Serialize, Deserialize)]
struct Whole {
    seq: u64,
    main: usize,
    next: Option<Timestamp>,
    now: Option<Timestamp>,
    phase: i64,
    inbox: SavedInbox,
    newcomers: BTreeSet<String>,
    sources: BTreeMap<String, SourceStatus>,
    calls: Vec<(String, String)>,
    incidents: Vec<Incident>,
    counters: Counters,
    onsets: Onsets,
    rows: Vec<f32>,
}

/// A service but for its failure rule.
#[derive(Serialize, Deserialize)]
struct SavedService {
    name: String,
    counters: CounterState,
    heard: Timestamp,
    has_row: bool,
    late: u64,
    silenced_until: Option<Timestamp>,
    failing: Option<Timestamp>,
    missing: Option<MissingReason>,
    onsets: Onsets,
    alerts: BTreeMap<String, Timestamp>,
    normal: Normal,
}

impl Service {
    /// Appends all that is known of the service, whatever the model.
    pub(in crate::engine) fn save(&self, out: &mut Vec<u8>) -> Result<(), LiveError> {
        let saved = SavedService {
            name: self.name.to_string(),
            counters: self.counters.clone(),
            heard: self.heard,
            has_row: self.has_row,
            late: self.late,
            silenced_until: self.silenced_until,
            failing: self.failing,
            missing: self.missing,
            onsets: self.onsets,
            alerts: self.alerts.clone(),
            normal: self.normal.clone(),
        };
        save_part(&saved, out)?;
        self.rule.save(out)?;
        self.save_slos(out)?;
        Ok(())
    }
}

impl Engine {
    /// Everything that the engine knows, without configuration and models: [`restore`](Self::restore) goes on from
    /// there as if it had never stopped. It has a checksum and says of which configuration and models it is.
    ///
    /// # Errors
    /// [`CoreError::NotSavable`] from a feature of your own that cannot be saved.
    pub fn snapshot(&self) -> Result<Vec<u8>, LiveError> {
        let mut bytes = VERSION.to_le_bytes().to_vec();
        let mut failed = Ok(());
        seal(self.fingerprint, &mut bytes, |out| {
            failed = self.save(out);
            Ok(())
        })?;
        failed.map(|()| bytes)
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), LiveError> {
        let whole = Whole {
            seq: self.out.seq,
            main: self.main,
            next: self.next,
            now: self.now,
            phase: self.phase,
            inbox: self.inbox.saved(|slot| {
                self.services.get(slot).map_or_else(String::new, |service| service.name.to_string())
            }),
            newcomers: self.newcomers.clone(),
            sources: self.sources.clone(),
            calls: self.calls.clone(),
            incidents: self.incidents.open().to_vec(),
            counters: self.counters,
            onsets: self.onsets,
            rows: self.rows.clone(),
        };
        save_part(&whole, out)?;
        save_part(&self.services.len(), out)?;
        self.services.iter().try_for_each(|service| service.save(out))?;
        for run in &self.models {
            save_part(&(&run.services, &run.budget, &run.ledger), out)?;
            save_part(run.fleet.scores(), out)?;
            run.fleet.save(out)?;
        }
        Ok(())
    }

    /// The engine that gave a [`snapshot`](Self::snapshot), for the same configuration and models.
    ///
    /// # Errors
    /// [`LiveError::SnapshotVersion`]; [`LiveError::Core`] with [`CoreError::DamagedState`], or with
    /// [`CoreError::ForeignState`] for another configuration or other models; and as [`new`](Self::new).
    pub fn restore(config: EngineConfig, models: EngineModels, snapshot: &[u8]) -> Result<Self, LiveError> {
        let mut engine = Self::new(config, models)?;
        let cut_off = || CoreError::damaged_state("it is cut off");
        let (version, mut rest) = snapshot.split_first_chunk::<2>().ok_or_else(cut_off)?;
        let got = u16::from_le_bytes(*version);
        if got != VERSION {
            return Err(LiveError::SnapshotVersion { got, supported: VERSION });
        }
        let what = "an engine of this configuration and these models";
        let mut body = unseal(engine.fingerprint, what, &mut rest)?;
        engine.load(&mut body)?;
        if !body.is_empty() || !rest.is_empty() {
            return Err(CoreError::damaged_state("something follows it").into());
        }
        Ok(engine)
    }

    /// Takes what [`Service::save`] wrote.
    pub(in crate::engine) fn load_service(&self, body: &mut &[u8]) -> Result<Service, LiveError> {
        let saved: SavedService = restore_part(body)?;
        let start = Timestamp::EPOCH;
        let mut service =
            Service::new(saved.name.as_str().into(), &self.rule, (&self.metrics, self.step), start)?;
        service.rule.restore(body)?;
        service.slos = followed::of_service(&self.slos, &saved.name);
        service.restore_slos(body)?;
        if saved.counters.len() == service.counters.len() {
            service.counters = saved.counters;
        } else if saved.counters.iter().any(Option::is_some) {
            return Err(CoreError::damaged_state("a service has other metrics").into());
        }
        (service.heard, service.has_row, service.late) = (saved.heard, saved.has_row, saved.late);
        (service.silenced_until, service.failing, service.missing) =
            (saved.silenced_until, saved.failing, saved.missing);
        (service.onsets, service.alerts) = (saved.onsets, saved.alerts);
        service.normal = saved.normal;
        Ok(service)
    }

    fn load(&mut self, body: &mut &[u8]) -> Result<(), LiveError> {
        let damaged = |reason: &str| Err(CoreError::damaged_state(reason).into());
        let whole: Whole = restore_part(body)?;
        let services: usize = restore_part(body)?;
        for slot in 0..services {
            let service = self.load_service(body)?;
            if self.by_name.insert(service.name.clone(), slot).is_some() {
                return damaged("a service is there twice");
            }
            push_slowly(&mut self.services, service);
        }
        for run in &mut self.models {
            let (saved, budget, ledger): (Vec<ModelService>, BudgetController, Ledger) = restore_part(body)?;
            let scores = restore_part(body)?;
            run.fleet.restore(body)?;
            let names = run.fleet.services().iter().map(|service| service.service());
            if saved.len() != services || !names.eq(self.services.iter().map(|service| service.name.as_str()))
            {
                return damaged("a model has other services");
            }
            run.fleet.set_scores(scores)?;
            (run.services, run.budget, run.ledger) = (saved, budget, ledger);
        }
        let is_sound = whole.main < self.models.len()
            && whole.rows.len() == services * self.metrics.len()
            && (0..self.step.millis()).contains(&whole.phase)
            && whole.incidents.iter().all(Incident::is_whole)
            && self.models.iter().all(|run| services == 0 || Some(run.fleet.next()) == whole.next);
        if !is_sound {
            return damaged("its parts do not go together");
        }
        if !whole.calls.is_empty() {
            let calls = whole.calls.iter().map(|(client, server)| Call::new(client, server));
            self.incidents.set_graph(ServiceGraph::new(calls)?)?;
        }
        self.out.seq = whole.seq;
        (self.main, self.next, self.now, self.phase) = (whole.main, whole.next, whole.now, whole.phase);
        self.inbox = Inbox::restored(whole.inbox, |name| self.by_name.get(name).copied());
        (self.newcomers, self.sources) = (whole.newcomers, whole.sources);
        (self.calls, self.counters, self.rows) = (whole.calls, whole.counters, whole.rows);
        self.incidents.set_open(whole.incidents);
        self.onsets = whole.onsets;
        self.reported = self.count_reported();
        Ok(())
    }
}
