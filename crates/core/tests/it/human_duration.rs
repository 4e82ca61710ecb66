//! Durations as people write them.

use std::time::Duration;

use bellwether_core::{HumanDuration, HumanDurationError, IntoDuration};
use proptest::prelude::*;

fn parse(text: &str) -> Result<HumanDuration, HumanDurationError> {
    text.parse()
}

#[test]
fn what_people_write_is_read_and_printed_in_its_canonical_form() {
    for (text, nanos, printed) in [
        ("5m", 300_000_000_000, "5m"),
        ("1h30m", 5_400_000_000_000, "1h30m"),
        ("1h 30m", 5_400_000_000_000, "1h30m"),
        (" 1h   30m ", 5_400_000_000_000, "1h30m"),
        ("250ms", 250_000_000, "250ms"),
        ("1 h 30 m", 5_400_000_000_000, "1h30m"),
        ("90s", 90_000_000_000, "1m30s"),
        ("2d", 172_800_000_000_000, "2d"),
        ("10d", 864_000_000_000_000, "10d"),
        ("14d", 1_209_600_000_000_000, "2w"),
        ("1w", 604_800_000_000_000, "1w"),
        ("1w1d", 691_200_000_000_000, "8d"),
        ("36h", 129_600_000_000_000, "1d12h"),
        ("1.5s", 1_500_000_000, "1s500ms"),
        ("0.000000001s", 1, "1ns"),
        ("7us", 7_000, "7us"),
        ("7µs", 7_000, "7us"),
        ("7μs", 7_000, "7us"),
        ("1500ns", 1_500, "1us500ns"),
        ("0s", 0, "0s"),
        ("0ms", 0, "0s"),
        ("000120s", 120_000_000_000, "2m"),
    ] {
        let duration = parse(text).unwrap();
        assert_eq!(duration.get(), Duration::from_nanos(nanos), "{text}");
        assert_eq!(duration.to_string(), printed, "{text}");
        assert_eq!(format!("{duration:?}"), printed, "{text}");
    }
}

#[test]
fn what_is_not_a_duration_is_told_with_the_text_and_the_way_out() {
    for (text, message) in [
        ("", "an empty text is not a duration: write e.g. 5s"),
        ("  ", "an empty text is not a duration: write e.g. 5s"),
        ("5", "duration \"5\" has a number without a unit: write a unit, e.g. 5s"),
        ("0", "duration \"0\" has a number without a unit: write a unit, e.g. 0s"),
        ("1h30", "duration \"1h30\" has a number without a unit: write a unit, e.g. 30s"),
        ("5 5m", "duration \"5 5m\" has a number without a unit: write a unit, e.g. 5s"),
        ("-5s", "duration \"-5s\" has '-' where a number belongs: write e.g. 1h30m, without a sign"),
        ("+5s", "duration \"+5s\" has '+' where a number belongs: write e.g. 1h30m, without a sign"),
        ("s", "duration \"s\" has 's' where a number belongs: write e.g. 1h30m, without a sign"),
        ("1h,30m", "duration \"1h,30m\" has ',' where a number belongs: write e.g. 1h30m, without a sign"),
        ("5min", "duration \"5min\" has the unknown unit \"min\": the units are w, d, h, m, s, ms, us, ns"),
        ("5S", "duration \"5S\" has the unknown unit \"S\": the units are w, d, h, m, s, ms, us, ns"),
        (
            "30m1h",
            "duration \"30m1h\" has \"h\" out of order: each unit once, from the longest to the shortest",
        ),
        (
            "1m1m",
            "duration \"1m1m\" has \"m\" out of order: each unit once, from the longest to the shortest",
        ),
        (
            "1.5h",
            "duration \"1.5h\" has decimals that are not allowed: only seconds may have them, at most nine",
        ),
        (
            "1.s",
            "duration \"1.s\" has decimals that are not allowed: only seconds may have them, at most nine",
        ),
        (
            "1.0000000001s",
            "duration \"1.0000000001s\" has decimals that are not allowed: only seconds may have them, at most nine",
        ),
        (
            "30500568904944w",
            "duration \"30500568904944w\" is longer than 213503982334601d7h15s999ms999us999ns",
        ),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), message, "{text:?}");
    }
    let endless = "9".repeat(60) + "s";
    assert!(matches!(parse(&endless), Err(HumanDurationError::Overflow { .. })));
}

#[test]
fn an_interface_takes_a_text_or_a_duration() {
    fn wait(duration: impl IntoDuration) -> Result<Duration, HumanDurationError> {
        duration.into_duration()
    }
    let two_minutes = Duration::from_mins(2);
    assert_eq!(wait("2m"), Ok(two_minutes));
    assert_eq!(wait(String::from("2m")), Ok(two_minutes));
    assert_eq!(wait(two_minutes), Ok(two_minutes));
    assert_eq!(wait(HumanDuration::new(two_minutes)), Ok(two_minutes));
    assert!(wait("2").is_err());
}

#[test]
fn it_is_a_text_in_json() {
    let duration: HumanDuration = serde_json::from_str("\"1h30m\"").unwrap();
    assert_eq!(serde_json::to_string(&duration).unwrap(), "\"1h30m\"");
    let error = serde_json::from_str::<HumanDuration>("5").unwrap_err().to_string();
    assert!(error.contains("a duration with its unit, e.g. \"5s\""), "{error}");
    let error = serde_json::from_str::<HumanDuration>("\"5\"").unwrap_err().to_string();
    assert!(error.contains("duration \"5\" has a number without a unit"), "{error}");
}

#[test]
fn decimals_on_top_of_the_largest_number_are_too_long() {
    // The seconds alone just fit into the nanoseconds that are counted; with the decimals they do not.
    let error = parse("340282366920938463463374607431.9s").unwrap_err();
    assert!(matches!(error, HumanDurationError::Overflow { .. }), "{error}");
}

#[test]
fn the_longest_duration_is_read_back() {
    assert_eq!(parse(&HumanDuration::MAX.to_string()), Ok(HumanDuration::MAX));
    assert_eq!(format!("{:>6}|", parse("5m").unwrap()), "    5m|");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_duration_is_read_back_as_it_was_printed(
        secs in prop_oneof![any::<u64>(), 0..100_000_u64],
        nanos in prop_oneof![0..1_000_000_000_u32, Just(0), Just(500_000_000)],
    ) {
        let duration = HumanDuration::new(Duration::new(secs, nanos));
        let printed = duration.to_string();
        prop_assert_eq!(parse(&printed), Ok(duration));
        prop_assert_eq!(parse(&printed).unwrap().to_string(), printed);
    }

    #[test]
    fn any_text_is_a_duration_or_an_error(text in "([0-9]{0,25}(\\.[0-9]{0,12})?[ a-zµ]{0,2}){0,5}|.{0,20}") {
        if let Ok(duration) = parse(&text) {
            prop_assert_eq!(parse(&duration.to_string()), Ok(duration));
        }
    }
}
