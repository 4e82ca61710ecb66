//! The table of goals of `bellwether-metrics`, beside its peers in the same run: `cargo xtask bench metrics`.
//!
//! Costs of recording are of rounds of about 2 ms, interleaved over all cases; a round counts only if each thread had its
//! processor for 95 % of the time; the median of the rounds is told, and its ratio to one shared `fetch_add` in the same
//! mode. Costs of encoding and of the history are times of the thread's processor. Nanoseconds belong to the machine, ratios
//! carry over.
//!
//! Only what a host can call is compared, and equal work: every page keeps sums, has a reader, and each peer is used through
//! the handle that it recommends. Where a peer does less (labels that it does not escape), the tables say so.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]
#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time, on threads of its own")]

mod counts;
mod desk;
mod heap;
mod history;
mod ours;
mod page;
mod peers;
mod processor;
mod recording;
mod request;
mod round;
mod row;
mod scrape;
mod stall;

use crate::desk::Desk;
use crate::request::Request;
use crate::row::Table;
use crate::scrape::Pages;

fn main() {
    let request = match Request::parse(std::env::args().skip(1)) {
        Ok(request) => request,
        Err(problem) => {
            eprintln!("{problem}\n{}", request::USAGE);
            std::process::exit(2);
        }
    };
    let desk = Desk::new();
    let any = |goals: std::ops::RangeInclusive<u8>| goals.into_iter().any(|goal| request.wants(goal));
    let mut pages = any(7..=10).then(|| Pages::new(&desk));
    let mut table = Table::default();
    for run in 1..=request.runs {
        eprintln!("run {run} of {}", request.runs);
        if any(1..=6) {
            recording::measure(&request, &desk, &mut table);
        }
        if let Some(pages) = &mut pages {
            scrape::measure(&request, pages, &mut table);
        }
        if request.wants(11) {
            stall::measure(&request, &desk, &mut table);
        }
        if any(12..=16) {
            history::measure(&request, &desk, &mut table);
        }
        if any(16..=18) {
            counts::measure(&request, &desk, &mut table);
        }
    }
    table.keep(|goal| request.wants(goal));
    println!("{table}");
}
