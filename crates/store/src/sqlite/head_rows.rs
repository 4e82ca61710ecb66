//! Rows of the head log.

use sqlx::SqliteConnection;

use crate::samples::{BatchId, Tick, encode_head};

const PUT: &str =
    "INSERT INTO head (boot, batch, t_min, t_max, n, crc32, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (boot, batch) DO NOTHING RETURNING seq";
const ALL: &str = "SELECT seq, crc32, data FROM head ORDER BY seq";
const REMOVE_BEFORE: &str = "DELETE FROM head WHERE seq < ?1";
const REMOVE: &str = "DELETE FROM head WHERE seq = ?1";
const PUT_ASIDE: &str = "INSERT INTO damaged (source, found_at, reason, data)
    SELECT 'head', ?2, ?3, data FROM head WHERE seq = ?1";
const REPLACE: &str = "UPDATE head SET n = ?2, crc32 = ?3, data = ?4 WHERE seq = ?1";
const PUT_PART_ASIDE: &str =
    "INSERT INTO damaged (source, found_at, reason, data) VALUES ('head', ?1, ?2, ?3)";
const NEXT_BOOT: &str = "UPDATE meta SET value = value + 1 WHERE key = 'boots' RETURNING value";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[PUT, ALL, REMOVE_BEFORE, REMOVE, PUT_ASIDE, REPLACE, PUT_PART_ASIDE, NEXT_BOOT];

/// Adds the ticks of a flush; gives the row's number and bytes, or nothing if they are there already.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    id: BatchId,
    ticks: &[Tick],
) -> sqlx::Result<Option<(i64, usize)>> {
    let stamps = ticks.iter().map(|tick| tick.at);
    let samples = samples(ticks);
    let data = encode_head(ticks);
    let bytes = data.len();
    let row: Option<(i64,)> = sqlx::query_as(PUT)
        .bind(id.boot)
        .bind(id.batch)
        .bind(stamps.clone().min().unwrap_or(0))
        .bind(stamps.max().unwrap_or(0))
        .bind(samples as i64)
        .bind(i64::from(crc32fast::hash(&data)))
        .bind(data)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|(row,)| (row, bytes)))
}

fn samples(ticks: &[Tick]) -> usize {
    ticks.iter().map(|tick| tick.values.len()).sum()
}

/// A row: its number, its checksum, its bytes.
pub(super) type HeadRow = (i64, i64, Vec<u8>);

/// All rows, the oldest first.
pub(super) async fn all(connection: &mut SqliteConnection) -> sqlx::Result<Vec<HeadRow>> {
    sqlx::query_as(ALL).fetch_all(connection).await
}

/// Deletes the rows before one.
pub(super) async fn remove_before(connection: &mut SqliteConnection, row: i64) -> sqlx::Result<()> {
    sqlx::query(REMOVE_BEFORE).bind(row).execute(connection).await?;
    Ok(())
}

/// Moves a row that cannot be read to where damaged ones are kept.
pub(super) async fn put_aside(
    connection: &mut SqliteConnection,
    row: i64,
    now: i64,
    reason: &str,
) -> sqlx::Result<()> {
    sqlx::query(PUT_ASIDE).bind(row).bind(now).bind(reason).execute(&mut *connection).await?;
    sqlx::query(REMOVE).bind(row).execute(&mut *connection).await?;
    Ok(())
}

/// Moves a part of a row to where damaged ones are kept; `rest` stays.
pub(super) async fn put_part_aside(
    connection: &mut SqliteConnection,
    row: i64,
    (part, rest): (&[Tick], &[Tick]),
    now: i64,
    reason: &str,
) -> sqlx::Result<()> {
    let part = encode_head(part);
    sqlx::query(PUT_PART_ASIDE).bind(now).bind(reason).bind(part).execute(&mut *connection).await?;
    if rest.is_empty() {
        sqlx::query(REMOVE).bind(row).execute(&mut *connection).await?;
        return Ok(());
    }
    let data = encode_head(rest);
    sqlx::query(REPLACE)
        .bind(row)
        .bind(samples(rest) as i64)
        .bind(i64::from(crc32fast::hash(&data)))
        .bind(data)
        .execute(&mut *connection)
        .await?;
    Ok(())
}

/// The number of this start: never given twice.
pub(super) async fn next_boot(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    let (boot,): (i64,) = sqlx::query_as(NEXT_BOOT).fetch_one(connection).await?;
    Ok(boot)
}
