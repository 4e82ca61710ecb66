//! The outbox in memory: the kit, and its bound.
use std::sync::Arc;
use std::time::Duration;

use bellwether_alerts::testing::{outbox_conformance, superseding_conformance};
use bellwether_alerts::{
    Alert, ChannelName, Delivery, GroupKey, MemoryOutbox, Notification, Outbox, Receipt, ReceiverName,
};
use bellwether_core::{Labels, PageRequest, Severity};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use crate::block_on;

const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn delivery(channel: &str, group: &str, sequence: u64, severity: Severity) -> Delivery {
    let alert = Alert::builder("A", START).severity(severity).build().unwrap();
    let receiver = ReceiverName::new("desk").unwrap();
    let key = GroupKey::from_text(group);
    let message = Notification::alerts(receiver, key, Labels::empty(), sequence, START, vec![alert]);
    Delivery::new(ChannelName::new(channel.to_owned()).unwrap(), Arc::new(message))
}

#[test]
fn the_outbox_in_memory_passes_the_kit() {
    block_on(outbox_conformance(async || MemoryOutbox::new(100)));
    block_on(superseding_conformance(async || MemoryOutbox::new(100)));
}

#[test]
fn a_full_outbox_gives_up_the_mildest_and_tells() {
    block_on(async {
        let outbox = MemoryOutbox::new(2);
        let put =
            async |group: &str, severity| outbox.put(&[delivery("mail", group, 1, severity)], START).await;
        put("info", Severity::Info).await.unwrap();
        put("critical", Severity::Critical).await.unwrap();
        put("error", Severity::Error).await.unwrap();
        put("warning", Severity::Warning).await.unwrap();
        let mail = ChannelName::new("mail").unwrap();
        let claims = outbox.claim(&mail, START, 10, Duration::from_secs(1)).await.unwrap();
        let left: Vec<_> = claims.iter().map(|claim| claim.notification().group_key().as_str()).collect();
        assert_eq!(left, ["critical", "error"]);
        let dead = outbox.dead_letters(&PageRequest::default()).await.unwrap().items;
        let gone: Vec<_> =
            dead.iter().map(|letter| letter.delivery.notification().group_key().as_str()).collect();
        assert_eq!((gone, outbox.overflowed()), (vec!["warning", "info"], 2));
        assert!(dead[0].reason.contains("it holds 2 deliveries"));
        put("late", Severity::Critical).await.unwrap();
        assert_eq!(outbox.pending(&mail).await.unwrap(), 2, "what is claimed does not give way");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever is done to it, in each group each message is delivered after those before it, and none twice.
    #[test]
    fn every_message_is_settled_once_and_in_order(
        puts in prop::collection::vec((0_u8..3, 0_usize..4), 1..40),
        outcomes in prop::collection::vec(0_u8..5, 0..400),
    ) {
        block_on(async {
            let outbox = MemoryOutbox::new(1_000);
            let mail = ChannelName::new("mail").unwrap();
            let mut expected: Vec<(String, u64)> = Vec::new();
            for (sequence, (group, severity)) in puts.into_iter().enumerate() {
                let group = format!("g{group}");
                let severity = Severity::ALL[severity];
                outbox.put(&[delivery("mail", &group, sequence as u64, severity)], START).await.unwrap();
                expected.push((group, sequence as u64));
            }
            let mut settled: Vec<(String, u64)> = Vec::new();
            let mut now = START;
            let mut outcomes = outcomes.into_iter();
            while let Some(due) = outbox.next_due(&mail).await.unwrap() {
                now = now.max(due);
                for claim in outbox.claim(&mail, now, 2, Duration::from_secs(30)).await.unwrap() {
                    let told = (claim.notification().group_key().to_string(), claim.notification().sequence());
                    let later = now + TimeDelta::seconds(7);
                    match outcomes.next() {
                        Some(0) => outbox.retry_at(&claim, later, "no").await.unwrap(),
                        Some(1) => outbox.release(&claim, later).await.unwrap(),
                        Some(2) => {} // lost: its lease ends
                        Some(3) => { outbox.dead(&claim, now, "no").await.unwrap(); settled.push(told); }
                        _ => { outbox.delivered(&claim, &Receipt::delivered(), now).await.unwrap(); settled.push(told); }
                    }
                }
                now += TimeDelta::milliseconds(1);
            }
            for group in ["g0", "g1", "g2"] {
                let of = |all: &[(String, u64)]| all.iter().filter(|it| it.0 == group).cloned().collect::<Vec<_>>();
                assert_eq!(of(&settled), of(&expected));
            }
            assert_eq!(outbox.pending(&mail).await.unwrap(), 0);
        });
    }

    /// Whatever is done to it, every end that was put is delivered or given up, in a message that is not followed by an older one.
    #[test]
    fn nothing_that_was_over_is_lost_where_newer_messages_take_the_place_of_older_ones(
        outcomes in prop::collection::vec((0_u8..6, 0_i64..20), 0..200), puts in 1_u64..40,
    ) {
        block_on(async {
            let outbox = MemoryOutbox::new(1_000);
            let mail = ChannelName::new("mail").unwrap();
            let message = |sequence: u64| {
                let over = Alert::builder(format!("A{sequence}"), START).resolved_at(START).build().unwrap();
                let fires = Alert::builder("F", START).build().unwrap();
                let (receiver, key) = (ReceiverName::new("desk").unwrap(), GroupKey::from_text("g"));
                let message = Notification::alerts(receiver, key, Labels::empty(), sequence, START, vec![over, fires]);
                Delivery::new(mail.clone(), Arc::new(message))
            };
            let (mut heard, mut newest) = (std::collections::BTreeSet::new(), 0);
            let mut now = START;
            let mut outcomes = outcomes.into_iter();
            let mut next = 1;
            while next <= puts || outbox.pending(&mail).await.unwrap() > 0 {
                let (outcome, seconds) = outcomes.next().unwrap_or((5, 0));
                if next <= puts {
                    outbox.supersede(&[message(next)], now).await.unwrap();
                    next += 1;
                }
                now += TimeDelta::seconds(seconds);
                for claim in outbox.claim(&mail, now, 1, Duration::from_secs(30)).await.unwrap() {
                    assert!(claim.notification().sequence() >= newest);
                    match outcome {
                        0 => outbox.retry_at(&claim, now + TimeDelta::seconds(50), "no").await.unwrap(),
                        1 => outbox.release(&claim, now + TimeDelta::seconds(50)).await.unwrap(),
                        2 | 3 => {} // lost: its lease ends
                        _ => {
                            newest = claim.notification().sequence();
                            heard.extend(claim.notification().resolved().iter().map(|alert| alert.name().to_owned()));
                            outbox.delivered(&claim, &Receipt::delivered(), now).await.unwrap();
                        }
                    }
                }
                if next > puts {
                    now = now.max(outbox.next_due(&mail).await.unwrap().unwrap_or(now));
                }
                assert!(outbox.pending(&mail).await.unwrap() <= 2, "one for what is held, one for the rest");
            }
            assert_eq!(heard.len() as u64, puts);
        });
    }
}
