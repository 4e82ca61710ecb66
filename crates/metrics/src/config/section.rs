//! The section `metrics` of a configuration: its ranges and its reference.

use bellwether_core::HumanDuration;
use bellwether_core::config::{ConfigPath, KeyDoc, Problems, Section, Validate};

use super::{
    HistoryConfig, MAX_COLLECTORS_RANGE, MAX_IDLE_EXPIRY, MAX_MAX_AGE, MAX_METRICS_RANGE, MAX_SAMPLES_RANGE,
    MAX_SERIES_RANGE, MIN_IDLE_EXPIRY, MIN_MAX_AGE, RegistryConfig,
};
#[cfg(feature = "long-history")]
use super::{LongHistoryConfig, MAX_SPANS_RANGE, RESOLUTION_RANGE};

impl Validate for RegistryConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        problems.within(&at.key("max_metrics"), &self.max_metrics, MAX_METRICS_RANGE);
        problems.within(&at.key("max_series"), &self.max_series, MAX_SERIES_RANGE);
        problems.within(&at.key("max_series_per_metric"), &self.max_series_per_metric, MAX_SERIES_RANGE);
        problems.within(&at.key("max_collectors"), &self.max_collectors, MAX_COLLECTORS_RANGE);
        if let Some(after) = &self.idle_expiry {
            let times = HumanDuration::new(MIN_IDLE_EXPIRY)..=HumanDuration::new(MAX_IDLE_EXPIRY);
            problems.within(&at.key("idle_expiry"), after, times);
        }
        self.history.validate(&at.key("history"), problems);
    }
}

impl Validate for HistoryConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        problems.within(&at.key("max_samples"), &self.max_samples, MAX_SAMPLES_RANGE);
        let ages = HumanDuration::new(MIN_MAX_AGE)..=HumanDuration::new(MAX_MAX_AGE);
        problems.within(&at.key("max_age"), &self.max_age, ages);
        #[cfg(feature = "long-history")]
        self.long.validate(&at.key("long"), problems);
    }
}

#[cfg(feature = "long-history")]
impl Validate for LongHistoryConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        problems.within(&at.key("max_spans"), &self.max_spans, MAX_SPANS_RANGE);
        let human = |duration: &std::time::Duration| HumanDuration::new(*duration);
        let lengths = human(RESOLUTION_RANGE.start())..=human(RESOLUTION_RANGE.end());
        problems.within(&at.key("resolution"), &self.resolution, lengths);
        problems.within(&at.key("max_age"), &self.max_age, human(&MIN_MAX_AGE)..=human(&MAX_MAX_AGE));
    }
}

impl Section for RegistryConfig {
    const NAME: &'static str = "metrics";

    fn keys() -> Vec<KeyDoc> {
        vec![
            KeyDoc::new("max_metrics", "most metrics, instruments and collectors together")
                .unit("metrics")
                .range("1 to 100000"),
            KeyDoc::new(
                "max_series",
                "most series of all metrics; beyond it the overflow series takes what comes",
            )
            .unit("series")
            .range("1 to 10000000"),
            KeyDoc::new("max_series_per_metric", "most label sets of one metric, beside its overflow series")
                .unit("series")
                .range("1 to 10000000"),
            KeyDoc::new("max_collectors", "most collectors").unit("collectors").range("1 to 10000"),
            KeyDoc::new("idle_expiry", "how long a series may be idle before it goes; for ever if not set")
                .unit("duration")
                .range("1s to 36525d"),
            KeyDoc::new("history.max_samples", "most samples of one series in memory, 18 bytes each")
                .unit("samples")
                .range("2 to 1048576"),
            KeyDoc::new("history.max_age", "greatest age of a sample in memory")
                .unit("duration")
                .range("1s to 36525d"),
            #[cfg(feature = "long-history")]
            KeyDoc::new(
                "history.long.max_spans",
                "most spans of one series that older samples are summed up in, 152 bytes each; 0: none (feature `long-history`)",
            )
            .unit("spans")
            .range("0 to 1048576"),
            #[cfg(feature = "long-history")]
            KeyDoc::new("history.long.resolution", "how long a span is").unit("duration").range("1s to 1d"),
            #[cfg(feature = "long-history")]
            KeyDoc::new("history.long.max_age", "greatest age of the newest sample of a span")
                .unit("duration")
                .range("1s to 36525d"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use bellwether_core::config::check_section;

    use super::*;

    #[test]
    fn the_list_of_keys_is_the_section() {
        check_section::<RegistryConfig>().unwrap();
    }

    #[test]
    fn the_ranges_that_are_told_are_those_that_are_checked() {
        let ranges: Vec<String> = RegistryConfig::keys().iter().map(|key| format!("{key:?}")).collect();
        let told = |range: &std::ops::RangeInclusive<usize>| format!("{} to {}", range.start(), range.end());
        for (key, range) in [
            (0, MAX_METRICS_RANGE),
            (1, MAX_SERIES_RANGE),
            (2, MAX_SERIES_RANGE),
            (3, MAX_COLLECTORS_RANGE),
            (5, MAX_SAMPLES_RANGE),
        ] {
            assert!(ranges[key].contains(&told(&range)), "{}", ranges[key]);
        }
        let ages = format!("{} to {}", HumanDuration::new(MIN_MAX_AGE), HumanDuration::new(MAX_MAX_AGE));
        assert!(ranges[6].contains(&ages), "{} and {ages}", ranges[6]);
        let times =
            format!("{} to {}", HumanDuration::new(MIN_IDLE_EXPIRY), HumanDuration::new(MAX_IDLE_EXPIRY));
        assert!(ranges[4].contains(&times), "{} and {times}", ranges[4]);
    }
}
