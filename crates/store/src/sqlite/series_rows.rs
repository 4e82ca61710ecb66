//! Rows of the series.

use std::sync::Arc;

use bellwether_core::{Descriptor, Kind, Labels, MetricName, SeriesKey, Unit};
use sqlx::SqliteConnection;

const PUT: &str = "INSERT INTO series (name, labels, kind, unit, help) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (name, labels) DO UPDATE SET kind = excluded.kind, unit = excluded.unit, help = excluded.help
    RETURNING id";
const ALL: &str = "SELECT id, name, labels, kind, unit, help, sealed_seq FROM series";
const SEALED: &str = "UPDATE series SET sealed_seq = ?2 WHERE id = ?1";
const WITHOUT_CHUNKS: &str =
    "SELECT id FROM series WHERE NOT EXISTS (SELECT 1 FROM chunks WHERE chunks.series_id = series.id)";
const REMOVE: &str = "DELETE FROM series WHERE id = ?1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[PUT, ALL, SEALED, WITHOUT_CHUNKS, REMOVE];

fn kind_number(kind: Kind) -> i64 {
    match kind {
        Kind::Counter => 0,
        Kind::Histogram => 2,
        _ => 1,
    }
}

fn kind(number: i64) -> Kind {
    match number {
        0 => Kind::Counter,
        2 => Kind::Histogram,
        _ => Kind::Gauge,
    }
}

fn unit(word: String) -> Unit {
    match word.as_str() {
        "" => Unit::None,
        "seconds" => Unit::Seconds,
        "bytes" => Unit::Bytes,
        "ratio" => Unit::Ratio,
        "bps" => Unit::BasisPoints,
        "usd" => Unit::Usd,
        _ => Unit::Other(word.into()),
    }
}

fn encoded(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Encode(error.into())
}

/// Gives a series its number, the same each time; what is told about it is brought up to date.
pub(super) async fn put(connection: &mut SqliteConnection, key: &SeriesKey) -> sqlx::Result<i64> {
    let Descriptor { name, kind, unit, help } = &*key.descriptor;
    let labels = serde_json::to_string(&key.labels).map_err(encoded)?;
    let (id,): (i64,) = sqlx::query_as(PUT)
        .bind(name.as_str())
        .bind(labels)
        .bind(kind_number(*kind))
        .bind(unit.as_str())
        .bind(&**help)
        .fetch_one(connection)
        .await?;
    Ok(id)
}

/// A series as it is stored.
pub(super) struct SeriesRow {
    pub(super) number: i64,
    /// The series, or why it cannot be read.
    pub(super) key: Result<SeriesKey, String>,
    pub(super) sealed_row: i64,
}

type Row = (i64, String, String, i64, String, String, i64);

/// All series.
pub(super) async fn all(connection: &mut SqliteConnection) -> sqlx::Result<Vec<SeriesRow>> {
    let rows: Vec<Row> = sqlx::query_as(ALL).fetch_all(connection).await?;
    Ok(rows.into_iter().map(read).collect())
}

fn read((number, name, labels, kind_number, unit_word, help, sealed_row): Row) -> SeriesRow {
    let name = MetricName::new(name).map_err(|error| error.to_string());
    let labels = serde_json::from_str::<Labels>(&labels).map_err(|error| error.to_string());
    let key = name.and_then(|name| {
        let descriptor =
            Descriptor { name, kind: kind(kind_number), unit: unit(unit_word), help: help.into() };
        Ok(SeriesKey { descriptor: Arc::new(descriptor), labels: labels? })
    });
    SeriesRow { number, key, sealed_row }
}

/// All samples of a series up to a row of the head log are in chunks.
pub(super) async fn sealed(connection: &mut SqliteConnection, number: i64, row: i64) -> sqlx::Result<()> {
    sqlx::query(SEALED).bind(number).bind(row).execute(connection).await?;
    Ok(())
}

/// Series that no chunk belongs to.
pub(super) async fn without_chunks(connection: &mut SqliteConnection) -> sqlx::Result<Vec<i64>> {
    let rows: Vec<(i64,)> = sqlx::query_as(WITHOUT_CHUNKS).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(number,)| number).collect())
}

pub(super) async fn remove(connection: &mut SqliteConnection, number: i64) -> sqlx::Result<()> {
    sqlx::query(REMOVE).bind(number).execute(connection).await?;
    Ok(())
}
