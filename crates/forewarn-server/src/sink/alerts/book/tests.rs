use super::*;
use crate::sink::testing::{down, event, fires, minute, resolves, second, slo, source, warning};
use forewarn_label::SloLevel;

fn words(changes: &[Change]) -> Vec<String> {
    let word = |change: &Change| match change {
        Change::Fired(alert) => format!("fired {}", alert.key),
        Change::Updated(alert) => format!("updated {}", alert.key),
        Change::Resolved(alert) => format!("resolved {}", alert.key),
        Change::Adopted(alert) => format!("adopted {}", alert.key),
        Change::Released(alert) => format!("released {}", alert.key),
    };
    changes.iter().map(word).collect()
}

#[test]
fn an_alert_goes_from_one_shard_to_another_and_is_told_once() {
    let config = AlertsConfig::default();
    let (mut one, mut other) = (AlertBook::default(), AlertBook::default());
    let take = |book: &mut AlertBook, event: Event| words(&book.take(&config, &event, event.time));
    assert_eq!(take(&mut one, fires(0, "web", 5)).len(), 1);
    let released = event(1, 6, EventBody::ServiceReleased { service: "web".to_owned() });
    let told = take(&mut one, released);
    assert!(told.len() == 1 && told[0].starts_with("released w:web:"), "{told:?}");
    assert_eq!(one.visible().count(), 0);
    let adopted =
        EventBody::ServiceAdopted { service: "web".to_owned(), warning: Some(Box::new(warning("web", 5))) };
    let told = take(&mut other, event(0, 6, adopted));
    assert!(told.len() == 1 && told[0].starts_with("adopted w:web:"), "{told:?}");
    let told = take(&mut other, resolves(1, "web", 5, 9));
    assert!(told.len() == 1 && told[0].starts_with("resolved w:web:"), "{told:?}");
}

fn silence(seq: u64, at: i64, until: i64) -> Event {
    let action = Action::Silence { service: "web".to_owned(), until: minute(until) };
    event(seq, at, EventBody::Action(action))
}

fn silenced(seq: u64, since: i64) -> Event {
    event(seq, since, EventBody::Warning(WarningEvent { silenced: true, ..warning("web", since) }.into()))
}

#[test]
fn a_warning_fires_and_is_over_once_however_often_its_events_come() {
    let (config, mut book) = (AlertsConfig::default(), AlertBook::default());
    let events = [fires(0, "web", 1), resolves(1, "web", 1, 6), fires(2, "web", 9)];
    let mut take = |event: &Event| words(&book.take(&config, event, minute(10)));
    assert_eq!(take(&events[0]), ["fired w:web:1970-01-01T00:01:00Z"]);
    assert!(take(&events[0]).is_empty(), "a replay over a saved book");
    assert_eq!(take(&events[1]), ["resolved w:web:1970-01-01T00:01:00Z"]);
    assert!(take(&events[0]).is_empty() && take(&events[1]).is_empty());
    assert_eq!(take(&events[2]), ["fired w:web:1970-01-01T00:09:00Z"]);
    assert_eq!(book.visible().count(), 1);
}

#[test]
fn a_service_that_expires_ends_its_alert() {
    let (config, mut book) = (AlertsConfig::default(), AlertBook::default());
    book.take(&config, &fires(0, "web", 1), minute(1));
    book.take(&config, &fires(1, "web2", 1), minute(1));
    let expired = event(2, 1441, EventBody::ServiceExpired { service: "web".to_owned() });
    assert_eq!(words(&book.take(&config, &expired, minute(1441))), ["resolved w:web:1970-01-01T00:01:00Z"]);
    assert_eq!(book.visible().count(), 1);
}

#[test]
fn a_silenced_warning_is_told_when_the_silence_ends_if_it_still_stands() {
    let (config, mut book) = (AlertsConfig::default(), AlertBook::default());
    let mut take = |event: &Event| words(&book.take(&config, event, minute(0)));
    assert!(take(&silence(0, 1, 10)).is_empty());
    assert!(take(&silenced(1, 2)).is_empty());
    assert!(take(&resolves(2, "web", 2, 4)).is_empty());
    assert!(take(&silenced(3, 5)).is_empty());
    // Longer, then shorter: the last word counts.
    assert!(take(&silence(4, 6, 30)).is_empty());
    assert!(take(&fires(5, "other", 12)).len() == 1);
    assert_eq!(take(&silence(6, 13, 14)), Vec::<String>::new());
    let later = event(7, 14, EventBody::ServiceAppeared { service: "x".to_owned() });
    assert_eq!(take(&later), ["fired w:web:1970-01-01T00:05:00Z"]);
    assert_eq!(book.suppressed, 1);
}

