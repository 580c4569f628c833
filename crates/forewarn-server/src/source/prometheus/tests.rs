//! Pulling in virtual time from a server that answers from memory.

mod world;

use super::{pull::Pull, queries::PrometheusQueries};
use crate::{PrometheusConfig, source::Flows};
use forewarn_live::{Input, SourceStatus};
use forewarn_schema::Step;
use world::{Journal, World, at};

const HOUR: i64 = 60;

fn config() -> PrometheusConfig {
    PrometheusConfig { warm_up_minutes: 3, ..PrometheusConfig::new("http://p/prefix", ["opentelemetry"]) }
}

fn pull(world: &World, config: &PrometheusConfig) -> Pull {
    let queries =
        PrometheusQueries::new(&PrometheusConfig::new("x", ["opentelemetry"]), Step::MINUTE).unwrap();
    Pull::of(config, (queries.schema(), Step::MINUTE), Some(60), &world.clock(), &mut |one| {
        Ok(world.transport(&one.url))
    })
    .unwrap()
}

/// Runs until minute `until`, from where the journal ends.
fn run(world: &World, config: &PrometheusConfig, journal: &Journal, until: i64) -> Pull {
    let mut pull = pull(world, config);
    pull.run(journal, &world.until(until)).unwrap();
    pull
}

#[test]
fn each_closed_minute_is_given_once_and_closed_as_soon_as_it_is_settled() {
    let world = World::new(100);
    let journal = Journal::default();
    let pull = run(&world, &config(), &journal, 110);
    // Three minutes of warm-up, then one a minute; what is closed is what was given.
    assert_eq!(journal.minutes(), (97..=109).collect::<Vec<_>>());
    assert_eq!(journal.closed(), (97..=109).collect::<Vec<_>>());
    assert_eq!(pull.counts.rows, 13 * 2);
    assert_eq!(journal.rows_at(105), [("a", world.value("a", 0, 105)), ("b", world.value("b", 0, 105))]);
    assert_eq!(journal.statuses(), ["prometheus up"]);
    assert!(journal.all().iter().any(|input| matches!(input,
        Input::About { text, .. } if text == "Prometheus 2.42.0")));
    let asked = world.requests();
    assert!(asked.iter().all(|request| request.url.starts_with("http://p/prefix/api/v1/")));
    assert!(asked.iter().any(|request| request.step == "60.000"));
    // 15 seconds after the end of each minute, not earlier.
    assert!(
        asked
            .iter()
            .filter(|request| request.last == Some(at(105)))
            .all(|request| request.sent >= at(105).millis() + 15_000)
    );
}

#[test]
fn a_restart_goes_on_where_the_journal_ends() {
    let world = World::new(100);
    let journal = Journal::default();
    for until in [104, 105, 131, 132] {
        run(&world, &config(), &journal, until);
    }
    assert_eq!(journal.minutes(), (97..=131).collect::<Vec<_>>());
    assert_eq!(journal.closed(), journal.minutes());
}

#[test]
fn an_hour_without_the_server_is_told_once_and_made_up_for() {
    let world = World::new(100);
    world.outage(120..120 + HOUR);
    let journal = Journal::default();
    let pull = run(&world, &config(), &journal, 300);
    assert_eq!(journal.minutes(), (97..=299).collect::<Vec<_>>());
    assert_eq!(journal.closed(), journal.minutes());
    assert_eq!(
        journal.statuses(),
        [
            "prometheus up",
            "prometheus down: http://p/prefix/api/v1/query_range: connection refused",
            "prometheus up"
        ]
    );
    assert!(pull.counts.failed_tries > 10 && pull.counts.skipped_minutes == 0);
}

#[test]
fn a_backlog_beyond_its_limit_is_missing_and_counted() {
    let world = World::new(100);
    world.outage(120..200);
    let config = PrometheusConfig { backlog_minutes: 30, ..config() };
    let journal = Journal::default();
    let pull = run(&world, &config, &journal, 210);
    let minutes = journal.minutes();
    assert!(minutes.contains(&119) && !minutes.contains(&140) && minutes.contains(&180), "{minutes:?}");
    assert!(pull.counts.skipped_minutes > 40);
    assert_eq!(*minutes.last().unwrap(), 209);
    assert_eq!(journal.closed().last(), Some(&209));
}

#[test]
fn too_many_requests_are_waited_for_and_other_refusals_are_told_once_in_the_servers_words() {
    let world = World::new(100);
    world.answer_with(102..104, 429, "slow down");
    let journal = Journal::default();
    run(&world, &config(), &journal, 106);
    assert_eq!(journal.minutes(), (97..=105).collect::<Vec<_>>());
    let slow = journal.statuses();
    assert_eq!(slow.len(), 3, "{slow:?}");
    assert!(slow[1].contains("status 429") && slow[1].contains("slow down"), "{slow:?}");

    let world = World::new(100);
    world.answer_with(102..110, 400, "parse error in query");
    let before = world.requests().len();
    let journal = Journal::default();
    run(&world, &config(), &journal, 112);
    let told = journal.statuses();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[1].contains("parse error in query"), "{told:?}");
    // Five queries a try, every 15 seconds, none of them repeated in between.
    let refused = world.requests().len() - before;
    assert!(refused < 5 * (8 * 4 + 20), "{refused}");
}

