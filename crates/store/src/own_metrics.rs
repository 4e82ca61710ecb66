//! What a store tells about itself.

use std::sync::atomic::{AtomicU64, Ordering};

use bellwether_core::{CollectError, Descriptor, Kind, Labels, MetricName, SampleSink, Spread, Tally, Unit};

/// One figure: its name, how it behaves, its unit, what it says.
struct Figure(&'static str, Kind, Unit, &'static str);

const QUEUED: Figure =
    Figure("bellwether_store_queued_requests", Kind::Gauge, Unit::None, "Requests that wait for the writer");
const BUSY: Figure = Figure(
    "bellwether_store_busy_total",
    Kind::Counter,
    Unit::None,
    "Requests refused because the queue was full",
);
const COMMITS: Figure =
    Figure("bellwether_store_commits_total", Kind::Counter, Unit::None, "Transactions committed");
const SYNCHRONISED: Figure = Figure(
    "bellwether_store_synchronised_commits_total",
    Kind::Counter,
    Unit::None,
    "Transactions committed that waited for the disk",
);
const FAILED: Figure =
    Figure("bellwether_store_failed_commits_total", Kind::Counter, Unit::None, "Transactions that failed");
const REOPENED: Figure = Figure(
    "bellwether_store_reopened_total",
    Kind::Counter,
    Unit::None,
    "Connections opened anew after a failure",
);
const COMMIT_SECONDS: Figure = Figure(
    "bellwether_store_commit_seconds",
    Kind::Histogram,
    Unit::Seconds,
    "From the begin of a transaction to its commit",
);
const FILE: Figure =
    Figure("bellwether_store_file_bytes", Kind::Gauge, Unit::Bytes, "Size of the database file");
const WAL: Figure =
    Figure("bellwether_store_wal_bytes", Kind::Gauge, Unit::Bytes, "Size of the write-ahead log");
const DAMAGED: Figure =
    Figure("bellwether_store_damaged_rows_total", Kind::Counter, Unit::None, "Rows that could not be read");
const READERS: Figure =
    Figure("bellwether_store_readers", Kind::Gauge, Unit::None, "Connections for reading, by state");
const READS_WAITING: Figure =
    Figure("bellwether_store_waiting_reads", Kind::Gauge, Unit::None, "Reads that wait for a connection");
const READ_TIMEOUTS: Figure = Figure(
    "bellwether_store_read_timeouts_total",
    Kind::Counter,
    Unit::None,
    "Reads that got no connection, or no answer, in time",
);
const SAMPLES_WAITING: Figure =
    Figure("bellwether_store_waiting_samples", Kind::Gauge, Unit::None, "Samples that wait to be written");
const BATCHES: Figure =
    Figure("bellwether_store_batches_written_total", Kind::Counter, Unit::None, "Sample batches written");
const SAMPLES: Figure =
    Figure("bellwether_store_samples_written_total", Kind::Counter, Unit::None, "Samples written");
const RETRIES: Figure = Figure(
    "bellwether_store_flush_retries_total",
    Kind::Counter,
    Unit::None,
    "Writes of samples that failed and are tried again",
);
const DROPPED: Figure = Figure(
    "bellwether_store_samples_dropped_total",
    Kind::Counter,
    Unit::None,
    "Samples that were not kept, by reason",
);
const CHUNKS: Figure =
    Figure("bellwether_store_chunks_sealed_total", Kind::Counter, Unit::None, "Chunks written");
const OPEN: Figure = Figure(
    "bellwether_store_open_samples",
    Kind::Gauge,
    Unit::None,
    "Samples in the head that no chunk holds yet",
);
const SERIES: Figure = Figure("bellwether_store_series", Kind::Gauge, Unit::None, "Series known");
const PRUNED: Figure = Figure(
    "bellwether_store_pruned_rows_total",
    Kind::Counter,
    Unit::None,
    "Rows deleted because they were too old or too many",
);

/// All figures of a store, in the order in which they are told.
const FIGURES: [&Figure; 22] = [
    &QUEUED,
    &BUSY,
    &COMMITS,
    &SYNCHRONISED,
    &FAILED,
    &REOPENED,
    &COMMIT_SECONDS,
    &FILE,
    &WAL,
    &DAMAGED,
    &READERS,
    &READS_WAITING,
    &READ_TIMEOUTS,
    &SAMPLES_WAITING,
    &BATCHES,
    &SAMPLES,
    &RETRIES,
    &DROPPED,
    &CHUNKS,
    &OPEN,
    &SERIES,
    &PRUNED,
];

const COMMIT_BOUNDS: [f64; 14] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// A value that goes up and down.
#[derive(Debug, Default)]
pub(crate) struct Level(AtomicU64);

