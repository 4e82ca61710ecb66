//! The contract of a notification log.

use bellwether_alerts::{
    DeliveryOutcome, NotificationLog, NotificationQuery, NotificationRecord, Receipt, ReceiverName,
    RepositoryError,
};
use bellwether_core::{CursorError, PageRequest, Severity};

use crate::fixture::{channel, limit, message, range, time};

/// An empty log keeps all promises of the trait.
pub(crate) async fn keeps_the_notification_log_contract(log: &impl NotificationLog) {
    let records: Vec<NotificationRecord> = (0..60).map(record).collect();
    for part in records.chunks(7) {
        log.append(part).await.unwrap();
    }
    log.append(&records[20..40]).await.unwrap();
    log.append(&[]).await.unwrap();

    // The newest first; of one instant the last added first.
    let mut newest: Vec<_> = records.iter().enumerate().collect();
    newest.sort_by_key(|(place, record)| std::cmp::Reverse((record.at, *place)));
    let all: Vec<NotificationRecord> = newest.into_iter().map(|(_, record)| record.clone()).collect();

    let of = |to: Option<&str>, receiver: Option<&str>| NotificationQuery {
        channel: to.map(channel),
        receiver: receiver.map(|name| ReceiverName::new(name.to_owned()).unwrap()),
        range: None,
    };
    let within =
        |from, to| NotificationQuery { range: Some(range(from, to)), ..NotificationQuery::default() };
    let queries = [
        NotificationQuery::default(),
        of(Some("pager"), None),
        of(None, Some("desk")),
        of(None, Some("nobody")),
        of(Some("mail"), Some("desk")),
        within(3, 11),
        within(50, 60),
        NotificationQuery { range: Some(range(2, 9)), ..of(Some("mail"), Some("desk")) },
    ];
    for query in &queries {
        let expected: Vec<_> = all.iter().filter(|record| query.matches(record)).cloned().collect();
        for per_page in [1, 4, 1_000] {
            assert_eq!(joined(log, query, per_page).await, expected, "{query:?} by {per_page}");
        }
    }
    let first = log.read(&queries[0], &PageRequest::first(limit(2))).await.unwrap();
    let foreign = PageRequest::after(limit(2), first.next.unwrap());
    let refused = log.read(&queries[1], &foreign).await;
    assert_eq!(refused, Err(RepositoryError::Cursor(CursorError::OtherQuery)));
}

fn record(i: u64) -> NotificationRecord {
    let outcome = match i % 3 {
        0 => DeliveryOutcome::Delivered { receipt: Receipt::with_id(format!("id \"{i}\"")) },
        1 => DeliveryOutcome::Dead { reason: "it's; DROP TABLE outbox; --".to_owned() },
        _ => DeliveryOutcome::Skipped,
    };
    NotificationRecord {
        at: time((i / 4) as i64),
        channel: channel(if i % 5 < 2 { "pager" } else { "mail" }),
        notification: message("G", i, Severity::ALL[i as usize % 4]),
        attempts: i as u32,
        outcome,
    }
}

async fn joined(
    log: &impl NotificationLog,
    query: &NotificationQuery,
    per_page: u32,
) -> Vec<NotificationRecord> {
    let mut page = PageRequest::first(limit(per_page));
    let mut all = Vec::new();
    loop {
        let read = log.read(query, &page).await.unwrap();
        assert!(read.items.len() <= per_page as usize);
        all.extend(read.items);
        let Some(next) = read.next else { return all };
        page = PageRequest::after(limit(per_page), next);
    }
}
