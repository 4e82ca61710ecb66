//! The reference page of the configuration: every key, kept true by a test.

use bellwether_core::config::{KeyDoc, Section};

use super::StoreConfig;

impl Section for StoreConfig {
    const NAME: &'static str = "store";

    fn keys() -> Vec<KeyDoc> {
        let key = KeyDoc::new;
        let rows = |path, help| KeyDoc::new(path, help).unit("rows").range("1 to 100000000");
        vec![
            key("url", "which database: `sqlite://path` or a path; a secret one as a reference"),
            key("busy_timeout", "how long to wait for another program's lock on the file")
                .unit("duration")
                .range("1ms to 1m"),
            key("acquire_timeout", "how long a read waits for a free connection")
                .unit("duration")
                .range("10ms to 10m"),
            key("read_timeout", "how long one page may take to read").unit("duration").range("10ms to 10m"),
            key("readers", "connections for reading").range("1 to 16"),
            key("queue", "requests that wait for the writer; beyond it callers are told that it is busy")
                .range("1 to 100000"),
            key("max_bytes", "greatest size of the file, without its log; no bound if not set")
                .unit("bytes")
                .range("1048576 and more"),
            key(
                "samples.queue",
                "samples that wait to be written; beyond it the oldest batch is dropped and counted",
            )
            .unit("samples")
            .range("1 to 100000000"),
            key("samples.flush_batches", "batches that wait before the writer starts by itself")
                .unit("batches")
                .range("1 to 100000"),
            key(
                "samples.max_series",
                "series that are kept; samples of further ones are dropped and counted",
            )
            .range("1 to 10000000"),
            key("samples.max_age", "greatest age of a sample; no bound if not set")
                .unit("duration")
                .range("1s to 36525d"),
            rows("alerts.open_deliveries", "open deliveries; beyond it the oldest of the mildest give way"),
            rows("alerts.settled_keys", "settled deliveries whose keys are remembered"),
            rows("alerts.dead_letters", "dead letters"),
            rows("alerts.notification_log", "records of the notification log"),
            rows("alerts.alert_history", "changes in the alert history"),
            rows("snapshots.snapshots", "snapshots; beyond it those that were put first go"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use bellwether_core::config::check_section;

    use super::*;

    #[test]
    fn the_keys_are_those_of_the_section() {
        check_section::<StoreConfig>().unwrap();
    }
}
