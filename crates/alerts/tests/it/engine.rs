//! The engine's laws, whatever happens to it.
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bellwether_alerts::config::{AlertsConfig, RouteConfig};
use bellwether_alerts::engine::{Engine, EngineSettings, Event};
use bellwether_alerts::{Alert, AlertState, Notification, RouteTree};
use bellwether_core::config::Validate;
use bellwether_core::{Severity, Timestamp};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn at(seconds: i64) -> DateTime<Utc> {
    START + TimeDelta::seconds(seconds)
}

fn tree(text: &str) -> RouteTree {
    let route: RouteConfig = serde_json::from_str(text).unwrap();
    AlertsConfig { route: Some(route.clone()), ..AlertsConfig::default() }.check().unwrap();
    RouteTree::new(&route, &BTreeMap::new())
}

fn two_routes() -> RouteTree {
    tree(
        r#"{"receiver": "desk", "group_by": ["alertname"], "group_wait": "3s", "group_interval": "10s",
            "repeat_interval": "1m", "routes": [
              {"receiver": "pager", "matchers": ["severity=\"critical\""], "continue": true, "group_wait": "0s"},
              {"receiver": "desk", "matchers": ["alertname=~\".+\""], "group_by": ["..."]}]}"#,
    )
}

fn alert(name: &str, severity: Severity, since: DateTime<Utc>) -> Alert {
    Alert::builder(name, since).severity(severity).build().unwrap()
}

fn titles(notifications: &[Notification]) -> Vec<String> {
    notifications.iter().map(|it| format!("{} {}", it.receiver(), it.title())).collect()
}

/// Polls and says that everything was told.
fn tell(engine: &mut Engine, now: DateTime<Utc>) -> Vec<String> {
    let told = engine.poll(now);
    for notification in &told {
        engine.handle(Event::Told(notification.key()), now);
    }
    titles(&told)
}

#[test]
fn a_worse_alert_takes_the_place_of_a_milder_one_and_its_end_is_told() {
    let settings = EngineSettings { max_alerts: 2, ..EngineSettings::default() };
    let mut engine = Engine::new(two_routes(), settings);
    engine.handle(Event::Raised(alert("told", Severity::Info, at(0))), at(0));
    assert_eq!(tell(&mut engine, at(3)), ["desk [FIRING 1] info told"]);
    engine.handle(Event::Raised(alert("untold", Severity::Info, at(4))), at(4));
    for (name, severity) in
        [("c1", Severity::Critical), ("c2", Severity::Critical), ("late", Severity::Error)]
    {
        engine.handle(Event::Raised(alert(name, severity, at(5))), at(5));
    }
    let counts = engine.counts();
    assert_eq!((engine.firing_count(), counts.evicted, counts.refused), (2, 2, 1));
    let pages = ["pager [FIRING 1] critical c1", "pager [FIRING 1] critical c2"];
    assert_eq!(tell(&mut engine, at(5)), pages);
    let desk = tell(&mut engine, at(13));
    assert_eq!(desk.last().unwrap(), "desk [RESOLVED 1] info told");
    assert!(desk.iter().all(|title| !title.contains("untold")), "{desk:?}");
}

