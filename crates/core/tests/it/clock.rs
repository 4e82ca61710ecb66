//! Virtual time: ours and tokio's.
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bellwether_core::{Clock, Elapsed, ManualClock, Monotonic, SharedClock, Stop, StopSource, SystemClock};
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use proptest::prelude::*;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(millis: u64) -> Monotonic {
    Monotonic::after_origin(ms(millis))
}

fn manual() -> ManualClock {
    ManualClock::starting_at(DateTime::from_timestamp(1_000_000_000, 0).unwrap())
}

fn current_thread(paused: bool) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(paused).build().unwrap()
}

/// What a task of the script does: waits one after the other; or gives up a wait after a while.
#[derive(Debug, Clone)]
struct Script {
    tasks: Vec<Vec<u64>>,
    /// Task, first wait, deadline.
    timeouts: Vec<(u64, u64)>,
}

/// Who woke at which instant, in order of waking.
type Wakes = Arc<Mutex<Vec<(usize, Duration)>>>;

/// Starts the script's tasks; each notes every one of its wakes.
fn begin(script: &Script, clock: &SharedClock, wakes: &Wakes) -> Vec<tokio::task::JoinHandle<()>> {
    let mut handles = Vec::new();
    let note = |who: usize, clock: &SharedClock, wakes: &Wakes| {
        wakes.lock().push((who, clock.monotonic().since_origin()));
    };
    for (who, waits) in script.tasks.iter().cloned().enumerate() {
        let (clock, wakes) = (Arc::clone(clock), Arc::clone(wakes));
        handles.push(spawn(async move {
            for wait in waits {
                clock.sleep(ms(wait)).await;
                note(who, &clock, &wakes);
            }
        }));
    }
    for (n, (wait, limit)) in script.timeouts.iter().copied().enumerate() {
        let (clock, wakes, who) = (Arc::clone(clock), Arc::clone(wakes), 100 + n);
        handles.push(spawn(async move {
            let result = clock.timeout(ms(limit), clock.sleep(ms(wait))).await;
            assert_eq!(result.is_ok(), wait <= limit);
            note(who, &clock, &wakes);
        }));
    }
    handles
}

#[allow(clippy::disallowed_methods, reason = "the test compares bare tasks")]
fn spawn(future: impl Future<Output = ()> + Send + 'static) -> tokio::task::JoinHandle<()> {
    tokio::spawn(future)
}

/// Runs the script in tokio's paused time.
fn wakes_in_paused_time(script: &Script) -> Vec<(usize, Duration)> {
    let wakes = Wakes::default();
    current_thread(true).block_on(async {
        let clock = SystemClock::shared();
        for handle in begin(script, &clock, &wakes) {
            handle.await.unwrap();
        }
    });
    Arc::try_unwrap(wakes).unwrap().into_inner()
}

/// Runs the script in our own time, which nobody but this function moves.
fn wakes_in_manual_time(script: &Script) -> Vec<(usize, Duration)> {
    let wakes = Wakes::default();
    current_thread(false).block_on(async {
        let clock = manual();
        let handles = begin(script, &clock.shared(), &wakes);
        clock.advance_through(ms(1_000_000)).await;
        for handle in handles {
            handle.await.unwrap();
        }
        assert_eq!(clock.waits(), 0);
    });
    Arc::try_unwrap(wakes).unwrap().into_inner()
}

/// Sorted within each instant: tokio makes no promise about the order of timers of one tick.
fn by_instant(mut wakes: Vec<(usize, Duration)>) -> Vec<(usize, Duration)> {
    wakes.sort_by_key(|(who, instant)| (*instant, *who));
    wakes
}

#[test]
fn one_script_gives_the_same_wakes_in_tokios_paused_time_and_in_ours() {
    let script = Script {
        tasks: vec![vec![30, 30, 30], vec![10, 50, 1_000], vec![45], vec![0, 7], vec![100_000, 1]],
        timeouts: vec![(20, 25), (26, 25), (5_000, 61)],
    };
    let (paused, ours) = (wakes_in_paused_time(&script), wakes_in_manual_time(&script));
    assert_eq!(paused, ours);
    assert_eq!(ours[0], (3, ms(0)));
    assert_eq!(ours.last(), Some(&(4, ms(100_001))));
}

