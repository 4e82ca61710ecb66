//! A trading desk on twenty years of market data, watched by Bellwether.
//!
//! The host's own engine (market, strategies, venue) stands in the files that know nothing of Bellwether; `watch.rs`
//! wires Bellwether to it, `rules.rs` says what the desk is warned of, `results.rs` reads everything back.

mod arguments;
mod book;
mod broker;
mod csv_file;
mod data_error;
mod engine;
mod fault;
mod folder;
mod market;
mod order;
mod order_metrics;
mod progress;
mod report;
mod results;
mod rules;
mod session;
mod strategy;
mod summary;
mod watch;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use bellwether::prelude::*;
use chrono::{NaiveDate, TimeDelta};

use crate::arguments::{Arguments, Command, HELP, Output};
use crate::engine::Desk;
use crate::fault::Fault;
use crate::folder::{DATABASE, Folder, REPORT};
use crate::market::Market;
use crate::progress::Progress;
use crate::results::Results;
use crate::watch::Watch;

fn main() -> ExitCode {
    let ran = match Command::parse(std::env::args_os().skip(1)) {
        Ok(Command::Help) => say(HELP).map_err(Fault::from),
        Ok(Command::Run(arguments)) => run(&arguments),
        Err(error) => Err(Fault::input(error)),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            remark(&format!("trading_desk: {fault}\n"));
            ExitCode::from(fault.exit_code())
        }
    }
}

/// Writes to stdout. A reader that has seen enough and closed it is no fault.
fn say(text: &str) -> Result<(), NotPrinted> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(NotPrinted(error)),
        _ => Ok(()),
    }
}

/// Standard output does not take what is to be said.
#[derive(Debug, thiserror::Error)]
#[error("standard output: found {0}, expected to be able to write")]
struct NotPrinted(std::io::Error);

/// Writes to stderr, if that can be.
fn remark(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Results of a run before are replaced, but only if they are results: a database that is none, or that a newer
/// program made, is left alone.
async fn look_at_old_results(out: &Path) -> Result<(), Fault> {
    let old = out.join(DATABASE);
    if !old.exists() {
        return Ok(());
    }
    Store::examine(&StoreConfig::file(old)).await.map_err(Fault::input)
}

#[tokio::main(flavor = "current_thread")]
async fn run(arguments: &Arguments) -> Result<(), Fault> {
    let wall = SystemClock::shared();
    let begun = wall.monotonic();
    let market = Market::read(&arguments.data, arguments.period).map_err(Fault::input)?;
    look_at_old_results(&arguments.out).await?;
    let folder = Folder::prepare(&arguments.out).map_err(Fault::input)?;

    let strategies = strategy::all();
    let (first, last) = (market.days()[0].at, market.days()[market.days().len() - 1].at);
    let mut watch = Watch::start(&market, &strategies, &folder, first - TimeDelta::days(1)).await?;
    let mut desk = Desk::new(market.instruments().len(), strategy::all());
    let benchmark: BTreeMap<NaiveDate, f64> =
        market.benchmark().returns.iter().map(|one| (one.date, one.value)).collect();

    let mut progress = Progress::new(market.days().len());
    let mut sessions = market.days().iter().enumerate().peekable();
    let mut traded = Duration::ZERO;
    let mut at = first;
    while at <= last {
        watch.clock.advance_to(at);
        if let Some((done, day)) = sessions.next_if(|(_, day)| day.at == at) {
            let start = wall.monotonic();
            desk.trade(day, &mut watch);
            traded += wall.monotonic().saturating_since(start);
            watch.close(day, benchmark.get(&day.date).copied().unwrap_or(0.0))?;
            progress.at(done + 1, day.date);
        } else {
            watch.rest();
        }
        watch.look().await;
        at += TimeDelta::days(1);
    }
    progress.finish();

    watch.keep_snapshots().await?;
    let results = Results::read(&watch, &market, &strategies).await?;
    let page = report::make(&market, &results);
    bellwether::health::report::write_files(
        folder.path().to_owned(),
        vec![(REPORT.to_owned(), page.to_html())],
    )
    .await?;
    let summary = match arguments.output {
        Output::Text => summary::text(&market, &results)?,
        Output::Json => format!("{:#}\n", summary::json(&market, &results)),
    };
    watch.stop().await?;
    folder.swap().map_err(Fault::input)?;
    say(&summary)?;
    let ran = wall.monotonic().saturating_since(begun);
    remark(&summary::speed(&wall, &results, ran, traded)?);
    remark(&format!("wrote {}\n", arguments.out.display()));
    Ok(())
}
