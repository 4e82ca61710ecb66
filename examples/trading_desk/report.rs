//! The results as a report.

use bellwether::alerts::AlertState;
use bellwether::chart::{Interval, Unit as ChartUnit};
use bellwether::health::report::{
    Block, Chart, ChartKind, Column, Fact, Marker, Report, Section, Table, Value,
};
use bellwether::perf::SheetRow;
use bellwether::prelude::*;

use crate::market::Market;
use crate::results::{BookResults, Results};
use crate::summary::{Episode, dates, summary};
use crate::watch::ROLLING_WINDOW;

/// The report.
pub(crate) fn make(market: &Market, results: &Results) -> Report {
    let days = market.days();
    let at = |index: usize| Timestamp::try_from(days[index].at).unwrap_or_default();
    let (first, last) = (at(0), at(days.len() - 1));
    let period = TimeRange::new(first, last).unwrap_or_else(|_| TimeRange::until(last));
    let benchmark = &market.benchmark().name;
    let mut report = Report::new("Trading desk", period, last, results.health.status)
        .subtitle(format!(
            "{} and {}, {} sessions, against {benchmark} held. Replayed from daily data; index levels, not prices of \
             anything that can be traded.",
            results.books.first().map_or("", |book| book.title),
            results.books.last().map_or("", |book| book.title),
            ChartUnit::Count.format(days.len() as f64),
        ))
        .headline(headline(results));
    report = report.section(together(benchmark, results));
    for book in &results.books {
        report = report.section(strategy(benchmark, book, results));
    }
    report = report.section(alerts(results)).section(health(results));
    report = report.note(
        "Equity is marked to market at every close, costs taken off. Conventions stand beside each number.",
    );
    for book in &results.books {
        report = report.note(format!("{}: {}", book.title, book.citation));
    }
    report.note(sources(market))
}

/// Where the data come from.
fn sources(market: &Market) -> String {
    if market.is_bundled() {
        return "Data: daily returns of the S&P 500 (adjusted closes) and of WTI crude oil (spot), as shipped with the Python \
                package arch under the University of Illinois/NCSA licence."
            .to_owned();
    }
    let files: Vec<_> = market.instruments().iter().map(|one| format!("{}.csv", one.name)).collect();
    format!("Data: {}, from the folder that the desk was given.", files.join(", "))
}

/// A number of the sheet with the minus sign of the charts.
fn typeset(text: &str) -> String {
    text.strip_prefix('-').map_or_else(|| text.to_owned(), |digits| format!("\u{2212}{digits}"))
}

fn count(value: f64) -> Value {
    Value::number(value, ChartUnit::Count.format(value))
}

fn signed_percent(value: f64) -> Value {
    Value::number(value, ChartUnit::Percent.format_signed(value))
}

/// A value of the sheet as it reads there.
fn row(book: &BookResults, name: &str) -> Value {
    match book.snapshot.sheet.row(name) {
        Some(row) => match row.value {
            Ok(value) => Value::number(value, typeset(&row.value_text())),
            Err(reason) => Value::undefined(reason.to_string()),
        },
        None => Value::undefined("not on the sheet"),
    }
}

fn headline(results: &Results) -> Vec<Fact> {
    let mut facts = Vec::new();
    for book in &results.books {
        facts.push(Fact::new(book.title, row(book, "cagr")).note("growth per year"));
        facts.push(Fact::new("Sharpe", row(book, "sharpe")).note(book.title));
        facts.push(Fact::new("Deepest drawdown", row(book, "max_drawdown")).note(book.title));
    }
    let fired = results.alerts.iter().fold(0.0, |sum, one| sum + one.fired);
    facts.push(Fact::new("Alerts", count(fired)).note("fired in all"));
    facts.push(
        Fact::new(
            "Health",
            Value::number(results.health.score.value, format!("{:.0}", results.health.score.value)),
        )
        .note("of 100"),
    );
    facts
}

/// Equity of all strategies and of the benchmark on one chart.
fn together(benchmark: &str, results: &Results) -> Section {
    let mut chart =
        Chart::new("Equity", ChartKind::Line, ChartUnit::money("USD")).interval(Interval::Weekdays);
    for book in &results.books {
        chart = chart.series(book.title, book.equity.iter().copied());
    }
    chart = chart.series(format!("{benchmark} held"), results.benchmark_equity.iter().copied());
    let mut table = Table::new(
        "Side by side",
        std::iter::once(Column::text(""))
            .chain(results.books.iter().map(|book| Column::number(book.title)))
            .chain([Column::number(format!("{benchmark} held"))]),
    );
    let Some(first) = results.books.first() else { return Section::new("equity", "Equity").block(chart) };
    for name in [
        "total_return",
        "cagr",
        "annualized_volatility",
        "sharpe",
        "sortino",
        "max_drawdown",
        "var_historical_95",
        "var_historical_99",
        "cvar_historical_exact_95",
        "cvar_historical_exact_99",
    ] {
        let Some(sheet_row) = first.snapshot.sheet.row(name) else { continue };
        let cells = std::iter::once(Value::text(sheet_row.label.to_string()))
            .chain(results.books.iter().map(|book| row(book, name)))
            .chain([held(sheet_row)]);
        table = table.row(cells);
    }
    Section::new("equity", "Equity").block(chart).block(table)
}

