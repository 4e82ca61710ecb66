//! SQLite behind a store: one writer, a few readers, one lock.

use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{RestartPolicy, SharedClock, ShutdownReport, Supervisor};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use super::connection::WriterOptions;
use super::feed::Feed;
use super::file::inspect;
use super::lock::WriterLock;
use super::readers::{Reader, Readers};
use super::request::{RequestQueue, Write};
use super::writer::{Desk, Writer};
use crate::own_metrics::Figures;
use crate::{StoreConfig, StoreError};

const PROBE: &str = "SELECT count(*) FROM meta";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[PROBE];

/// One SQLite file that is open: what the parts of a store share.
pub(crate) struct Engine {
    desk: Arc<Desk>,
    readers: Readers,
    tasks: Supervisor,
    lock: Mutex<Option<WriterLock>>,
}

/// What is told about a file that is to be opened before its engine exists.
pub(crate) struct Opening {
    pub(crate) name: String,
    pub(crate) clock: SharedClock,
    pub(crate) figures: Arc<Figures>,
    pub(crate) wake: Arc<Notify>,
}

/// Makes the writer's own work anew for each start of its task.
pub(crate) type MakeFeed = Box<dyn FnMut() -> Option<Box<dyn Feed>> + Send>;

impl Engine {
    /// Opens a file, or says why not; then nothing in it was changed.
    pub(crate) async fn open(
        path: &std::path::Path,
        config: &StoreConfig,
        opening: Opening,
        mut make_feed: MakeFeed,
    ) -> Result<Self, StoreError> {
        let Opening { name, clock, figures, wake } = opening;
        inspect(path, &name)?;
        let lock = WriterLock::take(path, &name)?;
        let busy_timeout = config.busy_timeout.get();
        let queue = RequestQueue::new(config.queue, Arc::clone(&wake), Arc::clone(&figures), &name);
        let readers = Readers::new(path, &name, config, &clock, &figures);
        let desk = Arc::new(Desk {
            path: path.to_owned(),
            options: WriterOptions::new(path, &name, busy_timeout, config.max_bytes),
            busy_timeout,
            clock: Arc::clone(&clock),
            figures,
            queue: Arc::new(queue),
            wake,
            identity: Mutex::default(),
            trouble: Mutex::new(None),
            #[cfg(test)]
            disk: super::connection::FailingDisk::default(),
            #[cfg(feature = "alerts")]
            earlier_claims: Arc::default(),
            name,
        });
        let tasks = Supervisor::new(&clock);
        let (opened, first) = oneshot::channel();
        let mut opened = Some(opened);
        let served = Arc::clone(&desk);
        let spawned = tasks.spawn("store-writer", RestartPolicy::forever(), move |_stop| {
            let writer = Writer::new(Arc::clone(&served), make_feed());
            let opened = opened.take();
            async move {
                match opened {
                    Some(opened) => writer.open_and_serve(opened).await,
                    None => writer.serve_again().await,
                }
            }
        });
        let unavailable = |reason: String| StoreError::Unavailable { database: desk.name.clone(), reason };
        spawned.map_err(|error| unavailable(error.to_string()))?;
        first.await.map_err(|_| unavailable("the writer failed while it opened the file".to_owned()))??;
        Ok(Self { desk, readers, tasks, lock: Mutex::new(Some(lock)) })
    }

    /// Makes a write and waits until it is committed, and as durable as [`Write::durability`] says.
    pub(crate) async fn write<W: Write>(&self, write: W) -> Result<W::Answer, StoreError> {
        self.desk.queue.ask(write).await
    }

