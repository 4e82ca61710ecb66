//! What the machine has, and how much of it is used.

use std::fmt;

use bellwether_core::{Collect, CollectError, Descriptor, Kind, Labels, SampleSink, Unit};
use parking_lot::Mutex;
use sysinfo::{Disks, Networks, System};

use super::{declare, label, undeclared};

/// Tells what the machine has and how much of it is used, by all that runs there:
///
/// | metric | label | |
/// | --- | --- | --- |
/// | `system_cpus` | | processors |
/// | `system_cpu_usage_ratio` | | busy part of all processors since the last run; from the second run on |
/// | `system_load_average` | `period` | `1m`, `5m`, `15m`; not on Windows |
/// | `system_memory_total_bytes`, `_available_bytes`, `system_swap_total_bytes`, `_used_bytes` | | |
/// | `system_uptime_seconds` | | since the machine was started |
/// | `system_disk_total_bytes`, `_available_bytes` | `mount` | |
/// | `system_network_received_bytes_total`, `_transmitted_bytes_total`, `_errors_total` | `interface` | |
///
/// Asking disks may block: give it an interval of its own.
pub struct SystemCollector {
    state: Mutex<State>,
    descriptors: Vec<Descriptor>,
}

struct State {
    system: System,
    disks: Disks,
    networks: Networks,
    /// Whether there is a run before that usage is since.
    asked: bool,
}

impl SystemCollector {
    /// Of the machine this runs on; an error where it cannot be asked.
    pub fn new() -> Result<Self, CollectError> {
        let failed = |error: sysinfo::Error| CollectError::new(error.to_string());
        let gauge = |name, unit, help| (name, Kind::Gauge, unit, help);
        let counter = |name, unit, help| (name, Kind::Counter, unit, help);
        let descriptors = declare([
            gauge("system_cpus", Unit::None, "Processors of the machine."),
            gauge("system_cpu_usage_ratio", Unit::Ratio, "Busy part of all processors since the last run."),
            gauge("system_load_average", Unit::None, "Tasks that run or wait, averaged over the period."),
            gauge("system_memory_total_bytes", Unit::Bytes, "Physical memory."),
            gauge("system_memory_available_bytes", Unit::Bytes, "Memory that can be had without swapping."),
            gauge("system_swap_total_bytes", Unit::Bytes, "Swap space."),
            gauge("system_swap_used_bytes", Unit::Bytes, "Swap space in use."),
            gauge("system_uptime_seconds", Unit::Seconds, "Time since the machine was started."),
            gauge("system_disk_total_bytes", Unit::Bytes, "Size of a file system."),
            gauge("system_disk_available_bytes", Unit::Bytes, "Room left on a file system."),
            counter("system_network_received_bytes_total", Unit::Bytes, "Bytes received."),
            counter("system_network_transmitted_bytes_total", Unit::Bytes, "Bytes sent."),
            counter("system_network_errors_total", Unit::None, "Packets with errors, received and sent."),
        ]);
        let state = State {
            system: System::new().map_err(failed)?,
            disks: Disks::new().map_err(failed)?,
            networks: Networks::new().map_err(failed)?,
            asked: false,
        };
        Ok(Self { state: Mutex::new(state), descriptors })
    }
}

impl Collect for SystemCollector {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let [
            cpus,
            cpu_usage,
            load,
            memory_total,
            memory_available,
            swap_total,
            swap_used,
            uptime,
            disk_total,
            disk_available,
            received,
            transmitted,
            errors,
        ] = &*self.descriptors
        else {
            return Err(undeclared());
        };
        let State { system, disks, networks, asked } = &mut *self.state.lock();
        let none = Labels::empty();
        system.refresh_cpu_usage();
        out.gauge(cpus, &none, system.cpus().len() as f64);
        if std::mem::replace(asked, true) {
            out.gauge(cpu_usage, &none, f64::from(system.global_cpu_usage()) / 100.0);
        }
        if let Ok(average) = System::load_average() {
            for (period, value) in [("1m", average.one), ("5m", average.five), ("15m", average.fifteen)] {
                out.gauge(load, &label("period", period)?, value);
            }
        }
        system.refresh_memory();
        out.gauge(memory_total, &none, system.total_memory() as f64);
        out.gauge(memory_available, &none, system.available_memory() as f64);
        out.gauge(swap_total, &none, system.total_swap() as f64);
        out.gauge(swap_used, &none, system.used_swap() as f64);
        if let Ok(seconds) = System::uptime() {
            out.gauge(uptime, &none, seconds as f64);
        }
        disks.refresh(true);
        let mut mounts = std::collections::BTreeSet::new();
        for disk in disks.iter() {
            // What is mounted over counts no more; of two at one place the first is told.
            let mount = disk.mount_point().to_string_lossy();
            if mounts.insert(mount.clone().into_owned()) {
                let labels = label("mount", &mount)?;
                out.gauge(disk_total, &labels, disk.total_space() as f64);
                out.gauge(disk_available, &labels, disk.available_space() as f64);
            }
        }
        networks.refresh(true);
        for (interface, data) in networks.iter() {
            let labels = label("interface", &interface.to_string_lossy())?;
            out.counter(received, &labels, data.total_received() as f64);
            out.counter(transmitted, &labels, data.total_transmitted() as f64);
            let both = data.total_errors_on_received().saturating_add(data.total_errors_on_transmitted());
            out.counter(errors, &labels, both as f64);
        }
        Ok(())
    }
}

impl fmt::Debug for SystemCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemCollector").finish_non_exhaustive()
    }
}
