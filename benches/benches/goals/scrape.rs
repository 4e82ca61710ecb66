//! Goals 7 to 10: what it costs to be scraped, and what a series takes.

use std::fmt::Write as _;

use crate::desk::Desk;
use crate::page::Page;
use crate::processor::{median, nanos};
use crate::request::Request;
use crate::round::Who;
use crate::row::{Bound, Row, Table};
use crate::{heap, ours, peers};

/// What writing a page takes.
struct Written {
    who: Who,
    name: &'static str,
    lacks: &'static str,
    millis: f64,
    bytes: usize,
    allocations: u64,
    bytes_per_series: f64,
}

/// The pages of everyone.
pub(crate) struct Pages {
    counters: Vec<Page>,
    histograms: Vec<Page>,
}

impl Pages {
    /// To be filled before anything else is done: what a peer frees late would be taken for what its pages take.
    pub(crate) fn new(desk: &Desk) -> Self {
        let (counters, histograms) = (desk.series(10_000), desk.series(1_000));
        let of_peers = (peers::counters(&counters), peers::histograms(&histograms, desk.fifty()));
        Self {
            counters: std::iter::once(ours::counters(&counters)).chain(of_peers.0).collect(),
            histograms: std::iter::once(ours::histograms(&histograms, desk.fifty()))
                .chain(of_peers.1)
                .collect(),
        }
    }
}

pub(crate) fn measure(request: &Request, pages: &mut Pages, table: &mut Table) {
    let counters = write(&mut pages.counters, request.repeats);
    let histograms = write(&mut pages.histograms, request.repeats);

    rows(table, 7, "10,000 counters to text", &counters, Bound::times(0.35));
    rows(table, 8, "1,000 histograms to text", &histograms, Bound::times(0.7));
    let of_ours = |pages: &[Written]| pages.iter().position(|page| page.who == Who::Ours);
    let (Some(counter), Some(histogram)) = (of_ours(&counters), of_ours(&histograms)) else { return };
    let (counter, histogram) = (&counters[counter], &histograms[histogram]);
    for (what, page) in
        [("heap allocations per scrape of the counters", counter), ("the same, of the histograms", histogram)]
    {
        let row = Row::new(9, what, page.allocations as f64, "");
        table.add(row.must(Bound::at_most(10.0, "")).aim(Bound::at_most(0.0, "")));
    }
    for (what, page, must, aim) in [
        ("heap per counter series of 2 labels", counter, 300.0, 200.0),
        ("heap per histogram of 10 bounds and 2 labels", histogram, 900.0, 500.0),
    ] {
        let row = Row::new(10, what, page.bytes_per_series, "B");
        table.add(row.must(Bound::at_most(must, "B")).aim(Bound::at_most(aim, "B")));
    }
    table.detail("10,000 counters of 2 labels", told(&counters));
    table.detail("1,000 histograms of 10 bounds and 2 labels", told(&histograms));
}

fn write(pages: &mut [Page], repeats: usize) -> Vec<Written> {
    let mut times = vec![Vec::new(); pages.len()];
    let mut first = Vec::new();
    for page in &mut *pages {
        (0..2).for_each(|_| _ = (page.render)());
        first.push(heap::watch(&mut page.render));
    }
    for _ in 0..repeats {
        for (page, times) in pages.iter_mut().zip(&mut times) {
            times.push(nanos(1, || _ = std::hint::black_box((page.render)())) / 1e6);
        }
    }
    let written = pages.iter().zip(times).zip(first).map(|((page, times), (bytes, heap))| Written {
        who: page.who,
        name: page.name,
        lacks: page.lacks,
        millis: median(times),
        bytes,
        allocations: heap.allocations,
        bytes_per_series: page.bytes_per_series,
    });
    written.collect()
}

/// Beside the fastest peer of all: also one that does less.
fn rows(table: &mut Table, goal: u8, what: &'static str, pages: &[Written], aim: Bound) {
    let Some(ours) = pages.iter().find(|page| page.who == Who::Ours) else { return };
    let peers = pages.iter().filter(|page| page.who == Who::Peer);
    if let Some(peer) = peers.min_by(|a, b| a.millis.total_cmp(&b.millis)) {
        let row = Row::new(goal, what, ours.millis, "ms");
        table.add(row.beside(peer.name, peer.millis).must(Bound::times(1.0)).aim(aim));
    }
}

fn told(pages: &[Written]) -> String {
    let mut text = "| page | ms | x ours | kB | heap allocations | heap bytes per series | lacks |\n\
                    | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    let ours = pages.iter().find(|page| page.who == Who::Ours).map_or(f64::NAN, |page| page.millis);
    for page in pages {
        let _ = writeln!(
            text,
            "| {} | {:.3} | {:.2} | {} | {} | {:.0} | {} |",
            page.name,
            page.millis,
            page.millis / ours,
            page.bytes / 1_000,
            page.allocations,
            page.bytes_per_series,
            page.lacks,
        );
    }
    text
}
