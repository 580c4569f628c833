use forewarn_sim::fleet::{Blueprint, FaultSchedule, Fleet, Load, PlannedCall, Service, Simulation};

/// A client and a server, nothing else moving; the server can do 200 requests a second.
pub(super) fn pair(level: f64, call: impl FnOnce(PlannedCall) -> PlannedCall, minutes: usize) -> Fleet {
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
    let blueprint = Blueprint::new(
        vec![client, server],
        vec![call(PlannedCall { pool: 2_000, ..PlannedCall::new("client", "server") })],
    )
    .expect("a sound scenario");
    let fleet = Fleet::new(blueprint, minutes, 1).with_load(Load::steady(level));
    fleet.with_faults(FaultSchedule::none()).with_on_call(None)
}

/// A hidden column of the last minute.
pub(super) fn hidden(simulation: &Simulation, service: usize, name: &str) -> f64 {
    let column = forewarn_sim::fleet::hidden_schema().index_of(name).expect("a sound scenario");
    f64::from(simulation.hidden(service)[column])
}

pub(super) fn steps(simulation: &mut Simulation, minutes: usize) {
    (0..minutes).for_each(|_| simulation.step());
}
