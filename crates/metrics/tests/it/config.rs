use std::time::Duration;

use bellwether_core::config::Loader;
use bellwether_metrics::{HistoryConfig, RegistryConfig};

#[test]
fn a_section_may_leave_everything_out() {
    assert_eq!(serde_json::from_str::<RegistryConfig>("{}").unwrap(), RegistryConfig::default());
}

#[test]
fn a_section_reads_and_writes_durations_as_people_do() {
    let text = r#"{"max_series":50000,"history":{"max_samples":3600,"max_age":"1h30m"}}"#;
    let config: RegistryConfig = serde_json::from_str(text).unwrap();
    let history = HistoryConfig::default().with_max_samples(3_600).with_max_age(Duration::from_mins(90));
    assert_eq!(config, RegistryConfig::default().with_max_series(50_000).with_history(history));
    let back = serde_json::to_string(&config).unwrap();
    assert!(back.contains(r#""max_age":"1h30m""#), "{back}");
}

#[test]
fn an_unknown_key_is_an_error() {
    for text in [r#"{"max_serie":1}"#, r#"{"history":{"retention_hours":24}}"#] {
        assert!(
            serde_json::from_str::<RegistryConfig>(text).unwrap_err().to_string().contains("unknown field")
        );
    }
}

#[test]
fn everything_that_is_out_of_range_is_told_at_once_with_its_path() {
    let text = "max_series = 0\nmax_collectors = 10001\n[history]\nmax_samples = 1\nmax_age = \"10ms\"\n";
    let error = Loader::text("desk.toml", text).load::<RegistryConfig>().unwrap_err().to_string();
    for expected in [
        "desk.toml:1:1: max_series: 0 is outside of [1, 10000000]",
        "max_collectors: 10001 is outside of [1, 10000]",
        "history.max_samples: 1 is outside of [2, 1048576]",
        "history.max_age: 10ms is outside of [1s, 36525d]",
    ] {
        assert!(error.contains(expected), "{error}");
    }
}
