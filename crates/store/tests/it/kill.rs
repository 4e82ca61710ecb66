//! A process that is killed while it writes: what it was told is durable is there.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use bellwether_alerts::Outbox;
use bellwether_core::{Severity, SystemClock};
use bellwether_store::{Store, StoreConfig};

use crate::fixture::{batch, channel, delivery, series, time, values};

const FOLDER: &str = "BELLWETHER_STORE_KILL_FOLDER";

/// The process that is killed: this test, started again with the variable set.
#[test]
fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config = StoreConfig::file(folder.join("desk.db"));
        let store = Store::open(&config, &SystemClock::shared()).await.unwrap();
        let first = store.alerts().pending(&channel("pager")).await.unwrap();
        let (a, b) = (series("price", "A"), series("price", "B"));
        for i in first.. {
            let at = i as i64;
            store
                .alerts()
                .put(&[delivery("pager", &format!("G{i}"), i, Severity::Info)], time(0))
                .await
                .unwrap();
            store.samples().write(batch(at, &[(&a, at as f64), (&b, -at as f64)])).await.unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "acknowledged {i}").unwrap();
            out.flush().unwrap();
        }
    });
}

#[test]
fn what_was_acknowledged_before_a_kill_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig::file(folder.path().join("desk.db"));
    let mut acknowledged = None;
    // Each goes on where the one before was killed; the last far enough to be killed among sealed chunks.
    for lines in [40, 25, 600] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::writes_until_it_is_killed", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let number = |line: String| {
            line.rsplit_once("acknowledged ").and_then(|(_, number)| number.parse::<i64>().ok())
        };
        let mut numbers = output.lines().map(Result::unwrap).filter_map(number);
        for _ in 0..lines {
            acknowledged = Some(numbers.next().unwrap());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged = numbers.last().or(acknowledged);

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Store::open(&config, &SystemClock::shared()).await.unwrap();
            let pending = store.alerts().pending(&channel("pager")).await.unwrap() as i64;
            let told = acknowledged.unwrap() + 1;
            assert!((told..=told + 1).contains(&pending), "{told} acknowledged, {pending} there");
            let found = values(&store.samples(), "price").await;
            let of_a: Vec<_> = found.iter().filter(|sample| sample.1 >= 0.0 && sample.0 > 0).collect();
            assert!(of_a.len() as i64 + 1 >= told, "{told} acknowledged, {} there", of_a.len() + 1);
            let mut instants: Vec<i64> = found.iter().map(|sample| sample.0).collect();
            instants.sort_unstable();
            assert!(instants.chunks(2).all(|pair| pair[0] == pair[1]), "both series of a batch or none");
            assert!(instants.chunks(2).enumerate().all(|(i, pair)| pair[0] == i as i64), "each once");
            assert!(store.check().await.is_healthy());
            store.close(std::time::Duration::from_secs(10)).await.into_result().unwrap();
        });
    }
}
