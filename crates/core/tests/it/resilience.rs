//! The circuit breaker as a caller sees it; the other machines have their laws beside their code.
use std::num::NonZeroU32;
use std::time::Duration;

use bellwether_core::Monotonic;
use bellwether_core::resilience::{
    Admission, BreakerChange, BreakerSettings, BreakerSettingsBuilder, BreakerState, CircuitBreaker,
    FailureRatio, Jitter, Next, Outcome, RetrySchedule, Ticket,
};
use proptest::prelude::*;

fn at(seconds: u64) -> Monotonic {
    Monotonic::after_origin(Duration::from_secs(seconds))
}

fn count(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

/// Opens after 3 failures for 10 s, then 20 s, then 40 s at most; 2 good probes close it; a probe has 5 s.
fn settings() -> BreakerSettingsBuilder {
    BreakerSettings::builder()
        .failures(count(3))
        .open_for(Duration::from_secs(10))
        .open_at_most(Duration::from_secs(40))
        .successes(count(2))
        .probe_lease(Duration::from_secs(5))
}

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new(settings().build().unwrap())
}

fn admitted(breaker: &mut CircuitBreaker, now: u64) -> Ticket {
    match breaker.admit(at(now)) {
        Admission::Admitted(ticket) => ticket,
        Admission::Refused { until } => panic!("refused at {now} until {until:?}"),
    }
}

fn report(breaker: &mut CircuitBreaker, now: u64, outcome: Outcome) -> Option<BreakerChange> {
    let ticket = admitted(breaker, now);
    breaker.report(ticket, outcome, at(now))
}

/// A breaker that opened at second 0, until second 10.
fn opened() -> CircuitBreaker {
    let mut breaker = breaker();
    for _ in 0..2 {
        assert_eq!(report(&mut breaker, 0, Outcome::Failure), None);
    }
    assert_eq!(report(&mut breaker, 0, Outcome::Failure), Some(BreakerChange::Opened { until: at(10) }));
    breaker
}

#[test]
fn failures_in_a_row_open_it_and_a_success_between_them_does_not_let_it() {
    let mut breaker = breaker();
    for outcome in [Outcome::Failure, Outcome::Failure, Outcome::Success, Outcome::Failure, Outcome::Failure]
    {
        assert_eq!(report(&mut breaker, 0, outcome), None);
    }
    assert_eq!(report(&mut breaker, 0, Outcome::Neutral), None);
    assert_eq!(breaker.state(at(0)), BreakerState::Closed);
    assert_eq!(report(&mut breaker, 1, Outcome::Failure), Some(BreakerChange::Opened { until: at(11) }));
}

#[test]
fn an_open_breaker_refuses_until_its_time_is_over() {
    let mut breaker = opened();
    assert_eq!(breaker.admit(at(9)), Admission::Refused { until: at(10) });
    assert_eq!(breaker.state(at(9)), BreakerState::Open { until: at(10) });
    assert_eq!(breaker.state(at(10)), BreakerState::HalfOpen { probing: false });
    assert!(admitted(&mut breaker, 10).is_probe());
}

#[test]
fn one_probe_at_a_time_until_enough_have_succeeded() {
    let mut breaker = opened();
    let probe = admitted(&mut breaker, 10);
    assert_eq!(breaker.admit(at(11)), Admission::Refused { until: at(15) });
    assert_eq!(breaker.report(probe, Outcome::Success, at(12)), None);
    assert_eq!(report(&mut breaker, 12, Outcome::Success), Some(BreakerChange::Closed));
    assert!(!admitted(&mut breaker, 12).is_probe());
    assert_eq!(breaker.openings(), 0);
    // All is forgotten: it takes three failures again, and the first open time is the short one.
    assert_eq!(report(&mut breaker, 13, Outcome::Failure), None);
    assert_eq!(report(&mut breaker, 13, Outcome::Failure), None);
    assert_eq!(report(&mut breaker, 13, Outcome::Failure), Some(BreakerChange::Opened { until: at(23) }));
}

#[test]
fn a_failed_probe_opens_it_for_longer_up_to_the_cap() {
    let mut breaker = opened();
    for (now, until) in [(10, 30), (30, 70), (70, 110), (110, 150)] {
        let opened = BreakerChange::Opened { until: at(until) };
        assert_eq!(report(&mut breaker, now, Outcome::Failure), Some(opened));
    }
    assert_eq!(breaker.openings(), 5);
}

