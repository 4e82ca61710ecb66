//! The kit that every outbox should pass.
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{Labels, Limit, PageRequest, Severity};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Alert, ChannelName, Claim, Delivery, GroupKey, NameError, Notification, Outbox, Receipt, ReceiverName,
    RepositoryError,
};

const LEASE: Duration = Duration::from_mins(1);

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
}

struct Kit<O> {
    outbox: O,
    mail: ChannelName,
    pager: ChannelName,
}

/// What went wrong before anything was judged.
type Trouble = Box<dyn std::error::Error>;

/// Checks that an outbox keeps the promises of [`Outbox`]. `make` makes an outbox that is empty and takes at least 100 deliveries.
///
/// # Panics
///
/// With what the outbox does wrong.
#[allow(clippy::panic, reason = "a test tells by panicking")]
pub async fn outbox_conformance<O: Outbox, F: Future<Output = O>>(make: impl Fn() -> F) {
    let kit = async || -> Result<Kit<O>, NameError> {
        let outbox = make().await;
        Ok(Kit { outbox, mail: ChannelName::new("mail")?, pager: ChannelName::new("pager")? })
    };
    let checked = async {
        kit().await?.putting_twice_is_putting_once().await?;
        kit().await?.a_claim_is_held_until_its_lease_ends().await?;
        kit().await?.an_old_fence_changes_nothing().await?;
        kit().await?.a_retry_waits_and_counts().await?;
        kit().await?.messages_of_a_group_do_not_overtake().await?;
        kit().await?.the_worst_comes_first().await?;
        kit().await?.what_is_dead_is_found_again().await?;
        kit().await?.what_comes_out_is_what_went_in().await?;
        Ok::<_, Trouble>(())
    };
    if let Err(error) = checked.await {
        panic!("the outbox failed: {error}");
    }
}

/// Checks that an outbox takes newer messages of a group in the place of older ones as [`Outbox::supersede`] says, which it need not. `make` makes an
/// outbox that is empty and takes at least 100 deliveries.
///
/// # Panics
///
/// With what the outbox does wrong.
#[allow(clippy::panic, reason = "a test tells by panicking")]
pub async fn superseding_conformance<O: Outbox, F: Future<Output = O>>(make: impl Fn() -> F) {
    let kit = async || -> Result<Kit<O>, NameError> {
        let outbox = make().await;
        Ok(Kit { outbox, mail: ChannelName::new("mail")?, pager: ChannelName::new("pager")? })
    };
    let checked = async {
        kit().await?.a_newer_message_takes_the_place_of_those_before_it().await?;
        kit().await?.what_is_held_is_not_replaced_before_it_is_given_back().await?;
        kit().await?.a_claim_whose_lease_is_over_is_replaced().await?;
        kit().await?.only_alerts_of_one_group_and_channel_are_replaced().await?;
        kit().await?.a_replaced_message_is_as_severe_as_what_it_says().await?;
        kit().await?.a_replaced_message_stays_as_urgent_as_it_was().await?;
        kit().await?.a_group_that_changes_all_the_time_keeps_its_place_in_the_queue().await?;
        kit().await?.what_another_does_not_speak_of_keeps_its_place().await?;
        kit().await?.what_begins_anew_inherits_neither_age_nor_attempts().await?;
        Ok::<_, Trouble>(())
    };
    if let Err(error) = checked.await {
        panic!("the outbox failed: {error}");
    }
}

fn message(group: &str, sequence: u64, severity: Severity) -> Result<Arc<Notification>, Trouble> {
    let alert = Alert::builder("Outbox", at(0)).label("group", group).severity(severity);
    let alert = alert.annotation("summary", "é \u{0} \"quoted\"").value(0.1).build()?;
    let (receiver, key) = (ReceiverName::new("desk")?, GroupKey::from_text(group));
    Ok(Arc::new(Notification::alerts(receiver, key, Labels::empty(), sequence, at(0), vec![alert])))
}

