//! The results as text and as JSON.

use std::fmt::Write as _;
use std::time::Duration;

use bellwether::alerts::{AlertChange, AlertState, DeliveryOutcome, NotificationRecord};
use bellwether::chart::{Unit as ChartUnit, number};
use bellwether::perf::DrawdownEpisode;
use bellwether::prelude::*;
use chrono::{DateTime, Datelike as _, Utc};

use crate::fault::Fault;
use crate::market::Market;
use crate::results::{BookResults, Figure, Results};

/// The years whose alerts are told one by one: the fall after the internet boom, and the financial crisis.
const TOLD_YEARS: [std::ops::RangeInclusive<i32>; 2] = [2000..=2002, 2008..=2008];

/// The whole summary.
pub(crate) fn text(market: &Market, results: &Results) -> Result<String, Fault> {
    let mut out = String::new();
    head(&mut out, market, results)?;
    for book in &results.books {
        sheet(&mut out, market, book)?;
    }
    alerts(&mut out, results)?;
    writeln!(out, "\nHealth at the end\n  {}", results.health.to_string().replace('\n', "\n  "))?;
    writeln!(out, "\nFigures of the whole run")?;
    for Figure { name, value } in &results.figures {
        writeln!(out, "  {name:<42}{:>10}", typed(&ChartUnit::Count.format(*value)))?;
    }
    Ok(out)
}

fn head(out: &mut String, market: &Market, results: &Results) -> Result<(), Fault> {
    let (days, benchmark) = (market.days(), &market.benchmark().name);
    let names: Vec<_> = market.instruments().iter().map(|one| one.name.as_str()).collect();
    writeln!(out, "A trading desk watched by Bellwether")?;
    let sessions = typed(&ChartUnit::Count.format(days.len() as f64));
    writeln!(out, "  sessions     {sessions}, {} to {}", days[0].date, days[days.len() - 1].date)?;
    writeln!(out, "  instruments  {}: index levels, 100 at the start", names.join(", "))?;
    writeln!(out, "  benchmark    {benchmark} held")?;
    let capital = bellwether::perf::nearest_f64(crate::book::CAPITAL);
    writeln!(out, "  capital      {} USD for each strategy", typed(&ChartUnit::Count.format(capital)))?;
    for book in &results.books {
        writeln!(out, "  {}: {}", book.name, book.rule)?;
        writeln!(out, "    {}", book.citation)?;
    }
    Ok(())
}

fn sheet(out: &mut String, market: &Market, book: &BookResults) -> Result<(), Fault> {
    let title = format!("{} against {} held", book.title, market.benchmark().name);
    writeln!(out, "\n{title}\n{}", "=".repeat(title.chars().count()))?;
    writeln!(out, "{}", book.snapshot.sheet)?;
    writeln!(out, "Deepest drawdowns")?;
    writeln!(out, "  {:>8}  {:10}  {:10}  {:10}  {:>8}", "depth", "peak", "trough", "recovered", "sessions")?;
    for episode in &book.drawdowns {
        let dates = dates(episode, &book.returns);
        writeln!(
            out,
            "  {:>8}  {:10}  {:10}  {:10}  {:>8}",
            typed(&ChartUnit::Percent.format(episode.depth)),
            dates.peak,
            dates.trough,
            dates.recovered,
            typed(&ChartUnit::Count.format(episode.length() as f64))
        )?;
    }
    Ok(())
}

/// A number of a chart as people type it: with the minus sign of the sheet, so that all of stdout has one.
fn typed(text: &str) -> String {
    text.replace(number::MINUS, "-")
}

/// When an episode was, in days.
pub(crate) struct EpisodeDates {
    pub(crate) peak: String,
    pub(crate) trough: String,
    pub(crate) recovered: String,
}

pub(crate) fn dates(episode: &DrawdownEpisode, returns: &[Sample]) -> EpisodeDates {
    let day = |index: usize| {
        returns
            .get(index)
            .map_or_else(String::new, |one| DateTime::<Utc>::from(one.at).date_naive().to_string())
    };
    EpisodeDates {
        peak: episode.peak.map_or_else(|| "start".to_owned(), day),
        trough: day(episode.trough),
        recovered: episode.recovery.map_or_else(|| "not yet".to_owned(), day),
    }
}

fn alerts(out: &mut String, results: &Results) -> Result<(), Fault> {
    let episodes = Episode::of(&results.changes);
    let fired: Vec<_> =
        results.alerts.iter().map(|one| format!("{} {}", one.fired, one.severity.as_str())).collect();
    let delivered = results.figure("bellwether_channel_delivered_total");
    writeln!(out, "\nAlerts fired: {}; {delivered} notifications delivered", fired.join(", "))?;
    for years in TOLD_YEARS {
        let told: Vec<_> = episodes.iter().filter(|one| years.contains(&one.fired.at.year())).collect();
        if told.is_empty() {
            continue;
        }
        let title = if years.start() == years.end() { String::new() } else { format!(" to {}", years.end()) };
        writeln!(out, "\n  {}{title}", years.start())?;
        for episode in told {
            let fired = episode.fired;
            writeln!(
                out,
                "  {}  to {:10}  {:8}  {:13}  {}  -> {}",
                fired.at.date_naive(),
                episode.until(),
                fired.alert.severity(),
                fired.alert.name(),
                summary(fired),
                channels(fired, &results.told).join(", "),
            )?;
        }
    }
    Ok(())
}

