//! What fired and what was resolved, over time.

use bellwether_alerts::{AlertChange, AlertHistory, AlertQuery, AlertState, RepositoryError};
use bellwether_core::{Page, PageRequest, async_trait};

use super::{StoredAlerts, corrupt, instant, rank, rows};
use crate::sqlite::alert_history::{Append, NewChange, Which};
use crate::sqlite::keyset::Keyset;

const NAME: &str = "alert history";

fn new(change: &AlertChange) -> Result<NewChange, serde_json::Error> {
    let alert = &change.alert;
    Ok(NewChange {
        at: change.at.timestamp_micros(),
        state: change.state.as_str(),
        severity: rank(alert.severity()),
        category: alert.category().as_str().to_owned(),
        fingerprint: alert.fingerprint().as_u128().to_be_bytes(),
        labels: serde_json::to_string(alert.labels())?,
        current: i64::from(change.state == AlertState::Firing),
        change: serde_json::to_string(change)?,
    })
}

#[async_trait]
impl AlertHistory for StoredAlerts {
    async fn append(&self, changes: &[AlertChange]) -> Result<(), RepositoryError> {
        let changes = changes.iter().map(new).collect::<Result<Vec<_>, _>>().map_err(corrupt(NAME))?;
        if changes.is_empty() {
            return Ok(());
        }
        self.write(NAME, Append { changes, most: rows(self.config.alert_history) }).await
    }

    async fn read(
        &self,
        query: &AlertQuery,
        page: &PageRequest,
    ) -> Result<Page<AlertChange>, RepositoryError> {
        let which = Which {
            category: query.category.as_ref().map(|category| category.as_str().to_owned()),
            severity: query.severity.map(rank),
            state: query.state.map(AlertState::as_str),
        };
        let page = Keyset::of(page, query.range, query.check())?;
        let found = self.engine.page(&which, page).await.map_err(|error| error.of(NAME))?;
        let Page { items: found, next } = found;
        let mut items = Vec::with_capacity(found.len());
        for (id, at, text) in &found {
            match serde_json::from_str::<AlertChange>(text) {
                Ok(change) => items.push(AlertChange { at: instant(*at), ..change }),
                Err(error) => self.passed_over("alert_history", *id, &error),
            }
        }
        Ok(Page { items, next })
    }
}
