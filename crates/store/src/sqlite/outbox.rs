//! Rows of the outbox, of settled keys and of dead letters.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::earlier_claims::EarlierClaims;
use super::request::{Durability, Write};

const IS_KNOWN: &str = "SELECT EXISTS (SELECT 1 FROM outbox WHERE channel = ?1 AND key = ?2)
    OR EXISTS (SELECT 1 FROM settled WHERE channel = ?1 AND key = ?2)";
const PUT: &str = "INSERT INTO outbox (channel, key, group_key, severity, leads, due_at, created_at, payload)
    SELECT ?1, ?2, ?3, ?4, NOT EXISTS (SELECT 1 FROM outbox WHERE channel = ?1 AND group_key = ?3), ?5, ?5, ?6
    WHERE NOT EXISTS (SELECT 1 FROM settled WHERE channel = ?1 AND key = ?2)
    AND (SELECT count(*) FROM outbox) < ?7
    ON CONFLICT (channel, key) DO NOTHING";
const OWN: &str = "SELECT id, coalesce(fence, 0) > ?4 AND due_at > ?3, payload FROM outbox
    WHERE channel = ?1 AND key = ?2";
const BEFORE: &str = "SELECT id, key, payload, attempts, coalesce(fence, 0) > ?5 AND due_at > ?4 FROM outbox
    WHERE channel = ?1 AND group_key = ?2 AND id < ?3 ORDER BY id DESC LIMIT 1";
const TAKE_PLACE: &str = "UPDATE outbox SET key = ?2, payload = ?3, severity = ?4, due_at = ?5, attempts = ?6, fence = NULL WHERE id = ?1";
const MILDEST: &str =
    "SELECT id, severity FROM outbox WHERE coalesce(fence, 0) <= ?1 ORDER BY severity, id LIMIT 1";
const COUNT_DUE: &str = "SELECT count(*) FROM
    (SELECT 1 FROM outbox WHERE channel = ?1 AND leads = 1 AND due_at <= ?2 LIMIT ?3)";
const NEXT_FENCES: &str = "UPDATE meta SET value = value + ?1 WHERE key = 'fence' RETURNING value - ?1";
const CLAIM: &str = "UPDATE outbox SET fence = ?4 + due.place, attempts = attempts + 1, due_at = ?5
    FROM (SELECT id, row_number() OVER (ORDER BY severity DESC, id) AS place FROM outbox
          WHERE channel = ?1 AND leads = 1 AND due_at <= ?2 ORDER BY severity DESC, id LIMIT ?3) AS due
    WHERE outbox.id = due.id
    RETURNING outbox.id, fence, attempts, payload";
const TAKE: &str = "DELETE FROM outbox WHERE id = ?1 RETURNING channel, key, group_key, attempts, payload";
const REMOVE: &str = "DELETE FROM outbox WHERE id = ?1";
const SETTLE: &str = "DELETE FROM outbox WHERE channel = ?1 AND key = ?2 AND fence = ?3 RETURNING channel, key, group_key, attempts, payload";
const MOVE_UP: &str = "UPDATE outbox SET leads = 1
    WHERE id = (SELECT min(id) FROM outbox WHERE channel = ?1 AND group_key = ?2) AND leads = 0";
const REMEMBER: &str =
    "INSERT INTO settled (channel, key) VALUES (?1, ?2) ON CONFLICT (channel, key) DO NOTHING RETURNING id";
const FORGET: &str = "DELETE FROM settled WHERE id <= ?1";
const BURY: &str = "INSERT INTO dead_letters (at, channel, attempts, reason, payload) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id";
const FORGET_LETTERS: &str = "DELETE FROM dead_letters WHERE id <= ?1";
const GIVE_BACK: &str =
    "UPDATE outbox SET fence = NULL, due_at = ?4, attempts = ?5, last_error = coalesce(?6, last_error)
    WHERE channel = ?1 AND key = ?2 AND fence = ?3";
const PUT_ASIDE: &str =
    "INSERT INTO damaged (source, found_at, reason, data) VALUES ('outbox', ?1, ?2, CAST(?3 AS BLOB))";
