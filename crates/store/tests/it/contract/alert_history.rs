//! The contract of an alert history.

use bellwether_alerts::{
    Alert, AlertChange, AlertHistory, AlertQuery, AlertState, Category, RepositoryError,
};
use bellwether_core::{CursorError, PageRequest, Severity};

use crate::fixture::{limit, range, time};

/// An empty history keeps all promises of the trait.
pub(crate) async fn keeps_the_alert_history_contract(history: &impl AlertHistory) {
    let changes: Vec<AlertChange> = (0..80).map(change).collect();
    for part in changes.chunks(9) {
        history.append(part).await.unwrap();
    }
    history.append(&[]).await.unwrap();
    let mut newest: Vec<_> = changes.iter().enumerate().collect();
    newest.sort_by_key(|(place, change)| std::cmp::Reverse((change.at, *place)));
    let all: Vec<AlertChange> = newest.into_iter().map(|(_, change)| change.clone()).collect();

    let risk = Some(Category::new("risk").unwrap());
    let any = AlertQuery::default;
    let queries = [
        any(),
        AlertQuery { category: risk.clone(), ..any() },
        AlertQuery { severity: Some(Severity::Critical), ..any() },
        AlertQuery { state: Some(AlertState::Resolved), ..any() },
        AlertQuery { category: risk.clone(), severity: Some(Severity::Error), ..any() },
        AlertQuery { severity: Some(Severity::Error), state: Some(AlertState::Firing), ..any() },
        AlertQuery { range: Some(range(4, 12)), ..any() },
        AlertQuery {
            category: risk,
            severity: Some(Severity::Warning),
            state: Some(AlertState::Firing),
            range: Some(range(2, 15)),
        },
        AlertQuery { range: Some(range(500, 600)), ..any() },
    ];
    for query in &queries {
        let expected: Vec<_> = all.iter().filter(|change| query.matches(change)).cloned().collect();
        for per_page in [1, 3, 1_000] {
            assert_eq!(joined(history, query, per_page).await, expected, "{query:?} by {per_page}");
        }
    }
    a_page_goes_on_where_it_ended_while_changes_arrive(history, &all).await;
    let first = history.read(&queries[0], &PageRequest::first(limit(2))).await.unwrap();
    let refused = history.read(&queries[1], &PageRequest::after(limit(2), first.next.unwrap())).await;
    assert_eq!(refused, Err(RepositoryError::Cursor(CursorError::OtherQuery)));
}

async fn a_page_goes_on_where_it_ended_while_changes_arrive(
    history: &impl AlertHistory,
    all: &[AlertChange],
) {
    let query = AlertQuery::default();
    let mut page = PageRequest::first(limit(10));
    let mut joined = Vec::new();
    loop {
        let read = history.read(&query, &page).await.unwrap();
        joined.extend(read.items);
        history.append(&[AlertChange { at: time(1_000), ..change(1) }]).await.unwrap();
        let Some(next) = read.next else { break };
        page = PageRequest::after(limit(10), next);
    }
    assert_eq!(joined, all);
}

fn change(i: usize) -> AlertChange {
    let at = time((i / 4) as i64);
    let firing = Alert::builder(format!("Alert{}", i % 7), time(-5))
        .label("desk", "\u{1F4C9} \"'; --")
        .severity(Severity::ALL[i % 4])
        .category(Category::new(if i.is_multiple_of(3) { "risk" } else { "feed" }).unwrap())
        .annotation("summary", format!("line {i}\nnext"))
        .value(0.1 * i as f64 + 1e-17)
        .build()
        .unwrap();
    AlertChange::new(at, if i.is_multiple_of(2) { firing } else { firing.resolved(at).unwrap() })
}

async fn joined(history: &impl AlertHistory, query: &AlertQuery, per_page: u32) -> Vec<AlertChange> {
    let mut page = PageRequest::first(limit(per_page));
    let mut all = Vec::new();
    loop {
        let read = history.read(query, &page).await.unwrap();
        assert!(read.items.len() <= per_page as usize);
        all.extend(read.items);
        let Some(next) = read.next else { return all };
        page = PageRequest::after(limit(per_page), next);
    }
}
