//! Rules over samples, as a host uses them.
use bellwether_alerts::Alert;
use bellwether_alerts::rules::{Condition, Evaluator, Expr, MissingData, Rule, RuleBuilder};
use bellwether_core::{
    Aggregate, Labels, SampleWindows, Selector, SeriesValue, Severity, TimeRange, Timestamp,
};
use proptest::prelude::*;

use crate::recorded::Recorded;

const MINUTE: i64 = 60;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).unwrap()
}

fn of(name: &str, value: &str) -> Labels {
    Labels::new([(name, value)]).unwrap()
}

struct Bench {
    rules: Evaluator,
    windows: Recorded,
}

impl Bench {
    fn new(rule: RuleBuilder) -> Self {
        Self { rules: Evaluator::new([rule]).unwrap(), windows: Recorded::default() }
    }

    fn sample(&mut self, metric: &str, labels: &Labels, seconds: i64, value: f64) -> &mut Self {
        self.windows.push(metric, labels, at(seconds), Some(value));
        self
    }

    fn evaluate(&mut self, seconds: i64) -> Vec<Alert> {
        self.rules.evaluate(&self.windows, at(seconds).to_datetime())
    }

    fn told(&mut self, seconds: i64) -> Vec<String> {
        let short = |alert: Alert| {
            let series = alert.labels().retain(|name| name != "severity");
            format!("{} {series}", alert.state())
        };
        self.evaluate(seconds).into_iter().map(short).collect()
    }
}

#[test]
fn two_metrics_are_compared_where_their_labels_are_equal() {
    let rule =
        Rule::when(Expr::last("loss_usd").above("var_usd")).name("BeyondVar").severity(Severity::Error);
    let mut bench = Bench::new(rule);
    for (strategy, loss, var) in [("mom", 120.0, 100.0), ("carry", 80.0, 100.0)] {
        bench.sample("loss_usd", &of("strategy", strategy), 0, loss);
        bench.sample("var_usd", &of("strategy", strategy), 0, var);
    }
    bench.sample("loss_usd", &of("strategy", "unmeasured"), 0, 500.0);
    let raised = bench.evaluate(0);
    assert_eq!(raised.len(), 1);
    assert_eq!(raised[0].labels().get("strategy"), Some("mom"));
    assert_eq!(raised[0].value(), Some(120.0));
}