const NEXT_DUE: &str = "SELECT min(due_at) FROM outbox WHERE channel = ?1 AND leads = 1";
const NEXT_DUE_OR_EARLIER: &str = "SELECT min(CASE WHEN fence <= ?2 THEN min(due_at, ?3) ELSE due_at END)
    FROM outbox WHERE channel = ?1 AND leads = 1";
const PENDING: &str = "SELECT count(*) FROM outbox WHERE channel = ?1";
const LETTERS: &str = "SELECT id, at, channel, attempts, reason, payload FROM dead_letters WHERE id < ?1 ORDER BY id DESC LIMIT ?2";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    IS_KNOWN,
    PUT,
    OWN,
    BEFORE,
    TAKE_PLACE,
    MILDEST,
    COUNT_DUE,
    NEXT_FENCES,
    CLAIM,
    TAKE,
    REMOVE,
    SETTLE,
    MOVE_UP,
    REMEMBER,
    FORGET,
    BURY,
    FORGET_LETTERS,
    GIVE_BACK,
    PUT_ASIDE,
    NEXT_DUE,
    NEXT_DUE_OR_EARLIER,
    PENDING,
    LETTERS,
];

/// What identifies a delivery: its channel and the sixteen bytes of its key.
#[derive(Debug, Clone)]
pub(crate) struct DeliveryKey {
    pub(crate) channel: String,
    pub(crate) key: [u8; 16],
}

/// A delivery that is to be put.
#[derive(Debug, Clone)]
pub(crate) struct NewDelivery {
    pub(crate) key: DeliveryKey,
    pub(crate) group: String,
    pub(crate) severity: i64,
    pub(crate) payload: String,
}

/// How much the outbox holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) open: i64,
    pub(crate) settled: i64,
    pub(crate) letters: i64,
}

/// A row that is no longer open.
#[derive(Debug)]
struct Taken {
    channel: String,
    key: Vec<u8>,
    group_key: String,
    attempts: i64,
    payload: String,
}

/// A row as `TAKE` and `SETTLE` tell it.
type TakenRow = (String, Vec<u8>, String, i64, String);

impl Taken {
    fn of((channel, key, group_key, attempts, payload): TakenRow) -> Self {
        Self { channel, key, group_key, attempts, payload }
    }

    /// Remembers its key, and lets the next of its group move up.
    async fn leave(&self, connection: &mut SqliteConnection, bounds: Bounds) -> sqlx::Result<()> {
        remember(connection, &self.channel, &self.key, bounds).await?;
        sqlx::query(MOVE_UP).bind(&self.channel).bind(&self.group_key).execute(&mut *connection).await?;
        Ok(())
    }

    async fn bury(
        &self,
        connection: &mut SqliteConnection,
        at: i64,
        reason: &str,
        bounds: Bounds,
    ) -> sqlx::Result<()> {
        let letter = (self.channel.as_str(), self.attempts, self.payload.as_str());
        bury(connection, at, letter, reason, bounds).await
    }
}

