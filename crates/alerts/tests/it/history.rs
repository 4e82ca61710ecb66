//! History and notification log in memory: bounds, indexes, pages.
use std::sync::Arc;
use std::time::Duration;

use bellwether_alerts::{
    Alert, AlertChange, AlertHistory, AlertQuery, AlertState, Category, ChannelName, DeliveryOutcome,
    GroupKey, MemoryAlertHistory, MemoryNotificationLog, Notification, NotificationLog, NotificationQuery,
    NotificationRecord, Receipt, ReceiverName, RepositoryError,
};
use bellwether_core::{CursorError, Labels, Limit, PageRequest, Severity, TimeRange, Timestamp};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use crate::block_on;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn range(from: i64, upto: i64) -> TimeRange {
    TimeRange::new(Timestamp::from_seconds(from).unwrap(), Timestamp::from_seconds(upto).unwrap()).unwrap()
}

fn change(name: &str, category: &str, severity: Severity, seconds: i64, over: bool) -> AlertChange {
    let alert =
        Alert::builder(name, at(0)).severity(severity).category(Category::new(category.to_owned()).unwrap());
    let alert = if over { alert.resolved_at(at(seconds)) } else { alert };
    AlertChange::new(at(seconds), alert.build().unwrap())
}

fn read(history: &MemoryAlertHistory, query: &AlertQuery, limit: u32) -> Vec<AlertChange> {
    block_on(async {
        let mut page = PageRequest::first(Limit::new(limit).unwrap());
        let mut all = Vec::new();
        loop {
            let read = history.read(query, &page).await.unwrap();
            assert!(read.items.len() <= limit as usize);
            all.extend(read.items);
            match read.next {
                Some(next) => page.after = Some(next),
                None => return all,
            }
        }
    })
}

#[test]
fn what_is_over_goes_before_what_still_fires() {
    block_on(async {
        let history = MemoryAlertHistory::new(3, Duration::from_secs(1_000));
        let changes = [
            change("still", "risk", Severity::Error, 1, false),
            change("over", "risk", Severity::Error, 2, false),
            change("over", "risk", Severity::Error, 3, true),
            change("new", "risk", Severity::Error, 4, false),
            change("newer", "risk", Severity::Error, 5, false),
        ];
        history.append(&changes).await.unwrap();
        let left: Vec<_> = history.read(&AlertQuery::default(), &PageRequest::default()).await.unwrap().items;
        let names: Vec<_> = left.iter().map(|change| change.alert.name().to_owned()).collect();
        assert_eq!(
            (names, history.pruned()),
            (vec!["newer".to_owned(), "new".to_owned(), "still".to_owned()], 2)
        );
    });
}

#[test]
fn old_changes_go_unless_they_say_what_still_fires() {
    block_on(async {
        let history = MemoryAlertHistory::new(100, Duration::from_secs(10));
        let early = [change("a", "x", Severity::Info, 1, false), change("b", "x", Severity::Info, 1, false)];
        history.append(&early).await.unwrap();
        history.append(&[change("a", "x", Severity::Info, 2, true)]).await.unwrap();
        history.append(&[change("c", "x", Severity::Info, 13, false)]).await.unwrap();
        let left = history.read(&AlertQuery::default(), &PageRequest::default()).await.unwrap().items;
        let names: Vec<_> = left.iter().map(|change| change.alert.name()).collect();
        assert_eq!((names, history.len()), (vec!["c", "b"], 2));
    });
}

#[test]
fn a_cursor_is_for_its_own_question() {
    block_on(async {
        let history = MemoryAlertHistory::default();
        let changes: Vec<_> = (0..3).map(|i| change("a", "x", Severity::Info, i, false)).collect();
        history.append(&changes).await.unwrap();
        let page = PageRequest::first(Limit::new(1).unwrap());
        let next = history.read(&AlertQuery::default(), &page).await.unwrap().next.unwrap();
        let other = AlertQuery { state: Some(AlertState::Firing), ..AlertQuery::default() };
        let answer = history.read(&other, &PageRequest::after(Limit::DEFAULT, next)).await;
        assert_eq!(answer, Err(RepositoryError::Cursor(CursorError::OtherQuery)));
    });
}