    /// A connection for reading.
    pub(crate) async fn read(&self) -> Result<Reader<'_>, StoreError> {
        self.readers.acquire().await
    }

    /// The smallest read there is.
    pub(crate) async fn probe(&self) -> Result<(), StoreError> {
        let mut reader = self.readers.acquire().await?;
        let answer = sqlx::query_as::<_, (i64,)>(PROBE).fetch_one(reader.connection()?).await;
        answer.map_err(|error| reader.fault(error))?;
        reader.done();
        Ok(())
    }

    /// Whether the path still leads to the file that was opened.
    pub(crate) fn same_file(&self) -> Result<(), StoreError> {
        self.desk.same_file()
    }

    /// What went wrong last, if nothing has gone well since.
    pub(crate) fn trouble(&self) -> Option<StoreError> {
        self.desk.trouble.lock().clone()
    }

    /// The writer's task, for health checks.
    pub(crate) fn tasks(&self) -> &Supervisor {
        &self.tasks
    }

    /// What an earlier opening had claimed.
    #[cfg(feature = "alerts")]
    pub(crate) fn earlier_claims(&self) -> &Arc<super::earlier_claims::EarlierClaims> {
        &self.desk.earlier_claims
    }

    /// The wall clock's instant in microseconds.
    #[cfg(feature = "alerts")]
    pub(crate) fn now(&self) -> i64 {
        self.desk.clock.now().timestamp_micros()
    }

    /// How the file is called in messages.
    pub(crate) fn name(&self) -> &str {
        &self.desk.name
    }

    /// Takes no more requests, serves those that wait, merges the log into the file and lets go of it.
    pub(crate) async fn close(&self, deadline: Duration) -> ShutdownReport {
        self.readers.close().await;
        self.desk.queue.close();
        let report = self.tasks.shutdown(deadline).await;
        self.desk.queue.abandon();
        *self.lock.lock() = None;
        report
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.desk.queue.close();
        self.desk.queue.abandon();
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use bellwether_core::{ManualClock, SystemClock};
    use chrono::DateTime;
    use futures_util::future::join_all;
    use sqlx::SqliteConnection;

    use super::super::request::Durability;
    use super::*;

    const INSERT: &str = "INSERT INTO meta (key, value) VALUES (?1, ?2)";
    const READ: &str = "SELECT value FROM meta WHERE key = ?1";
    const ENDLESS: &str =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n WHERE i < 0";

    struct Insert(&'static str, Mishap);

    enum Mishap {
        None,
        Panic,
    }

    #[async_trait]
    impl Write for Insert {
        type Answer = ();

        async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
            sqlx::query(INSERT).bind(self.0).bind(7).execute(connection).await?;
            if matches!(self.1, Mishap::Panic) {
                panic!("planted");
            }
            Ok(())
        }
    }

    /// Tells with which `PRAGMA synchronous` it is committed.
    struct Level(Durability);

    #[async_trait]
    impl Write for Level {
        type Answer = i64;

        async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<i64> {
            let (level,): (i64,) = sqlx::query_as("PRAGMA synchronous").fetch_one(connection).await?;
            Ok(level)
        }

        fn durability(&self) -> Durability {
            self.0
        }
    }

    /// Renames a file and then writes.
    struct Rename(std::path::PathBuf, std::path::PathBuf);

    #[async_trait]
    impl Write for Rename {
        type Answer = ();

        async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
            std::fs::rename(&self.0, &self.1).unwrap();
            sqlx::query(INSERT).bind("renamed").bind(7).execute(connection).await?;
            Ok(())
        }
    }

    struct Desk {
        engine: Engine,
        figures: Arc<Figures>,
        folder: tempfile::TempDir,
    }

    async fn open(clock: SharedClock, change: impl FnOnce(StoreConfig) -> StoreConfig) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.db");
        let figures = Arc::new(Figures::new());
        let opening = Opening {
            name: "desk.db".into(),
            clock,
            figures: Arc::clone(&figures),
            wake: Arc::new(Notify::new()),
        };
        let config = change(StoreConfig::file(&path));
        let engine = Engine::open(&path, &config, opening, Box::new(|| None)).await.unwrap();
        Desk { engine, figures, folder }
    }

    async fn value(engine: &Engine, key: &str) -> Option<i64> {
        let mut reader = engine.read().await.unwrap();
        let row: Option<(i64,)> =
            sqlx::query_as(READ).bind(key).fetch_optional(reader.connection().unwrap()).await.unwrap();
        reader.done();
        row.map(|(value,)| value)
    }

    #[tokio::test]
    async fn what_waits_at_the_same_time_is_one_commit() {
        let desk = open(SystemClock::shared(), |config| config).await;
        let keys: Vec<&'static str> = vec!["a", "b", "c", "d", "e", "f", "g", "h"];
        let answers = join_all(keys.iter().map(|key| desk.engine.write(Insert(key, Mishap::None)))).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(desk.figures.commits.get(), 1);
    }

    #[tokio::test]
    async fn a_commit_waits_for_the_disk_if_one_of_its_writes_has_to() {
        use Durability::{Committed, Synchronised};
        const FULL: i64 = 2;
        const NORMAL: i64 = 1;
        let desk = open(SystemClock::shared(), |config| config).await;
        for (group, expected, synchronised) in [
            (vec![Committed], NORMAL, 0),
            (vec![Synchronised], FULL, 1),
            (vec![Committed, Committed], NORMAL, 1),
            (vec![Committed, Synchronised, Committed], FULL, 2),
        ] {
            let levels = join_all(group.iter().map(|durability| desk.engine.write(Level(*durability)))).await;
            assert!(levels.iter().all(|level| *level == Ok(expected)), "{group:?}: {levels:?}");
            assert_eq!(desk.figures.synchronised.get(), synchronised);
        }
    }

    #[tokio::test]
    async fn nothing_is_acknowledged_into_a_file_that_is_taken_away_meanwhile() {
        let desk = open(SystemClock::shared(), |config| config).await;
        let (path, aside) = (desk.folder.path().join("desk.db"), desk.folder.path().join("aside.db"));
        let answer = desk.engine.write(Rename(path.clone(), aside.clone())).await;
        assert!(matches!(&answer, Err(StoreError::Corrupt { .. })), "{answer:?}");
        std::fs::rename(aside, path).unwrap();
        desk.engine.write(Insert("next", Mishap::None)).await.unwrap();
        let report = desk.engine.close(Duration::from_secs(10)).await;
        assert!(report.is_clean());
    }

    /// Lets the disk fail in the next merges of the log.
    fn fail(engine: &Engine, merges: usize) {
        engine.desk.disk.0.store(merges, std::sync::atomic::Ordering::SeqCst);
    }

    /// Writes what need not outlive a power cut, more than a log holds before it is merged.
    async fn fill_the_log(engine: &Engine) {
        for key in 0..3 {
            engine.write(Fill(key)).await.unwrap();
        }
    }

    struct Fill(i64);

    #[async_trait]
    impl Write for Fill {
        type Answer = ();

        async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
            const FILL: &str = "INSERT INTO damaged (source, found_at, reason, data) VALUES ('fill', ?1, '', zeroblob(2200000))";
            sqlx::query(FILL).bind(self.0).execute(connection).await?;
            Ok(())
        }

        fn durability(&self) -> Durability {
            Durability::Committed
        }
    }

    fn pages_of_the_log(desk: &Desk) -> u64 {
        std::fs::metadata(desk.folder.path().join("desk.db-wal")).unwrap().len() / 4_096
    }

    #[tokio::test]
    async fn a_long_log_is_merged_on_the_way() {
        let desk = open(SystemClock::shared(), |config| config).await;
        for _ in 0..10 {
            fill_the_log(&desk.engine).await;
        }
        let pages = pages_of_the_log(&desk);
        assert!(pages < 3_000, "{pages} pages of some 16,000");
        assert_eq!(desk.figures.failed.get(), 0);
    }

    #[tokio::test]
    async fn a_disk_that_fails_while_the_log_is_merged_is_noticed_and_the_log_merged_before_anything_is_acknowledged()
     {
        let desk = open(SystemClock::shared(), |config| config).await;
        fail(&desk.engine, usize::MAX);
        fill_the_log(&desk.engine).await;
        desk.engine.write(Level(Durability::Committed)).await.unwrap();
        assert!(desk.engine.trouble().is_some(), "the first failure is told");
        assert!(desk.figures.reopened.get() > 0);
        for key in ["a", "b"] {
            let refused = desk.engine.write(Insert(key, Mishap::None)).await;
            assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
            desk.engine.write(Level(Durability::Committed)).await.unwrap();
            assert!(desk.engine.trouble().is_some(), "what need not be synchronised proves nothing");
        }
        fail(&desk.engine, 0);
        desk.engine.write(Insert("c", Mishap::None)).await.unwrap();
        assert!(pages_of_the_log(&desk) < 10, "all but the last write is merged");
        assert_eq!(desk.engine.trouble(), None);
        assert_eq!((value(&desk.engine, "a").await, value(&desk.engine, "c").await), (None, Some(7)));
    }

    #[tokio::test]
    async fn after_a_commit_that_failed_nothing_is_acknowledged_as_synchronised_before_the_log_is_merged() {
        let desk =
            open(SystemClock::shared(), |config| config.with_busy_timeout(Duration::from_millis(5))).await;
        let (path, aside) = (desk.folder.path().join("desk.db"), desk.folder.path().join("aside.db"));
        let mut held = desk.engine.read().await.unwrap();
        for sql in ["BEGIN", PROBE] {
            sqlx::query(sql).execute(held.connection().unwrap()).await.unwrap();
        }
        let failed = desk.engine.write(Rename(path.clone(), aside.clone())).await;
        assert!(failed.is_err());
        std::fs::rename(aside, path).unwrap();
        let refused = desk.engine.write(Insert("a", Mishap::None)).await;
        assert!(
            matches!(&refused, Err(StoreError::Unavailable { reason, .. }) if reason.contains("merged")),
            "{refused:?}"
        );
        assert!(desk.engine.trouble().is_some());
        drop(held);
        desk.engine.write(Insert("b", Mishap::None)).await.unwrap();
        assert_eq!(desk.engine.trouble(), None);
        assert_eq!((value(&desk.engine, "a").await, value(&desk.engine, "b").await), (None, Some(7)));
    }

    #[tokio::test]
    async fn one_bad_row_does_not_fail_its_neighbours() {
        let desk = open(SystemClock::shared(), |config| config).await;
        let keys = ["a", "b", "b", "c"];
        let answers = join_all(keys.iter().map(|key| desk.engine.write(Insert(key, Mishap::None)))).await;
        assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false, true]);
        assert!(matches!(answers[2], Err(StoreError::Conflict { .. })), "{:?}", answers[2]);
        for key in ["a", "b", "c"] {
            assert_eq!(value(&desk.engine, key).await, Some(7));
        }
    }

    #[tokio::test]
    async fn a_full_queue_answers_busy_at_once() {
        let desk = open(SystemClock::shared(), |config| config.with_queue(2)).await;
        let keys = ["a", "b", "c"];
        let answers = join_all(keys.iter().map(|key| desk.engine.write(Insert(key, Mishap::None)))).await;
        assert!(answers[0].is_ok() && answers[1].is_ok());
        assert!(matches!(answers[2], Err(StoreError::Busy { .. })), "{:?}", answers[2]);
        assert_eq!(desk.figures.busy.get(), 1);
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_leaves_the_write_whole_and_the_writer_well() {
        let desk = open(SystemClock::shared(), |config| config).await;
        for key in ["a", "b", "c", "d"] {
            let mut asked = Box::pin(desk.engine.write(Insert(key, Mishap::None)));
            assert!(futures_util::poll!(&mut asked).is_pending());
            drop(asked);
        }
        desk.engine.write(Insert("last", Mishap::None)).await.unwrap();
        for key in ["a", "b", "c", "d", "last"] {
            assert_eq!(value(&desk.engine, key).await, Some(7), "{key}");
        }
    }

    #[tokio::test]
    async fn a_panic_in_a_write_is_undone_and_the_writer_comes_back() {
        let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
        let desk = open(clock.shared(), |config| config).await;
        let answer = desk.engine.write(Insert("a", Mishap::Panic)).await;
        assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{answer:?}");
        let mut next = Box::pin(desk.engine.write(Insert("b", Mishap::None)));
        while futures_util::poll!(&mut next).is_pending() {
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
        assert_eq!((value(&desk.engine, "a").await, value(&desk.engine, "b").await), (None, Some(7)));
    }

    #[tokio::test]
    async fn a_read_without_a_free_connection_waits_its_time_and_then_is_busy() {
        let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
        let desk = open(clock.shared(), |config| config.with_readers(1)).await;
        let held = desk.engine.read().await.unwrap();
        let mut next = Box::pin(desk.engine.read());
        assert!(futures_util::poll!(&mut next).is_pending());
        assert_eq!(desk.figures.reads_waiting.get(), 1);
        clock.advance(Duration::from_secs(5));
        assert!(matches!(next.await, Err(StoreError::Busy { .. })));
        assert_eq!((desk.figures.reads_waiting.get(), desk.figures.read_timeouts.get()), (0, 1));
        held.done();
        assert!(desk.engine.read().await.is_ok());
    }

    #[tokio::test]
    async fn a_read_that_takes_too_long_is_interrupted() {
        let desk = open(SystemClock::shared(), |config| {
            config.with_read_timeout(Duration::from_millis(10)).with_readers(1)
        })
        .await;
        let mut reader = desk.engine.read().await.unwrap();
        let endless = sqlx::query_as::<_, (i64,)>(ENDLESS).fetch_one(reader.connection().unwrap()).await;
        assert!(matches!(reader.fault(endless.unwrap_err()), StoreError::Timeout { .. }));
        drop(reader);
        assert_eq!(value(&desk.engine, "boots").await, Some(0));
    }

    #[tokio::test]
    async fn a_read_that_is_given_up_keeps_no_connection_busy() {
        let desk = open(SystemClock::shared(), |config| config.with_readers(1)).await;
        let mut reader = desk.engine.read().await.unwrap();
        let mut endless =
            Box::pin(sqlx::query_as::<_, (i64,)>(ENDLESS).fetch_one(reader.connection().unwrap()));
        assert!(futures_util::poll!(&mut endless).is_pending());
        drop(endless);
        drop(reader);
        assert_eq!(value(&desk.engine, "boots").await, Some(0));
    }

    #[tokio::test]
    async fn closing_serves_what_waits_and_refuses_what_comes_later() {
        let desk = open(SystemClock::shared(), |config| config).await;
        let mut asked = Box::pin(desk.engine.write(Insert("a", Mishap::None)));
        assert!(futures_util::poll!(&mut asked).is_pending());
        let report = desk.engine.close(Duration::from_secs(10)).await;
        assert!(report.is_clean());
        assert_eq!(asked.await, Ok(()));
        assert!(matches!(desk.engine.write(Insert("b", Mishap::None)).await, Err(StoreError::Closed { .. })));
        assert!(matches!(desk.engine.read().await.err(), Some(StoreError::Closed { .. })));
    }
}
