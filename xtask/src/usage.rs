//! Waiting for a program, and what it used meanwhile.

use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// What a program used, where the system shows it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Usage {
    /// Seconds that processors worked for it.
    pub(crate) processor: Option<f64>,
    /// The largest resident size.
    pub(crate) megabytes: Option<f64>,
}

impl Usage {
    /// The larger figures of both.
    pub(crate) fn or_more(self, other: Self) -> Self {
        let larger = |left: Option<f64>, right: Option<f64>| match (left, right) {
            (Some(left), Some(right)) => Some(left.max(right)),
            (left, right) => left.or(right),
        };
        Self {
            processor: larger(self.processor, other.processor),
            megabytes: larger(self.megabytes, other.megabytes),
        }
    }
}

/// Waits for the end, not longer than the limit.
pub(crate) fn watch(mut child: Child, limit: Duration) -> Result<(ExitStatus, Usage), String> {
    let folder = PathBuf::from(format!("/proc/{}", child.id()));
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let begin = Instant::now();
    let mut usage = Usage::default();
    loop {
        let now = Usage { processor: processor_time(&read("stat")), megabytes: peak_memory(&read("status")) };
        usage = usage.or_more(now);
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok((status, usage));
        }
        if begin.elapsed() > limit {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("still ran after {} s and was stopped", limit.as_secs()));
        }
        std::thread::sleep(LOOK);
    }
}

/// The `VmHWM` line of a Linux status file, in megabytes.
fn peak_memory(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}

/// User and system time of a Linux stat file, in seconds; the kernel counts hundredths.
fn processor_time(stat: &str) -> Option<f64> {
    // The name, in parentheses, may hold anything; utime is the twelfth word after it.
    let mut words = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = words.next()?.parse().ok()?;
    let system: f64 = words.next()?.parse().ok()?;
    Some((user + system) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_memory_is_read_in_megabytes() {
        assert_eq!(peak_memory("Name:\tdesk\nVmHWM:\t  100000 kB\n"), Some(102.4));
        assert_eq!(peak_memory("Name:\tdesk\n"), None);
    }

    #[test]
    fn processor_time_is_read_in_seconds() {
        let stat = "7 (a ) b) R 1 7 7 0 -1 4194304 100 0 0 0 150 25 0 0 20 0 1 0 100 0 0";
        assert_eq!(processor_time(stat), Some(1.75));
        assert_eq!(processor_time(""), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_does_not_end_is_stopped() {
        let child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let problem = watch(child, Duration::from_millis(20)).unwrap_err();
        assert!(problem.contains("was stopped"), "{problem}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_program_uses_is_seen_while_it_works() {
        let script = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
        let child = std::process::Command::new("sh").args(["-c", script]).spawn().unwrap();
        let (status, usage) = watch(child, Duration::from_mins(1)).unwrap();
        assert!(status.success() && usage.processor > Some(0.0) && usage.megabytes > Some(0.1), "{usage:?}");
    }
}