/// An engine with room for one alert that fires and four that it holds, in which these fired and ended one after the other; all that
/// fired was told, no end was.
fn full_of_ends(alerts: [(&str, Severity); 4]) -> Engine {
    let settings = EngineSettings { max_alerts: 1, ..EngineSettings::default() };
    let routes = tree(r#"{"receiver": "desk", "group_by": ["..."], "group_wait": "0s"}"#);
    let mut engine = Engine::new(routes, settings);
    for (name, severity) in alerts {
        engine.handle(Event::Raised(alert(name, severity, at(0))), at(0));
        for notification in engine.poll(at(0)) {
            let beginning = notification.status() == AlertState::Firing;
            let event = if beginning { Event::Told } else { Event::NotTold };
            engine.handle(event(notification.key()), at(0));
        }
        engine.handle(Event::Raised(alert(name, severity, at(0)).resolved(at(0)).unwrap()), at(0));
    }
    assert_eq!((engine.alert_count(), engine.firing_count()), (4, 0));
    engine
}

#[test]
fn ends_that_wait_to_be_told_give_way_to_beginnings_that_are_not_milder() {
    const ENDS: [(&str, Severity); 4] = [
        ("e1", Severity::Error),
        ("c1", Severity::Critical),
        ("e2", Severity::Error),
        ("c2", Severity::Critical),
    ];
    let mut engine = full_of_ends(ENDS);
    engine.handle(Event::Raised(alert("c3", Severity::Critical, at(1))), at(1));
    let counts = engine.counts();
    assert_eq!((engine.firing_count(), counts.refused, counts.lost_ends), (1, 0, 1));
    let ends =
        ["desk [RESOLVED 1] critical c1", "desk [RESOLVED 1] critical c2", "desk [RESOLVED 1] error e2"];
    let mut told = tell(&mut engine, at(301));
    told.retain(|title| title.contains("RESOLVED"));
    told.sort();
    assert_eq!(told, ends, "the mildest and oldest end gave way");

    let mut engine = full_of_ends(ENDS.map(|(name, _)| (name, Severity::Critical)));
    engine.handle(Event::Raised(alert("i", Severity::Info, at(1))), at(1));
    assert_eq!((engine.firing_count(), engine.counts().refused, engine.counts().lost_ends), (0, 1, 0));
    engine.handle(Event::Raised(alert("c3", Severity::Critical, at(1))), at(1));
    assert_eq!((engine.firing_count(), engine.counts().lost_ends), (1, 1), "never refused before it fires");
}

#[test]
fn an_alert_that_comes_again_needs_no_room_beside_its_own_end() {
    let mut engine = full_of_ends(["a", "b", "c", "d"].map(|name| (name, Severity::Info)));
    engine.handle(Event::Raised(alert("a", Severity::Info, at(1))), at(1));
    assert_eq!((engine.firing_count(), engine.counts().refused, engine.counts().lost_ends), (1, 0, 0));
}

#[test]
fn ends_are_told_sooner_when_they_take_much_room() {
    let settings = EngineSettings { max_alerts: 3, ..EngineSettings::default() };
    let routes = tree(r#"{"receiver": "desk", "group_by": ["..."], "group_wait": "0s"}"#);
    let mut engine = Engine::new(routes, settings);
    for round in 0..20 {
        let alerts = (0..3).map(|i| alert(&format!("a{round}-{i}"), Severity::Info, at(round)));
        for one in alerts.clone() {
            engine.handle(Event::Raised(one), at(round));
        }
        tell(&mut engine, at(round));
        for one in alerts {
            engine.handle(Event::Raised(one.resolved(at(round)).unwrap()), at(round));
        }
    }
    let counts = engine.counts();
    assert_eq!((counts.fired, counts.refused, counts.lost_ends), (60, 0, 0));
}

#[test]
fn an_alert_that_says_it_begins_later_begins_now() {
    let mut engine = Engine::new(two_routes(), EngineSettings::default());
    engine.handle(Event::Raised(alert("a", Severity::Info, at(1_000_000))), at(10));
    assert_eq!(engine.firing().next().unwrap().starts_at(), at(10));
}

#[test]
fn before_the_end_every_group_says_what_it_has_to_say() {
    let mut engine =
        Engine::new(tree(r#"{"receiver": "desk", "group_by": ["..."]}"#), EngineSettings::default());
    engine.handle(Event::Raised(alert("a", Severity::Info, at(0))), at(0));
    tell(&mut engine, at(30));
    engine.handle(Event::Raised(alert("a", Severity::Info, at(0)).resolved(at(31)).unwrap()), at(31));
    engine.handle(Event::Raised(alert("b", Severity::Info, at(31))), at(31));
    engine.flush(at(31));
    assert_eq!(tell(&mut engine, at(31)), ["desk [RESOLVED 1] info a", "desk [FIRING 1] info b"]);
    engine.flush(at(32));
    assert!(tell(&mut engine, at(32)).is_empty(), "nothing is told twice");
}

#[test]
fn groups_beyond_the_bound_are_told_together() {
    let settings = EngineSettings { max_groups: 2, ..EngineSettings::default() };
    let mut engine = Engine::new(tree(r#"{"receiver": "desk", "group_by": ["..."]}"#), settings);
    for name in ["a", "b", "c", "d"] {
        engine.handle(Event::Raised(alert(name, Severity::Info, at(0))), at(0));
    }
    assert_eq!((engine.group_count(), engine.counts().overflowed_groups), (3, 2));
    let told = tell(&mut engine, at(30));
    assert_eq!(told, ["desk [FIRING 1] info a", "desk [FIRING 1] info b", "desk [FIRING 2] info"]);
}

#[test]
fn an_alert_that_nobody_raises_again_ends_by_itself() {
    let settings =
        EngineSettings { resolve_timeout: Some(Duration::from_mins(1)), ..EngineSettings::default() };
    let mut engine = Engine::new(two_routes(), settings);
    engine.handle(Event::Raised(alert("a", Severity::Info, at(0))), at(0));
    engine.handle(Event::Raised(alert("a", Severity::Info, at(30))), at(30));
    tell(&mut engine, at(33));
    assert_eq!(engine.firing().next().unwrap().starts_at(), at(0), "the earlier start stays");
    assert!(engine.poll(at(89)).is_empty());
    assert_eq!(engine.firing_count(), 1);
    assert!(engine.poll(at(90)).is_empty());
    assert_eq!(engine.firing_count(), 0);
    let ends: Vec<_> = engine.take_changes().iter().map(|change| (change.state, change.at)).collect();
    assert_eq!(ends, [(AlertState::Firing, at(0)), (AlertState::Resolved, at(90))]);
}

#[test]
fn a_later_end_that_was_given_wins() {
    let ends = |alert: Alert, end| Event::Raised(alert.resolved(end).unwrap());
    let mut engine = Engine::new(two_routes(), EngineSettings::default());
    engine.handle(ends(alert("a", Severity::Info, at(0)), at(100)), at(0));
    engine.handle(ends(alert("a", Severity::Info, at(0)), at(50)), at(10));
    tell(&mut engine, at(99));
    assert_eq!(engine.firing_count(), 1);
    tell(&mut engine, at(100));
    assert_eq!(engine.firing_count(), 0);
}

#[test]
fn a_clock_that_is_set_back_delays_nothing() {
    let mut engine = Engine::new(two_routes(), EngineSettings::default());
    engine.handle(Event::Raised(alert("a", Severity::Info, at(1_000))), at(1_000));
    assert!(engine.poll(at(1_001)).is_empty());
    // An hour back: two seconds are left, whatever the wall shows.
    assert!(tell(&mut engine, at(-2_599)).is_empty());
    assert_eq!(engine.next_wakeup(), Some(at(-2_597)));
    assert_eq!(tell(&mut engine, at(-2_597)), ["desk [FIRING 1] info a"]);
}

#[test]
fn an_end_of_what_never_fired_is_only_counted() {
    let mut engine = Engine::new(two_routes(), EngineSettings::default());
    let over = alert("a", Severity::Info, at(0)).resolved(at(1)).unwrap();
    engine.handle(Event::Raised(over), at(1));
    assert_eq!((engine.counts().unknown_ends, engine.alert_count(), engine.next_wakeup()), (1, 0, None));
}

#[test]
fn a_message_that_is_lost_is_made_anew_at_the_next_tick_with_another_key() {
    let mut engine = Engine::new(two_routes(), EngineSettings::default());
    engine.handle(Event::Raised(alert("a", Severity::Info, at(0))), at(0));
    let lost = engine.poll(at(3));
    engine.handle(Event::NotTold(lost[0].key()), at(3));
    let again = engine.poll(at(13));
    assert_eq!(titles(&again), titles(&lost));
    assert_ne!(again[0].key(), lost[0].key());
    // Not reported at all: the same at the tick after.
    let third = engine.poll(at(23));
    assert_eq!((titles(&third), engine.counts().not_told), (titles(&lost), 2));
}

#[test]
fn what_changes_while_a_message_is_on_its_way_is_told_by_the_next() {
    let mut engine = Engine::new(two_routes(), EngineSettings::default());
    engine.handle(Event::Raised(alert("a", Severity::Info, at(0))), at(0));
    tell(&mut engine, at(3));
    engine.handle(Event::Raised(alert("a", Severity::Info, at(0)).resolved(at(5)).unwrap()), at(5));
    let over = engine.poll(at(13));
    assert_eq!(titles(&over), ["desk [RESOLVED 1] info a"]);
    engine.handle(Event::Raised(alert("a", Severity::Info, at(14))), at(14));
    engine.handle(Event::Told(over[0].key()), at(15));
    assert_eq!(tell(&mut engine, at(23)), ["desk [FIRING 1] info a"]);
}

#[test]
fn a_group_that_comes_again_at_the_instant_it_went_has_other_keys() {
    let mut engine = Engine::new(two_routes(), EngineSettings::default());
    let critical = |since| alert("a", Severity::Critical, since);
    engine.handle(Event::Raised(critical(at(0))), at(0));
    tell(&mut engine, at(0));
    engine.handle(Event::Raised(critical(at(0)).resolved(at(5)).unwrap()), at(5));
    let pager = |told: Vec<Notification>| told.into_iter().find(|it| *it.receiver() == "pager").unwrap();
    let over = pager(engine.poll(at(10)));
    engine.handle(Event::Told(over.key()), at(10));
    engine.handle(Event::Raised(critical(at(10))), at(10));
    let again = pager(engine.poll(at(10)));
    assert_eq!((over.group_key(), over.status()), (again.group_key(), AlertState::Resolved));
    assert_ne!(over.key(), again.key());
}

#[derive(Debug, Clone)]
enum Op {
    Raise(u8),
    Resolve(u8),
    Wait(i64),
    /// The wall clock is set.
    Step(i64),
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0_u8..12).prop_map(Op::Raise),
        3 => (0_u8..12).prop_map(Op::Resolve),
        5 => (0_i64..25).prop_map(Op::Wait),
        1 => (-500_i64..500).prop_map(Op::Step),
    ]
}

fn named(number: u8, since: DateTime<Utc>) -> Alert {
    let severity = Severity::ALL[usize::from(number) % 4];
    let alert = Alert::builder(format!("A{}", number % 3), since).label("i", number.to_string());
    alert.severity(severity).build().unwrap()
}

/// What every receiver was last told of every alert.
#[derive(Default)]
struct Audience {
    last: BTreeMap<(String, String), AlertState>,
    keys: BTreeSet<String>,
    ever_firing: usize,
}

impl Audience {
    fn hears(&mut self, notification: &Notification) {
        assert!(self.keys.insert(notification.key().to_string()), "the same key twice");
        assert!(notification.listed().next().is_some(), "a message about nothing");
        for alert in notification.listed() {
            let to = (notification.group_key().to_string(), alert.labels().to_string());
            self.ever_firing += usize::from(alert.is_firing());
            self.last.insert(to, alert.state());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whoever_was_told_that_it_fires_is_told_that_it_is_over(
        ops in prop::collection::vec(any_op(), 1..80), lost in prop::collection::vec(prop::bool::weighted(0.2), 0..60),
        max_alerts in 1_u32..8, max_groups in 1_u32..6,
    ) {
        let settings = EngineSettings { max_alerts, max_groups, resolve_timeout: None };
        let mut engine = Engine::new(two_routes(), settings);
        let mut audience = Audience::default();
        let mut now = at(10_000);
        let mut lost = lost.into_iter();
        let (mut began, mut ended) = (0, 0);
        let mut look = |engine: &mut Engine, now| {
            for notification in engine.poll(now) {
                if lost.next().unwrap_or(false) {
                    engine.handle(Event::NotTold(notification.key()), now);
                } else {
                    audience.hears(&notification);
                    engine.handle(Event::Told(notification.key()), now);
                }
            }
            for change in engine.take_changes() {
                if change.state == AlertState::Firing { began += 1 } else { ended += 1 }
                assert!(Timestamp::try_from(change.at).is_ok());
            }
            assert!(engine.firing_count() <= max_alerts as usize);
            assert!(engine.alert_count() <= 4 * max_alerts as usize);
            assert!(engine.group_count() <= max_groups as usize + engine.routes().len());
        };
        for op in ops {
            match op {
                Op::Raise(number) => engine.handle(Event::Raised(named(number, now)), now),
                Op::Resolve(number) => engine.handle(Event::Raised(named(number, now).resolved(now).unwrap()), now),
                Op::Wait(seconds) | Op::Step(seconds) => now += TimeDelta::seconds(seconds),
            }
            look(&mut engine, now);
        }
        for number in 0..12 {
            engine.handle(Event::Raised(named(number, now).resolved(now).unwrap()), now);
        }
        let mut rounds = 0;
        while let Some(wakeup) = engine.next_wakeup() {
            now = wakeup;
            look(&mut engine, now);
            rounds += 1;
            assert!(rounds < 1_000, "it never comes to rest");
        }
        prop_assert_eq!((engine.alert_count(), engine.group_count()), (0, 0));
        prop_assert_eq!(began, ended);
        let open: Vec<_> = audience.last.iter().filter(|(_, state)| **state == AlertState::Firing).collect();
        // Two routes may lead one alert to two groups.
        prop_assert!(open.len() as u64 <= 2 * engine.counts().lost_ends, "{open:?}");
    }

    /// Looking more often than needed changes nothing.
    #[test]
    fn it_only_matters_that_it_is_polled_when_it_says(ops in prop::collection::vec(any_op(), 1..60), extra in 1_i64..5) {
        let run = |often: bool| {
            let mut engine = Engine::new(two_routes(), EngineSettings::default());
            let mut now = START;
            let mut heard = Vec::new();
            for op in &ops {
                match op {
                    Op::Raise(number) => engine.handle(Event::Raised(named(*number, now)), now),
                    Op::Resolve(number) => engine.handle(Event::Raised(named(*number, now).resolved(now).unwrap()), now),
                    Op::Step(_) => {}
                    Op::Wait(seconds) => {
                        let until = now + TimeDelta::seconds(*seconds);
                        loop {
                            let due = engine.next_wakeup().filter(|due| *due <= until);
                            let next = if often { (now + TimeDelta::seconds(extra)).min(due.unwrap_or(until)) } else { due.unwrap_or(until) };
                            now = next.max(now).min(until);
                            for notification in engine.poll(now) {
                                heard.push((notification.at(), notification.receiver().to_string(), notification.text()));
                                engine.handle(Event::Told(notification.key()), now);
                            }
                            if now == until && engine.next_wakeup().is_none_or(|due| due > until) { break; }
                        }
                    }
                }
            }
            heard
        };
        prop_assert_eq!(run(true), run(false));
    }
}

#[test]
fn the_property_above_hears_of_something() {
    let mut audience = Audience::default();
    let mut engine = Engine::new(two_routes(), EngineSettings::default());
    engine.handle(Event::Raised(named(3, at(0))), at(0));
    engine.poll(at(3)).iter().for_each(|it| audience.hears(it));
    assert_eq!(audience.ever_firing, 2);
}
