use super::*;
use crate::{Call, strategies};
use forewarn_schema::Frame;
use proptest::prelude::*;

const QUIET: [f32; 10] = [1200.0, 0.002, 100.0, 160.0, 220.0, 0.3, 0.4, 200.0, 180.0, 0.0];

fn frame(service: &str, start: &str, rows: &[(f32, f32)]) -> Frame {
    let row = |&(error_rate, p99): &(f32, f32)| {
        let mut row = QUIET;
        (row[1], row[4]) = (error_rate, p99);
        row
    };
    let values = rows.iter().flat_map(row).collect();
    Frame::new(service, Schema::v1(), start.parse().unwrap(), Step::MINUTE, values).unwrap()
}

fn shop() -> ServiceGraph {
    ServiceGraph::new([
        Call::new("gateway", "auth").with_requests(300.0).with_strength(0.5),
        Call::new("gateway", "user").with_requests(100.0).with_strength(0.5),
        Call::new("user", "database").with_requests(200.0).with_strength(0.8),
    ])
    .unwrap()
}

fn value(set: &FrameSet, service: &str, row: usize, column: &str) -> f32 {
    let frame = set.frames().find(|frame| frame.service() == service).unwrap();
    frame.row(row).unwrap()[set.schema().index_of(column).unwrap()]
}

#[test]
fn a_client_sees_trouble_in_its_servers() {
    let monday = "2024-01-01T08:59:00Z";
    let set = FrameSet::from_frames(vec![
        frame("gateway", monday, &[(0.0, 100.0), (0.0, 100.0)]),
        frame("auth", monday, &[(0.0, 50.0), (0.0, 50.0)]),
        frame("user", monday, &[(0.0, 80.0), (f32::NAN, f32::NAN)]),
        // The database errs in its first row, and has no second.
        frame("database", monday, &[(0.275, 40.0)]),
        frame("stranger", monday, &[(0.5, 10.0), (0.0, 10.0)]),
    ])
    .unwrap();
    let made = TopologyFeatures::new(&shop()).compute(&set).unwrap();
    let at = |service: &str, row, column: &str| value(&made, service, row, column);
    // 0.275 is half way from 0.05 to 0.5: health 0.25.
    assert_eq!(at("user", 0, "servers_worst_health"), 0.25);
    assert_eq!(at("user", 0, "servers_worst_error_rate"), 0.275);
    assert_eq!(at("user", 0, "dependency_health"), 0.625);
    assert!((at("user", 0, "cascade_risk") - 0.8 * 0.75).abs() < 1e-6);
    assert!((at("gateway", 0, "cascade_risk") - 0.5 * 0.6).abs() < 1e-6);
    assert_eq!(at("gateway", 0, "servers_mean_latency"), 57.5);
    // The user service, which one request in three of the gateway calls, makes two calls a request.
    assert!((at("gateway", 0, "critical_path_latency") - (100.0 + 160.0 / 3.0)).abs() < 1e-4);
    assert_eq!((at("database", 0, "violations"), at("user", 0, "servers_violations")), (1.0, 1.0));
    assert_eq!((at("user", 1, "servers_violations"), at("user", 1, "violations")), (1.0, 0.0));
    // Nothing is known of the only server: the worst is missing, and it counts as healthy.
    assert!(at("user", 1, "servers_worst_health").is_nan());
    assert_eq!(at("user", 1, "cascade_risk"), 0.0);
    // Has no calls.
    assert_eq!(
        (at("database", 0, "servers_worst_health"), at("database", 0, "servers_worst_latency")),
        (1.0, 0.0)
    );
    assert_eq!((at("stranger", 0, "dependency_health"), at("stranger", 0, "cascade_risk")), (0.0, 0.0));
    assert_eq!(
        (at("auth", 0, "hour"), at("auth", 0, "peak_hour"), at("auth", 0, "weekend")),
        (8.0, 0.0, 0.0)
    );
    assert_eq!((at("auth", 1, "hour"), at("auth", 1, "peak_hour")), (9.0, 1.0));
}

