//! A simulation as the source: it runs at a speed of its own, people break and mend it while it does, and after a
//! kill it is made again from its seed and the log of what was done to it.

use crate::{
    ServerError, SimulatedSystem, SourceConfig, WatchConfig,
    chaos::SimulatorChaos,
    runtime::{Source, SourceContext},
};
use forewarn_core::{SMALL_FILE_BYTES, read_text_file};
use forewarn_live::{Input, ServedModel};
use forewarn_schema::{Schema, Step, Timestamp};
use forewarn_sim::fleet::{Blueprint, Fleet, Simulation};
use std::{fs, sync::Arc, time::Duration};

/// Minutes that are sent together where nothing waits for the clock.
const TOGETHER: usize = 30;

/// The log of what was done to the simulation, in the folder of the store.
const LOG: &str = "chaos.ndjson";

/// A simulated fleet.
pub(super) struct SimulatorSource {
    chaos: Arc<SimulatorChaos>,
    names: Vec<String>,
    calls: Vec<(String, String)>,
    columns: Vec<usize>,
    /// Minutes after which it ends.
    minutes: usize,
    /// Minutes that pass at once at its beginning.
    history: usize,
    /// Simulated seconds in a second; 0 for as fast as it goes.
    speed: f64,
}

impl SimulatorSource {
    /// The simulation of a configuration, whose rows have the columns of `model`.
    pub(super) fn open(config: &WatchConfig, model: &ServedModel) -> Result<Self, ServerError> {
        let SourceConfig::Simulator { system, scenario, seed, minutes, speed, history_minutes, drills } =
            &config.source
        else {
            let reason = "source.kind: expected \"simulator\"".to_owned();
            return Err(ServerError::Config { reason });
        };
        let fleet = match (scenario, system) {
            (Some(path), _) => {
                let text = read_text_file(path, SMALL_FILE_BYTES)
                    .map_err(|source| ServerError::File { path: path.to_owned(), source })?;
                Fleet::from_toml(&text)?
            }
            (None, SimulatedSystem::Shop) => Fleet::new(Blueprint::shop(), *minutes, *seed),
            (None, SimulatedSystem::Twelve) => Fleet::new(Blueprint::twelve(), *minutes, *seed),
        };
        let wrong = |reason| ServerError::Source { what: "simulator".to_owned(), reason };
        if model.step() != Step::MINUTE {
            return Err(wrong("the model reads other steps than minutes".to_owned()));
        }
        let metrics = Schema::v1();
        let columns = model.metrics().names().map(|name| metrics.index_of(name));
        let columns = columns
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| wrong(format!("the model reads what is not simulated: {error}")))?;
        let folder = &config.store.path;
        let cannot = |source| ServerError::File { path: folder.clone(), source };
        fs::create_dir_all(folder).map_err(cannot)?;
        let chaos = Arc::new(SimulatorChaos::open(&fleet, &folder.join(LOG))?);
        chaos.plan(drills)?;
        let blueprint = fleet.blueprint();
        let mut calls: Vec<(String, String)> =
            blueprint.calls().iter().map(|call| (call.client.clone(), call.server.clone())).collect();
        calls.sort();
        Ok(Self {
            chaos,
            names: blueprint.services().iter().map(|service| service.name.clone()).collect(),
            calls,
            columns,
            minutes: fleet.minutes(),
            history: *history_minutes,
            speed: *speed,
        })
    }

    /// What breaks and mends it.
    pub(super) fn chaos(&self) -> Arc<SimulatorChaos> {
        Arc::clone(&self.chaos)
    }

    fn done(&self) -> usize {
        self.chaos.with(Simulation::minutes)
    }

    /// Row time of the minute that is under way: its end.
    fn row_time(&self) -> Timestamp {
        let now = self.chaos.with(Simulation::now);
        // The calendar was checked for it, unless it runs beyond its minutes.
        now.checked_add(Step::MINUTE, 1).unwrap_or(now)
    }

    fn step(&self) {
        while !self.chaos.tick() {}
    }

    /// The minute that has just ended, but for rows that the journal has: then the clock, so that it is closed.
    fn inputs(&self, time: Timestamp, context: &SourceContext) -> impl Iterator<Item = Input> {
        let taken = &context.resume.taken;
        let rows: Vec<Input> = self.chaos.with(|simulation| {
            let row = |(index, service): (usize, &String)| {
                let metrics = simulation.metrics(index);
                let values = self.columns.iter().map(|&column| metrics[column]).collect();
                Input::Row { service: service.clone(), time, values }
            };
            let is_new = |service: &String| taken.is_empty() || !taken.contains(&(time, service.clone()));
            self.names.iter().enumerate().filter(|(_, service)| is_new(service)).map(row).collect()
        });
        rows.into_iter().chain([Input::Advance { now: time }])
    }

    /// Sends who calls whom, unless the engine knows.
    fn send_graph(&self, context: &SourceContext) -> Result<(), ServerError> {
        let mut known = context.handle.view().view.calls.clone();
        known.sort();
        if known == self.calls {
            return Ok(());
        }
        context.handle.send(vec![Input::Graph { calls: self.calls.clone() }]).map(drop)
    }

    /// Everything up to what the journal has, without a word, and the history.
    fn catch_up(&self, context: &SourceContext) -> Result<(), ServerError> {
        let is_past = |time: Timestamp| context.resume.next.is_some_and(|next| time < next);
        while is_past(self.row_time()) && self.done() < self.minutes && !context.stop.is_stopped() {
            self.step();
        }
        let last = if self.speed > 0.0 { self.history.min(self.minutes) } else { self.minutes };
        while self.done() < last && !context.stop.is_stopped() {
            let mut inputs = Vec::new();
            for _ in 0..TOGETHER.min(last - self.done()) {
                let time = self.row_time();
                self.step();
                inputs.extend(self.inputs(time, context));
            }
            context.handle.send(inputs)?;
        }
        Ok(())
    }

    /// Tick by tick, at its speed.
    fn live(&self, context: &SourceContext) -> Result<(), ServerError> {
        let seconds = Simulation::TICK_SECONDS as f64 / self.speed;
        let between = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let (started, mut ticks) = (context.clock.elapsed(), 0_u32);
        while self.done() < self.minutes && !context.stop.is_stopped() {
            ticks = ticks.saturating_add(1);
            let due = between.saturating_mul(ticks);
            let left = due.saturating_sub(context.clock.elapsed().saturating_sub(started));
            if !left.is_zero() && !context.clock.sleep(left, &context.stop) {
                break;
            }
            let time = self.row_time();
            if self.chaos.tick() {
                context.handle.send(self.inputs(time, context).collect())?;
            }
        }
        Ok(())
    }
}

impl Source for SimulatorSource {
    fn name(&self) -> &str {
        "simulator"
    }

    fn run(&mut self, context: &SourceContext) -> Result<(), ServerError> {
        self.chaos.judge_by(context.handle.clone());
        let run = || {
            self.send_graph(context)?;
            self.catch_up(context)?;
            if self.speed > 0.0 { self.live(context) } else { Ok(()) }
        };
        match run() {
            // Its own error says why.
            Err(ServerError::Stopped) => Ok(()),
            other => other,
        }
    }
}
