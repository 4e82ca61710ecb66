//! The contract of an outbox.

use std::time::Duration;

use bellwether_alerts::{Claim, DeadLetter, Delivery, Outbox, Receipt, RepositoryError};
use bellwether_core::{Cursor, CursorError, PageRequest, Severity};
use proptest::prelude::*;

use crate::fixture::{channel, delivery, limit, time};

const LEASE: Duration = Duration::from_secs(30);

/// An empty outbox keeps all promises of the trait.
pub(crate) async fn keeps_the_outbox_contract(outbox: &impl Outbox) {
    putting_twice_is_putting_once(outbox).await;
    the_worst_comes_first_and_a_group_stays_in_order(outbox).await;
    a_lease_ends_and_then_the_old_fence_changes_nothing(outbox).await;
    a_retry_counts_and_a_release_does_not(outbox).await;
    dead_letters_come_newest_first_in_pages(outbox).await;
    an_unknown_channel_has_nothing(outbox).await;
}

async fn claim(outbox: &impl Outbox, to: &str, seconds: i64, limit: usize) -> Vec<Claim> {
    outbox.claim(&channel(to), time(seconds), limit, LEASE).await.unwrap()
}

fn groups(claims: &[Claim]) -> Vec<(&str, u64)> {
    let group =
        |claim: &Claim| (claim.notification().firing()[0].name().to_owned(), claim.notification().sequence());
    claims.iter().map(group).map(|(name, sequence)| (&*name.leak(), sequence)).collect()
}

async fn putting_twice_is_putting_once(outbox: &impl Outbox) {
    let first = delivery("once", "A", 1, Severity::Info);
    let second = delivery("once", "B", 1, Severity::Info);
    assert_eq!(outbox.put(std::slice::from_ref(&first), time(0)).await, Ok(1));
    assert_eq!(outbox.put(&[first.clone(), second.clone(), second.clone()], time(0)).await, Ok(1));
    assert_eq!(outbox.pending(&channel("once")).await, Ok(2));
    let claims = claim(outbox, "once", 0, 10).await;
    assert_eq!(claims[0].delivery(), &first, "what comes out is what was put in");
    outbox.delivered(&claims[0], &Receipt::with_id("r1"), time(1)).await.unwrap();
    outbox.dead(&claims[1], time(1), "no such user").await.unwrap();
    assert_eq!(outbox.pending(&channel("once")).await, Ok(0));
    assert_eq!(outbox.put(&[first.clone(), second], time(2)).await, Ok(0), "settled keys are remembered");
    let elsewhere = Delivery::new(channel("once-too"), first.notification().clone());
    assert_eq!(outbox.put(&[elsewhere], time(2)).await, Ok(1), "another channel is another delivery");
}

async fn the_worst_comes_first_and_a_group_stays_in_order(outbox: &impl Outbox) {
    let put = [
        delivery("order", "A", 1, Severity::Info),
        delivery("order", "A", 2, Severity::Critical),
        delivery("order", "B", 1, Severity::Error),
        delivery("order", "C", 1, Severity::Error),
        delivery("order", "D", 1, Severity::Critical),
    ];
    assert_eq!(outbox.put(&put, time(0)).await, Ok(5));
    let claims = claim(outbox, "order", 0, 3).await;
    assert_eq!(groups(&claims), [("D", 1), ("B", 1), ("C", 1)]);
    let last = claim(outbox, "order", 0, 3).await;
    assert_eq!(groups(&last), [("A", 1)], "a later message of a group waits for the one before");
    assert_eq!(claim(outbox, "order", 0, 3).await, []);
    outbox.retry_at(&last[0], time(60), "reset").await.unwrap();
    assert_eq!(claim(outbox, "order", 1, 3).await, [], "also while that one waits to be tried again");
    let again = claim(outbox, "order", 60, 1).await;
    assert_eq!(groups(&again), [("D", 1)], "leases have ended");
    let rest = claim(outbox, "order", 60, 9).await;
    assert_eq!(groups(&rest), [("B", 1), ("C", 1), ("A", 1)]);
    outbox.delivered(&rest[2], &Receipt::delivered(), time(60)).await.unwrap();
    assert_eq!(groups(&claim(outbox, "order", 60, 9).await), [("A", 2)], "and then the next moves up");
    let fences: std::collections::HashSet<u64> =
        claims.iter().chain(&last).chain(&again).chain(&rest).map(Claim::fence).collect();
    assert_eq!(fences.len(), 8, "no fence is given twice");
}