#[test]
fn columns_follow_the_groups_and_metrics_that_lack_are_named() {
    let features = TopologyFeatures::new(&shop());
    assert_eq!(features.columns().len(), 14);
    let few = features.clone().with_groups(&[Group::Calendar, Group::CascadeRisk]);
    let names: Vec<_> = few.columns().iter().map(|metric| metric.name.clone()).collect();
    assert_eq!(names, ["cascade_risk", "hour", "peak_hour", "weekend"]);
    let set = FrameSet::from_frames(vec![frame("gateway", "2024-01-06T23:30:00Z", &[(0.0, 1.0)])]).unwrap();
    for wrong in [
        features.clone().with_groups(&[]),
        features.clone().with_dependence(1.0),
        features.clone().with_violations(RowLimit::v1(), 0),
        features.clone().with_violations(vec![RowLimit::new("error_rate", f64::NAN)], 1),
        features.clone().with_clock(9, 25, UtcOffset::UTC),
    ] {
        assert!(wrong.compute(&set).is_err(), "{wrong:?}");
        assert!(TopologyFeatures::from_saved(&wrong.saved().unwrap()).is_err(), "{wrong:?}");
    }
    let error = features.clone().with_metrics("errors", "p99_latency").compute(&set).unwrap_err().to_string();
    assert!(error.contains("\"errors\" is missing"), "{error}");
    let night = features.clone().with_clock(22, 6, UtcOffset::UTC).compute(&set).unwrap();
    assert_eq!(
        (value(&night, "gateway", 0, "peak_hour"), value(&night, "gateway", 0, "weekend")),
        (1.0, 1.0)
    );
    // In Tokyo it is Sunday morning.
    let tokyo =
        features.clone().with_clock(9, 18, UtcOffset::from_minutes(540).unwrap()).compute(&set).unwrap();
    assert_eq!(value(&tokyo, "gateway", 0, "hour"), 8.0);
    let appended = features.append(&set).unwrap();
    assert_eq!(appended.schema().len(), 24);
    assert_eq!(value(&appended, "gateway", 0, "p99_latency"), 1.0);
    assert!(features.append(&appended).is_err());
}

#[test]
fn violations_are_forgotten_after_their_rows() {
    let rows = [0.5, 0.5, 0.0, 0.0, 0.0].map(|error_rate| (error_rate, 1.0));
    let set = FrameSet::from_frames(vec![frame("database", "2024-01-01T00:00:00Z", &rows)]).unwrap();
    let made = TopologyFeatures::new(&shop()).with_violations(RowLimit::v1(), 3).compute(&set).unwrap();
    let counts = (0..5).map(|row| value(&made, "database", row, "violations"));
    assert_eq!(counts.collect::<Vec<_>>(), [1.0, 2.0, 2.0, 1.0, 0.0]);
}