async fn remember(
    connection: &mut SqliteConnection,
    channel: &str,
    key: &[u8],
    bounds: Bounds,
) -> sqlx::Result<()> {
    let id: Option<(i64,)> =
        sqlx::query_as(REMEMBER).bind(channel).bind(key).fetch_optional(&mut *connection).await?;
    if let Some((id,)) = id.filter(|(id,)| *id > bounds.settled) {
        sqlx::query(FORGET).bind(id - bounds.settled).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn bury(
    connection: &mut SqliteConnection,
    at: i64,
    (channel, attempts, payload): (&str, i64, &str),
    reason: &str,
    bounds: Bounds,
) -> sqlx::Result<()> {
    let (id,): (i64,) = sqlx::query_as(BURY)
        .bind(at)
        .bind(channel)
        .bind(attempts)
        .bind(reason)
        .bind(payload)
        .fetch_one(&mut *connection)
        .await?;
    if id > bounds.letters {
        sqlx::query(FORGET_LETTERS).bind(id - bounds.letters).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A newer message in the place of an older one.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) payload: String,
    pub(crate) severity: i64,
    /// Whether the attempts made of the older one are not its own.
    pub(crate) anew: bool,
}

/// A newer message in the place of an older one, from the payloads of both; nothing if it must not take that place.
pub(crate) type Merge = fn(newer: &str, older: &str) -> Option<Merged>;

/// Puts deliveries, all or none; tells how many were new.
#[derive(Debug)]
pub(crate) struct Put {
    pub(crate) deliveries: Vec<NewDelivery>,
    pub(crate) now: i64,
    pub(crate) bounds: Bounds,
    pub(crate) earlier: Arc<EarlierClaims>,
    /// How each takes the place of those before it in its group, if it should.
    pub(crate) merge: Option<Merge>,
}

/// A delivery that need not be put any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placed {
    /// It was known already.
    Known,
    /// It stands where an older one stood.
    New,
}

#[async_trait]
impl Write for Put {
    type Answer = usize;

    async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<usize> {
        let mut new = 0;
        for delivery in &self.deliveries {
            if let Some(merge) = self.merge
                && let Some(placed) = self.supersede(connection, delivery, merge).await?
            {
                new += usize::from(placed == Placed::New);
                continue;
            }
            if self.put(connection, delivery, self.bounds.open).await? {
                new += 1;
            } else if self.is_new(connection, delivery).await? {
                // It is full.
                new += 1;
                if self.make_room(connection, delivery.severity).await? {
                    self.put(connection, delivery, i64::MAX).await?;
                } else {
                    self.refuse(connection, delivery).await?;
                }
            }
        }
        Ok(new)
    }
}

impl Put {
    /// Puts a delivery where the oldest row is that it takes the place of; nothing if it is still to be put.
    async fn supersede(
        &self,
        connection: &mut SqliteConnection,
        delivery: &NewDelivery,
        merge: Merge,
    ) -> sqlx::Result<Option<Placed>> {
        let DeliveryKey { channel, key } = &delivery.key;
        let own: Option<(i64, bool, String)> = sqlx::query_as(OWN)
            .bind(channel)
            .bind(&key[..])
            .bind(self.now)
            .bind(self.earlier.last())
            .fetch_optional(&mut *connection)
            .await?;
        let (own, mut payload) = match own {
            Some((_, true, _)) => return Ok(Some(Placed::Known)),
            Some((id, false, payload)) => (Some(id), payload),
            None if !self.is_new(connection, delivery).await? => return Ok(Some(Placed::Known)),
            None => (None, delivery.payload.clone()),
        };
        let (mut severity, mut attempts) = (delivery.severity, 0);
        let mut replaced: Vec<(i64, Vec<u8>)> = Vec::new();
        loop {
            let before: Option<(i64, Vec<u8>, String, i64, bool)> = sqlx::query_as(BEFORE)
                .bind(channel)
                .bind(&delivery.group)
                .bind(replaced.last().map(|(id, _)| *id).or(own).unwrap_or(i64::MAX))
                .bind(self.now)
                .bind(self.earlier.last())
                .fetch_optional(&mut *connection)
                .await?;
            let Some((id, key, older, made, false)) = before else { break };
            let Some(both) = merge(&payload, &older) else { break };
            (payload, severity) = (both.payload, both.severity);
            if !both.anew {
                attempts = made;
            }
            replaced.push((id, key));
        }
        let Some((place, _)) = replaced.last() else {
            return Ok(own.map(|_| Placed::Known));
        };
        let given_up = replaced.iter().map(|(id, _)| *id).filter(|id| id != place);
        for id in own.into_iter().chain(given_up) {
            sqlx::query(REMOVE).bind(id).execute(&mut *connection).await?;
        }
        for (_, key) in &replaced {
            remember(connection, channel, key, self.bounds).await?;
        }
        sqlx::query(TAKE_PLACE)
            .bind(place)
            .bind(&key[..])
            .bind(&payload)
            .bind(severity)
            .bind(self.now)
            .bind(attempts)
            .execute(&mut *connection)
            .await?;
        Ok(Some(if own.is_some() { Placed::Known } else { Placed::New }))
    }

    /// Tells whether it was put: neither if it is known nor if there are `most` already.
    async fn put(
        &self,
        connection: &mut SqliteConnection,
        delivery: &NewDelivery,
        most: i64,
    ) -> sqlx::Result<bool> {
        let put = sqlx::query(PUT)
            .bind(&delivery.key.channel)
            .bind(&delivery.key.key[..])
            .bind(&delivery.group)
            .bind(delivery.severity)
            .bind(self.now)
            .bind(&delivery.payload)
            .bind(most)
            .execute(connection)
            .await?;
        Ok(put.rows_affected() > 0)
    }

    async fn is_new(&self, connection: &mut SqliteConnection, delivery: &NewDelivery) -> sqlx::Result<bool> {
        let DeliveryKey { channel, key } = &delivery.key;
        let (known,): (bool,) =
            sqlx::query_as(IS_KNOWN).bind(channel).bind(&key[..]).fetch_one(&mut *connection).await?;
        Ok(!known)
    }

    /// Gives up the oldest of the mildest that nobody holds; not if all of them are worse than the new one.
    async fn make_room(&self, connection: &mut SqliteConnection, severity: i64) -> sqlx::Result<bool> {
        let mildest: Option<(i64, i64)> =
            sqlx::query_as(MILDEST).bind(self.earlier.last()).fetch_optional(&mut *connection).await?;
        let Some((id, _)) = mildest.filter(|(_, mild)| *mild <= severity) else { return Ok(false) };
        let taken = Taken::of(sqlx::query_as(TAKE).bind(id).fetch_one(&mut *connection).await?);
        taken.leave(connection, self.bounds).await?;
        taken.bury(connection, self.now, &self.reason(), self.bounds).await?;
        Ok(true)
    }

    async fn refuse(&self, connection: &mut SqliteConnection, delivery: &NewDelivery) -> sqlx::Result<()> {
        let DeliveryKey { channel, key } = &delivery.key;
        remember(connection, channel, key, self.bounds).await?;
        let letter = (channel.as_str(), 0, delivery.payload.as_str());
        bury(connection, self.now, letter, &self.reason(), self.bounds).await
    }

    fn reason(&self) -> String {
        format!("the outbox is full: it holds {} deliveries", self.bounds.open)
    }
}

/// A delivery that is claimed.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) id: i64,
    pub(crate) fence: i64,
    pub(crate) attempts: i64,
    pub(crate) payload: String,
}