#[test]
fn a_question_that_is_too_much_at_once_is_cut() {
    let world = World::new(100);
    world.most_points(4);
    let journal = Journal::default();
    run(&world, &PrometheusConfig { warm_up_minutes: 50, ..config() }, &journal, 103);
    assert_eq!(journal.minutes(), (50..=102).collect::<Vec<_>>());
    assert_eq!(journal.statuses(), ["prometheus up"]);
}

#[test]
fn late_changes_are_journaled_and_counted() {
    let world = World::new(100);
    // Service c comes two minutes late for minutes 103 and 104, and b's value of 105 changes.
    world.late("c", 103..105, 2);
    world.change("b", 105, 2);
    let journal = Journal::default();
    let pull = run(&world, &config(), &journal, 112);
    assert_eq!(pull.counts.late_rows, 3);
    assert_eq!(journal.rows_at(105).len(), 3, "both versions of b, and a");
    assert_eq!(journal.rows_at(103).last().unwrap().0, "c");
    let unread = PrometheusConfig { reread_minutes: 0, ..config() };
    assert_eq!(run(&World::new(100), &unread, &Journal::default(), 112).counts.late_rows, 0);
}

#[test]
fn partial_answers_are_marked_and_asked_for_again() {
    let world = World::new(100);
    world.partial(102..104);
    let journal = Journal::default();
    let pull = run(&world, &config(), &journal, 107);
    assert_eq!(journal.minutes(), (97..=106).collect::<Vec<_>>());
    assert_eq!(journal.statuses(), ["prometheus up", "prometheus partial", "prometheus up"]);
    assert!(pull.counts.partial_minutes >= 1);
}

#[test]
fn a_clock_that_is_wrong_is_refused() {
    let world = World::new(100);
    world.skew_secs(45);
    let journal = Journal::default();
    run(&world, &config(), &journal, 105);
    assert_eq!(journal.minutes(), Vec::<i64>::new());
    let told = journal.statuses();
    assert!(told.len() == 1 && told[0].contains("45 s ahead"), "{told:?}");
    world.skew_secs(-20);
    run(&world, &config(), &journal, 110);
    assert_eq!(journal.minutes().last(), Some(&109));
}

#[test]
fn of_two_servers_one_may_fail_and_the_other_goes_on() {
    let world = World::new(100);
    world.outage_of("http://q", 110..130);
    let other = PrometheusConfig {
        name: "q".to_owned(),
        url: "http://q".to_owned(),
        settle_secs: Some(40),
        ..config()
    };
    let both = PrometheusConfig { more: vec![other], ..config() };
    let journal = Journal::default();
    run(&world, &both, &journal, 140);
    // The one that settles later begins a minute earlier, and has not given the last one yet.
    assert_eq!(journal.closed(), (96..=138).collect::<Vec<_>>());
    let told = journal.statuses();
    assert_eq!(told.iter().filter(|line| line.starts_with("q down")).count(), 1, "{told:?}");
    assert!(!told.iter().any(|line| line.starts_with("prometheus down")));
    // Both answer with the same two services; while one is away there is one row of each.
    let rows = [105, 120, 135].map(|minute| journal.rows_at(minute).len());
    assert_eq!(rows, [4, 2, 4]);
    assert!(
        journal
            .all()
            .iter()
            .filter(|input| matches!(input,
        Input::Source { status: SourceStatus::Up, source } if source == "q"))
            .count()
            >= 2
    );
}

#[test]
fn the_graph_is_read_every_five_minutes_and_told_when_it_changes() {
    let world = World::new(100);
    world.calls(&[("a", "b")]);
    let journal = Journal::default();
    let flows = Flows::default();
    let mut pull = pull(&world, &config()).with_flows(flows.clone());
    pull.run(&journal, &world.until(108)).unwrap();
    assert_eq!(journal.graphs(), [vec![("a".to_owned(), "b".to_owned())]]);
    let told = |flows: &Flows| {
        let calls = flows.get().into_iter();
        calls.map(|call| (call.client, call.server, call.requests, call.error_rate)).collect::<Vec<_>>()
    };
    assert_eq!(told(&flows), [("a".to_owned(), "b".to_owned(), 1.0, Some(0.05))]);
    world.calls(&[("a", "b"), ("b", "postgres")]);
    pull.run(&journal, &world.until(120)).unwrap();
    assert_eq!(journal.graphs().len(), 2);
    let asked =
        world.requests().iter().filter(|request| request.query.contains("graph_request_total")).count();
    assert!((4..=6).contains(&asked), "{asked}");
    assert_eq!(told(&flows).len(), 2);
    world.outage(120..140);
    pull.run(&journal, &world.until(130)).unwrap();
    assert!(flows.get().is_empty(), "of a server that does not answer nothing is known");
}