impl Level {
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn raise(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn lower(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why samples were not kept.
#[derive(Debug, Default)]
pub(crate) struct Dropped {
    /// The queue was full.
    pub(crate) queue: Tally,
    /// Not a finite number.
    pub(crate) not_finite: Tally,
    /// Before what retention has deleted.
    pub(crate) too_old: Tally,
    /// Of a series beyond the bound.
    pub(crate) series: Tally,
    /// The store was closed.
    pub(crate) closed: Tally,
}

/// The figures of one store.
#[derive(Debug)]
pub(crate) struct Figures {
    descriptors: Vec<Descriptor>,
    pub(crate) queued: Level,
    pub(crate) busy: Tally,
    pub(crate) commits: Tally,
    pub(crate) synchronised: Tally,
    pub(crate) failed: Tally,
    pub(crate) reopened: Tally,
    commit_seconds: Option<Spread>,
    pub(crate) file_bytes: Level,
    pub(crate) wal_bytes: Level,
    pub(crate) damaged: Tally,
    pub(crate) readers: Level,
    pub(crate) readers_in_use: Level,
    pub(crate) reads_waiting: Level,
    pub(crate) read_timeouts: Tally,
    pub(crate) samples_waiting: Level,
    pub(crate) batches: Tally,
    pub(crate) samples: Tally,
    pub(crate) retries: Tally,
    pub(crate) dropped: Dropped,
    pub(crate) chunks: Tally,
    pub(crate) open: Level,
    pub(crate) series: Level,
    pub(crate) pruned: Tally,
}

impl Figures {
    pub(crate) fn new() -> Self {
        // Each name and bound is valid; a test says so.
        let describe = |Figure(name, kind, unit, help): &Figure| {
            let name = MetricName::new(*name).ok()?;
            Some(Descriptor { name, kind: *kind, unit: unit.clone(), help: (*help).into() })
        };
        Self {
            descriptors: FIGURES.into_iter().filter_map(describe).collect(),
            queued: Level::default(),
            busy: Tally::new(),
            commits: Tally::new(),
            synchronised: Tally::new(),
            failed: Tally::new(),
            reopened: Tally::new(),
            commit_seconds: Spread::new(COMMIT_BOUNDS).ok(),
            file_bytes: Level::default(),
            wal_bytes: Level::default(),
            damaged: Tally::new(),
            readers: Level::default(),
            readers_in_use: Level::default(),
            reads_waiting: Level::default(),
            read_timeouts: Tally::new(),
            samples_waiting: Level::default(),
            batches: Tally::new(),
            samples: Tally::new(),
            retries: Tally::new(),
            dropped: Dropped::default(),
            chunks: Tally::new(),
            open: Level::default(),
            series: Level::default(),
            pruned: Tally::new(),
        }
    }

    pub(crate) fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    pub(crate) fn committed(&self, seconds: f64) {
        self.commits.increment();
        if let Some(spread) = &self.commit_seconds {
            spread.record(seconds);
        }
    }

    pub(crate) fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let none = Labels::empty();
        let labelled = |name: &'static str, value: &'static str| {
            Labels::new([(name, value)]).map_err(|error| CollectError::new(error.to_string()))
        };
        let in_use = self.readers_in_use.get();
        self.tell(out, &QUEUED, &none, self.queued.get());
        self.tell(out, &BUSY, &none, self.busy.get());
        self.tell(out, &COMMITS, &none, self.commits.get());
        self.tell(out, &SYNCHRONISED, &none, self.synchronised.get());
        self.tell(out, &FAILED, &none, self.failed.get());
        self.tell(out, &REOPENED, &none, self.reopened.get());
        if let (Some(descriptor), Some(spread)) = (self.descriptor(&COMMIT_SECONDS), &self.commit_seconds) {
            out.histogram(descriptor, &none, &spread.snapshot());
        }
        self.tell(out, &FILE, &none, self.file_bytes.get());
        self.tell(out, &WAL, &none, self.wal_bytes.get());
        self.tell(out, &DAMAGED, &none, self.damaged.get());
        self.tell(out, &READERS, &labelled("state", "in_use")?, in_use);
        self.tell(out, &READERS, &labelled("state", "idle")?, self.readers.get().saturating_sub(in_use));
        self.tell(out, &READS_WAITING, &none, self.reads_waiting.get());
        self.tell(out, &READ_TIMEOUTS, &none, self.read_timeouts.get());
        self.tell(out, &SAMPLES_WAITING, &none, self.samples_waiting.get());
        self.tell(out, &BATCHES, &none, self.batches.get());
        self.tell(out, &SAMPLES, &none, self.samples.get());
        self.tell(out, &RETRIES, &none, self.retries.get());
        for (reason, tally) in [
            ("queue_full", &self.dropped.queue),
            ("not_finite", &self.dropped.not_finite),
            ("too_old", &self.dropped.too_old),
            ("too_many_series", &self.dropped.series),
            ("closed", &self.dropped.closed),
        ] {
            self.tell(out, &DROPPED, &labelled("reason", reason)?, tally.get());
        }
        self.tell(out, &CHUNKS, &none, self.chunks.get());
        self.tell(out, &OPEN, &none, self.open.get());
        self.tell(out, &SERIES, &none, self.series.get());
        self.tell(out, &PRUNED, &none, self.pruned.get());
        Ok(())
    }

    fn descriptor(&self, figure: &Figure) -> Option<&Descriptor> {
        self.descriptors.iter().find(|descriptor| descriptor.name == figure.0)
    }

    fn tell(&self, out: &mut dyn SampleSink, figure: &Figure, labels: &Labels, value: u64) {
        let Some(descriptor) = self.descriptor(figure) else { return };
        match figure.1 {
            Kind::Counter => out.counter(descriptor, labels, value as f64),
            _ => out.gauge(descriptor, labels, value as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_a_valid_name_and_bounds() {
        let figures = Figures::new();
        assert_eq!(figures.descriptors().len(), FIGURES.len());
        assert!(figures.commit_seconds.is_some());
    }
}