/// A message that says of each alert, by name, whether it fires.
fn saying(
    group: &str,
    sequence: u64,
    severity: Severity,
    words: &[(&str, bool)],
) -> Result<Arc<Notification>, Trouble> {
    let (receiver, key) = (ReceiverName::new("desk")?, GroupKey::from_text(group));
    let alert = |(name, fires): &(&str, bool)| {
        let alert = Alert::builder(*name, at(0)).severity(severity);
        if *fires { alert.build() } else { alert.resolved_at(at(0)).build() }
    };
    let alerts = words.iter().map(alert).collect::<Result<_, _>>()?;
    Ok(Arc::new(Notification::alerts(receiver, key, Labels::empty(), sequence, at(0), alerts)))
}

/// What a message says of each alert.
fn said(notification: &Notification) -> Vec<(&str, bool)> {
    notification.listed().map(|alert| (alert.name(), alert.is_firing())).collect()
}

impl<O: Outbox> Kit<O> {
    async fn supersede(&self, message: &Arc<Notification>, seconds: i64) -> Result<usize, RepositoryError> {
        let delivery = Delivery::new(self.mail.clone(), Arc::clone(message));
        self.outbox.supersede(&[delivery], at(seconds)).await
    }

    async fn a_newer_message_takes_the_place_of_those_before_it(&self) -> Result<(), Trouble> {
        let first = saying("g", 1, Severity::Info, &[("A", true), ("B", false)])?;
        let second = saying("g", 2, Severity::Info, &[("A", false), ("D", true)])?;
        let third = saying("g", 3, Severity::Info, &[("D", true), ("E", false)])?;
        assert_eq!(self.supersede(&first, 0).await?, 1);
        self.outbox.retry_at(&self.one(0).await?, at(300), "reset").await?;
        for (message, seconds) in [(&second, 1), (&third, 2)] {
            assert_eq!(self.supersede(message, seconds).await?, 1, "it is new");
            assert_eq!(self.outbox.pending(&self.mail).await?, 1, "and in the place of the one before");
            assert_eq!(self.supersede(message, seconds).await?, 0, "once");
        }
        assert!(self.outbox.next_due(&self.mail).await?.is_some_and(|due| due <= at(2)), "due at once");
        let claim = self.one(2).await?;
        let all = [("D", true), ("A", false), ("B", false), ("E", false)];
        assert_eq!(said(claim.notification()), all, "the newest, and every end that nobody was told of");
        assert_eq!(
            (claim.notification().key(), claim.attempt()),
            (third.key(), 1),
            "the attempt for the first is not one for D, which is new"
        );
        assert_eq!(claim.notification().superseded(), 2);
        self.outbox.delivered(&claim, &Receipt::delivered(), at(2)).await?;
        assert_eq!(self.outbox.next_due(&self.mail).await?, None, "nothing is open");
        for message in [&first, &second, &third] {
            assert_eq!(self.supersede(message, 3).await?, 0, "what was replaced is settled");
        }
        assert!(
            self.outbox.dead_letters(&PageRequest::default()).await?.items.is_empty(),
            "and not given up"
        );
        Ok(())
    }

    async fn what_is_held_is_not_replaced_before_it_is_given_back(&self) -> Result<(), Trouble> {
        let first = saying("g", 1, Severity::Info, &[("A", false)])?;
        let second = saying("g", 2, Severity::Info, &[("B", false)])?;
        let third = saying("g", 3, Severity::Info, &[("C", true)])?;
        self.supersede(&first, 0).await?;
        let held = self.one(0).await?;
        self.supersede(&second, 1).await?;
        self.supersede(&third, 2).await?;
        assert_eq!(self.outbox.pending(&self.mail).await?, 2, "the second gave way, the first is held");
        assert!(self.claim(3, 10).await?.is_empty(), "the third waits for the first");
        self.outbox.retry_at(&held, at(300), "reset").await?;
        assert_eq!(self.supersede(&third, 4).await?, 0, "handed over again");
        let claim = self.one(4).await?;
        assert_eq!(said(claim.notification()), [("C", true), ("A", false), ("B", false)]);
        assert_eq!(self.supersede(&third, 5).await?, 0, "what is held itself is left as it is");
        self.outbox.release(&claim, at(6)).await?;
        let claim = self.one(6).await?;
        assert_eq!((claim.attempt(), said(claim.notification()).len()), (1, 3));
        self.outbox.delivered(&claim, &Receipt::delivered(), at(6)).await?;
        assert_eq!(self.outbox.pending(&self.mail).await?, 0);
        Ok(())
    }

