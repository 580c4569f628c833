use super::*;
use forewarn_schema::{Frame, Metric, Schema};

const ONSET: usize = 30;

fn minute(minute: usize) -> Timestamp {
    Timestamp::from_millis(minute as i64 * 60_000).unwrap()
}

/// Frames of `rows` minutes; each service has a level, noise of its own and what `change` adds.
fn frames(services: &[(&str, f32)], rows: usize, change: impl Fn(&str, usize) -> f32) -> FrameSet {
    let schema = Schema::new(vec![Metric::gauge("latency")]).unwrap();
    let frame = |(number, &(service, level)): (usize, &(&str, f32))| {
        // A hash of row and service: noise of 2 % of the level that repeats in every run.
        let noise = |row: usize| ((row * 7919 + number * 104_729) % 997) as f32 / 997.0 - 0.5;
        let value = |row| level * (1.0 + 0.04 * noise(row)) + change(service, row);
        Frame::new(service, schema.clone(), minute(0), Step::MINUTE, (0..rows).map(value).collect()).unwrap()
    };
    FrameSet::from_frames(services.iter().enumerate().map(frame).collect()).unwrap()
}

const SHOP: [(&str, f32); 6] =
    [("web", 200.0), ("api", 80.0), ("search", 40.0), ("database", 5.0), ("balancer", 85.0), ("cache", 1.0)];

fn shop() -> ServiceGraph {
    ServiceGraph::from_edge_list("web api\nweb balancer\nweb search\napi database\napi cache").unwrap()
}

fn rank(change: impl Fn(&str, usize) -> f32) -> (ServiceGraph, RootFindings) {
    let (graph, normal) = (shop(), frames(&SHOP, 600, |_, _| 0.0));
    let input = frames(&SHOP, ONSET + 10, change);
    let found = RootSearch::new("latency").find(&graph, &normal, &input, "web", minute(ONSET)).unwrap();
    (graph, found)
}

/// An addition from the onset on.
fn since_onset(row: usize, by: f32) -> f32 {
    if row >= ONSET { by } else { 0.0 }
}

#[test]
fn a_failure_is_followed_along_calls_to_where_it_began() {
    let (graph, found) = rank(|service, row| match service {
        "web" | "api" | "database" => since_onset(row, 60.0),
        _ => 0.0,
    });
    assert!(found.is_anything_wrong());
    assert_eq!(graph.name(found.suspects[0].service), Some("database"));
    assert!((found.suspects.iter().map(|suspect| suspect.score).sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn a_balancer_counts_as_the_server_behind_it() {
    let (graph, found) = rank(|service, row| match service {
        "web" => since_onset(row, 80.0),
        "api" => since_onset(row, 30.0),
        "balancer" => since_onset(row, 90.0),
        _ => 0.0,
    });
    let [api, balancer] = ["api", "balancer"].map(|name| graph.index_of(name).unwrap());
    assert_eq!((found.suspects[0].service, found.suspects[1].service), (api, balancer));
    assert_eq!(found.suspects[1].view_of, Some(api));
    // Without a failing sibling the balancer itself is the root.
    let (graph, found) = rank(|service, row| match service {
        "web" | "balancer" => since_onset(row, 80.0),
        _ => 0.0,
    });
    assert_eq!(graph.name(found.suspects[0].service), Some("balancer"));
}

#[test]
fn what_was_there_before_the_onset_is_no_part_of_the_failure() {
    let (graph, found) = rank(|service, row| match service {
        "web" | "search" => since_onset(row, 60.0),
        // Months after the normal period the database is a hundred times slower, as ever.
        "database" => 500.0 + 20.0 * (row % 5) as f32,
        _ => 0.0,
    });
    assert_eq!(graph.name(found.suspects[0].service), Some("search"));
    let database = graph.index_of("database").unwrap();
    assert_eq!(found.suspects.iter().find(|suspect| suspect.service == database).unwrap().score, 0.0);
}

#[test]
fn nothing_is_wrong_is_an_answer() {
    assert!(!rank(|_, _| 0.0).1.is_anything_wrong());
    // A target that fails without a server is its own root.
    let (graph, found) = rank(|service, row| if service == "web" { since_onset(row, 60.0) } else { 0.0 });
    assert!(found.is_anything_wrong());
    assert_eq!(graph.name(found.suspects[0].service), Some("web"));
}

#[test]
fn less_may_be_worse() {
    let (graph, normal) = (shop(), frames(&SHOP, 600, |_, _| 0.0));
    let input = frames(&SHOP, ONSET + 10, |service, row| match service {
        "web" => since_onset(row, -100.0),
        "search" => since_onset(row, -30.0),
        _ => 0.0,
    });
    let search = RootSearch::new("latency");
    let higher = search.find(&graph, &normal, &input, "web", minute(ONSET)).unwrap();
    assert!(!higher.is_anything_wrong());
    let lower = search.with_worse(Worse::Lower).find(&graph, &normal, &input, "web", minute(ONSET)).unwrap();
    assert_eq!(graph.name(lower.suspects[0].service), Some("search"));
}

#[test]
fn later_rows_and_missing_ones_change_nothing() {
    let (graph, normal) = (shop(), frames(&SHOP, 600, |_, _| 0.0));
    let failing = |service: &str, row| match service {
        "web" | "api" => since_onset(row, 60.0),
        "cache" => f32::NAN,
        _ => 0.0,
    };
    let find = |input: &FrameSet| {
        RootSearch::new("latency").find(&graph, &normal, input, "web", minute(ONSET)).unwrap()
    };
    let found = find(&frames(&SHOP, ONSET + 16, failing));
    let longer =
        find(&frames(
            &SHOP,
            ONSET + 200,
            |service, row| {
                if row < ONSET + 16 { failing(service, row) } else { 10_000.0 }
            },
        ));
    let scores = |found: &RootFindings| {
        found.suspects.iter().map(|suspect| (suspect.service, suspect.score)).collect::<Vec<_>>()
    };
    assert_eq!(scores(&found), scores(&longer));
    assert_eq!(found.unknown, [graph.index_of("cache").unwrap()]);
}

#[test]
fn questions_without_an_answer_are_refused() {
    let (graph, normal) = (shop(), frames(&SHOP, 600, |_, _| 0.0));
    let find = |metric: &str, service: &str, at| {
        let found = RootSearch::new(metric).find(&graph, &normal, &normal, service, minute(at));
        found.unwrap_err().to_string()
    };
    assert!(find("latency", "billing", 10).contains("no service \"billing\""));
    assert!(find("speed", "web", 10).contains("speed"));
    assert!(
        find("latency", "web", 700).starts_with("\"web\" has no row at 1970-01-01T11:40:00Z or just after")
    );
}