#[test]
fn services_off_the_clock_are_refused() {
    let set = FrameSet::from_frames(vec![
        frame("gateway", "2024-01-01T00:00:00Z", &[(0.0, 1.0)]),
        frame("user", "2024-01-01T00:00:30Z", &[(0.0, 1.0)]),
    ])
    .unwrap();
    let error = TopologyFeatures::new(&shop()).compute(&set).unwrap_err().to_string();
    assert!(error.contains("user") && error.contains("00:00:30"), "{error}");
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_future_moves_nothing_and_streams_give_the_same_bits(
        graph in strategies::graph(5, 12),
        starts in proptest::collection::vec(0usize..4, 4),
        samples in proptest::collection::vec((0.0f32..1.0, prop_oneof![1 => Just(f32::NAN), 5 => 0.0f32..5000.0]), 40),
        cut in 0usize..14,
    ) {
        let start = |service: usize| Timestamp::EPOCH.checked_add(Step::MINUTE, starts[service] as i64).unwrap();
        let frames = |samples: &[(f32, f32)]| {
            let frames = (0..4).map(|service| {
                let values = samples[service * 10..][..10].iter().flat_map(|&(error_rate, p99)| {
                    let mut row = QUIET;
                    (row[1], row[4]) = (error_rate, p99);
                    row
                });
                Frame::new(format!("s{service:02}"), Schema::v1(), start(service), Step::MINUTE, values.collect()).unwrap()
            });
            FrameSet::from_frames(frames.collect()).unwrap()
        };
        let features = TopologyFeatures::new(&graph).with_violations(RowLimit::v1(), 3);
        let set = frames(&samples);
        let made = features.compute(&set).unwrap();
        // Rows from the cut on are changed for all services.
        let mut changed = samples.clone();
        for (service, start) in starts.iter().enumerate() {
            for row in 0..10 {
                if start + row >= cut {
                    changed[service * 10 + row] = (0.9, 4000.0);
                }
            }
        }
        let after = features.compute(&frames(&changed)).unwrap();
        let wide = made.schema().len();
        for (service, &start) in starts.iter().enumerate() {
            let kept = cut.saturating_sub(start).min(10) * wide;
            let (a, b) = (made.frame(service).unwrap().values(), after.frame(service).unwrap().values());
            prop_assert_eq!(bits(&a[..kept]), bits(&b[..kept]));
        }
        // A stream of the same rows.
        let names = ["s00", "s01", "s02", "s03"];
        let first = *starts.iter().min().unwrap();
        let start = |minute: usize, names: &[&str]| {
            let start = Timestamp::EPOCH.checked_add(Step::MINUTE, minute as i64).unwrap();
            features.stream(&Schema::v1(), names, start, Step::MINUTE).unwrap()
        };
        let mut stream = start(first, &names);
        for time in first..14 {
            // Saved and restored, it goes on as if it had not stopped.
            if time % 4 == 2 {
                let mut saved = Vec::new();
                stream.save(&mut saved).unwrap();
                stream = start(0, &names);
                prop_assert!(start(0, &names[1..]).restore(&mut &saved[..]).is_err());
                prop_assert!(stream.restore(&mut &saved[1..]).is_err());
                stream.restore(&mut &saved[..]).unwrap();
            }
            let row = |service: usize| time.checked_sub(starts[service]).filter(|row| *row < 10);
            let rows: Vec<f32> = (0..4).flat_map(|service| match row(service) {
                Some(row) => set.frame(service).unwrap().row(row).unwrap().to_vec(),
                None => vec![f32::NAN; 10],
            }).collect();
            // What no frame could hold is refused with its service, and leaves no trace.
            let mut wrong = rows.clone();
            wrong[20 + time % 10] = f32::INFINITY;
            prop_assert!(stream.push(&wrong).unwrap_err().to_string().starts_with("s02: "));
            prop_assert!(stream.push(&rows[1..]).is_err());
            let out = stream.push(&rows).unwrap().to_vec();
            for service in 0..4 {
                if let Some(row) = row(service) {
                    prop_assert_eq!(bits(&out[service * wide..][..wide]), bits(made.frame(service).unwrap().row(row).unwrap()));
                }
            }
        }
    }
}

fn fleet_of(view: &str) -> TopologyFeatures {
    let fleet = match view {
        "names" => FleetColumns::by_name(["error_rate", "p99_latency"], ["gateway", "user", "stranger"]),
        _ => FleetColumns::pooled(["error_rate", "p99_latency"]),
    };
    TopologyFeatures::of_fleet(&shop(), fleet.unwrap())
}