fn strategy(benchmark: &str, book: &BookResults, results: &Results) -> Section {
    let fall = book.depth.iter().map(|sample| Sample::new(sample.at, -sample.value));
    let markers = results.changes.iter().filter(|change| {
        change.state == AlertState::Firing && change.alert.labels().get("strategy") == Some(book.name)
    });
    let markers: Vec<_> = markers
        .filter_map(|change| {
            let at = Timestamp::try_from(change.at).ok()?;
            Some(Marker {
                at,
                label: format!("{}: {}", change.alert.name(), summary(change)),
                severity: change.alert.severity(),
            })
        })
        .collect();
    Section::new(book.name, book.title)
        .block(Block::text(format!(
            "Rule: {}. Volatility below is that of the last {ROLLING_WINDOW} sessions, per year.",
            book.rule
        )))
        .block(
            Chart::new("Drawdown", ChartKind::Area, ChartUnit::Percent)
                .interval(Interval::Weekdays)
                .series(book.title, fall),
        )
        .block(
            Chart::new("Rolling volatility, with alerts", ChartKind::Line, ChartUnit::Percent)
                .interval(Interval::Weekdays)
                .series(book.title, book.volatility.iter().copied())
                .markers(markers),
        )
        .block(months(book))
        .block(drawdowns(book))
        .block(numbers(benchmark, book))
}

/// The whole sheet: each number with its convention, or the reason why there is none.
fn numbers(benchmark: &str, book: &BookResults) -> Table {
    let columns = [
        Column::text("All numbers"),
        Column::number(book.title),
        Column::number(format!("{benchmark} held")),
        Column::text("Convention"),
    ];
    let mut table = Table::new(
        format!(
            "Over {} sessions; {}",
            ChartUnit::Count.format(book.snapshot.periods as f64),
            book.snapshot.sheet.conventions()
        ),
        columns,
    );
    for row in book.snapshot.sheet.rows() {
        let value = match row.value {
            Ok(value) => Value::number(value, typeset(&row.value_text())),
            Err(reason) => Value::undefined(reason.to_string()),
        };
        table = table.row([
            Value::text(row.label.to_string()),
            value,
            held(row),
            Value::text(row.convention.to_string()),
        ]);
    }
    table
}

/// The value of the benchmark in a row of the sheet.
fn held(row: &SheetRow) -> Value {
    match row.benchmark {
        Some(Ok(value)) => Value::number(value, typeset(&row.benchmark_text().unwrap_or_default())),
        Some(Err(reason)) => Value::undefined(reason.to_string()),
        None => Value::text(""),
    }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn months(book: &BookResults) -> Table {
    let columns = std::iter::once(Column::text("Year"))
        .chain(MONTHS.iter().map(|month| Column::heat(*month)))
        .chain([Column::number("Year total")]);
    let mut table = Table::new(format!("{}: return by month, %", book.title), columns);
    for year in book.months.years() {
        let months = year.months.iter().map(|month| match month {
            Some(month) => Value::number(*month, short_percent(*month)),
            None => Value::text(""),
        });
        let cells = std::iter::once(Value::text(year.year.to_string()));
        table = table.row(cells.chain(months).chain([Value::number(year.total, short_percent(year.total))]));
    }
    table
}

/// Percent with one decimal and without its sign, for narrow cells.
fn short_percent(value: f64) -> String {
    bellwether::chart::number::fixed(value * 100.0, 1, bellwether::chart::number::Sign::Negative)
}

fn drawdowns(book: &BookResults) -> Table {
    let columns = [
        Column::number("Depth"),
        Column::text("Peak"),
        Column::text("Trough"),
        Column::text("Recovered"),
        Column::number("Sessions under water"),
    ];
    let mut table = Table::new(format!("{}: deepest drawdowns", book.title), columns);
    for episode in &book.drawdowns {
        let dates = dates(episode, &book.returns);
        table = table.row([
            signed_percent(episode.depth),
            dates.peak.into(),
            dates.trough.into(),
            dates.recovered.into(),
            count(episode.length() as f64),
        ]);
    }
    table
}

/// How many alerts are listed.
const LISTED: usize = 40;

fn alerts(results: &Results) -> Section {
    let columns = [Column::text("Fired"), Column::text("Over"), Column::text("Alert"), Column::text("What")];
    let episodes = Episode::of(&results.changes);
    let worst: Vec<_> =
        episodes.iter().filter(|one| one.fired.alert.severity() == Severity::Critical).collect();
    let mut table = Table::new("Critical alerts", columns);
    for episode in worst.iter().take(LISTED) {
        table = table.row([
            episode.fired.at.date_naive().to_string(),
            episode.until(),
            episode.fired.alert.name().to_owned(),
            summary(episode.fired),
        ]);
    }
    let table = table.left_out(worst.len().saturating_sub(LISTED));
    let counts = results.alerts.iter().map(|one| {
        let fired = format!("{} fired", ChartUnit::Count.format(one.fired));
        Fact::new(one.severity.as_str(), Value::number(one.fired, fired))
            .note(format!("{} resolved", ChartUnit::Count.format(one.resolved)))
    });
    let section = Section::new("alerts", "Alerts").block(Block::facts(counts));
    if worst.is_empty() {
        section.block(Block::missing("Critical alerts", "none fired"))
    } else {
        section.block(table)
    }
}

fn health(results: &Results) -> Section {
    let columns =
        [Column::text("Check"), Column::text("Status"), Column::number("Points"), Column::text("Why")];
    let mut table = Table::new("Checks at the end", columns);
    for (check, part) in results.health.checks.iter().zip(&results.health.score.parts) {
        table = table.row([
            check.name.clone(),
            check.health.status().to_string(),
            format!("{:.0} of {:.0}", part.gained, part.possible),
            check.health.output().unwrap_or_default().to_owned(),
        ]);
    }
    Section::new("health", "Health").block(table)
}