    async fn a_claim_whose_lease_is_over_is_replaced(&self) -> Result<(), Trouble> {
        self.supersede(&saying("g", 1, Severity::Info, &[("A", false)])?, 0).await?;
        let lost = self.one(0).await?;
        self.supersede(&saying("g", 2, Severity::Info, &[("B", true)])?, 60).await?;
        let claim = self.one(60).await?;
        assert_eq!(said(claim.notification()), [("B", true), ("A", false)]);
        let late = self.outbox.delivered(&lost, &Receipt::delivered(), at(61)).await;
        assert!(matches!(late, Err(RepositoryError::Fenced { .. })), "a late answer gave {late:?}");
        self.outbox.delivered(&claim, &Receipt::delivered(), at(61)).await?;
        assert_eq!(self.outbox.pending(&self.mail).await?, 0);
        Ok(())
    }

    async fn only_alerts_of_one_group_and_channel_are_replaced(&self) -> Result<(), Trouble> {
        let first = saying("g", 1, Severity::Info, &[("A", true)])?;
        self.supersede(&first, 0).await?;
        self.put(&self.pager, &first).await?;
        self.supersede(&saying("h", 1, Severity::Info, &[("A", true)])?, 0).await?;
        let digest = |title: &str| {
            let receiver = ReceiverName::new("desk")?;
            Ok::<_, Trouble>(Arc::new(Notification::digest(receiver, "daily", title, "", at(0))))
        };
        self.put(&self.mail, &digest("Monday")?).await?;
        self.supersede(&digest("Tuesday")?, 0).await?;
        self.supersede(&saying("g", 2, Severity::Info, &[("A", false), ("B", true)])?, 0).await?;
        assert_eq!((self.outbox.pending(&self.mail).await?, self.outbox.pending(&self.pager).await?), (4, 1));
        let claims = self.claim(0, 10).await?;
        let titles: Vec<_> = claims.iter().map(|claim| claim.notification().title()).collect();
        assert_eq!(
            titles,
            ["[FIRING 1, RESOLVED 1] info", "[FIRING 1] info A", "Monday"],
            "digests keep their order"
        );
        Ok(())
    }

    async fn a_replaced_message_is_as_severe_as_what_it_says(&self) -> Result<(), Trouble> {
        self.supersede(&saying("g", 1, Severity::Critical, &[("A", false)])?, 0).await?;
        self.put(&self.mail, &message("h", 1, Severity::Error)?).await?;
        self.supersede(&saying("g", 2, Severity::Info, &[("B", false)])?, 0).await?;
        let order: Vec<_> = self
            .claim(0, 10)
            .await?
            .iter()
            .map(|claim| claim.notification().group_key().to_string())
            .collect();
        assert_eq!(order, ["g", "h"], "a critical end is in it");
        Ok(())
    }

    async fn a_replaced_message_stays_as_urgent_as_it_was(&self) -> Result<(), Trouble> {
        self.supersede(&saying("g", 1, Severity::Critical, &[("A", true)])?, 0).await?;
        self.put(&self.mail, &message("h", 1, Severity::Error)?).await?;
        let mild = saying("g", 2, Severity::Info, &[("B", true)])?;
        let end = saying("g", 2, Severity::Critical, &[("A", false)])?;
        let words = end.listed().chain(mild.listed()).cloned().collect();
        let (receiver, group) = (end.receiver().clone(), end.group_key().clone());
        let newer = Arc::new(Notification::alerts(receiver, group, Labels::empty(), 2, at(0), words));
        assert_eq!(newer.urgency(), Severity::Info, "by itself");
        self.supersede(&newer, 0).await?;
        let claim = self.one(0).await?;
        assert_eq!(
            (claim.notification().key(), claim.notification().urgency()),
            (newer.key(), Severity::Critical)
        );
        Ok(())
    }

