//! What is kept of the time that samples were taken in for.

use sqlx::SqliteConnection;

use crate::samples::KeptAge;

const READ: &str = "SELECT key, value FROM meta WHERE key GLOB 'samples_age_*'";
const PUT: &str =
    "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
const REMOVE: &str = "DELETE FROM meta WHERE key = ?1";
const FORGET: &str = "DELETE FROM meta WHERE key GLOB 'samples_age_*'";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[READ, PUT, REMOVE, FORGET];

/// The keys it is kept under.
mod key {
    pub(super) const SPAN: &str = "samples_age_span";
    pub(super) const OPEN: &str = "samples_age_open";
    /// Before the number of a span: the lowest instant that came in it.
    pub(super) const LOWEST: &str = "samples_age_lowest_";

    pub(super) fn lowest(span: i64) -> String {
        format!("{LOWEST}{span}")
    }
}

/// All that is kept.
pub(super) async fn read(connection: &mut SqliteConnection) -> sqlx::Result<KeptAge> {
    let rows: Vec<(String, i64)> = sqlx::query_as(READ).fetch_all(connection).await?;
    let mut kept = KeptAge::default();
    for (key, value) in rows {
        match key.as_str() {
            key::SPAN => kept.span = Some(value),
            key::OPEN => kept.open = value,
            other => {
                if let Some(number) = other.strip_prefix(key::LOWEST).and_then(|number| number.parse().ok()) {
                    kept.lowest.push((number, value));
                }
            }
        }
    }
    kept.lowest.sort_unstable();
    Ok(kept)
}

/// Keeps what is new, and no longer the spans that have gone.
pub(super) async fn put(connection: &mut SqliteConnection, new: &KeptAge, gone: &[i64]) -> sqlx::Result<()> {
    let lowest = new.lowest.iter().map(|(number, lowest)| (key::lowest(*number), *lowest));
    let span = new.span.map(|span| (key::SPAN.to_owned(), span));
    for (key, value) in lowest.chain(span).chain([(key::OPEN.to_owned(), new.open)]) {
        sqlx::query(PUT).bind(key).bind(value).execute(&mut *connection).await?;
    }
    for number in gone {
        sqlx::query(REMOVE).bind(key::lowest(*number)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Keeps nothing of it.
pub(super) async fn forget(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query(FORGET).execute(connection).await?;
    Ok(())
}