/// Claims what is due, the worst first. What an earlier opening had claimed is due.
#[derive(Debug)]
pub(crate) struct ClaimDue {
    pub(crate) channel: String,
    pub(crate) now: i64,
    pub(crate) until: i64,
    pub(crate) limit: i64,
    pub(crate) earlier: Arc<EarlierClaims>,
}

#[async_trait]
impl Write for ClaimDue {
    type Answer = Vec<Claimed>;

    /// A claim that is undone was made for nothing: the delivery is open again, and its sender gone with the power.
    fn durability(&self) -> Durability {
        Durability::Committed
    }

    fn committed(&mut self) {
        self.earlier.given_back();
    }

    async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<Vec<Claimed>> {
        self.earlier.give_back(connection, self.now).await?;
        let (due,): (i64,) = sqlx::query_as(COUNT_DUE)
            .bind(&self.channel)
            .bind(self.now)
            .bind(self.limit)
            .fetch_one(&mut *connection)
            .await?;
        if due == 0 {
            return Ok(Vec::new());
        }
        let (fence,): (i64,) = sqlx::query_as(NEXT_FENCES).bind(due).fetch_one(&mut *connection).await?;
        let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(CLAIM)
            .bind(&self.channel)
            .bind(self.now)
            .bind(due)
            .bind(fence)
            .bind(self.until)
            .fetch_all(&mut *connection)
            .await?;
        let claimed = |(id, fence, attempts, payload)| Claimed { id, fence, attempts, payload };
        let mut claimed: Vec<Claimed> = rows.into_iter().map(claimed).collect();
        claimed.sort_by_key(|claimed| claimed.fence);
        Ok(claimed)
    }
}

/// Puts rows aside that hold no delivery, so that they block nothing.
#[derive(Debug)]
pub(crate) struct PutAside {
    pub(crate) rows: Vec<(i64, String)>,
    pub(crate) now: i64,
    pub(crate) bounds: Bounds,
}

#[async_trait]
impl Write for PutAside {
    type Answer = ();