    async fn a_group_that_changes_all_the_time_keeps_its_place_in_the_queue(&self) -> Result<(), Trouble> {
        let groups = ["g", "h", "i"];
        let mut heard = Vec::new();
        for (round, seconds) in (1..).zip(0..6) {
            for group in groups {
                let words = [("A", true), ("B", round % 2 == 0)];
                self.supersede(&saying(group, round, Severity::Error, &words)?, seconds).await?;
            }
            let claim = self.one(seconds).await?;
            heard.push(claim.notification().group_key().to_string());
            self.outbox.delivered(&claim, &Receipt::delivered(), at(seconds)).await?;
        }
        assert_eq!(heard, ["g", "h", "i", "g", "h", "i"], "each in turn");
        Ok(())
    }

    async fn what_another_does_not_speak_of_keeps_its_place(&self) -> Result<(), Trouble> {
        let words: [&[_]; 4] =
            [&[("A", true)], &[("B", true)], &[("B", false), ("C", true)], &[("A", false), ("C", true)]];
        for (message, sequence) in words.iter().zip(1..) {
            self.supersede(&saying("g", sequence, Severity::Info, message)?, 0).await?;
        }
        let first = self.one(0).await?;
        assert_eq!(
            said(first.notification()),
            [("C", true), ("A", false), ("B", false)],
            "nothing stands in between"
        );
        self.outbox.delivered(&first, &Receipt::delivered(), at(0)).await?;
        for (message, sequence) in [[("D", true)], [("E", true)], [("E", false)]].iter().zip(5..) {
            self.supersede(&saying("g", sequence, Severity::Info, message)?, 0).await?;
        }
        for words in [[("D", true)], [("E", false)]] {
            let claim = self.one(0).await?;
            assert_eq!(said(claim.notification()), words, "in their order");
            assert!(self.claim(0, 1).await?.is_empty(), "one at a time");
            self.outbox.delivered(&claim, &Receipt::delivered(), at(0)).await?;
        }
        assert_eq!(self.outbox.pending(&self.mail).await?, 0);
        Ok(())
    }

    async fn what_begins_anew_inherits_neither_age_nor_attempts(&self) -> Result<(), Trouble> {
        let words: [&[_]; 5] = [
            &[("A", true)],
            &[("A", true), ("B", true)],
            &[("A", true), ("B", false)],
            &[("A", true), ("B", true)],
            &[("A", false), ("B", true)],
        ];
        // Of each message: the attempt that the next one for it is, and the message since which it waits.
        let expected = [(1, 1), (1, 2), (2, 2), (1, 4), (2, 4)];
        for ((words, sequence), (attempt, since)) in words.iter().zip(1..).zip(expected) {
            let message = saying("g", sequence, Severity::Info, words)?;
            self.supersede(&message, 0).await?;
            assert_eq!(self.outbox.pending(&self.mail).await?, 1, "message {sequence} takes the place");
            let claim = self.one(0).await?;
            let oldest = saying("g", since, Severity::Info, &[])?.key();
            assert_eq!(
                (claim.attempt(), claim.notification().oldest().key),
                (attempt, oldest),
                "attempt and age of message {sequence}"
            );
            self.outbox.retry_at(&claim, at(300), "reset").await?;
        }
        // What waited behind another is older than what came last, and counts since then.
        let words: [&[_]; 3] = [&[("C", true)], &[("D", true)], &[("D", true), ("A", false)]];
        for (words, sequence) in words.iter().zip(1..) {
            self.supersede(&saying("h", sequence, Severity::Info, words)?, 0).await?;
        }
        let first = self.one(0).await?;
        assert_eq!(said(first.notification()), [("C", true)]);
        self.outbox.delivered(&first, &Receipt::delivered(), at(0)).await?;
        let claim = self.one(0).await?;
        let second = saying("h", 2, Severity::Info, &[])?.key();
        assert_eq!((claim.attempt(), claim.notification().oldest().key), (1, second));
        Ok(())
    }

    async fn put(
        &self,
        channel: &ChannelName,
        message: &Arc<Notification>,
    ) -> Result<usize, RepositoryError> {
        self.outbox.put(&[Delivery::new(channel.clone(), Arc::clone(message))], at(0)).await
    }

