//! Rows of the chunks. Those of one series never overlap in time.

use sqlx::SqliteConnection;

use crate::samples::{Columns, decode_chunk, encode_chunk};

const NEXT_START: &str = "SELECT min(t_min) FROM chunks WHERE series_id = ?1 AND t_min > ?2";
const BEFORE: &str =
    "SELECT id, t_max, n FROM chunks WHERE series_id = ?1 AND t_min <= ?2 ORDER BY t_min DESC LIMIT 1";
const DATA: &str = "SELECT n, crc32, data FROM chunks WHERE id = ?1";
const PUT: &str = "INSERT INTO chunks
    (series_id, t_min, t_max, n, v_min, v_max, v_sum, v_first, v_last, crc32, data)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const REMOVE: &str = "DELETE FROM chunks WHERE id = ?1";
const PUT_ASIDE: &str = "INSERT INTO damaged (source, found_at, reason, data)
    SELECT 'chunks of series ' || series_id || ' from ' || t_min, ?2, ?3, data FROM chunks WHERE id = ?1";
const PRUNE: &str =
    "DELETE FROM chunks WHERE id IN (SELECT id FROM chunks WHERE t_max < ?1 ORDER BY t_max LIMIT ?2)";
const READ: &str = "SELECT id, t_min, t_max, n, v_min, v_max, v_sum, v_first, v_last, crc32,
    CASE WHEN ?5 > 0 AND v_sum IS NOT NULL AND t_min > ?2 AND t_max <= ?3
        AND (t_min - ?6 - 1) / ?5 = (t_max - ?6 - 1) / ?5 THEN NULL ELSE data END
    FROM chunks WHERE series_id = ?1
    AND t_min >= coalesce((SELECT max(t_min) FROM chunks WHERE series_id = ?1 AND t_min <= ?2), ?2)
    AND t_min <= ?3 AND t_max > ?2 ORDER BY t_min LIMIT ?4";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[NEXT_START, BEFORE, DATA, PUT, REMOVE, PUT_ASIDE, PRUNE, READ];

/// Most samples of a chunk.
const MAX_SAMPLES: usize = 1_024;
/// A chunk with fewer is filled up when more come.
const SMALL: usize = 256;

/// What sealing came to.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Sealed {
    pub(super) chunks: u64,
    /// Chunks that could not be read and were put aside.
    pub(super) damaged: u64,
}

/// Puts samples of a series, by rising stamp, into chunks. Those that fall into a chunk that is there are merged with it; of two
/// samples of one instant the new one stays.
pub(super) async fn seal(
    connection: &mut SqliteConnection,
    series: i64,
    samples: &[(i64, f64)],
    now: i64,
) -> sqlx::Result<Sealed> {
    let mut sealed = Sealed::default();
    let mut rest = samples;
    while let Some(&(first, _)) = rest.first() {
        let (next,): (Option<i64>,) =
            sqlx::query_as(NEXT_START).bind(series).bind(first).fetch_one(&mut *connection).await?;
        let end = next.map_or(rest.len(), |next| rest.partition_point(|sample| sample.0 < next));
        let (here, after) = rest.split_at(end);
        rest = after;
        let before: Option<(i64, i64, i64)> =
            sqlx::query_as(BEFORE).bind(series).bind(first).fetch_optional(&mut *connection).await?;
        let before = before.filter(|&(_, t_max, n)| {
            let n = usize::try_from(n).unwrap_or(usize::MAX);
            t_max >= first || (n < SMALL && n + here.len() <= MAX_SAMPLES)
        });
        match before {
            None => sealed.chunks += put(connection, series, here).await?,
            Some((id, ..)) => {
                let merged = match stored(connection, id).await? {
                    Ok(old) => merge(&old, here),
                    Err(reason) => {
                        put_aside(connection, id, now, &reason).await?;
                        sealed.damaged += 1;
                        here.to_vec()
                    }
                };
                sqlx::query(REMOVE).bind(id).execute(&mut *connection).await?;
                sealed.chunks += put(connection, series, &merged).await?;
            }
        }
    }
    Ok(sealed)
}

/// The samples of a chunk, or why it cannot be read.
async fn stored(connection: &mut SqliteConnection, id: i64) -> sqlx::Result<Result<Vec<(i64, f64)>, String>> {
    let (n, crc, data): (i64, i64, Vec<u8>) = sqlx::query_as(DATA).bind(id).fetch_one(connection).await?;
    Ok(decoded(n, crc, &data))
}

fn decoded(n: i64, crc: i64, data: &[u8]) -> Result<Vec<(i64, f64)>, String> {
    let found = crc32fast::hash(data);
    if i64::from(found) != crc {
        return Err(format!("checksum {found:#010x}, expected {crc:#010x}"));
    }
    let n = usize::try_from(n).map_err(|_| format!("{n} samples"))?;
    decode_chunk(data, n).map_err(|error| error.to_string())
}

/// Two runs by rising stamp as one; of two samples of one instant that of `new` stays.
pub(crate) fn merge(old: &[(i64, f64)], new: &[(i64, f64)]) -> Vec<(i64, f64)> {
    let mut merged = Vec::with_capacity(old.len() + new.len());
    let mut old = old.iter().copied().peekable();
    for &sample in new {
        while let Some(earlier) = old.next_if(|earlier| earlier.0 < sample.0) {
            merged.push(earlier);
        }
        old.next_if(|same| same.0 == sample.0);
        merged.push(sample);
    }
    merged.extend(old);
    merged
}