async fn a_lease_ends_and_then_the_old_fence_changes_nothing(outbox: &impl Outbox) {
    outbox.put(&[delivery("lease", "A", 1, Severity::Info)], time(0)).await.unwrap();
    let old = claim(outbox, "lease", 0, 1).await.remove(0);
    assert_eq!((old.attempt(), old.leased_until()), (1, time(30)));
    assert_eq!(outbox.next_due(&channel("lease")).await, Ok(Some(time(30))));
    assert_eq!(claim(outbox, "lease", 29, 1).await, []);
    let new = claim(outbox, "lease", 30, 1).await.remove(0);
    assert_eq!(new.attempt(), 2);
    let fenced = RepositoryError::Fenced { channel: "lease".into(), fence: old.fence() };
    assert_eq!(outbox.delivered(&old, &Receipt::delivered(), time(31)).await, Err(fenced.clone()));
    assert_eq!(outbox.retry_at(&old, time(31), "late").await, Err(fenced.clone()));
    assert_eq!(outbox.release(&old, time(31)).await, Err(fenced.clone()));
    assert_eq!(outbox.dead(&old, time(31), "late").await, Err(fenced));
    assert_eq!(outbox.pending(&channel("lease")).await, Ok(1));
    outbox.delivered(&new, &Receipt::delivered(), time(31)).await.unwrap();
    assert!(outbox.delivered(&new, &Receipt::delivered(), time(31)).await.is_err(), "settled once");
    assert_eq!(outbox.next_due(&channel("lease")).await, Ok(None));
}

async fn a_retry_counts_and_a_release_does_not(outbox: &impl Outbox) {
    outbox.put(&[delivery("retry", "A", 1, Severity::Info)], time(5)).await.unwrap();
    assert_eq!(outbox.next_due(&channel("retry")).await, Ok(Some(time(5))));
    assert_eq!(claim(outbox, "retry", 4, 1).await, []);
    let first = claim(outbox, "retry", 5, 1).await.remove(0);
    outbox.release(&first, time(7)).await.unwrap();
    assert_eq!(outbox.next_due(&channel("retry")).await, Ok(Some(time(7))));
    let second = claim(outbox, "retry", 7, 1).await.remove(0);
    assert_eq!(second.attempt(), 1);
    outbox.retry_at(&second, time(9), "reset by peer").await.unwrap();
    let third = claim(outbox, "retry", 9, 1).await.remove(0);
    assert_eq!(third.attempt(), 2);
    outbox.dead(&third, time(9), "enough").await.unwrap();
    let letters = outbox.dead_letters(&PageRequest::default()).await.unwrap().items;
    let letter = letters.iter().find(|letter| letter.delivery.channel() == "retry").unwrap();
    assert_eq!((letter.attempts, letter.reason.as_str(), letter.at), (2, "enough", time(9)));
}

async fn dead_letters_come_newest_first_in_pages(outbox: &impl Outbox) {
    let put: Vec<_> = (1..=25).map(|i| delivery("dead", &format!("G{i}"), 1, Severity::Info)).collect();
    outbox.put(&put, time(0)).await.unwrap();
    for (i, claim) in claim(outbox, "dead", 0, 25).await.iter().enumerate() {
        outbox.dead(claim, time(i as i64), &format!("reason {i}")).await.unwrap();
    }
    let whole = outbox.dead_letters(&PageRequest::first(limit(1_000))).await.unwrap();
    assert_eq!(whole.next, None);
    let reasons: Vec<&str> = whole.items.iter().map(|letter| letter.reason.as_str()).take(25).collect();
    assert_eq!(reasons, (0..25).rev().map(|i| format!("reason {i}")).collect::<Vec<_>>());
    let mut page = PageRequest::first(limit(7));
    let mut joined: Vec<DeadLetter> = Vec::new();
    loop {
        let read = outbox.dead_letters(&page).await.unwrap();
        joined.extend(read.items);
        let Some(next) = read.next else { break };
        page = PageRequest::after(limit(7), next);
    }
    assert_eq!(joined, whole.items);
    for cursor in [Cursor::from_text("nonsense"), Cursor::new(0, "x")] {
        let refused = outbox.dead_letters(&PageRequest::after(limit(1), cursor)).await;
        assert!(
            matches!(refused, Err(RepositoryError::Cursor(CursorError::Malformed { .. }))),
            "{refused:?}"
        );
    }
}

