//! The section `collectors` of a configuration: its ranges and its reference.

use bellwether_core::HumanDuration;
use bellwether_core::config::{ConfigPath, KeyDoc, Problems, Section, Validate};

use super::{CollectorSwitch, CollectorsConfig, MAX_TREND_WINDOW, MIN_TREND_WINDOW};
use crate::sampler::{MAX_SAMPLE_INTERVAL, MIN_SAMPLE_INTERVAL};

impl Validate for CollectorSwitch {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        let range = HumanDuration::new(MIN_SAMPLE_INTERVAL)..=HumanDuration::new(MAX_SAMPLE_INTERVAL);
        problems.within(&at.key("interval"), &self.interval, range);
    }
}

impl Validate for CollectorsConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        for (key, switch) in [
            ("system", &self.system),
            ("cgroup", &self.cgroup),
            ("process", &self.process),
            ("runtime", &self.runtime),
            ("allocator", &self.allocator),
            ("database", &self.database),
            ("feeds", &self.feeds),
            ("memory", &self.memory),
        ] {
            switch.validate(&at.key(key), problems);
        }
        let windows = HumanDuration::new(MIN_TREND_WINDOW)..=HumanDuration::new(MAX_TREND_WINDOW);
        problems.within(&at.key("memory_window"), &self.memory_window, windows);
        let has_memory = self.process.enabled || !self.memory.enabled;
        problems.require(
            &at.key("memory").key("enabled"),
            has_memory,
            "needs the memory of the process: enable `process`, too",
        );
    }
}

impl Section for CollectorsConfig {
    const NAME: &'static str = "collectors";

    fn keys() -> Vec<KeyDoc> {
        let enabled = |path, help| KeyDoc::new(path, help).range("true, false");
        let interval = |path| KeyDoc::new(path, "how often").unit("duration").range("1ms to 1d");
        vec![
            enabled("system.enabled", "processors, memory, disks, networks and load of the machine"),
            interval("system.interval"),
            enabled("cgroup.enabled", "limits and use of the control group of the process"),
            interval("cgroup.interval"),
            enabled("process.enabled", "memory, processor time, threads and files of the process"),
            interval("process.interval"),
            enabled("runtime.enabled", "workers, tasks and queue of the tokio runtime"),
            interval("runtime.interval"),
            enabled("allocator.enabled", "what the allocator says of itself, if the host asks it"),
            interval("allocator.interval"),
            enabled("database.enabled", "connections of the pools that the host gives"),
            interval("database.interval"),
            enabled("feeds.enabled", "completeness, lag and staleness of the feeds that the host gives"),
            interval("feeds.interval"),
            enabled("memory.enabled", "trend of the memory of the process, and sizes of its collections"),
            interval("memory.interval"),
            KeyDoc::new("memory_window", "the trend of memory is that of so much time")
                .unit("duration")
                .range("1m to 1d"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use bellwether_core::config::check_section;

    use super::*;

    #[test]
    fn the_list_of_keys_is_the_section() {
        check_section::<CollectorsConfig>().unwrap();
    }

    #[test]
    fn the_ranges_that_are_told_are_those_that_are_checked() {
        let range = |from, to| format!("{} to {}", HumanDuration::new(from), HumanDuration::new(to));
        assert_eq!(range(MIN_SAMPLE_INTERVAL, MAX_SAMPLE_INTERVAL), "1ms to 1d");
        assert_eq!(range(MIN_TREND_WINDOW, MAX_TREND_WINDOW), "1m to 1d");
    }
}
