//! SQLite behind a store: one writer, a few readers, one lock.

use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{RestartPolicy, SharedClock, ShutdownReport, Supervisor};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use super::connection::WriterOptions;
use super::feed::Feed;
use super::file::{behind_links, beside, inspect};
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
        let file = behind_links(path);
        let lock = WriterLock::take(&file, &name)?;
        let busy_timeout = config.busy_timeout.get();
        let queue = RequestQueue::new(config.queue, Arc::clone(&wake), Arc::clone(&figures), &name);
        let readers = Readers::new(path, &name, config, &clock, &figures);
        let desk = Arc::new(Desk {
            path: path.to_owned(),
            log: beside(&file, "-wal"),
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
        config: StoreConfig,
        folder: tempfile::TempDir,
    }

    async fn open(clock: SharedClock, change: impl FnOnce(StoreConfig) -> StoreConfig) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let config = change(StoreConfig::file(folder.path().join("desk.db")));
        open_in(folder, clock, config).await
    }

    async fn open_in(folder: tempfile::TempDir, clock: SharedClock, config: StoreConfig) -> Desk {
        let figures = Arc::new(Figures::new());
        let opening = Opening {
            name: "desk.db".into(),
            clock,
            figures: Arc::clone(&figures),
            wake: Arc::new(Notify::new()),
        };
        let path = config.url.resolve().unwrap();
        let engine = Engine::open(&path, &config, opening, Box::new(|| None)).await.unwrap();
        Desk { engine, figures, config, folder }
    }

    /// What a process that was killed after a few writes leaves, opened again.
    async fn open_what_was_left(clock: &ManualClock) -> Desk {
        let killed = open(clock.shared(), |config| config.with_busy_timeout(Duration::from_millis(5))).await;
        for key in ["left", "behind"] {
            killed.engine.write(Insert(key, Mishap::None)).await.unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        for file in ["desk.db", "desk.db-wal"] {
            std::fs::copy(killed.folder.path().join(file), folder.path().join(file)).unwrap();
        }
        let config =
            StoreConfig::file(folder.path().join("desk.db")).with_busy_timeout(Duration::from_millis(5));
        open_in(folder, clock.shared(), config).await
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
        engine.desk.disk.fail(merges, || sqlx::Error::Io(std::io::Error::other("planted")));
    }

    /// Leaves no room for the next merges of the log.
    fn fill_the_disk(engine: &Engine, merges: usize) {
        engine.desk.disk.fail(merges, || sqlx::Error::Database(Box::new(NoRoom("planted: no room"))));
    }

    /// As the driver tells it.
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct NoRoom(&'static str);

    impl sqlx::error::DatabaseError for NoRoom {
        fn message(&self) -> &str {
            self.0
        }

        fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
            Some("13".into())
        }

        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> sqlx::error::ErrorKind {
            sqlx::error::ErrorKind::Other
        }
    }

    /// Reads, and goes on reading what is there now.
    async fn read_on(engine: &Engine) -> Reader<'_> {
        let mut held = engine.read().await.unwrap();
        for sql in ["BEGIN", PROBE] {
            sqlx::query(sql).execute(held.connection().unwrap()).await.unwrap();
        }
        held
    }

    async fn read_no_more(mut held: Reader<'_>) {
        sqlx::query("ROLLBACK").execute(held.connection().unwrap()).await.unwrap();
        held.done();
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
        let held = read_on(&desk.engine).await;
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
    async fn a_log_that_an_earlier_process_left_is_merged_before_anything_is_acknowledged_as_synchronised() {
        let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
        let desk = open_what_was_left(&clock).await;
        let left = pages_of_the_log(&desk);
        assert!(left > 1, "opening merges nothing");
        fail(&desk.engine, usize::MAX);
        for key in ["a", "b"] {
            let refused = desk.engine.write(Insert(key, Mishap::None)).await;
            assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
            desk.engine.write(Level(Durability::Committed)).await.unwrap();
            assert!(desk.engine.trouble().is_some());
        }
        fail(&desk.engine, 0);
        desk.engine.write(Insert("c", Mishap::None)).await.unwrap();
        assert!(pages_of_the_log(&desk) < left, "all but the last write is merged");
        assert_eq!(desk.engine.trouble(), None);
        for (key, expected) in [("left", Some(7)), ("behind", Some(7)), ("a", None), ("c", Some(7))] {
            assert_eq!(value(&desk.engine, key).await, expected, "{key}");
        }
    }

    #[tokio::test]
    async fn where_no_earlier_process_left_a_log_nothing_is_merged_before_the_first_write() {
        let desk = open(SystemClock::shared(), |config| config).await;
        fail(&desk.engine, 1);
        desk.engine.write(Insert("new", Mishap::None)).await.unwrap();
        fail(&desk.engine, 0);
        assert!(desk.engine.close(Duration::from_secs(10)).await.is_clean());
        let Desk { config, folder, .. } = desk;
        let desk = open_in(folder, SystemClock::shared(), config).await;
        fail(&desk.engine, 1);
        desk.engine.write(Insert("closed", Mishap::None)).await.unwrap();
    }

    #[tokio::test]
    async fn a_log_that_was_left_and_for_which_there_is_no_room_keeps_nothing_from_being_stored_and_is_tried_again()
     {
        let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
        let desk = open_what_was_left(&clock).await;
        fill_the_disk(&desk.engine, 2);
        for key in ["a", "b"] {
            desk.engine.write(Insert(key, Mishap::None)).await.unwrap();
            assert_eq!(desk.engine.trouble(), Some(StoreError::Full { database: "desk.db".into() }));
        }
        assert_eq!(desk.figures.failed.get(), 1, "not with every write");
        clock.advance(Duration::from_mins(1));
        desk.engine.write(Insert("c", Mishap::None)).await.unwrap();
        assert_eq!(desk.figures.failed.get(), 2);
        let unmerged = pages_of_the_log(&desk);
        clock.advance(Duration::from_mins(1));
        desk.engine.write(Insert("d", Mishap::None)).await.unwrap();
        assert!(pages_of_the_log(&desk) < unmerged);
        assert_eq!(desk.engine.trouble(), None);
        for key in ["left", "a", "b", "c", "d"] {
            assert_eq!(value(&desk.engine, key).await, Some(7), "{key}");
        }
    }

    #[tokio::test]
    async fn a_log_that_was_left_and_that_somebody_reads_keeps_nothing_from_being_stored_and_is_tried_again()
    {
        let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
        let desk = open_what_was_left(&clock).await;
        let held = read_on(&desk.engine).await;
        desk.engine.write(Insert("a", Mishap::None)).await.unwrap();
        assert!(
            matches!(desk.engine.trouble(), Some(StoreError::Unavailable { reason, .. }) if reason.contains("reads"))
        );
        read_no_more(held).await;
        clock.advance(Duration::from_mins(1));
        desk.engine.write(Insert("b", Mishap::None)).await.unwrap();
        assert_eq!(desk.engine.trouble(), None);
        assert!(pages_of_the_log(&desk) < 4);
    }

    #[tokio::test]
    async fn after_a_disk_that_failed_in_it_a_log_that_was_left_is_merged_whatever_keeps_it() {
        let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
        let desk = open_what_was_left(&clock).await;
        fail(&desk.engine, 1);
        assert!(desk.engine.write(Insert("a", Mishap::None)).await.is_err());
        fill_the_disk(&desk.engine, 1);
        let refused = desk.engine.write(Insert("b", Mishap::None)).await;
        assert!(matches!(refused, Err(StoreError::Full { .. })), "{refused:?}");
        desk.engine.write(Insert("c", Mishap::None)).await.unwrap();
    }

    /// Removes the log and then writes.
    struct RemoveLog(std::path::PathBuf, &'static str);

    #[async_trait]
    impl Write for RemoveLog {
        type Answer = ();

        async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
            std::fs::remove_file(&self.0).unwrap();
            sqlx::query(INSERT).bind(self.1).bind(7).execute(connection).await?;
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_removed_log_that_cannot_be_merged_at_once_is_merged_when_the_store_is_closed() {
        let short = |config: StoreConfig| config.with_busy_timeout(Duration::from_millis(5));
        for mishap in ["somebody reads", "the disk fails", "the row is bad"] {
            let desk = open(SystemClock::shared(), short).await;
            desk.engine.write(Insert("a", Mishap::None)).await.unwrap();
            // Its connection is open to the end: the last that is closed would merge the log by itself.
            let mut open_to_the_end = desk.engine.read().await.unwrap();
            sqlx::query(PROBE).execute(open_to_the_end.connection().unwrap()).await.unwrap();
            let held = if mishap == "somebody reads" { Some(read_on(&desk.engine).await) } else { None };
            fail(&desk.engine, usize::from(mishap == "the disk fails"));
            let key = if mishap == "the row is bad" { "a" } else { "b" };
            let refused = desk.engine.write(RemoveLog(desk.folder.path().join("desk.db-wal"), key)).await;
            assert!(refused.is_err(), "{mishap}");
            let next = desk.engine.write(Insert("c", Mishap::None)).await;
            assert!(matches!(next, Err(StoreError::Corrupt { .. })), "{mishap}: {next:?}");
            if let Some(held) = held {
                read_no_more(held).await;
            }
            assert!(desk.engine.close(Duration::from_secs(10)).await.is_clean());
            drop(open_to_the_end);
            let Desk { config, folder, .. } = desk;
            let desk = open_in(folder, SystemClock::shared(), config).await;
            assert_eq!(value(&desk.engine, "a").await, Some(7), "{mishap}");
        }
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