#[test]
fn a_probe_that_never_reports_does_not_wedge_it() {
    let mut breaker = opened();
    let lost = admitted(&mut breaker, 10);
    assert_eq!(breaker.admit(at(14)), Admission::Refused { until: at(15) });
    assert_eq!(breaker.state(at(15)), BreakerState::HalfOpen { probing: false });
    let second = admitted(&mut breaker, 15);
    // The lost one speaks after all, when its place has been given away: neither for good nor for bad.
    assert_eq!(breaker.report(lost, Outcome::Failure, at(16)), None);
    assert_eq!(breaker.state(at(16)), BreakerState::HalfOpen { probing: true });
    assert_eq!(breaker.report(second, Outcome::Success, at(16)), None);
    assert_eq!(report(&mut breaker, 16, Outcome::Success), Some(BreakerChange::Closed));
}

#[test]
fn a_late_probe_still_counts_while_nobody_has_taken_its_place() {
    let mut breaker = opened();
    let late = admitted(&mut breaker, 10);
    let opened = BreakerChange::Opened { until: at(120) };
    assert_eq!(breaker.report(late, Outcome::Failure, at(100)), Some(opened));
}

#[test]
fn a_neutral_probe_gives_its_place_back_at_once() {
    let mut breaker = opened();
    assert_eq!(report(&mut breaker, 10, Outcome::Neutral), None);
    assert!(admitted(&mut breaker, 10).is_probe());
}

#[test]
fn outcomes_of_calls_from_before_a_change_are_ignored() {
    let mut breaker = breaker();
    let (late_success, late_failure) = (admitted(&mut breaker, 0), admitted(&mut breaker, 0));
    for _ in 0..3 {
        report(&mut breaker, 0, Outcome::Failure);
    }
    assert_eq!(breaker.report(late_success, Outcome::Success, at(1)), None);
    assert_eq!(breaker.state(at(1)), BreakerState::Open { until: at(10) });
    let probe = admitted(&mut breaker, 10);
    assert_eq!(breaker.report(late_failure, Outcome::Failure, at(10)), None);
    assert_eq!(breaker.state(at(10)), BreakerState::HalfOpen { probing: true });
    assert_eq!(
        breaker.report(probe, Outcome::Failure, at(10)),
        Some(BreakerChange::Opened { until: at(30) })
    );
}

#[test]
fn a_large_share_of_failures_opens_it_even_with_successes_between() {
    let ratio = FailureRatio { ratio: 0.5, window: Duration::from_secs(100), least_calls: count(10) };
    let mut breaker = CircuitBreaker::new(settings().failure_ratio(ratio).build().unwrap());
    for n in 0..9 {
        let outcome = if n % 2 == 0 { Outcome::Success } else { Outcome::Failure };
        assert_eq!(report(&mut breaker, n, outcome), None, "{n}");
    }
    assert!(matches!(report(&mut breaker, 9, Outcome::Failure), Some(BreakerChange::Opened { .. })));
}

#[test]
fn failures_beyond_the_window_do_not_count_towards_the_share() {
    let ratio = FailureRatio { ratio: 0.5, window: Duration::from_secs(100), least_calls: count(4) };
    let mut breaker = CircuitBreaker::new(settings().failure_ratio(ratio).build().unwrap());
    for outcome in [Outcome::Failure, Outcome::Failure, Outcome::Success] {
        assert_eq!(report(&mut breaker, 0, outcome), None);
    }
    for outcome in [Outcome::Success, Outcome::Success, Outcome::Success, Outcome::Failure] {
        assert_eq!(report(&mut breaker, 150, outcome), None);
    }
}