#[test]
fn other_services_are_seen_by_name() {
    let nan = f32::NAN;
    let set = FrameSet::from_frames(vec![
        frame(
            "gateway",
            "2024-01-01T08:59:00Z",
            &[(0.1, 1.0), (0.2, 2.0), (0.4, 3.0), (0.3, 4.0), (nan, 5.0)],
        ),
        frame("user", "2024-01-01T08:59:00Z", &[(0.0, 9.0); 5]),
        frame("stranger", "2024-01-01T09:01:00Z", &[(0.5, 7.0); 3]),
    ])
    .unwrap();
    let made = fleet_of("names").compute(&set).unwrap();
    let at = |service: &str, row, column: &str| value(&made, service, row, column);
    assert_eq!(at("user", 3, "last(gateway.error_rate)"), 0.3);
    assert!((at("user", 3, "change_3(gateway.error_rate)") - 0.2).abs() < 1e-6);
    assert!(at("user", 2, "change_3(gateway.error_rate)").is_nan());
    assert_eq!(at("user", 4, "max_10(gateway.error_rate)"), 0.4);
    assert!(at("user", 4, "last(gateway.error_rate)").is_nan());
    assert!(at("gateway", 3, "last(gateway.error_rate)").is_nan(), "a service is not shown to itself");
    // The stranger's first row is the third of the others.
    assert_eq!(
        (at("stranger", 0, "last(gateway.p99_latency)"), at("gateway", 2, "last(stranger.error_rate)")),
        (3.0, 0.5)
    );
    assert!(at("gateway", 1, "last(stranger.error_rate)").is_nan());
}

#[test]
fn dependencies_and_dependents_are_pooled_by_the_graph() {
    let monday = "2024-01-01T08:59:00Z";
    let set = FrameSet::from_frames(vec![
        frame("gateway", monday, &[(0.1, 100.0)]),
        frame("auth", monday, &[(0.2, 10.0)]),
        frame("user", monday, &[(0.4, 30.0)]),
        frame("database", monday, &[(0.8, 20.0)]),
        frame("stranger", monday, &[(1.0, 900.0)]),
    ])
    .unwrap();
    let made = fleet_of("pooled").compute(&set).unwrap();
    let at = |service: &str, column: &str| value(&made, service, 0, column);
    assert_eq!(at("gateway", "last(dependencies.error_rate)"), 0.8, "through user");
    assert_eq!(at("gateway", "max_10(dependencies.p99_latency)"), 30.0);
    assert_eq!(at("database", "last(dependents.p99_latency)"), 100.0, "through user");
    assert_eq!(
        (at("user", "last(dependencies.error_rate)"), at("user", "last(dependents.error_rate)")),
        (0.8, 0.1)
    );
    assert!(at("auth", "last(dependencies.error_rate)").is_nan(), "it calls none");
    assert!(at("gateway", "last(dependents.error_rate)").is_nan());
    assert!(at("database", "last(dependencies.error_rate)").is_nan());
    assert!(at("gateway", "change_1(dependencies.error_rate)").is_nan(), "one row has not changed yet");
    assert!(at("stranger", "last(dependencies.error_rate)").is_nan(), "the graph does not have it");
}

proptest! {
    /// Pools are the largest figures of whatever a walk along the calls, or against them, comes to; in circles too.
    #[test]
    fn pools_are_of_all_that_calls_lead_to(
        calls in proptest::collection::btree_set((0usize..7, 0usize..7), 0..14),
        rates in proptest::collection::vec(prop_oneof![4 => 0.0f32..1.0, 1 => Just(f32::NAN)], 7 * 12),
    ) {
        let names: Vec<String> = (0..7).map(|service| format!("s{service}")).collect();
        let calls: Vec<(usize, usize)> = calls.into_iter().filter(|(client, server)| client != server).collect();
        let ends = calls.iter().map(|&(client, server)| Call::new(&*names[client], &*names[server]));
        let graph = ServiceGraph::with_services(names.iter().map(String::as_str), ends).unwrap();
        let rate = |service: usize, row: usize| rates[service * 12 + row];
        let frames = names.iter().enumerate().map(|(service, name)| {
            let rows: Vec<(f32, f32)> = (0..12).map(|row| (rate(service, row), 1.0)).collect();
            frame(name, "2024-01-01T08:59:00Z", &rows)
        });
        let set = FrameSet::from_frames(frames.collect()).unwrap();
        let fleet = FleetColumns::pooled(["error_rate"]).unwrap().with_rows([1, 4], 3);
        let made = TopologyFeatures::of_fleet(&graph, fleet).compute(&set).unwrap();
        for (service, name) in names.iter().enumerate() {
            for (pool, is_along) in [("dependencies", true), ("dependents", false)] {
                let (mut reached, mut rest) = ([false; 7], vec![service]);
                while let Some(from) = rest.pop() {
                    for &(client, server) in &calls {
                        let (near, far) = if is_along { (client, server) } else { (server, client) };
                        if near == from && !std::mem::replace(&mut reached[far], true) {
                            rest.push(far);
                        }
                    }
                }
                for row in 0..12 {
                    let change = |other, rows| if row < rows { f32::NAN } else { rate(other, row) - rate(other, row - rows) };
                    let most = |other| (row.saturating_sub(2)..=row).map(|row| rate(other, row)).fold(f32::NAN, f32::max);
                    let figures: [(&str, &dyn Fn(usize) -> f32); 4] = [
                        ("last", &|other| rate(other, row)),
                        ("change_1", &|other| change(other, 1)),
                        ("change_4", &|other| change(other, 4)),
                        ("max_3", &most),
                    ];
                    for (figure, of) in figures {
                        let largest = (0..7).filter(|&other| reached[other]).map(of).fold(f32::NAN, f32::max);
                        let found = value(&made, name, row, &format!("{figure}({pool}.error_rate)"));
                        let is_equal = found == largest || found.is_nan() && largest.is_nan();
                        prop_assert!(is_equal, "{figure} of {pool} of {name} at {row}: {found}, expected {largest}");
                    }
                }
            }
        }
    }
}

