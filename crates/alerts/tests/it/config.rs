//! Configuration: every fault at once, each with its path.
use bellwether_alerts::config::AlertsConfig;
use bellwether_alerts::rules::Rule;
use bellwether_alerts::testing::RecordingChannel;
use bellwether_alerts::{Alerts, ChannelName};
use bellwether_core::ManualClock;
use bellwether_core::config::{ConfigError, Loader};
use chrono::DateTime;
use proptest::prelude::*;

fn load(text: &str) -> Result<AlertsConfig, ConfigError> {
    Loader::text("alerts.toml", text).load()
}

fn build(text: &str) -> Result<Alerts, String> {
    let config: AlertsConfig = load(text).map_err(|error| error.to_string())?;
    let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
    let channel = |name: &'static str| RecordingChannel::new(ChannelName::new(name).unwrap());
    let builder = Alerts::builder(&clock.shared(), config).channel(channel("pager")).channel(channel("mail"));
    builder.build().map_err(|problems| problems.to_string())
}

#[test]
fn names_that_nobody_has_are_told_with_their_paths() {
    let text = r#"
        [route]
        receiver = "desk"
        [[route.routes]]
        receiver = "pager"
        [[route.routes]]
        receiver = "oncall"
        [[route.routes]]
        receiver = "pagr"
        [receivers.oncall]
        channels = ["pager", "chat"]
        [channels.slack]
        timeout = "3s"
    "#;
    assert_eq!(
        build(text).unwrap_err(),
        "route.receiver: no channel named \"desk\"; known are pager, mail, oncall\n\
         route.routes[2].receiver: no channel named \"pagr\"; known are pager, mail, oncall\n\
         receivers.oncall.channels[1]: no channel named \"chat\"; known are pager, mail\n\
         channels.slack: no channel named \"slack\"; known are pager, mail"
    );
}

#[test]
fn a_tree_that_alertmanager_would_not_load_is_refused_at_once() {
    let text = r#"
        evaluation_intervall = "15s"
        [route]
        matchers = ["a=b"]
        continue = true
        group_by = ["...", "a"]
        [[route.routes]]
        matchers = ["a=~(", "b"]
        group_by = ["a", "b", "a", "x-y"]
        group_interval = "0s"
        repeat_interval = "0s"
        group_wait = "-1s"
        [delivery]
        jitter = 2.0
        [delivery.rate]
        permits = 5
        reserved_for_critical = 5
        [receivers.empty]
        channels = []
    "#;
    let told = load(text).unwrap_err().to_string();
    for part in [
        "evaluation_intervall: unknown key; did you mean \"evaluation_interval\"?",
        "route.receiver: the root needs a receiver",
        "route.matchers: the root takes every alert",
        "route.continue: the root has no siblings",
        "route.group_by: \"...\" is all labels and stands alone",
        "route.routes[0].matchers[0]: matcher \"a=~(\" has no valid regular expression",
        "route.routes[0].matchers[1]: matcher \"b\" is not of the form",
        "route.routes[0].group_by[2]: label \"a\" is given twice",
        "route.routes[0].group_by[3]: label name \"x-y\"",
        "route.routes[0].group_interval: 0s is outside of",
        "route.routes[0].repeat_interval: 0s is outside of",
        "route.routes[0].group_wait: duration \"-1s\"",
        "delivery.jitter: 2 is outside of [0, 0.99]",
        "delivery.rate.reserved_for_critical: 5 is outside of [0, 4]",
        "receivers.empty.channels: a receiver needs a channel",
    ] {
        assert!(told.contains(part), "{part:?} is missing in\n{told}");
    }
    assert_eq!(told.lines().count(), 15, "{told}");
}

#[test]
fn without_routes_every_channel_is_told_of_everything() {
    let alerts = build("").unwrap();
    assert_eq!(alerts.channels().len(), 2);
}

#[test]
fn rules_without_samples_and_channels_of_one_name_are_refused() {
    let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
    let channel = || RecordingChannel::new(ChannelName::new("mail").unwrap());
    let builder = Alerts::builder(&clock.shared(), AlertsConfig::default())
        .channel(channel())
        .channel(channel())
        .rule(Rule::above("x y", 1.0));
    let told = builder.build().unwrap_err().to_string();
    assert!(told.contains("channels.mail: two channels have this name"), "{told}");
    assert!(told.contains("rules.UnnamedAbove.condition: metric name \"x y\""), "{told}");
    let builder = Alerts::builder(&clock.shared(), AlertsConfig::default()).rule(Rule::above("x", 1.0));
    assert_eq!(
        builder.build().unwrap_err().to_string(),
        "rules: there are rules but no samples to judge: say what to watch"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_mutilated_configuration_never_panics(at in 0_usize..400, with in any::<String>(), cut in 0_usize..40) {
        let text = "max_alerts = 10\n[route]\nreceiver = \"pager\"\ngroup_by = [\"alertname\"]\n[[route.routes]]\n\
                    matchers = ['severity=~\"critical|error\"', \"desk!=''\"]\ngroup_wait = \"0s\"\ncontinue = true\n\
                    [receivers.both]\nchannels = [\"pager\", \"mail\"]\nsend_resolved = false\n[delivery.rate]\npermits = 7\n";
        let start = text.floor_char_boundary(at.min(text.len()));
        let end = text.floor_char_boundary((start + cut).min(text.len()));
        let _ = build(&format!("{}{with}{}", &text[..start], &text[end..]));
    }
}