/// What a crowd of callers does to a breaker.
#[derive(Debug, Clone)]
enum Act {
    Wait(u64),
    Call,
    /// The n-th open call reports.
    Report(usize, Outcome),
    /// The n-th open call is never heard of again.
    Lose(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let outcome = prop_oneof![Just(Outcome::Success), Just(Outcome::Failure), Just(Outcome::Neutral)];
    let act = prop_oneof![
        (0_u64..8).prop_map(Act::Wait),
        Just(Act::Call),
        (any::<usize>(), outcome).prop_map(|(n, outcome)| Act::Report(n, outcome)),
        any::<usize>().prop_map(Act::Lose),
    ];
    proptest::collection::vec(act, 1..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn never_two_live_probes_never_a_call_while_open_never_wedged(acts in acts(), probes in 1_u32..4) {
        let mut breaker =
            CircuitBreaker::new(settings().successes(count(probes)).build().unwrap());
        let (mut now, mut calls) = (0, Vec::<Ticket>::new());
        let mut lease_end = None;
        let mut open_until = None;
        for act in acts {
            match act {
                Act::Wait(seconds) => now += seconds,
                Act::Call => match breaker.admit(at(now)) {
                    Admission::Admitted(ticket) => {
                        prop_assert!(open_until.is_none_or(|until| at(now) >= until));
                        if ticket.is_probe() {
                            prop_assert!(lease_end.is_none_or(|end| now >= end), "two probes at {now}");
                            lease_end = Some(now + 5);
                        }
                        calls.push(ticket);
                    }
                    Admission::Refused { until } => {
                        prop_assert!(at(now) < until);
                        prop_assert!(until <= at(now + 40), "wedged at {now} until {until:?}");
                    }
                },
                Act::Report(n, outcome) => {
                    if calls.is_empty() { continue }
                    let ticket = calls.swap_remove(n % calls.len());
                    let probe = ticket.is_probe();
                    let change = breaker.report(ticket, outcome, at(now));
                    match change {
                        Some(BreakerChange::Opened { until }) => {
                            prop_assert_eq!(outcome, Outcome::Failure);
                            (open_until, lease_end) = (Some(until), None);
                        }
                        Some(BreakerChange::Closed) => {
                            prop_assert_eq!((outcome, probe), (Outcome::Success, true));
                            (open_until, lease_end) = (None, None);
                        }
                        None => {
                            if matches!(breaker.state(at(now)), BreakerState::HalfOpen { probing: false }) {
                                lease_end = None;
                            }
                        }
                    }
                }
                Act::Lose(n) => if !calls.is_empty() { drop(calls.swap_remove(n % calls.len())); },
            }
        }
        // Whatever happened, good probes close it in the end.
        let mut closed = false;
        for _ in 0..200 {
            now += 1;
            if let Admission::Admitted(ticket) = breaker.admit(at(now)) {
                breaker.report(ticket, Outcome::Success, at(now));
                closed = breaker.state(at(now)) == BreakerState::Closed;
                if closed { break }
            }
        }
        prop_assert!(closed);
    }

    #[test]
    fn time_handed_in_out_of_order_never_shortens_an_open_time(times in proptest::collection::vec(0_u64..60, 1..80)) {
        let mut breaker = breaker();
        let (mut latest, mut open_until) = (0, None);
        for time in times {
            latest = latest.max(time);
            match breaker.admit(at(time)) {
                Admission::Admitted(ticket) => {
                    prop_assert!(open_until.is_none_or(|until| at(latest) >= until));
                    if let Some(BreakerChange::Opened { until }) = breaker.report(ticket, Outcome::Failure, at(time)) {
                        prop_assert!(until >= at(latest + 10));
                        open_until = Some(until);
                    }
                }
                Admission::Refused { until } => prop_assert!(at(latest) < until),
            }
        }
    }
}

#[test]
fn a_crowd_that_fails_together_comes_back_spread_out() {
    let schedule = RetrySchedule::default();
    let mut jitter = Jitter::seeded(11);
    let mut retries: Vec<u128> = (0..1_000)
        .map(|_| {
            match schedule.resume(at(0), 20, Duration::ZERO).after_failure(at(0), jitter.fraction(), None) {
                Next::RetryAt(then) => then.since_origin().as_millis(),
                Next::GiveUp(enough) => panic!("{enough}"),
            }
        })
        .collect();
    retries.sort_unstable();
    // At the cap of 60 s with jitter 0.5: 20 s to 60 s, and no second takes more than a few of the thousand.
    assert!(retries[0] >= 20_000 && retries[999] <= 60_000);
    let busiest =
        (20..60).map(|second| retries.iter().filter(|&&ms| ms / 1_000 == second).count()).max().unwrap();
    assert!(busiest < 50, "{busiest} in one second");
}
