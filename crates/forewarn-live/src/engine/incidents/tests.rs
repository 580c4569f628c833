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
        incidents.settle(at(minute), &config, ["db"], condition);
    }
    assert_eq!(incidents.open().len(), 1, "it goes on");
    let new = incidents.touch("cart", at(600), 1.0, &config);
    assert_ne!(new, old);
    let told = incidents.settle(at(600), &config, ["cart", "db", "login"], condition).events;
    assert_eq!((told.len(), told[0].state), (1, IncidentState::Opened));
    assert_eq!(told[0].suspects[0].0, "cart", "not the one that always fails: {:?}", told[0].suspects);
    for minute in 601..640 {
        incidents.settle(at(minute), &config, ["cart", "db", "login"], condition);
    }
    // Who follows joins the trouble that is new.
    assert_eq!(incidents.touch("gate", at(640), 1.0, &config), new);
    // One that mostly fails stays where it is.
    assert_eq!(incidents.touch("db", at(642), 0.1, &config), old);
    // A service that is in trouble once more says so.
    assert_eq!(incidents.touch("db", at(645), 1.0, &config), new);
    let told = incidents.settle(at(645), &config, ["gate", "cart", "db", "login"], condition).events;
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
    let told = incidents.settle(at(0), &config, ["gate", "cart", "shop", "login"], all).events;
    let suspects: Vec<&str> = told[0].suspects.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(suspects, ["cart", "gate"]);
}

/// Two shops with a stock each, and what both stocks are kept in.
fn shops() -> Incidents {
    let mut incidents = Incidents::new(&Schema::v1());
    let graph = ServiceGraph::from_edge_list("gate left\ngate right\nleft disk\nright disk").unwrap();
    incidents.set_graph(graph).unwrap();
    incidents
}

const ALL: [&str; 4] = ["gate", "left", "right", "disk"];

fn unusual(services: &'static [&'static str]) -> impl Fn(&str) -> Option<Condition<'static>> {
    move |name| {
        let anomaly = if services.contains(&name) { 0.95 } else { 0.0 };
        Some(Condition { row: &UNKNOWN, anomaly, probability: None, is_failing: false, seldom: 1.0 })
    }
}

#[test]
fn what_begins_at_one_server_is_one_incident() {
    let config = EngineConfig::default();
    // In one minute: only one is ever told of.
    let mut incidents = shops();
    let kept = incidents.touch("left", at(0), 1.0, &config);
    let other = incidents.touch("right", at(0), 1.0, &config);
    assert_ne!(kept, other, "clients of one server are not linked by that alone");
    let settled = incidents.settle(at(0), &config, ALL, unusual(&["disk", "left", "right"]));
    let [told] = &settled.events[..] else { panic!("{:?}", settled.events) };
    assert_eq!((&told.id, told.state, told.services.len()), (&kept, IncidentState::Opened, 2));
    assert_eq!((told.suspects[0].0.as_str(), &settled.merged[&other]), ("disk", &kept));
    let root = incidents.root_of(&kept, "left").unwrap();
    assert!(root.service == "disk" && root.is_server);
    assert!(incidents.root_of(&kept, "disk").is_none() && incidents.root_of(&other, "left").is_none());

    // Later, when the server shows what it has: the second one ends.
    let mut incidents = shops();
    let kept = incidents.touch("left", at(0), 1.0, &config);
    incidents.settle(at(0), &config, ALL, unusual(&["left"]));
    let other = incidents.touch("right", at(1), 1.0, &config);
    let told = incidents.settle(at(1), &config, ALL, unusual(&["left", "right"])).events;
    assert_eq!((told.len(), told[0].state), (1, IncidentState::Opened), "{told:?}");
    incidents.touch("disk", at(2), 1.0, &config);
    let told = incidents.settle(at(2), &config, ALL, unusual(&["left", "right", "disk"])).events;
    let said: Vec<_> =
        told.iter().map(|event| (&event.id, event.state, event.merged_into.as_ref())).collect();
    let expected = [(&other, IncidentState::Closed, Some(&kept)), (&kept, IncidentState::Updated, None)];
    assert_eq!(said, expected);
    assert_eq!((incidents.open().len(), incidents.open()[0].services.len()), (1, 3));
}

#[test]
fn faults_of_their_own_stay_incidents_of_their_own() {
    let config = EngineConfig::default();
    let mut incidents = Incidents::new(&Schema::v1());
    incidents.set_graph(ServiceGraph::from_edge_list("gate left\ngate right").unwrap()).unwrap();
    incidents.touch("left", at(0), 1.0, &config);
    incidents.touch("right", at(0), 1.0, &config);
    let told = incidents.settle(at(0), &config, ALL, unusual(&["left", "right"])).events;
    assert_eq!(told.len(), 2, "{told:?}");
    // A client of both has the trouble of one, and joins it to no other.
    incidents.touch("gate", at(1), 1.0, &config);
    let told = incidents.settle(at(1), &config, ALL, unusual(&["left", "right", "gate"])).events;
    assert!(told.iter().all(|event| event.merged_into.is_none()), "{told:?}");
    assert_eq!(incidents.open().len(), 2);
}