    async fn claim(&self, seconds: i64, limit: usize) -> Result<Vec<Claim>, RepositoryError> {
        self.outbox.claim(&self.mail, at(seconds), limit, LEASE).await
    }

    async fn one(&self, seconds: i64) -> Result<Claim, Trouble> {
        let claims = self.claim(seconds, 1).await?;
        Ok(claims.into_iter().next().ok_or("there should be something to claim")?)
    }

    async fn putting_twice_is_putting_once(&self) -> Result<(), Trouble> {
        let first = message("a", 1, Severity::Info)?;
        assert_eq!(self.put(&self.mail, &first).await?, 1, "the first time is new");
        assert_eq!(self.put(&self.mail, &first).await?, 0, "the second time is not");
        assert_eq!(self.put(&self.pager, &first).await?, 1, "another channel is another delivery");
        assert_eq!(self.outbox.pending(&self.mail).await?, 1);
        let claim = self.one(0).await?;
        self.outbox.delivered(&claim, &Receipt::with_id("x-1"), at(1)).await?;
        assert_eq!(self.outbox.pending(&self.mail).await?, 0, "delivered is not pending");
        assert_eq!(self.put(&self.mail, &first).await?, 0, "what was delivered is not taken again");
        assert!(self.claim(100, 10).await?.is_empty(), "what was delivered is not claimed again");
        assert_eq!(self.outbox.next_due(&self.mail).await?, None, "nothing is open");
        assert_eq!(self.outbox.pending(&self.pager).await?, 1, "the other channel is not touched");
        Ok(())
    }

    async fn a_claim_is_held_until_its_lease_ends(&self) -> Result<(), Trouble> {
        self.put(&self.mail, &message("a", 1, Severity::Info)?).await?;
        assert!(self.outbox.next_due(&self.mail).await?.is_some_and(|due| due <= at(0)), "due at once");
        let first = self.one(0).await?;
        assert_eq!((first.attempt(), first.leased_until()), (1, at(60)));
        assert!(self.claim(59, 10).await?.is_empty(), "held by somebody");
        assert_eq!(self.outbox.next_due(&self.mail).await?, Some(at(60)), "due when the lease ends");
        assert_eq!(self.outbox.pending(&self.mail).await?, 1, "a claim is pending still");
        let second = self.one(60).await?;
        assert_eq!(second.attempt(), 2, "the lost attempt counts");
        assert_ne!(second.fence(), first.fence());
        Ok(())
    }

    async fn an_old_fence_changes_nothing(&self) -> Result<(), Trouble> {
        self.put(&self.mail, &message("a", 1, Severity::Info)?).await?;
        let old = self.one(0).await?;
        let new = self.one(60).await?;
        for settled in [
            self.outbox.delivered(&old, &Receipt::delivered(), at(61)).await,
            self.outbox.retry_at(&old, at(61), "late").await,
            self.outbox.release(&old, at(61)).await,
            self.outbox.dead(&old, at(61), "late").await,
        ] {
            assert!(matches!(settled, Err(RepositoryError::Fenced { .. })), "an old fence gave {settled:?}");
        }
        assert_eq!(self.outbox.pending(&self.mail).await?, 1);
        self.outbox.delivered(&new, &Receipt::delivered(), at(62)).await?;
        let twice = self.outbox.delivered(&new, &Receipt::delivered(), at(63)).await;
        assert!(matches!(twice, Err(RepositoryError::Fenced { .. })), "settling twice gave {twice:?}");
        Ok(())
    }

    async fn a_retry_waits_and_counts(&self) -> Result<(), Trouble> {
        self.put(&self.mail, &message("a", 1, Severity::Info)?).await?;
        self.outbox.retry_at(&self.one(0).await?, at(30), "reset").await?;
        assert_eq!(self.outbox.next_due(&self.mail).await?, Some(at(30)));
        assert!(self.claim(29, 10).await?.is_empty(), "too early");
        let second = self.one(30).await?;
        assert_eq!(second.attempt(), 2);
        self.outbox.release(&second, at(40)).await?;
        assert!(self.claim(39, 10).await?.is_empty(), "too early");
        assert_eq!(self.one(40).await?.attempt(), 2, "an attempt that was not made does not count");
        Ok(())
    }

