//! The schema, step by step, forward only.

use sqlx::SqliteConnection;

use super::file::APPLICATION_ID;

/// One step of the schema. Once released its text never changes.
struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "alerts_samples_snapshots",
    sql: include_str!("../../migrations/sqlite/0001_alerts_samples_snapshots.sql"),
}];

const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const READ_APPLICATION_ID: &str = "SELECT application_id FROM pragma_application_id";
const COUNT_TABLES: &str = "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
const HAS_MIGRATIONS: &str =
    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '_bellwether_migrations'";
const CREATE_MIGRATIONS: &str = "CREATE TABLE IF NOT EXISTS _bellwether_migrations (
    version    INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    checksum   INTEGER NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT";
const APPLIED: &str = "SELECT version, checksum FROM _bellwether_migrations ORDER BY version";
const RECORD: &str =
    "INSERT INTO _bellwether_migrations (version, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[BEGIN, COMMIT, READ_APPLICATION_ID, COUNT_TABLES, HAS_MIGRATIONS, CREATE_MIGRATIONS, APPLIED, RECORD];

/// What a database is before anything in it is changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing is in it yet.
    Empty,
    /// Ours, with a schema that can be brought up to date.
    Ours,
    /// Somebody else's.
    Foreign(String),
    /// Ours, of a later version than this one.
    Newer { found: i64, known: i64 },
    /// Ours, but not as it was left.
    Changed(String),
}

fn checksum(sql: &str) -> i64 {
    i64::from(crc32fast::hash(sql.as_bytes()))
}

/// Reads what is there. Changes nothing.
pub(super) async fn look(connection: &mut SqliteConnection) -> sqlx::Result<Found> {
    let (id,): (i64,) = sqlx::query_as(READ_APPLICATION_ID).fetch_one(&mut *connection).await?;
    let (tables,): (i64,) = sqlx::query_as(COUNT_TABLES).fetch_one(&mut *connection).await?;
    let (migrations,): (i64,) = sqlx::query_as(HAS_MIGRATIONS).fetch_one(&mut *connection).await?;
    if id == 0 && tables == 0 {
        return Ok(Found::Empty);
    }
    if id != i64::from(APPLICATION_ID) {
        let what = if id == 0 {
            format!("{tables} tables and no application id")
        } else {
            format!("the application id {id:#010x}")
        };
        return Ok(Found::Foreign(what));
    }
    if migrations == 0 {
        return Ok(Found::Changed("it has no table _bellwether_migrations".to_owned()));
    }
    let applied: Vec<(i64, i64)> = sqlx::query_as(APPLIED).fetch_all(&mut *connection).await?;
    let known = MIGRATIONS.last().map_or(0, |last| last.version);
    if let Some((found, _)) = applied.last().copied().filter(|(version, _)| *version > known) {
        return Ok(Found::Newer { found, known });
    }
    for (expected, (version, sum)) in MIGRATIONS.iter().zip(&applied) {
        if *version != expected.version || *sum != checksum(expected.sql) {
            return Ok(Found::Changed(format!(
                "migration {version} is not the one of this version of Bellwether"
            )));
        }
    }
    Ok(Found::Ours)
}

/// Brings the schema up to date, all or nothing.
pub(super) async fn migrate(connection: &mut SqliteConnection, now: i64) -> sqlx::Result<()> {
    sqlx::query(BEGIN).execute(&mut *connection).await?;
    sqlx::query(CREATE_MIGRATIONS).execute(&mut *connection).await?;
    let applied: Vec<(i64, i64)> = sqlx::query_as(APPLIED).fetch_all(&mut *connection).await?;
    for migration in MIGRATIONS.iter().skip(applied.len()) {
        sqlx::raw_sql(migration.sql).execute(&mut *connection).await?;
        sqlx::query(RECORD)
            .bind(migration.version)
            .bind(migration.name)
            .bind(checksum(migration.sql))
            .bind(now)
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query(COMMIT).execute(&mut *connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_from_one_without_a_gap() {
        for (at, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.version, at as i64 + 1, "{}", migration.name);
        }
    }
}