#[test]
fn a_side_without_labels_meets_every_label_set() {
    let deep = Expr::last("drawdown").above(0.1) & Expr::last("market_open").above(0.0);
    let mut bench = Bench::new(Rule::when(deep).name("DeepWhileOpen"));
    bench.sample("drawdown", &of("s", "a"), 0, 0.2).sample("drawdown", &of("s", "b"), 0, 0.3);
    bench.sample("market_open", &Labels::empty(), 0, 0.0);
    assert!(bench.told(0).is_empty());
    bench.sample("market_open", &Labels::empty(), MINUTE, 1.0);
    assert_eq!(
        bench.told(MINUTE),
        [r#"firing {alertname="DeepWhileOpen",s="a"}"#, r#"firing {alertname="DeepWhileOpen",s="b"}"#]
    );
}

#[test]
fn or_holds_if_one_side_does_and_the_other_has_no_data() {
    let either = Expr::last("a").above(1.0) | Expr::last("b").above(1.0);
    let mut bench = Bench::new(Rule::when(either).name("Either"));
    bench.sample("a", &of("s", "x"), 0, 2.0);
    assert_eq!(bench.told(0), [r#"firing {alertname="Either",s="x"}"#]);
    bench.sample("b", &Labels::empty(), MINUTE, 2.0).sample("a", &of("s", "x"), MINUTE, 0.0);
    assert!(bench.told(MINUTE).is_empty(), "goes on, by the other side; no alert of the plain side's own");
}

#[test]
fn a_stale_feed_fires_and_clears_with_the_next_tick() {
    let mut bench = Bench::new(Rule::stale("feed_tick", "5m").severity(Severity::Error));
    bench.sample("feed_tick", &of("feed", "itch"), 0, 1.0);
    assert!(bench.told(5 * MINUTE).is_empty(), "exactly 5 minutes are not more than 5 minutes");
    assert_eq!(bench.told(6 * MINUTE), [r#"firing {alertname="FeedTickStale",feed="itch"}"#]);
    bench.sample("feed_tick", &of("feed", "itch"), 7 * MINUTE, 1.0);
    assert_eq!(bench.told(7 * MINUTE), [r#"resolved {alertname="FeedTickStale",feed="itch"}"#]);
}

const DAY: i64 = 24 * 60 * MINUTE;

#[test]
fn a_stale_feed_goes_on_firing_until_it_is_taken_for_retired() {
    let mut bench = Bench::new(Rule::stale("feed_tick", "5m"));
    bench.sample("feed_tick", &of("feed", "itch"), 0, 1.0).sample("feed_tick", &of("feed", "utp"), 0, 1.0);
    assert!(bench.told(0).is_empty());
    assert_eq!(bench.told(6 * MINUTE).len(), 2);
    bench.sample("feed_tick", &of("feed", "utp"), 5 * DAY, 1.0);
    assert_eq!(bench.told(5 * DAY)[1], r#"resolved {alertname="FeedTickStale",feed="utp"}"#);
    bench.sample("feed_tick", &of("feed", "utp"), 7 * DAY, 1.0);
    let older = bench.told(7 * DAY);
    assert_eq!(older, [r#"firing {alertname="FeedTickStale",feed="itch"}"#], "it has grown older");
    let over = bench.told(7 * DAY + 5 * MINUTE);
    assert_eq!(over, [r#"resolved {alertname="FeedTickStale",feed="itch"}"#], "seven days beyond its limit");
    assert_eq!(bench.rules.counts().forgotten, 1);
    bench.sample("feed_tick", &of("feed", "utp"), 8 * DAY, 1.0);
    assert!(bench.told(8 * DAY).is_empty(), "and does not come back by itself");
    assert_eq!(format!("{:?}", bench.rules), r#"{"FeedTickStale": 1}"#, "nor takes up room");
    bench.sample("feed_tick", &of("feed", "itch"), 9 * DAY, 1.0);
    assert_eq!(bench.told(9 * DAY + 6 * MINUTE).len(), 2, "one that ticks again is watched again");
}

#[test]
fn series_that_are_gone_are_forgotten_by_every_policy() {
    struct Leaving;
    impl SampleWindows for Leaving {
        fn aggregate(&self, asked: &Selector, range: TimeRange, _: Aggregate, out: &mut Vec<SeriesValue>) {
            if asked.metric_name().as_str() != "x" {
                return;
            }
            // A new series each hour, in which the last one leaves.
            let hour = range.end().as_seconds_f64() as i64 / 3_600;
            out.push(SeriesValue { labels: of("order", &hour.to_string()), value: 2.0, newest: range.end() });
        }
    }
    let hours = |rule: RuleBuilder| {
        let mut rules = Evaluator::new([rule.name("X").max_series(10)]).unwrap();
        let mut most = 0;
        for hour in 0..100 {
            rules.evaluate(&Leaving, at(3_600 * hour).to_datetime());
            most = most.max(rules.firing().count());
        }
        (most, rules.counts().forgotten, rules.counts().overflowed)
    };
    // Three hours from the first evaluation without it, which is an hour after the last one with it.
    let rule = |missing| Rule::above("x", 1.0).missing(missing).forget_after("3h");
    assert_eq!(hours(rule(MissingData::Fire)), (4, 96, 0));
    assert_eq!(hours(rule(MissingData::NoData)), (4, 96, 0));
    let open = Condition::absent("never");
    let held = rule(MissingData::Resolve).hold_while(open);
    assert_eq!(hours(held), (4, 96, 0), "also what only goes on because something else holds");
    assert_eq!(
        hours(Rule::above("x", 1.0).missing(MissingData::Fire)),
        (10, 0, 90),
        "a week is more than that"
    );
}

#[test]
fn what_a_rule_waits_for_is_not_forgotten_before() {
    let told = |rule: RuleBuilder| rule.build().map(|rule| rule.forget_after().as_secs() as i64 / DAY);
    assert_eq!(told(Rule::above("x", 1.0)), Ok(7));
    assert_eq!(told(Rule::stale("x", "20d")), Ok(27));
    assert_eq!(
        told(Rule::above("x", 1.0).missing(MissingData::Keep(std::time::Duration::from_hours(240)))),
        Ok(17)
    );
    assert_eq!(told(Rule::above("x", 1.0).for_("3d").keep_firing_for("1d").forget_after("5d")), Ok(5));
    let wrong = Rule::stale("x", "20m").for_("10m").forget_after("30m").build().unwrap_err();
    assert_eq!(wrong.to_string(), "forget_after: 30m is not longer than the rule itself waits, 30m");
}

#[test]
fn each_policy_makes_its_own_of_missing_data() {
    let five = |missing| {
        let mut bench = Bench::new(Rule::above("x", 1.0).name("X").missing(missing));
        bench.sample("x", &Labels::empty(), 0, 2.0);
        assert_eq!(bench.told(0), [r#"firing {alertname="X"}"#]);
        let then = (bench.told(5 * MINUTE), bench.told(5 * MINUTE + 1));
        bench.sample("x", &Labels::empty(), 6 * MINUTE, 0.5);
        (then.0, then.1, bench.told(6 * MINUTE))
    };
    let over = || vec![r#"resolved {alertname="X"}"#.to_owned()];
    assert_eq!(five(MissingData::DEFAULT), (vec![], over(), vec![]));
    assert_eq!(five(MissingData::Resolve), (over(), vec![], vec![]));
    assert_eq!(five(MissingData::Fire), (vec![], vec![], over()));
    let no_data = |state: &str| format!(r#"{state} {{alertname="X",reason="no_data"}}"#);
    assert_eq!(
        five(MissingData::NoData),
        ([over(), vec![no_data("firing")]].concat(), vec![], vec![no_data("resolved")])
    );
}

#[test]
fn missing_data_fires_only_for_what_was_seen_before() {
    let mut bench = Bench::new(Rule::above("x", 1.0).name("X").missing(MissingData::Fire));
    assert!(bench.told(0).is_empty());
    bench.sample("x", &Labels::empty(), MINUTE, 0.5);
    assert!(bench.told(MINUTE).is_empty());
    assert_eq!(bench.told(10 * MINUTE), [r#"firing {alertname="X"}"#]);
}

#[test]
fn absent_is_about_all_series_that_are_meant() {
    let mut bench = Bench::new(Rule::when(Condition::absent(r#"beat{host="h1"}"#)).name("Gone"));
    assert_eq!(bench.told(0), [r#"firing {alertname="Gone",host="h1"}"#]);
    bench.sample("beat", &Labels::new([("host", "h1"), ("dc", "ny4")]).unwrap(), MINUTE, 1.0);
    assert_eq!(bench.told(MINUTE), [r#"resolved {alertname="Gone",host="h1"}"#]);
}

#[test]
fn a_division_by_nothing_is_told_without_a_value() {
    let ratio = Expr::last("errors") / "requests";
    let mut bench = Bench::new(Rule::above(ratio, 0.05).name("Errors").annotation("at", "{{ $value }}"));
    bench.sample("errors", &Labels::empty(), 0, 0.0).sample("requests", &Labels::empty(), 0, 0.0);
    assert!(bench.told(0).is_empty(), "0 / 0 is above nothing");
    bench.sample("errors", &Labels::empty(), 1, 3.0);
    let raised = bench.evaluate(1);
    assert_eq!((raised[0].value(), raised[0].annotations().get("at")), (None, Some("+Inf")));
}

#[test]
fn label_sets_beyond_the_bound_are_counted() {
    let mut bench = Bench::new(Rule::above("x", 1.0).max_series(2));
    for symbol in ["a", "b", "c", "d"] {
        bench.sample("x", &of("symbol", symbol), 0, 2.0);
    }
    assert_eq!(bench.evaluate(0).len(), 2);
    assert_eq!(bench.rules.counts().overflowed, 2);
}

#[test]
fn everything_wrong_with_rules_is_told_at_once() {
    let wrong = Evaluator::new([
        Rule::above("x", f64::NAN)
            .clear_below(f64::INFINITY)
            .for_("-5m")
            .label("__x", "")
            .label("severity", "page"),
        Rule::below("x", 1.0)
            .clear_above(0.5)
            .clear_below(0.1)
            .annotation("summary", "{{value}}")
            .max_series(0),
        Rule::when(Expr::last("a b").above(1.0)).category("über").keep_firing_for("500d"),
        Rule::above("y", 1.0).label("desk", "eq"),
        Rule::above("y", 2.0).label("desk", "eq"),
        Rule::stale(r#"z{a=~"x"}"#, "32d").missing(MissingData::Keep(std::time::Duration::ZERO)),
    ]);
    let told = wrong.unwrap_err().to_string();
    for part in [
        "rules.XAbove.condition: the constant NaN is not finite",
        "rules.XAbove.clear: inf is not finite",
        "rules.XAbove.for: duration \"-5m\"",
        "rules.XAbove.labels.__x: label name \"__x\" begins with",
        "rules.XAbove.labels.severity: is given by the rule's name and severity",
        "rules.XBelow.clear: 0.5 lies beyond the threshold 1",
        "rules.XBelow.clear: clear_below is for rules that fire above",
        "rules.XBelow.annotations.summary: {{value}} is unknown",
        "rules.XBelow.max_series: 0 is outside of",
        "rules[2].name: \"\" has no or more than",
        "rules[2].condition: metric name \"a b\"",
        "rules[2].category: category name \"über\"",
        "rules[2].keep_firing_for: 500d is outside of [0s, 400d]",
        "rules.YAbove: two rules give the labels",
        "rules.UnnamedStale.condition: series are selected by = and != only, not by =~",
        "rules.UnnamedStale.stale: 32d is outside of [1ms, 31d]",
        "rules.UnnamedStale.missing: 0s is outside of",
    ] {
        assert!(told.contains(part), "{part:?} is missing in\n{told}");
    }
    assert_eq!(told.lines().count(), 17, "{told}");
}

#[test]
fn a_clock_that_is_set_back_makes_no_alert_wait_longer_than_its_rule_says() {
    let mut bench = Bench::new(Rule::above("x", 1.0).name("X").for_("2m").keep_firing_for("1m"));
    bench.sample("x", &Labels::empty(), 0, 2.0).sample("x", &Labels::empty(), 10 * MINUTE, 2.0);
    assert!(bench.told(10 * MINUTE).is_empty());
    assert!(bench.told(0).is_empty());
    assert!(bench.told(MINUTE).is_empty());
    assert_eq!(bench.told(2 * MINUTE), [r#"firing {alertname="X"}"#]);
    bench.sample("x", &Labels::empty(), 20 * MINUTE, 0.5).sample("x", &Labels::empty(), 4 * MINUTE, 0.5);
    assert!(bench.told(20 * MINUTE).is_empty(), "kept for a minute");
    assert!(bench.told(4 * MINUTE).is_empty());
    assert_eq!(bench.told(5 * MINUTE), [r#"resolved {alertname="X"}"#]);
}

#[test]
fn what_holds_without_labels_holds_every_label_set() {
    let rule = Rule::above("drawdown", 0.1).hold_while(Expr::last("halted").above(0.0));
    let mut bench = Bench::new(rule.name("Deep"));
    bench.sample("halted", &Labels::empty(), 0, 1.0).sample("drawdown", &of("s", "a"), 0, 0.2);
    assert_eq!(bench.told(0).len(), 1);
    bench.sample("drawdown", &of("s", "a"), MINUTE, 0.05);
    assert_eq!(bench.told(MINUTE), [r#"firing {alertname="Deep",s="a"}"#], "halted still");
    bench.sample("halted", &Labels::empty(), 2 * MINUTE, 0.0);
    assert_eq!(bench.told(2 * MINUTE), [r#"resolved {alertname="Deep",s="a"}"#]);
}

#[test]
fn what_holds_keeps_an_alert_though_its_condition_has_no_data() {
    let rule = Rule::when(Expr::last("loss").above("limit")).hold_while(Expr::last("loss").above(0.0));
    let mut bench = Bench::new(rule.name("Loss").missing(MissingData::Resolve));
    bench.sample("loss", &of("s", "a"), 0, 2.0).sample("limit", &of("s", "a"), 0, 1.0);
    assert_eq!(bench.told(0).len(), 1);
    bench.sample("loss", &of("s", "a"), 9 * MINUTE, 2.0);
    assert!(bench.told(9 * MINUTE).is_empty(), "the limit is missing, the loss is not");
    bench.sample("loss", &of("s", "a"), 10 * MINUTE, 0.0);
    assert_eq!(bench.told(10 * MINUTE), [r#"resolved {alertname="Loss",s="a"}"#]);
}

#[test]
fn what_a_threshold_rule_is_held_by_is_checked_as_well() {
    let wrong = Rule::above("x", 1.0).hold_while(Expr::last("a b").above(0.0)).build().unwrap_err();
    assert!(wrong.to_string().starts_with("hold_while: metric name \"a b\""), "{wrong}");
}

#[test]
fn samples_that_panic_stop_their_own_rule_only() {
    struct Torn(Recorded, bool);
    impl SampleWindows for Torn {
        fn aggregate(&self, what: &Selector, range: TimeRange, how: Aggregate, out: &mut Vec<SeriesValue>) {
            assert!(!self.1 || what.metric_name().as_str() != "torn", "torn");
            self.0.aggregate(what, range, how, out);
        }
    }
    let rules = ["a", "torn", "b"].map(|metric| Rule::above(metric, 1.0));
    let mut rules = Evaluator::new(rules).unwrap();
    let mut windows = Torn(Recorded::default(), true);
    for metric in ["a", "torn", "b"] {
        windows.0.push(metric, &Labels::empty(), at(0), Some(2.0));
    }
    assert_eq!(rules.evaluate(&windows, at(0).to_datetime()).len(), 2);
    assert_eq!(rules.counts().panics, 1);
    windows.1 = false;
    assert_eq!(rules.evaluate(&windows, at(1).to_datetime()).len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The state machine against the definition, written out over the whole history.
    #[test]
    fn for_and_keep_agree_with_their_definition(
        values in prop::collection::vec(prop::option::of(0_u8..4), 1..40), wait in 0_i64..4, keep in 0_i64..4,
    ) {
        let rule = Rule::above("x", 1.5).name("X").for_(std::time::Duration::from_secs(60 * wait as u64))
            .keep_firing_for(std::time::Duration::from_secs(60 * keep as u64)).missing(MissingData::Resolve);
        // One sample an evaluation, and a look-back that ends before the next.
        let rule = rule.hold_while(Expr::last("x").above(1.5));
        let mut bench = Bench::new(rule);
        let mut firing = false;
        let (mut since, mut lost) = (None, None);
        for (minute, value) in values.into_iter().enumerate() {
            let now = minute as i64;
            match value {
                Some(value) => { bench.sample("x", &Labels::empty(), now * MINUTE, f64::from(value)); }
                None => bench.windows.push("x", &Labels::empty(), at(now * MINUTE), None),
            }
            let met = value.is_some_and(|value| value >= 2);
            since = if met { since.or(Some(now)) } else { None };
            lost = if met { None } else { lost.or(Some(now)) };
            let ripe = since.is_some_and(|since| now - since >= wait);
            let kept = lost.is_none_or(|lost| now - lost < keep);
            firing = if firing { met || kept } else { ripe };
            for alert in bench.evaluate(now * MINUTE) {
                prop_assert!(alert.resolved_at().is_none_or(|at| at >= alert.starts_at()));
            }
            let _ = firing;
            prop_assert_eq!(bench.rules.firing().count(), usize::from(firing), "at minute {}", now);
        }
    }
}
