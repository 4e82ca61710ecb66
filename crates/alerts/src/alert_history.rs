//! What fired and what was resolved, over time.
use async_trait::async_trait;
use bellwether_core::{Page, PageRequest, Severity, TimeRange, Timestamp};
use chrono::{DateTime, Utc};

use crate::notification_log::check;
use crate::{Alert, AlertState, Category, RepositoryError};

mod memory;

pub use memory::MemoryAlertHistory;

/// An alert came into a state.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AlertChange {
    /// When.
    pub at: DateTime<Utc>,
    /// Which state.
    pub state: AlertState,
    /// The alert as it was then.
    pub alert: Alert,
}

impl AlertChange {
    /// An alert came into the state it is in.
    pub fn new(at: DateTime<Utc>, alert: Alert) -> Self {
        Self { at, state: alert.state(), alert }
    }
}

/// Which changes to read; without any condition all of them.
///
/// ```
/// use bellwether_alerts::{AlertQuery, AlertState, Category};
/// use bellwether_core::Severity;
/// let fired = AlertQuery { state: Some(AlertState::Firing), severity: Some(Severity::Critical), ..AlertQuery::default() };
/// # let _ = fired;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct AlertQuery {
    /// Only those of this category.
    pub category: Option<Category>,
    /// Only those of exactly this severity.
    pub severity: Option<Severity>,
    /// Only changes into this state.
    pub state: Option<AlertState>,
    /// Only changes in this time.
    pub range: Option<TimeRange>,
}

impl AlertQuery {
    /// A number that stands for the question, to tie cursors to it.
    pub fn check(&self) -> u64 {
        check(self)
    }

    /// Whether a change is meant.
    pub fn matches(&self, change: &AlertChange) -> bool {
        self.category.as_ref().is_none_or(|category| category == change.alert.category())
            && self.severity.is_none_or(|severity| severity == change.alert.severity())
            && self.state.is_none_or(|state| state == change.state)
            && self.range.is_none_or(|range| within(range, change.at))
    }
}

/// Whether an instant lies in a range.
pub(crate) fn within(range: TimeRange, at: DateTime<Utc>) -> bool {
    Timestamp::try_from(at).is_ok_and(|at| range.contains(at))
}

/// What fired and what was resolved, over time.
#[async_trait]
pub trait AlertHistory: Send + Sync {
    /// Adds changes, in the order in which they happened.
    async fn append(&self, changes: &[AlertChange]) -> Result<(), RepositoryError>;

    /// One page, the newest first; changes of one instant the last added first.
    async fn read(
        &self,
        query: &AlertQuery,
        page: &PageRequest,
    ) -> Result<Page<AlertChange>, RepositoryError>;
}