async fn put(connection: &mut SqliteConnection, series: i64, samples: &[(i64, f64)]) -> sqlx::Result<u64> {
    let pieces = samples.len().div_ceil(MAX_SAMPLES).max(1);
    let mut chunks = 0;
    for piece in samples.chunks(samples.len().div_ceil(pieces).max(1)) {
        let (Some(columns), Some(first), Some(last)) = (Columns::of(piece), piece.first(), piece.last())
        else {
            continue;
        };
        let data = encode_chunk(piece);
        sqlx::query(PUT)
            .bind(series)
            .bind(first.0)
            .bind(last.0)
            .bind(piece.len() as i64)
            .bind(columns.min)
            .bind(columns.max)
            .bind(Some(columns.sum).filter(|sum| sum.is_finite()))
            .bind(columns.first)
            .bind(columns.last)
            .bind(i64::from(crc32fast::hash(&data)))
            .bind(data)
            .execute(&mut *connection)
            .await?;
        chunks += 1;
    }
    Ok(chunks)
}

async fn put_aside(connection: &mut SqliteConnection, id: i64, now: i64, reason: &str) -> sqlx::Result<()> {
    sqlx::query(PUT_ASIDE).bind(id).bind(now).bind(reason).execute(connection).await?;
    Ok(())
}

/// Deletes up to `limit` chunks that end before an instant; tells how many.
pub(super) async fn prune(connection: &mut SqliteConnection, before: i64, limit: i64) -> sqlx::Result<u64> {
    let pruned = sqlx::query(PRUNE).bind(before).bind(limit).execute(connection).await?;
    Ok(pruned.rows_affected())
}

/// A chunk that is read: by its columns alone where they are enough.
#[derive(Debug)]
pub(crate) struct ChunkRow {
    pub(crate) id: i64,
    pub(crate) t_min: i64,
    pub(crate) t_max: i64,
    pub(crate) content: Content,
}

/// What was read of a chunk.
#[derive(Debug)]
pub(crate) enum Content {
    /// It lies within one step.
    Columns(Columns),
    /// By rising stamp.
    Samples(Vec<(i64, f64)>),
    /// It cannot be read.
    Damaged(String),
}

/// Which chunks of a series.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) series: i64,
    /// With samples after this instant,
    pub(crate) from: i64,
    /// up to this one.
    pub(crate) to: i64,
    /// Length of a step in microseconds, if columns are enough for chunks within one; zero if samples are needed.
    pub(crate) step: i64,
    /// Where the first step begins.
    pub(crate) origin: i64,
}

type Row = (i64, i64, i64, i64, f64, f64, Option<f64>, f64, f64, i64, Option<Vec<u8>>);

/// Up to `limit` chunks in the order of time.
pub(crate) async fn read(
    connection: &mut SqliteConnection,
    window: Window,
    limit: usize,
) -> sqlx::Result<Vec<ChunkRow>> {
    let rows: Vec<Row> = sqlx::query_as(READ)
        .bind(window.series)
        .bind(window.from)
        .bind(window.to)
        .bind(limit as i64)
        .bind(window.step)
        .bind(window.origin)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(row).collect())
}

fn row((id, t_min, t_max, n, min, max, sum, first, last, crc, data): Row) -> ChunkRow {
    let content = match (data, sum) {
        (Some(data), _) => match decoded(n, crc, &data) {
            Ok(samples) => Content::Samples(samples),
            Err(reason) => Content::Damaged(reason),
        },
        (None, Some(sum)) => {
            Content::Columns(Columns { count: n.unsigned_abs(), min, max, sum, first, last })
        }
        (None, None) => Content::Damaged("neither samples nor a sum".to_owned()),
    };
    ChunkRow { id, t_min, t_max, content }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_runs_are_in_order_and_the_new_sample_of_an_instant_stays() {
        let old = [(1, 1.0), (3, 3.0), (5, 5.0)];
        let new = [(0, 0.5), (3, -3.0), (4, 4.0), (9, 9.0)];
        assert_eq!(merge(&old, &new), [(0, 0.5), (1, 1.0), (3, -3.0), (4, 4.0), (5, 5.0), (9, 9.0)]);
        assert_eq!(merge(&[], &new), new);
        assert_eq!(merge(&old, &[]), old);
    }
    #[test]
    fn a_flipped_bit_that_the_codec_cannot_see_is_seen_by_the_checksum() {
        let samples = [(0, 0.1), (1, 1e300), (2, -7.3e-200), (3, std::f64::consts::PI)];
        let mut data = encode_chunk(&samples);
        let crc = i64::from(crc32fast::hash(&data));
        assert_eq!(decoded(4, crc, &data).unwrap(), samples);
        *data.last_mut().unwrap() ^= 1;
        assert_ne!(decode_chunk(&data, 4).unwrap(), samples, "the codec takes it for another value");
        assert!(decoded(4, crc, &data).unwrap_err().contains("checksum"));
    }
}