fn any_script() -> impl Strategy<Value = Script> {
    let tasks = proptest::collection::vec(proptest::collection::vec(0_u64..5_000, 1..6), 1..8);
    let timeouts = proptest::collection::vec((0_u64..3_000, 0_u64..3_000), 0..4);
    (tasks, timeouts).prop_map(|(tasks, timeouts)| Script { tasks, timeouts })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_script_gives_the_same_wakes_in_tokios_paused_time_and_in_ours(script in any_script()) {
        let (paused, ours) = (wakes_in_paused_time(&script), wakes_in_manual_time(&script));
        prop_assert!(paused.is_sorted_by_key(|(_, instant)| *instant));
        prop_assert!(ours.is_sorted_by_key(|(_, instant)| *instant));
        prop_assert_eq!(by_instant(paused), by_instant(ours));
    }
}

/// Notes its name, and what the clock shows, when it is woken.
struct Bell {
    name: usize,
    clock: ManualClock,
    rung: Arc<Mutex<Vec<(usize, Monotonic)>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.lock().push((self.name, self.clock.monotonic()));
    }
}

#[test]
fn waits_are_woken_in_order_of_due_time_and_then_of_arrival_each_at_its_instant() {
    let clock = manual();
    let shared = clock.shared();
    let rung = Arc::new(Mutex::new(Vec::new()));
    let mut waits: Vec<_> = [300, 100, 200, 100].map(|due| shared.sleep_until(at(due))).into();
    for (name, wait) in waits.iter_mut().enumerate() {
        let waker = Waker::from(Arc::new(Bell { name, clock: clock.clone(), rung: Arc::clone(&rung) }));
        assert!(std::pin::Pin::new(wait).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(clock.next_wait(), Some(at(100)));
    clock.advance(ms(250));
    assert_eq!(*rung.lock(), [(1, at(100)), (3, at(100)), (2, at(200))]);
    assert_eq!((clock.next_wait(), clock.waits()), (Some(at(300)), 1));
    assert_eq!(clock.monotonic(), at(250));
}

#[test]
fn a_dropped_or_finished_wait_leaves_nothing_behind() {
    let clock = manual();
    let shared = clock.shared();
    let mut cx = Context::from_waker(Waker::noop());
    let mut waits: Vec<_> = (1..=1_000).map(|n| Box::pin(shared.sleep(ms(n)))).collect();
    assert_eq!(clock.waits(), 0, "a wait that nobody polls takes no place");
    for wait in &mut waits {
        assert!(wait.as_mut().poll(&mut cx).is_pending());
        assert!(wait.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(clock.waits(), 1_000);
    clock.advance(ms(400));
    assert_eq!(clock.waits(), 600);
    assert_eq!(waits[399].as_mut().poll(&mut cx), Poll::Ready(()));
    drop(waits);
    assert_eq!((clock.waits(), clock.next_wait()), (0, None));
}

#[test]
fn a_wait_is_ready_exactly_from_its_instant_on() {
    let clock = manual();
    let mut wait = clock.shared().sleep(Duration::from_nanos(10));
    let mut cx = Context::from_waker(Waker::noop());
    clock.advance(Duration::from_nanos(9));
    assert!(std::pin::Pin::new(&mut wait).poll(&mut cx).is_pending());
    clock.advance(Duration::from_nanos(1));
    assert!(std::pin::Pin::new(&mut wait).poll(&mut cx).is_ready());
}

#[test]
fn a_step_of_the_wall_clock_leaves_monotonic_time_and_waits_alone() {
    let clock = manual();
    let start = clock.now();
    let mut wait = clock.shared().sleep(ms(1_000));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(std::pin::Pin::new(&mut wait).poll(&mut cx).is_pending());
    clock.step_wall(TimeDelta::hours(-2));
    assert_eq!((clock.now(), clock.monotonic()), (start - TimeDelta::hours(2), Monotonic::ORIGIN));
    clock.step_wall(TimeDelta::hours(5));
    assert_eq!(clock.next_wait(), Some(at(1_000)));
    clock.advance(ms(1_000));
    assert_eq!(clock.now(), start + TimeDelta::hours(3) + TimeDelta::seconds(1));
    assert!(std::pin::Pin::new(&mut wait).poll(&mut cx).is_ready());
}

#[test]
fn the_wall_can_be_moved_to_a_date_but_not_back() {
    let clock = manual();
    let goal = clock.now() + TimeDelta::days(1);
    assert_eq!(clock.advance_to(goal), Duration::from_hours(24));
    assert_eq!(clock.advance_to(goal - TimeDelta::seconds(5)), Duration::ZERO);
    assert_eq!((clock.now(), clock.monotonic()), (goal, at(86_400_000)));
}

#[test]
fn times_at_the_ends_of_the_range_saturate() {
    let clock = manual();
    clock.advance(Duration::MAX);
    clock.advance(Duration::MAX);
    assert_eq!((clock.monotonic(), clock.now()), (Monotonic::MAX, DateTime::<Utc>::MAX_UTC));
    clock.step_wall(TimeDelta::MIN);
    clock.step_wall(TimeDelta::MIN);
    assert_eq!(clock.now(), DateTime::<Utc>::MIN_UTC);
    let shared = clock.shared();
    assert!(shared.timestamp() <= bellwether_core::Timestamp::EPOCH);
}

#[test]
fn an_advance_made_while_another_is_under_way_adds_to_it() {
    /// Moves the clock on when it is woken, as a task that replays events would.
    struct Push(ManualClock);
    impl Wake for Push {
        fn wake(self: Arc<Self>) {
            self.0.advance(ms(5));
        }
    }
    let clock = manual();
    let mut wait = clock.shared().sleep(ms(3));
    let waker = Waker::from(Arc::new(Push(clock.clone())));
    assert!(std::pin::Pin::new(&mut wait).poll(&mut Context::from_waker(&waker)).is_pending());
    clock.advance(ms(10));
    assert_eq!(clock.monotonic(), at(15));
}

#[test]
fn advances_of_many_threads_add_up() {
    let clock = manual();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|_| clock.advance(ms(1))));
        }
        scope.spawn(|| {
            let mut last = Monotonic::ORIGIN;
            while last < at(2_000) {
                let now = clock.monotonic();
                assert!(now >= last);
                last = now;
            }
        });
    });
    assert_eq!(clock.monotonic(), at(2_000));
}

