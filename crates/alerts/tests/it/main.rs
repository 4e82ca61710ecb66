#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
mod allocations;
mod clock;
mod closing;
mod commits;
mod config;
mod delivery;
mod engine;
mod faults;
mod figures;
mod history;
mod hostile;
mod outbox;
mod recorded;
mod routing;
mod rule_goldens;
mod rules;
mod scenarios;
mod stored;
mod superseding;

/// Runs a future on this thread; time is the manual clock's, or that of a paused tokio.
fn block_on<F: Future>(future: F) -> F::Output {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(future)
}