#[test]
fn fleet_columns_are_saved_with_their_settings() {
    for view in ["names", "pooled"] {
        let features = fleet_of(view);
        let saved = features.saved().unwrap();
        let read = TopologyFeatures::from_saved(&saved).unwrap();
        assert_eq!(read.columns(), features.columns());
        let mut damaged = saved.clone();
        damaged["fleet"]["most_rows"] = 0.into();
        assert!(TopologyFeatures::from_saved(&damaged).is_err());
        for wrong in [vec![0], vec![10_001], vec![3, 3], (1..18).collect()] {
            let mut damaged = saved.clone();
            damaged["fleet"]["changes"] = wrong.clone().into();
            assert!(TopologyFeatures::from_saved(&damaged).is_err(), "{wrong:?}");
        }
    }
    assert!(FleetColumns::pooled([""; 0]).is_err() && FleetColumns::by_name(["x"], [""; 0]).is_err());
}

proptest! {
    /// A stream that is saved and restored goes on with the columns of the whole; services that come later see what
    /// came before.
    #[test]
    fn fleet_columns_of_a_stream_are_those_of_frames(
        rates in proptest::collection::vec(prop_oneof![0.0f32..1.0, Just(f32::NAN)], 60), stop in 0usize..20, pooled: bool,
    ) {
        let features = fleet_of(if pooled { "pooled" } else { "names" });
        let names = ["gateway", "stranger", "user"];
        let rows = |service: usize| -> Vec<(f32, f32)> {
            (0..20).map(|row| (rates[3 * row + service], 100.0 + row as f32)).collect()
        };
        let frames = names.iter().enumerate().map(|(at, name)| frame(name, "2024-01-01T00:00:00Z", &rows(at)));
        let set = FrameSet::from_frames(frames.collect()).unwrap();
        let whole = features.compute(&set).unwrap();
        let start = set.layout().services()[0].start();
        let fresh = || features.stream(set.schema(), &names, start, Step::MINUTE).unwrap();
        let mut stream = fresh();
        for row in 0..20 {
            if row == stop {
                let mut saved = Vec::new();
                stream.save(&mut saved).unwrap();
                stream = fresh();
                stream.restore(&mut &saved[..]).unwrap();
            }
            let samples: Vec<f32> = set.frames().flat_map(|frame| frame.row(row).unwrap().to_vec()).collect();
            let made = stream.push(&samples).unwrap().to_vec();
            let expected: Vec<f32> = whole.frames().flat_map(|frame| frame.row(row).unwrap().to_vec()).collect();
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&made), bits(&expected));
        }
    }
}
