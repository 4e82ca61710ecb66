//! Goals 1 to 6: what it costs to record.

use std::fmt::Write as _;

use crate::desk::Desk;
use crate::request::Request;
use crate::round::{Case, Cost, Group, Who, costs};
use crate::row::{Bound, Row, Table, figure};
use crate::{heap, ours, peers};

/// One case, alone and beside another thread on the same handle.
struct Measured {
    group: Group,
    who: Who,
    name: &'static str,
    alone: Cost,
    beside: Cost,
}

pub(crate) fn measure(request: &Request, desk: &Desk, table: &mut Table) {
    let groups = [
        (Group::Counter, &[1, 2][..]),
        (Group::Labelled, &[3, 4]),
        (Group::Gauge, &[5]),
        (Group::Histogram, &[6]),
    ];
    let wanted = |group: Group| {
        groups.iter().any(|(known, goals)| *known == group && goals.iter().any(|goal| request.wants(*goal)))
    };
    // The reference of most goals is the raw counter.
    let mut cases = ours::cases(desk);
    cases.extend(peers::cases(desk));
    cases.retain(|case| wanted(case.group) || (case.group, case.who) == (Group::Counter, Who::Raw));
    let alone = costs(&cases, 1, request.rounds);
    let beside = costs(&cases, 2, request.rounds);
    let measured = cases.iter().zip(alone).zip(beside).map(|((case, alone), beside)| of(case, alone, beside));
    let measured: Vec<Measured> = measured.collect();

    let find = |group, who| measured.iter().find(move |case| (case.group, case.who) == (group, who));
    let Some(raw) = find(Group::Counter, Who::Raw) else { return };
    if let Some(ours) = find(Group::Counter, Who::Ours) {
        counter(table, raw, ours, &measured);
    }
    if let Some(ours) = find(Group::Labelled, Who::Ours) {
        labelled(table, ours, &measured, desk);
    }
    if let (Some(store), Some(ours)) = (find(Group::Gauge, Who::Raw), find(Group::Gauge, Who::Ours)) {
        let row = Row::new(5, "gauge set, 1 thread", ours.alone.nanos, "ns");
        let aim = Bound::times(1.05).told("1x (to 5 %)");
        table.add(row.beside(store.name, store.alone.nanos).must(Bound::times(2.0).plus(0.5, "ns")).aim(aim));
    }
    if let Some(ours) = find(Group::Histogram, Who::Ours) {
        let row = Row::new(6, "histogram of 10 bounds, 1 thread", ours.alone.nanos, "ns");
        table.add(row.beside(raw.name, raw.alone.nanos).must(Bound::times(1.5)).aim(Bound::times(0.8)));
        let row = Row::new(6, "histogram of 10 bounds, 2 threads", ours.beside.nanos, "ns");
        table.add(row.beside(raw.name, raw.beside.nanos).must(Bound::times(0.4)).aim(Bound::times(0.2)));
    }
    for (title, group) in [
        ("Counter through a handle", Group::Counter),
        ("Counter by 2 labels, 1,000 sets, values known at run time", Group::Labelled),
        ("Gauge set", Group::Gauge),
        ("Histogram of 10 bounds", Group::Histogram),
    ] {
        if wanted(group) {
            table.detail(title, told(&measured, group, raw, request.rounds));
        }
    }
}

fn of(case: &Case, alone: Cost, beside: Cost) -> Measured {
    Measured { group: case.group, who: case.who, name: case.name, alone, beside }
}

/// The peer that takes least.
fn best(measured: &[Measured], group: Group, cost: impl Fn(&Measured) -> f64) -> Option<&Measured> {
    let peers = measured.iter().filter(|case| (case.group, case.who) == (group, Who::Peer));
    peers.min_by(|a, b| cost(a).total_cmp(&cost(b)))
}

fn prometheus(measured: &[Measured], group: Group) -> Option<&Measured> {
    measured.iter().find(|case| case.group == group && case.name == peers::PROMETHEUS)
}

fn counter(table: &mut Table, raw: &Measured, ours: &Measured, measured: &[Measured]) {
    let row = Row::new(1, "counter handle, 1 thread", ours.alone.nanos, "ns");
    table.add(row.beside(raw.name, raw.alone.nanos).must(Bound::times(1.1)).aim(Bound::times(0.35)));
    let nanos = ours.beside.nanos;
    let row = Row::new(2, "counter handle, 2 threads on one counter", nanos, "ns");
    table.add(row.beside(raw.name, raw.beside.nanos).must(Bound::times(0.3)).aim(Bound::times(0.1)));
    if let Some(peer) = best(measured, Group::Counter, |case| case.beside.nanos) {
        let row = Row::new(2, "the same, beside the best peer", nanos, "ns");
        table.add(row.beside(peer.name, peer.beside.nanos).aim(Bound::faster(3.0)));
    }
    if let Some(peer) = prometheus(measured, Group::Counter) {
        let row = Row::new(2, "the same, beside prometheus", nanos, "ns");
        table.add(row.beside(peer.name, peer.beside.nanos).aim(Bound::faster(15.0)));
    }
}

fn labelled(table: &mut Table, ours: &Measured, measured: &[Measured], desk: &Desk) {
    if let Some(peer) = prometheus(measured, Group::Labelled) {
        let row = Row::new(3, "labelled increment, 1,000 sets, 1 thread", ours.alone.nanos, "ns");
        table.add(row.beside(peer.name, peer.alone.nanos).must(Bound::times(1.1)).aim(Bound::times(0.9)));
    }
    let registry = ours::registry(1_000);
    let orders = ours::orders(&registry);
    let hit_all = || desk.orders.iter().for_each(|pair| ours::count_one(&orders, pair));
    hit_all();
    let allocations = heap::watch(hit_all).1.allocations;
    let row = Row::new(3, "heap allocations of 1,000 hits", allocations as f64, "");
    table.add(row.must(Bound::at_most(0.0, "")));
    if let Some(peer) = best(measured, Group::Labelled, |case| case.beside.nanos) {
        let row = Row::new(4, "labelled increment, 1,000 sets, 2 threads", ours.beside.nanos, "ns");
        table.add(row.beside(peer.name, peer.beside.nanos).must(Bound::faster(2.5)).aim(Bound::faster(5.0)));
    }
}

fn told(measured: &[Measured], group: Group, raw: &Measured, rounds: usize) -> String {
    let mut text = "| case | 1 thread, ns | x raw | 2 threads, ns | x raw | rounds that counted |\n\
                    | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for case in measured.iter().filter(|case| case.group == group) {
        let (alone, beside) = (case.alone, case.beside);
        let sleeps = if beside.sleeps { "; its threads sleep in a lock" } else { "" };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} and {} of {rounds}{sleeps} |",
            case.name,
            figure(alone.nanos, ""),
            figure(alone.nanos / raw.alone.nanos, ""),
            figure(beside.nanos, ""),
            figure(beside.nanos / raw.beside.nanos, ""),
            alone.rounds,
            beside.rounds,
        );
    }
    text
}