/// An alert from its firing to its resolution.
pub(crate) struct Episode<'a> {
    pub(crate) fired: &'a AlertChange,
    pub(crate) resolved: Option<&'a AlertChange>,
}

impl<'a> Episode<'a> {
    /// The alerts of some changes, which come in order of time.
    pub(crate) fn of(changes: &'a [AlertChange]) -> Vec<Self> {
        let fired = changes.iter().enumerate().filter(|(_, change)| change.state == AlertState::Firing);
        let with_end = fired.map(|(at, fired)| {
            let ends = |change: &&AlertChange| {
                change.state == AlertState::Resolved && change.alert.labels() == fired.alert.labels()
            };
            Self { fired, resolved: changes.get(at..).unwrap_or_default().iter().find(ends) }
        });
        with_end.collect()
    }

    /// The day on which it was over.
    pub(crate) fn until(&self) -> String {
        self.resolved.map_or_else(|| "now".to_owned(), |change| change.at.date_naive().to_string())
    }
}

/// What an alert says, for people.
pub(crate) fn summary(change: &AlertChange) -> String {
    change.alert.annotations().get("summary").unwrap_or_default().to_owned()
}

/// The channels that were told of a change: those with a notification that lists the alert in this state, at that time
/// or as soon as the group was due again.
fn channels<'a>(change: &AlertChange, told: &'a [NotificationRecord]) -> Vec<&'a str> {
    let mut channels: Vec<&str> = Vec::new();
    for record in told.iter().filter(|record| arrived(record) && record.at >= change.at) {
        let lists = record.notification.listed().any(|alert| {
            alert.labels() == change.alert.labels()
                && alert.state() == change.state
                && alert.starts_at() == change.alert.starts_at()
        });
        if lists && !channels.contains(&record.channel.as_str()) {
            channels.push(record.channel.as_str());
        }
    }
    channels
}

fn arrived(record: &NotificationRecord) -> bool {
    matches!(record.outcome, DeliveryOutcome::Delivered { .. })
}

/// The same as one JSON document.
pub(crate) fn json(market: &Market, results: &Results) -> serde_json::Value {
    let books = results.books.iter().map(|book| {
        serde_json::json!({
            "strategy": book.name,
            "citation": book.citation,
            "snapshot": book.snapshot,
            "drawdowns": book.drawdowns,
            "months": book.months,
        })
    });
    let figures: serde_json::Map<_, _> =
        results.figures.iter().map(|figure| (figure.name.clone(), figure.value.into())).collect();
    let exposed = results.exposed.iter().map(|one| {
        serde_json::json!({
            "name": one.name.as_str(),
            "kind": one.kind.to_string(),
            "unit": one.unit.as_str(),
            "help": one.help,
        })
    });
    serde_json::json!({
        "schema": "bellwether.trading_desk/1",
        "from": market.days()[0].date,
        "to": market.days()[market.days().len() - 1].date,
        "benchmark": market.benchmark().name,
        "books": books.collect::<Vec<_>>(),
        "alerts": results.changes,
        "notifications": results.told,
        "health": results.health,
        "figures": figures,
        "metrics": exposed.collect::<Vec<_>>(),
    })
}

/// Wall-clock figures, for stderr: they differ from run to run.
pub(crate) fn speed(
    wall: &SharedClock,
    results: &Results,
    ran: Duration,
    traded: Duration,
) -> Result<String, Fault> {
    const CALLS: u32 = 1_000_000;
    let scratch = Registry::new(wall, RegistryConfig::default());
    let counter = scratch.counter("scratch_total", Unit::None, "Calls.")?;
    let histogram = scratch.histogram("scratch_seconds", Unit::Seconds, "Calls.", Buckets::latency())?;
    let time = |call: &dyn Fn()| {
        let start = wall.monotonic();
        (0..CALLS).for_each(|_| call());
        wall.monotonic().saturating_since(start).as_secs_f64() * 1e9 / f64::from(CALLS)
    };
    let (count, record) = (time(&|| counter.increment()), time(&|| histogram.record(0.0004)));
    let events = results.figure("desk_orders_sent_total")
        + results.figure("desk_orders_rejected_total")
        + 2.0 * results.figure("desk_fills_total");
    let rate = events / traded.as_secs_f64().max(1e-9);
    Ok(format!(
        "ran {ran:.2?}; engine with its instruments {traded:.2?}, {rate:.0} order events/s\n\
         hot path: counter {count:.1} ns, histogram {record:.1} ns per call\n"
    ))
}