#[test]
fn a_silence_after_an_alert_was_told_does_not_end_it() {
    let (config, mut book) = (AlertsConfig::default(), AlertBook::default());
    book.take(&config, &fires(0, "web", 1), minute(1));
    assert!(book.take(&config, &silence(1, 2, 60), minute(2)).is_empty());
    assert_eq!(book.visible().count(), 1);
}

#[test]
fn a_dead_source_is_one_alert_after_a_grace_and_none_if_it_comes_back_before() {
    let (config, mut book) = (AlertsConfig::default(), AlertBook::default());
    assert!(book.take(&config, &source(0, 1, down()), second(60)).is_empty());
    assert!(book.take(&config, &source(1, 2, SourceStatus::Up), second(100)).is_empty());
    assert!(book.take(&config, &source(2, 3, down()), second(200)).is_empty());
    assert_eq!(book.next_release(), Some(second(320)));
    assert!(book.release(second(319)).is_empty());
    assert_eq!(words(&book.release(second(320))), ["fired source:prometheus"]);
    assert!(book.release(second(9_999)).is_empty(), "one, however long it lasts");
    assert_eq!(
        words(&book.take(&config, &source(3, 60, SourceStatus::Partial), second(9_999))),
        ["resolved source:prometheus"]
    );
    assert_eq!(book.suppressed, 1);
}

mod reconciling {
    use super::*;
    use crate::sink::testing::{service_view, view};

