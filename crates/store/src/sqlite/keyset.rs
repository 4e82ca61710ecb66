//! Pages by key: lists that are read by time, the newest first.

use async_trait::async_trait;
use bellwether_core::{Cursor, CursorError, Page, PageRequest, TimeRange};
use sqlx::query::QueryAs;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{FromRow, Sqlite, SqliteConnection};

use super::engine::Engine;
use crate::StoreError;

/// A list that is read by time, the newest first.
#[async_trait]
pub(crate) trait List: Sync {
    /// A row as it is stored.
    type Row: Send;

    /// Where a row stands in the list.
    fn place(row: &Self::Row) -> Place;

    /// Reads the rows of a page and, to tell whether there are more, one beyond.
    async fn read(&self, connection: &mut SqliteConnection, page: &Keyset) -> sqlx::Result<Vec<Self::Row>>;
}

/// Where a row stands in a list: its instant in microseconds and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at: i64,
    pub(crate) id: i64,
}

impl Place {
    /// What the cursor of a query says.
    fn of(cursor: &Cursor, query: u64) -> Result<Self, CursorError> {
        let key = cursor.key(query)?;
        let place = key
            .split_once(' ')
            .and_then(|(at, id)| Some(Self { at: at.parse().ok()?, id: id.parse().ok()? }));
        place.ok_or(CursorError::Malformed { text: key })
    }

    fn cursor(self, query: u64) -> Cursor {
        Cursor::new(query, &format!("{} {}", self.at, self.id))
    }
}

/// Which rows of a list are a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keyset {
    /// Before this place, not with it.
    before: Place,
    /// After the first instant, up to the second.
    within: (i64, i64),
    limit: usize,
    /// Stands for the question, to tie cursors to it.
    query: u64,
}

impl Keyset {
    /// The newest rows.
    pub(crate) fn newest(limit: usize) -> Self {
        let before = Place { at: i64::MAX, id: i64::MAX };
        Self { before, within: (i64::MIN, i64::MAX), limit, query: 0 }
    }

    /// What a page of the answer to a question asks for.
    pub(crate) fn of(page: &PageRequest, range: Option<TimeRange>, query: u64) -> Result<Self, CursorError> {
        let all = Self::newest(page.limit.get());
        let before = page.after.as_ref().map_or(Ok(all.before), |cursor| Place::of(cursor, query))?;
        let within = range.map_or(all.within, |range| (range.start().as_micros(), range.end().as_micros()));
        Ok(Self { before, within, query, ..all })
    }

    /// The rows of `sql` before the instant `?1` and the id `?2`, after `?3`, up to `?4`, at most `?5` of them.
    pub(super) fn select<R>(&self, sql: &'static str) -> QueryAs<'static, Sqlite, R, SqliteArguments>
    where
        R: for<'r> FromRow<'r, SqliteRow>,
    {
        let (after, upto) = self.within;
        let limit = self.limit as i64 + 1;
        sqlx::query_as(sql).bind(self.before.at).bind(self.before.id).bind(after).bind(upto).bind(limit)
    }
}

impl Engine {
    /// One page of a list, and where the next one begins.
    pub(crate) async fn page<L: List>(&self, list: &L, page: Keyset) -> Result<Page<L::Row>, StoreError> {
        let mut reader = self.read().await?;
        let found = list.read(reader.connection()?, &page).await;
        let mut items = found.map_err(|error| reader.fault(error))?;
        reader.done();
        let more = items.len() > page.limit;
        items.truncate(page.limit);
        let next = items.last().filter(|_| more).map(|last| L::place(last).cursor(page.query));
        Ok(Page { items, next })
    }
}