#[test]
fn the_log_is_read_by_channel_and_receiver_and_keeps_its_bound() {
    block_on(async {
        let log = MemoryNotificationLog::new(4);
        for (i, channel) in ["mail", "pager", "mail", "mail", "pager", "mail"].into_iter().enumerate() {
            let receiver = ReceiverName::new(if i % 2 == 0 { "even" } else { "odd" }).unwrap();
            let group = GroupKey::from_text("{}:{}");
            let message =
                Notification::alerts(receiver, group, Labels::empty(), i as u64, at(i as i64), vec![]);
            let record = NotificationRecord {
                at: at(i as i64),
                channel: ChannelName::new(channel).unwrap(),
                notification: Arc::new(message),
                attempts: 1,
                outcome: DeliveryOutcome::Delivered { receipt: Receipt::delivered() },
            };
            log.append(&[record.clone(), record]).await.unwrap();
        }
        assert_eq!(log.pruned(), 2);
        let read = async |query: NotificationQuery| {
            let mut sequences = Vec::new();
            let mut page = PageRequest::first(Limit::new(1).unwrap());
            loop {
                let read = log.read(&query, &page).await.unwrap();
                sequences.extend(read.items.iter().map(|record| record.notification.sequence()));
                match read.next {
                    Some(next) => page.after = Some(next),
                    None => return sequences,
                }
            }
        };
        assert_eq!(read(NotificationQuery::default()).await, [5, 4, 3, 2]);
        let mail = ChannelName::new("mail").unwrap();
        assert_eq!(read(NotificationQuery { channel: Some(mail), ..Default::default() }).await, [5, 3, 2]);
        let odd = ReceiverName::new("odd").unwrap();
        assert_eq!(read(NotificationQuery { receiver: Some(odd), ..Default::default() }).await, [5, 3]);
        assert_eq!(read(NotificationQuery { range: Some(range(2, 4)), ..Default::default() }).await, [4, 3]);
    });
}

prop_compose! {
    fn any_change()(name in 0_u8..4, category in 0_usize..3, severity in 0_usize..4, seconds in 0_i64..60, over in any::<bool>())
        -> AlertChange {
        change(&format!("a{name}"), ["risk", "feed", "system"][category], Severity::ALL[severity], seconds, over)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_index_finds_what_a_scan_finds(
        changes in prop::collection::vec(any_change(), 0..60), limit in 1_u32..20,
        category in prop::option::of(0_usize..3), severity in prop::option::of(0_usize..4), over in prop::option::of(any::<bool>()),
        between in prop::option::of((0_i64..60, 0_i64..60)),
    ) {
        let history = MemoryAlertHistory::new(1_000, Duration::from_secs(1_000));
        block_on(history.append(&changes)).unwrap();
        let query = AlertQuery {
            category: category.map(|i| Category::new(["risk", "feed", "system"][i]).unwrap()),
            severity: severity.map(|i| Severity::ALL[i]),
            state: over.map(|over| if over { AlertState::Resolved } else { AlertState::Firing }),
            range: between.map(|(a, b)| range(a.min(b), a.max(b))),
        };
        let mut scanned: Vec<_> = changes.iter().enumerate().filter(|(_, change)| query.matches(change)).collect();
        scanned.sort_by_key(|(index, change)| std::cmp::Reverse((change.at, *index)));
        let scanned: Vec<_> = scanned.into_iter().map(|(_, change)| change.clone()).collect();
        prop_assert_eq!(read(&history, &query, limit), scanned);
    }

    #[test]
    fn the_bounds_hold_whatever_comes(
        changes in prop::collection::vec(any_change(), 0..80), capacity in 1_usize..10, age in 1_u64..40,
    ) {
        let history = MemoryAlertHistory::new(capacity, Duration::from_secs(age));
        for change in &changes {
            block_on(history.append(std::slice::from_ref(change))).unwrap();
            prop_assert!(history.len() <= capacity);
        }
        let left = read(&history, &AlertQuery::default(), 100);
        prop_assert_eq!(left.len(), history.len());
        prop_assert_eq!(left.len() as u64 + history.pruned(), changes.len() as u64);
        let newest = left.first().map(|change| change.at);
        for change in left.iter().filter(|change| change.state == AlertState::Resolved) {
            prop_assert!(newest.unwrap() - change.at <= TimeDelta::seconds(age as i64));
        }
    }
}