#[tokio::test]
async fn a_timeout_strikes_at_its_instant_and_drops_the_work() {
    let clock = manual();
    let shared = clock.shared();
    let held = Arc::new(());
    let inside = Arc::clone(&held);
    let work = async move {
        std::future::pending::<()>().await;
        drop(inside);
    };
    let (result, ()) = both(shared.timeout(ms(20), work), clock.advance_through(ms(20))).await;
    let elapsed: Elapsed = result.unwrap_err();
    assert_eq!(elapsed.to_string(), "not done within 20ms");
    assert_eq!((Arc::strong_count(&held), clock.waits()), (1, 0));
}

#[tokio::test]
async fn work_that_is_ready_when_the_limit_strikes_wins() {
    let clock = manual();
    let shared = clock.shared();
    let (result, ()) =
        both(shared.timeout(ms(20), shared.sleep(ms(20))), clock.advance_through(ms(20))).await;
    assert_eq!(result, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_foreign_clock_waits_on_tokio_by_default() {
    /// Real time told by a clock of the host's own, that says nothing about waits.
    #[derive(Debug)]
    struct Hosts(SystemClock);
    impl Clock for Hosts {
        fn now(&self) -> DateTime<Utc> {
            self.0.now()
        }
        fn monotonic(&self) -> Monotonic {
            self.0.monotonic().saturating_add(ms(5_000))
        }
    }
    let clock: SharedClock = Arc::new(Hosts(SystemClock::new()));
    let start = clock.monotonic();
    clock.sleep_until(start.saturating_add(ms(40))).await;
    assert_eq!(clock.monotonic().saturating_since(start), ms(40));
    clock.sleep_until(Monotonic::ORIGIN).await;
    assert!(clock.timeout(ms(10), clock.sleep(Duration::MAX)).await.is_err());
}

#[test]
fn a_wait_can_be_made_without_a_runtime() {
    let clock = SystemClock::shared();
    drop(clock.sleep(ms(10)));
}

#[tokio::test(start_paused = true)]
async fn a_stop_cuts_a_wait_short() {
    let clock = SystemClock::shared();
    let source = StopSource::new();
    let stop: Stop = source.token();
    assert_eq!(stop.or(clock.sleep(ms(10))).await, Some(()));
    source.stop();
    let before = clock.monotonic();
    assert_eq!(stop.or(clock.sleep(ms(10))).await, None);
    assert_eq!(clock.monotonic(), before);
}

/// Both futures, polled in turn until both are done.
async fn both<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    tokio::join!(a, b)
}
