use super::*;

const UNKNOWN: [f32; 10] = [f32::NAN; 10];

fn at(minute: i64) -> Timestamp {
    Timestamp::from_millis(minute * 60_000).unwrap()
}

fn incidents() -> Incidents {
    let mut incidents = Incidents::new(&Schema::v1());
    incidents.set_graph(ServiceGraph::from_edge_list("gate cart\ncart db\ngate login").unwrap()).unwrap();
    incidents
}

/// The database fails, as it mostly does; the cart's metrics are far above normal.
fn condition(name: &str) -> Option<Condition<'static>> {
    let (is_failing, seldom) = if name == "db" { (true, 0.1) } else { (false, 1.0) };
    let anomaly = if name == "cart" { 0.9 } else { 0.0 };
    Some(Condition { row: &UNKNOWN, anomaly, probability: Some(0.1), is_failing, seldom })
}

#[test]
fn a_service_that_fails_all_day_draws_nobody_into_its_incident() {
    let (mut incidents, config) = (incidents(), EngineConfig::default());
    let old = incidents.touch("db", at(0), 1.0, &config);
    for minute in 0..600 {
        incidents.settle(at(minute), &config, |service| service == "db", condition);
    }
    assert_eq!(incidents.open.len(), 1, "it goes on");
    let new = incidents.touch("cart", at(600), 1.0, &config);
    assert_ne!(new, old);
    let told = incidents.settle(at(600), &config, |service| service != "gate", condition);
    assert_eq!((told.len(), told[0].state), (1, IncidentState::Opened));
    assert_eq!(told[0].suspects[0].0, "cart", "what always fails is no news: {:?}", told[0].suspects);
    for minute in 601..640 {
        incidents.settle(at(minute), &config, |service| service != "gate", condition);
    }
    // Who follows joins the trouble that is new.
    assert_eq!(incidents.touch("gate", at(640), 1.0, &config), new);
    // One that mostly fails stays where it is.
    assert_eq!(incidents.touch("db", at(642), 0.1, &config), old);
    // A service that is in trouble once more says so.
    assert_eq!(incidents.touch("db", at(645), 1.0, &config), new);
    let told = incidents.settle(at(645), &config, |_| true, condition);
    assert_eq!(told.iter().filter(|event| event.services.contains(&"db".to_owned())).count(), 1);
}

#[test]
fn what_is_out_of_reach_is_not_suspected() {
    let mut incidents = Incidents::new(&Schema::v1());
    incidents.set_graph(ServiceGraph::from_edge_list("gate cart\nshop login").unwrap()).unwrap();
    let config = EngineConfig::default();
    let all = |name: &str| {
        let anomaly = if name == "gate" { 0.5 } else { 0.95 };
        Some(Condition { anomaly, is_failing: false, seldom: 1.0, ..condition(name)? })
    };
    incidents.touch("gate", at(0), 1.0, &config);
    let told = incidents.settle(at(0), &config, |_| true, all);
    let suspects: Vec<&str> = told[0].suspects.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(suspects, ["cart", "gate"]);
}
