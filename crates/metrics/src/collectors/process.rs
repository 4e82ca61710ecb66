//! What the process uses.

use std::fmt;

use bellwether_core::{Collect, CollectError, Descriptor, Kind, Labels, SampleSink, Unit};
use parking_lot::Mutex;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::{declare, undeclared};

/// Tells what this process uses, under the names that Prometheus client libraries have for it: `process_resident_memory_bytes`,
/// `process_virtual_memory_bytes`, `process_cpu_seconds_total`, `process_open_fds`, `process_max_fds`, `process_threads`,
/// `process_start_time_seconds`. What the system does not say is left out.
pub struct ProcessCollector {
    system: Mutex<System>,
    pid: Pid,
    descriptors: Vec<Descriptor>,
}

impl ProcessCollector {
    /// Of the calling process; an error where the system cannot be asked.
    pub fn new() -> Result<Self, CollectError> {
        let failed = |error: sysinfo::Error| CollectError::new(error.to_string());
        let gauge = |name, unit, help| (name, Kind::Gauge, unit, help);
        let descriptors = declare([
            gauge("process_resident_memory_bytes", Unit::Bytes, "Physical memory that the process holds."),
            gauge("process_virtual_memory_bytes", Unit::Bytes, "Address space that the process holds."),
            ("process_cpu_seconds_total", Kind::Counter, Unit::Seconds, "Processor time, user and system."),
            gauge("process_open_fds", Unit::None, "File descriptors that are open."),
            gauge("process_max_fds", Unit::None, "Most file descriptors that may be open."),
            gauge("process_threads", Unit::None, "Threads of the process."),
            gauge("process_start_time_seconds", Unit::Seconds, "Start of the process, since 1970 UTC."),
        ]);
        let pid = sysinfo::get_current_pid().map_err(failed)?;
        Ok(Self { system: Mutex::new(System::new().map_err(failed)?), pid, descriptors })
    }
}

impl Collect for ProcessCollector {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let [resident, virtual_memory, cpu, open, most_open, threads, start] = &*self.descriptors else {
            return Err(undeclared());
        };
        let mut system = self.system.lock();
        let what = ProcessRefreshKind::nothing().with_memory().with_cpu().with_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[self.pid]), true, what);
        let process =
            system.process(self.pid).ok_or_else(|| CollectError::new("the process is not listed"))?;
        let none = Labels::empty();
        out.gauge(resident, &none, process.memory() as f64);
        out.gauge(virtual_memory, &none, process.virtual_memory() as f64);
        out.counter(cpu, &none, process.accumulated_cpu_time() as f64 / 1e3);
        out.gauge(start, &none, process.start_time() as f64);
        for (descriptor, value) in [
            (open, process.open_files()),
            (most_open, process.open_files_limit()),
            // The tasks of a process are its threads but the first.
            (threads, process.tasks().map(|tasks| tasks.len().max(1))),
        ] {
            if let Some(value) = value {
                out.gauge(descriptor, &none, value as f64);
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ProcessCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessCollector").field("pid", &self.pid).finish_non_exhaustive()
    }
}
