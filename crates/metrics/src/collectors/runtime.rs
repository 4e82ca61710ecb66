//! How busy a tokio runtime is.

use std::fmt;

use bellwether_core::{Collect, CollectError, Descriptor, Kind, Labels, SampleSink, Unit};
use tokio::runtime::Handle;

use super::{declare, label, undeclared};

/// Tells how busy a tokio runtime is, as far as tokio's stable interface knows: `tokio_workers`, `tokio_alive_tasks`,
/// `tokio_global_queue_depth` (tasks that wait for any worker), and with the label `worker` `tokio_worker_busy_seconds_total` and
/// `tokio_worker_parks_total`. The latter two need 64-bit atomics, which every common machine has.
pub struct RuntimeCollector {
    runtime: Handle,
    descriptors: Vec<Descriptor>,
}

impl RuntimeCollector {
    /// Of the runtime behind a handle; `Handle::current()` is that of the caller.
    pub fn new(runtime: Handle) -> Self {
        let gauge = |name, help| (name, Kind::Gauge, Unit::None, help);
        let descriptors = declare([
            gauge("tokio_workers", "Worker threads of the runtime."),
            gauge("tokio_alive_tasks", "Tasks that have not ended."),
            gauge("tokio_global_queue_depth", "Tasks that wait for any worker."),
            ("tokio_worker_busy_seconds_total", Kind::Counter, Unit::Seconds, "Time that a worker was busy."),
            (
                "tokio_worker_parks_total",
                Kind::Counter,
                Unit::None,
                "How often a worker found nothing to do.",
            ),
        ]);
        Self { runtime, descriptors }
    }
}

impl Collect for RuntimeCollector {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let [workers, alive, queue, busy, parks] = &*self.descriptors else { return Err(undeclared()) };
        let metrics = self.runtime.metrics();
        let none = Labels::empty();
        out.gauge(workers, &none, metrics.num_workers() as f64);
        out.gauge(alive, &none, metrics.num_alive_tasks() as f64);
        out.gauge(queue, &none, metrics.global_queue_depth() as f64);
        for worker in 0..metrics.num_workers() {
            let labels = label("worker", &worker.to_string())?;
            #[cfg(target_has_atomic = "64")]
            {
                out.counter(busy, &labels, metrics.worker_total_busy_duration(worker).as_secs_f64());
                out.counter(parks, &labels, metrics.worker_park_count(worker) as f64);
            }
            #[cfg(not(target_has_atomic = "64"))]
            let _ = (busy, parks, labels);
        }
        Ok(())
    }
}

impl fmt::Debug for RuntimeCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeCollector").finish_non_exhaustive()
    }
}