    async fn messages_of_a_group_do_not_overtake(&self) -> Result<(), Trouble> {
        for (group, sequence, severity) in
            [("a", 1, Severity::Info), ("a", 2, Severity::Critical), ("b", 1, Severity::Info)]
        {
            self.put(&self.mail, &message(group, sequence, severity)?).await?;
        }
        let claims = self.claim(0, 10).await?;
        let told: Vec<_> = claims
            .iter()
            .map(|it| (it.notification().group_key().as_str(), it.notification().sequence()))
            .collect();
        assert_eq!(told, [("a", 1), ("b", 1)], "the second of a group waits for the first");
        for claim in &claims {
            self.outbox.retry_at(claim, at(30), "reset").await?;
        }
        assert!(self.claim(10, 10).await?.is_empty(), "also while the first waits to be tried again");
        let first = self.one(30).await?;
        self.outbox.delivered(&first, &Receipt::delivered(), at(30)).await?;
        let next = self.one(30).await?;
        assert_eq!((next.notification().group_key().as_str(), next.notification().sequence()), ("a", 2));
        self.outbox.dead(&next, at(31), "refused").await?;
        assert_eq!(self.one(31).await?.notification().group_key().as_str(), "b");
        Ok(())
    }

    async fn the_worst_comes_first(&self) -> Result<(), Trouble> {
        for (group, severity) in [
            ("a", Severity::Info),
            ("b", Severity::Error),
            ("c", Severity::Critical),
            ("d", Severity::Error),
            ("e", Severity::Warning),
        ] {
            self.put(&self.mail, &message(group, 1, severity)?).await?;
        }
        let order = |claims: &[Claim]| -> Vec<String> {
            claims.iter().map(|claim| claim.notification().group_key().to_string()).collect()
        };
        assert_eq!(order(&self.claim(0, 2).await?), ["c", "b"], "the worst first, of these the oldest");
        assert_eq!(order(&self.claim(0, 10).await?), ["d", "e", "a"]);
        Ok(())
    }

    async fn what_is_dead_is_found_again(&self) -> Result<(), Trouble> {
        for (sequence, seconds) in [(1, 10), (2, 20), (3, 30)] {
            let message = message("a", sequence, Severity::Info)?;
            self.put(&self.mail, &message).await?;
            self.outbox.dead(&self.one(seconds).await?, at(seconds), &format!("refused {sequence}")).await?;
            assert_eq!(self.put(&self.mail, &message).await?, 0, "what is dead is not taken again");
        }
        assert_eq!(self.outbox.pending(&self.mail).await?, 0);
        let first = self.outbox.dead_letters(&PageRequest::first(Limit::new(2)?)).await?;
        let reasons = |letters: &[crate::DeadLetter]| -> Vec<_> {
            letters.iter().map(|letter| (letter.reason.clone(), letter.at, letter.attempts)).collect()
        };
        let told = |sequence: i64| (format!("refused {sequence}"), at(10 * sequence), 1);
        assert_eq!(reasons(&first.items), [told(3), told(2)], "the newest first");
        let cursor = first.next.ok_or("there should be a second page")?;
        let second = self.outbox.dead_letters(&PageRequest::after(Limit::new(2)?, cursor)).await?;
        assert_eq!((reasons(&second.items), second.next), (vec![told(1)], None));
        Ok(())
    }

    async fn what_comes_out_is_what_went_in(&self) -> Result<(), Trouble> {
        let messages = super::samples();
        for (what, message) in &messages {
            let message = Arc::new(message.clone());
            let new = self.put(&self.mail, &message).await?;
            assert_eq!(new, 1, "{what} is new");
            let claim = self.one(0).await?;
            assert_eq!(*claim.notification(), message, "{what} changed on the way");
            assert_eq!(*claim.channel(), self.mail);
            self.outbox.delivered(&claim, &Receipt::delivered(), at(0)).await?;
        }
        Ok(())
    }
}