    /// Undone, it is found again.
    fn durability(&self) -> Durability {
        Durability::Committed
    }

    async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        for (id, reason) in &self.rows {
            let taken: Option<TakenRow> =
                sqlx::query_as(TAKE).bind(id).fetch_optional(&mut *connection).await?;
            let Some(taken) = taken.map(Taken::of) else { continue };
            taken.leave(connection, self.bounds).await?;
            sqlx::query(PUT_ASIDE)
                .bind(self.now)
                .bind(reason)
                .bind(&taken.payload)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}

/// What becomes of a claim.
#[derive(Debug)]
pub(crate) enum Settlement {
    /// Taken by its channel.
    Delivered,
    /// Given up.
    Dead { at: i64, reason: String },
    /// Open again.
    Again { at: i64, attempts: i64, error: Option<String> },
}

/// Settles a claim; tells whether it was still held.
#[derive(Debug)]
pub(crate) struct Settle {
    pub(crate) key: DeliveryKey,
    pub(crate) fence: i64,
    pub(crate) settlement: Settlement,
    pub(crate) bounds: Bounds,
}

#[async_trait]
impl Write for Settle {
    type Answer = bool;

    /// A settlement that is undone is a delivery that is made once more, with the same key.
    fn durability(&self) -> Durability {
        Durability::Committed
    }

    async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        let DeliveryKey { channel, key } = &self.key;
        if let Settlement::Again { at, attempts, error } = &self.settlement {
            let given = sqlx::query(GIVE_BACK)
                .bind(channel)
                .bind(&key[..])
                .bind(self.fence)
                .bind(at)
                .bind(attempts)
                .bind(error)
                .execute(&mut *connection)
                .await?;
            return Ok(given.rows_affected() > 0);
        }
        let taken: Option<TakenRow> = sqlx::query_as(SETTLE)
            .bind(channel)
            .bind(&key[..])
            .bind(self.fence)
            .fetch_optional(&mut *connection)
            .await?;
        let Some(taken) = taken.map(Taken::of) else { return Ok(false) };
        taken.leave(connection, self.bounds).await?;
        if let Settlement::Dead { at, reason } = &self.settlement {
            taken.bury(connection, *at, reason, self.bounds).await?;
        }
        Ok(true)
    }
}

/// When something of a channel is due; what an earlier opening had claimed is due now, unless `earlier`, the last fence of such claims, is
/// zero.
pub(crate) async fn next_due(
    connection: &mut SqliteConnection,
    channel: &str,
    earlier: i64,
    now: i64,
) -> sqlx::Result<Option<i64>> {
    let asked = if earlier > 0 {
        sqlx::query_as(NEXT_DUE_OR_EARLIER).bind(channel).bind(earlier).bind(now)
    } else {
        // Answered by an index alone.
        sqlx::query_as(NEXT_DUE).bind(channel)
    };
    let (at,): (Option<i64>,) = asked.fetch_one(connection).await?;
    Ok(at)
}

/// How much of a channel is open.
pub(crate) async fn pending(connection: &mut SqliteConnection, channel: &str) -> sqlx::Result<i64> {
    let (count,): (i64,) = sqlx::query_as(PENDING).bind(channel).fetch_one(connection).await?;
    Ok(count)
}

/// A dead letter as it is stored.
#[derive(Debug)]
pub(crate) struct LetterRow {
    pub(crate) id: i64,
    pub(crate) at: i64,
    pub(crate) channel: String,
    pub(crate) attempts: i64,
    pub(crate) reason: String,
    pub(crate) payload: String,
}

/// The newest dead letters before `before`.
pub(crate) async fn letters(
    connection: &mut SqliteConnection,
    before: i64,
    limit: i64,
) -> sqlx::Result<Vec<LetterRow>> {
    let rows: Vec<(i64, i64, String, i64, String, String)> =
        sqlx::query_as(LETTERS).bind(before).bind(limit).fetch_all(connection).await?;
    let letter = |(id, at, channel, attempts, reason, payload)| LetterRow {
        id,
        at,
        channel,
        attempts,
        reason,
        payload,
    };
    Ok(rows.into_iter().map(letter).collect())
}
