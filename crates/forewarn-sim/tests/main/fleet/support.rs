use forewarn_core::{Assessment, CoreError, FailureRule};
use forewarn_schema::{Episode, Episodes, FrameView};
use forewarn_sim::fleet::{Call, Fleet, Load, Schedule, Service, ServiceGraph, Simulation};

/// Failing is an error rate of at least 5 % in two minutes in a row.
pub(super) struct V1;

impl FailureRule for V1 {
    fn describe(&self) -> String {
        "error_rate >= 0.05 for 2 consecutive steps".to_owned()
    }

    fn confirmation(&self) -> usize {
        2
    }

    fn assess(&self, frame: FrameView<'_>) -> Result<Assessment, CoreError> {
        let fails: Vec<bool> = frame.column("error_rate")?.map(|rate| rate >= 0.05).collect();
        let mut episodes = Vec::new();
        let mut row = 0;
        for run in fails.chunk_by(|a, b| a == b) {
            if run[0] && run.len() >= 2 {
                episodes.push(Episode::new(
                    frame.time(row),
                    frame.time(row + 1),
                    frame.time(row + run.len()),
                )?);
            }
            row += run.len();
        }
        Ok(Assessment { episodes: Episodes::new(episodes)?, unknown: Vec::new() })
    }
}

/// A client and a server, nothing else moving; the server can do 200 requests a second.
pub(super) fn pair(level: f64, call: impl FnOnce(Call) -> Call, minutes: usize) -> Fleet {
    let client = Service {
        arrivals_per_second: 100.0,
        pods: 4,
        workers: 400,
        cores: 4.0,
        cpu_ms: 2.0,
        io_ms: 1.0,
        deadline_ms: 20_000.0,
        ..Service::new("client")
    };
    let server = Service {
        pods: 2,
        cores: 1.0,
        cpu_ms: 10.0,
        io_ms: 2.0,
        queue: 400,
        deadline_ms: 8_000.0,
        ..Service::new("server")
    };
    let graph = ServiceGraph::new(
        vec![client, server],
        vec![call(Call { pool: 2_000, ..Call::new("client", "server") })],
    )
    .expect("a sound scenario");
    let fleet = Fleet::new(graph, minutes, 1)
        .expect("a sound scenario")
        .with_load(Load::steady(level))
        .expect("a sound scenario");
    fleet
        .with_faults(Schedule::none())
        .expect("a sound scenario")
        .with_on_call(None)
        .expect("a sound scenario")
}

/// A hidden column of the last minute.
pub(super) fn hidden(simulation: &Simulation, service: usize, name: &str) -> f64 {
    let column = forewarn_sim::fleet::hidden_schema().index_of(name).expect("a sound scenario");
    f64::from(simulation.hidden(service)[column])
}

pub(super) fn steps(simulation: &mut Simulation, minutes: usize) {
    (0..minutes).for_each(|_| simulation.step());
}