    #[test]
    fn what_was_missed_is_made_good_from_the_engine() {
        let (config, mut book) = (AlertsConfig::default(), AlertBook::default());
        book.take(&config, &fires(0, "a", 1), minute(1));
        book.take(&config, &fires(1, "b", 1), minute(1));
        let id = |name: &str, since: i64| format!("w:{name}:{}", minute(since));
        let mut view = view(vec![
            service_view("a", None),
            service_view("b", Some(id("b", 1))),
            service_view("c:d", Some(id("c:d", 15))),
            service_view("e", Some(id("e", 16))),
        ]);
        view.sources.insert("prometheus".to_owned(), down());
        let known = |wanted: &str| (wanted == id("e", 16)).then(|| warning("e", 16));
        let truth = Truth { view: &view, next_seq: 900, warning: &known };
        let changes = book.reconcile(&config, &truth, minute(20));
        assert_eq!(
            words(&changes),
            [
                format!("resolved {}", id("a", 1)),
                format!("fired {}", id("c:d", 15)),
                format!("fired {}", id("e", 16)),
            ]
        );
        // Nothing is left of it but the engine's view: the start is in its id.
        let Change::Fired(alert) = &changes[1] else { panic!("fired") };
        assert_eq!((alert.starts_at, &*alert.labels["severity"]), (minute(15), "critical"));
        let Change::Fired(alert) = &changes[2] else { panic!("fired") };
        assert_eq!(&*alert.labels["severity"], "warning", "as it was raised");
        assert!(book.reconcile(&config, &truth, minute(20)).is_empty());
        assert_eq!(book.next_seq(), 900);
        assert_eq!(words(&book.release(minute(22))), ["fired source:prometheus"]);
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Events of a few services as an engine emits them: a warning ends before the next of its service begins.
    fn events() -> impl Strategy<Value = Vec<Event>> {
        let step = (0..4_usize, 0..12_u8);
        proptest::collection::vec(step, 0..120).prop_map(|steps| {
            let (mut firing, mut is_down, mut events) = ([None; 4], false, Vec::new());
            for (time, (which, what)) in (1_i64..).zip(steps) {
                let (seq, name) = (events.len() as u64, format!("s{which}"));
                events.push(match (what, firing[which]) {
                    (0..=4, None) => {
                        firing[which] = Some(time);
                        fires(seq, &name, time)
                    }
                    (0..=4, Some(since)) => {
                        firing[which] = None;
                        resolves(seq, &name, since, time)
                    }
                    (5, _) => {
                        firing[which] = None;
                        event(seq, time, EventBody::ServiceExpired { service: name })
                    }
                    (6..=7, _) => {
                        is_down = !is_down;
                        source(seq, time, if is_down { down() } else { SourceStatus::Up })
                    }
                    (8, _) => {
                        let action = Action::Silence { service: name, until: minute(time + 3) };
                        event(seq, time, EventBody::Action(action))
                    }
                    _ => event(seq, time, EventBody::ServiceAppeared { service: name }),
                });
            }
            events
        })
    }

    proptest! {
        /// A book that is killed and loaded anywhere, and hears again what came before, says what one that lived
        /// through it says, and each alert begins once and ends once.
        #[test]
        fn nothing_is_lost_and_nothing_doubled_over_restarts(
            events in events(),
            kills in proptest::collection::vec((0..120_usize, 0..20_usize), 0..6),
        ) {
            let config = AlertsConfig::default();
            let whole = |book: &mut AlertBook| -> Vec<Change> {
                events.iter().flat_map(|event| book.take(&config, event, event.time)).collect()
            };
            let mut lived = AlertBook::default();
            let expected = whole(&mut lived);
            let (mut told, mut book) = (Vec::new(), AlertBook::default());
            let mut at = 0;
            let mut kills = kills;
            while at < events.len() {
                told.extend(book.take(&config, &events[at], events[at].time));
                at += 1;
                if let Some(place) = kills.iter().position(|(kill, _)| *kill == at) {
                    let (_, back) = kills.remove(place);
                    let saved = serde_json::to_vec(&book).unwrap();
                    book = serde_json::from_slice(&saved).unwrap();
                    at = at.saturating_sub(back);
                }
            }
            prop_assert_eq!(&told, &expected);
            let mut standing = BTreeSet::new();
            for change in &told {
                match change {
                    Change::Fired(alert) | Change::Adopted(alert) => {
                        prop_assert!(standing.insert(alert.key.clone()), "fired twice");
                    }
                    Change::Resolved(alert) | Change::Released(alert) => {
                        prop_assert!(standing.remove(&alert.key), "over before it began");
                    }
                    Change::Updated(_) => {}
                }
            }
            let visible: BTreeSet<String> = book.visible().map(|alert| alert.key.clone()).collect();
            prop_assert_eq!(standing, visible);
        }
    }
}

#[test]
fn an_objective_is_one_alert_a_level_and_a_silence_holds_it_back() {
    let (config, mut book) = (AlertsConfig::default(), AlertBook::default());
    let at = |seq, level| event(seq, 1 + seq as i64, EventBody::Slo(slo("web", level).into()));
    let mut take = |event: &Event| words(&book.take(&config, event, minute(1)));
    assert_eq!(take(&at(0, SloLevel::Ticket)), ["fired slo:ticket:answers:web"]);
    assert!(take(&at(1, SloLevel::Ticket)).is_empty(), "nothing has changed");
    assert_eq!(
        take(&at(2, SloLevel::Page)),
        ["resolved slo:ticket:answers:web", "fired slo:page:answers:web"]
    );
    let worse = SloEvent { budget_left: Some(-0.1), ..slo("web", SloLevel::Page) };
    assert_eq!(take(&event(3, 4, EventBody::Slo(worse.into()))), ["updated slo:page:answers:web"]);
    assert_eq!(take(&at(4, SloLevel::Met)), ["resolved slo:page:answers:web"]);
    assert!(take(&silence(5, 6, 30)).is_empty() && take(&at(6, SloLevel::Page)).is_empty());
    let later = event(7, 30, EventBody::ServiceAppeared { service: "x".to_owned() });
    assert_eq!(take(&later), ["fired slo:page:answers:web"]);
}

#[test]
fn objectives_are_those_of_the_engine_where_events_were_lost() {
    let (config, mut book) = (AlertsConfig::default(), AlertBook::default());
    book.take(&config, &event(0, 1, EventBody::Slo(slo("gone", SloLevel::Page).into())), minute(1));
    let standing = slo("web", SloLevel::Ticket);
    let slos = vec![forewarn_live::SloView { standing, since: Some(minute(7)), probability: None }];
    let view = EngineView { slos, ..crate::sink::testing::view(Vec::new()) };
    let truth = Truth { view: &view, next_seq: 9, warning: &|_| None };
    let changes = words(&book.reconcile(&config, &truth, minute(20)));
    assert_eq!(changes, ["resolved slo:page:answers:gone", "fired slo:ticket:answers:web"]);
    assert_eq!(book.visible().next().map(|alert| alert.starts_at), Some(minute(7)));
    assert!(book.reconcile(&config, &truth, minute(21)).is_empty());
}