async fn an_unknown_channel_has_nothing(outbox: &impl Outbox) {
    let nobody = channel("nobody");
    assert_eq!(outbox.claim(&nobody, time(0), 5, LEASE).await, Ok(vec![]));
    assert_eq!(outbox.next_due(&nobody).await, Ok(None));
    assert_eq!(outbox.pending(&nobody).await, Ok(0));
    assert_eq!(outbox.put(&[], time(0)).await, Ok(0));
}

/// What may be done to an outbox.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Put { to: u8, group: u8, sequence: u8, severity: u8 },
    Claim { to: u8, limit: u8 },
    Settle { which: prop::sample::Index, how: u8, after: u8 },
    Pass { seconds: u8 },
}

/// A life of an outbox.
pub(crate) fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let operation = prop_oneof![
        3 => (0u8..2, 0u8..3, 0u8..4, 0u8..4)
            .prop_map(|(to, group, sequence, severity)| Operation::Put { to, group, sequence, severity }),
        2 => (0u8..2, 0u8..4).prop_map(|(to, limit)| Operation::Claim { to, limit }),
        3 => (any::<prop::sample::Index>(), 0u8..4, 0u8..40)
            .prop_map(|(which, how, after)| Operation::Settle { which, how, after }),
        1 => (0u8..40).prop_map(|seconds| Operation::Pass { seconds }),
    ];
    prop::collection::vec(operation, 0..40)
}

/// Two outboxes answer the same to the same questions, whatever is done to both.
pub(crate) async fn behaves_like(one: &impl Outbox, other: &impl Outbox, operations: Vec<Operation>) {
    const CHANNELS: [&str; 2] = ["pager", "mail"];
    let mut now = 0;
    let mut claims: Vec<(Claim, Claim)> = Vec::new();
    let what = |claim: &Claim| (claim.delivery().clone(), claim.attempt(), claim.leased_until());
    for operation in operations {
        match operation {
            Operation::Put { to, group, sequence, severity } => {
                let severity = Severity::ALL[usize::from(severity)];
                let put =
                    [delivery(CHANNELS[usize::from(to)], &format!("G{group}"), sequence.into(), severity)];
                assert_eq!(one.put(&put, time(now)).await, other.put(&put, time(now)).await);
            }
            Operation::Claim { to, limit } => {
                let a = claim(one, CHANNELS[usize::from(to)], now, limit.into()).await;
                let b = claim(other, CHANNELS[usize::from(to)], now, limit.into()).await;
                assert_eq!(a.iter().map(what).collect::<Vec<_>>(), b.iter().map(what).collect::<Vec<_>>());
                claims.extend(a.into_iter().zip(b));
            }
            Operation::Settle { which, how, after } => {
                if claims.is_empty() {
                    continue;
                }
                let (a, b) = &claims[which.index(claims.len())];
                let at = time(now + i64::from(after));
                let receipt = Receipt::delivered();
                let (a, b) = match how {
                    0 => (one.delivered(a, &receipt, at).await, other.delivered(b, &receipt, at).await),
                    1 => (one.retry_at(a, at, "x").await, other.retry_at(b, at, "x").await),
                    2 => (one.release(a, at).await, other.release(b, at).await),
                    _ => (one.dead(a, at, "x").await, other.dead(b, at, "x").await),
                };
                assert_eq!(a.is_ok(), b.is_ok(), "{a:?} {b:?}");
            }
            Operation::Pass { seconds } => now += i64::from(seconds),
        }
        for name in CHANNELS {
            assert_eq!(one.pending(&channel(name)).await, other.pending(&channel(name)).await);
            // What is overdue is due now.
            let due = |due: Result<Option<_>, RepositoryError>| {
                due.unwrap().map(|at: chrono::DateTime<chrono::Utc>| at.max(time(now)))
            };
            assert_eq!(due(one.next_due(&channel(name)).await), due(other.next_due(&channel(name)).await));
        }
    }
    let page = PageRequest::first(limit(1_000));
    assert_eq!(one.dead_letters(&page).await, other.dead_letters(&page).await);
}
