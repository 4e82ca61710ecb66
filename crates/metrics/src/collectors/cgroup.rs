//! What the control group of the process may use, and uses.

use std::fs;
use std::path::{Path, PathBuf};

use bellwether_core::{Collect, CollectError, Descriptor, Kind, Labels, SampleSink, Unit};

use super::{declare, undeclared};

/// Tells what the control group of the process may use, and uses: in a container it is this that ends a process, and not what the
/// machine has. Linux, versions 2 and 1; where there is no control group or no limit, nothing is told.
///
/// `system_cgroup_memory_limit_bytes`, `system_cgroup_memory_usage_bytes`, `system_cgroup_cpu_limit_cores`,
/// `system_cgroup_cpu_throttled_periods_total`, `system_cgroup_cpu_throttled_seconds_total`.
#[derive(Debug)]
pub struct CgroupCollector {
    root: PathBuf,
    descriptors: Vec<Descriptor>,
}

/// Version 1 says "no limit" by a number that no machine has: the greatest multiple of a page.
const NO_LIMIT: u64 = 1 << 60;

impl CgroupCollector {
    /// As the process sees its own group: below `/sys/fs/cgroup`.
    pub fn new() -> Self {
        Self::at("/sys/fs/cgroup")
    }

    /// Of the group at another path.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let descriptors = declare([
            (
                "system_cgroup_memory_limit_bytes",
                Kind::Gauge,
                Unit::Bytes,
                "Most memory that the control group may use.",
            ),
            (
                "system_cgroup_memory_usage_bytes",
                Kind::Gauge,
                Unit::Bytes,
                "Memory that the control group uses.",
            ),
            (
                "system_cgroup_cpu_limit_cores",
                Kind::Gauge,
                Unit::Other("cores".into()),
                "Processors that the control group may use.",
            ),
            (
                "system_cgroup_cpu_throttled_periods_total",
                Kind::Counter,
                Unit::None,
                "Periods in which the control group was held back.",
            ),
            (
                "system_cgroup_cpu_throttled_seconds_total",
                Kind::Counter,
                Unit::Seconds,
                "Time that the control group was held back.",
            ),
        ]);
        Self { root: root.into(), descriptors }
    }

    fn read(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.root.join(file)).ok()
    }

    fn number(&self, file: &str) -> Option<u64> {
        self.read(file)?.trim().parse().ok()
    }

    fn version_2(&self) -> Limits {
        let (quota, period) = match self.read("cpu.max") {
            Some(text) => {
                let mut words = text.split_whitespace().map(str::parse::<f64>);
                (words.next().and_then(Result::ok), words.next().and_then(Result::ok))
            }
            None => (None, None),
        };
        let stat = self.read("cpu.stat").unwrap_or_default();
        Limits {
            memory_limit: self.number("memory.max"),
            memory_usage: self.number("memory.current"),
            cores: quota.zip(period).map(|(quota, period)| quota / period),
            throttled: entry(&stat, "nr_throttled"),
            throttled_seconds: entry(&stat, "throttled_usec").map(|micros| micros as f64 / 1e6),
        }
    }

    fn version_1(&self) -> Limits {
        let quota = self.read("cpu/cpu.cfs_quota_us").and_then(|text| text.trim().parse::<f64>().ok());
        let period = self.number("cpu/cpu.cfs_period_us");
        let stat = self.read("cpu/cpu.stat").unwrap_or_default();
        Limits {
            memory_limit: self.number("memory/memory.limit_in_bytes").filter(|&limit| limit < NO_LIMIT),
            memory_usage: self.number("memory/memory.usage_in_bytes"),
            // A quota of -1 is none.
            cores: quota
                .filter(|&quota| quota > 0.0)
                .zip(period)
                .map(|(quota, period)| quota / period as f64),
            throttled: entry(&stat, "nr_throttled"),
            throttled_seconds: entry(&stat, "throttled_time").map(|nanos| nanos as f64 / 1e9),
        }
    }
}

impl Default for CgroupCollector {
    fn default() -> Self {
        Self::new()
    }
}

struct Limits {
    memory_limit: Option<u64>,
    memory_usage: Option<u64>,
    cores: Option<f64>,
    throttled: Option<u64>,
    throttled_seconds: Option<f64>,
}

/// The number behind a word in lines of a word and a number.
fn entry(stat: &str, name: &str) -> Option<u64> {
    let line = stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.trim().parse().ok()
}

fn is_version_1(root: &Path) -> bool {
    root.join("memory/memory.usage_in_bytes").exists() || root.join("cpu/cpu.cfs_period_us").exists()
}

impl Collect for CgroupCollector {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let [memory_limit, memory_usage, cores, throttled, throttled_seconds] = &*self.descriptors else {
            return Err(undeclared());
        };
        let limits = if is_version_1(&self.root) { self.version_1() } else { self.version_2() };
        let none = Labels::empty();
        for (descriptor, value) in [
            (memory_limit, limits.memory_limit.map(|bytes| bytes as f64)),
            (memory_usage, limits.memory_usage.map(|bytes| bytes as f64)),
            (cores, limits.cores.filter(|cores| cores.is_finite())),
        ] {
            if let Some(value) = value {
                out.gauge(descriptor, &none, value);
            }
        }
        if let Some(periods) = limits.throttled {
            out.counter(throttled, &none, periods as f64);
        }
        if let Some(seconds) = limits.throttled_seconds {
            out.counter(throttled_seconds, &none, seconds);
        }
        Ok(())
    }
}
