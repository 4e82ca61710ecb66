//! Every chart on one page, on example data made by a formula: `cargo run --example gallery -- --out FILE`.
//!
//! Writes an HTML page without script or outside link, and one chart beside it as an SVG file of its own.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::time::Duration;

use bellwether_chart::{
    AreaChart, Band, BarChart, Chart, Interval, Layout, Level, LineChart, MarkerKind, Size, Unit, stylesheet,
};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// 2000-01-03, a Monday.
const START: i64 = 10_959 * DAY;

/// A fixed sequence that looks like noise, from -1 to 1 (an xorshift generator, Marsaglia 2003).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

fn main() -> Result<(), std::io::Error> {
    let out = out_path();
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&out, page())?;
    let alone = out.with_file_name("gallery-equity.svg");
    std::fs::write(&alone, equity().to_standalone_svg(Size::WIDE))?;
    println!("{}\n{}", out.display(), alone.display());
    Ok(())
}

fn out_path() -> PathBuf {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--out").skip(1);
    arguments.next().unwrap_or_else(|| "target/gallery.html".to_owned()).into()
}

fn page() -> String {
    let full = |chart: &dyn Chart| chart.to_figure(Layout::Full);
    let pair = |one: &dyn Chart, other: &dyn Chart| {
        format!("<div class=\"pair\">{}{}</div>", one.to_figure(Layout::Half), other.to_figure(Layout::Half))
    };
    let body = [
        full(&equity()),
        full(&drawdown()),
        full(&volatility()),
        full(&years()),
        full(&daily()),
        full(&grouped()),
        pair(&years(), &logarithmic()),
        full(&latency()),
        full(&spread()),
        pair(&many(), &single()),
        pair(&empty(), &hostile()),
    ]
    .concat();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>bellwether-chart gallery</title><link rel=\"icon\" href=\"data:,\"><style>{}{}</style></head><body><main><h1>bellwether-chart</h1>\
         <p>Every curve on this page is made by a formula, to show the charts; none is a market.</p>{body}</main></body></html>",
        stylesheet(),
        "body{margin:0;background:var(--bw-page);color:var(--bw-ink);font:16px/1.5 system-ui,sans-serif}\
         main{max-width:1120px;margin:0 auto;padding:16px}\
         .bw-figure{box-sizing:border-box;padding:14px 16px 6px;margin:0 0 16px;border:1px solid var(--bw-grid);border-radius:8px}\
         .pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,480px),1fr));gap:0 16px}",
    )
}

/// Weekdays of twenty years with a level that wanders, seeded.
fn walk(seed: u64, drift: f64, size: f64) -> Vec<(i64, f64)> {
    let mut noise = Noise(seed);
    let mut level = 100.0;
    let mut calm = 1.0_f64;
    (0..7_305)
        .filter(|day| day % 7 < 5)
        .map(|day| {
            calm = (calm * 0.98 + noise.next().abs().powi(4) * 0.12).max(0.4);
            level *= 1.0 + drift + noise.next() * size * calm;
            (START + day * DAY, level)
        })
        .collect()
}

fn strategy() -> Vec<(i64, f64)> {
    walk(7, 0.000_22, 0.014)
}

fn benchmark() -> Vec<(i64, f64)> {
    walk(57, 0.000_12, 0.02)
}

fn drawdown_of(points: &[(i64, f64)]) -> Vec<(i64, f64)> {
    let mut peak = f64::MIN;
    points
        .iter()
        .map(|&(at, value)| {
            peak = peak.max(value);
            (at, value / peak - 1.0)
        })
        .collect()
}

fn equity() -> LineChart {
    let day = |day: i64| START + day * DAY;
    LineChart::new("Equity, marked to market")
        .unit(Unit::Ratio)
        .axis_label("index, 100 = first day")
        .interval(Interval::Weekdays)
        .line("Momentum 12-1", strategy())
        .line("Benchmark", benchmark())
        .marker(day(900), "drawdown 10 %", MarkerKind::Warning)
        .marker(day(905), "drawdown 12 %", MarkerKind::Warning)
        .marker(day(960), "drawdown 20 %", MarkerKind::Error)
        .marker(day(1_700), "drawdown over", MarkerKind::Resolved)
        .marker(day(3_200), "drawdown 10 %", MarkerKind::Warning)
        .marker(day(3_330), "drawdown 30 %", MarkerKind::Critical)
        .marker(day(4_400), "drawdown over", MarkerKind::Resolved)
}

fn drawdown() -> AreaChart {
    AreaChart::new("Drawdown")
        .unit(Unit::Percent)
        .axis_label("% of the peak before")
        .interval(Interval::Weekdays)
        .area("Momentum 12-1", drawdown_of(&strategy()))
        .line("Benchmark", drawdown_of(&benchmark()))
        .band(Band::below(-0.2, Level::Bad, "stop at"))
        .flat()
}

fn volatility() -> LineChart {
    let points = strategy();
    let rolling = points.windows(64).map(|window| {
        let returns: Vec<f64> = window.windows(2).map(|pair| pair[1].1 / pair[0].1 - 1.0).collect();
        let mean = returns.iter().sum::<f64>() / 63.0;
        let variance = returns.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 62.0;
        (window[63].0, (variance * 252.0).sqrt())
    });
    LineChart::new("Volatility, 63 days, annualised")
        .unit(Unit::Percent)
        .interval(Interval::Weekdays)
        .line("Momentum 12-1", rolling)
        .band(Band::between(0.1, 0.14, Level::Ok, "target from"))
        .band(Band::above(0.25, Level::Warn, "high from"))
}

fn years() -> BarChart {
    let points = strategy();
    let mut ends = vec![100.0];
    ends.extend(
        (1..=20)
            .filter_map(|year| points.iter().rev().find(|point| point.0 < START + year * 365 * DAY))
            .map(|p| p.1),
    );
    let bars = ends.windows(2).zip(2000..).map(|(pair, year)| (year.to_string(), pair[1] / pair[0] - 1.0));
    BarChart::new("Return by year").unit(Unit::Percent).bars("Momentum 12-1", bars).unfinished_last()
}

fn logarithmic() -> LineChart {
    LineChart::new("Equity")
        .unit(Unit::Ratio)
        .log_axis()
        .line("Momentum 12-1", strategy())
        .line("Benchmark", benchmark())
}

fn daily() -> BarChart {
    let mut noise = Noise(99);
    let names = (0..60).map(|day| format!("{:02}-{:02}", 9 + day / 30, day % 30 + 1));
    let bars: Vec<_> = names.map(|name| (name, (noise.next() * 40_000.0).round() + 4_000.0)).collect();
    BarChart::new("Profit and loss by day").unit(Unit::money("USD")).bars("P&L", bars).unfinished_last()
}

fn grouped() -> BarChart {
    let mut noise = Noise(5);
    let mut bars = |offset: f64| -> Vec<_> {
        (2012..2021).map(|year| (year.to_string(), noise.next() * 0.25 + offset)).collect()
    };
    BarChart::new("Return by year against the benchmark")
        .unit(Unit::Percent)
        .bars("Momentum 12-1", bars(0.08))
        .bars("Volatility target", bars(0.05))
        .bars("Benchmark", bars(0.03))
}

/// A day of one-second latencies, with a feed that stops twice and one storm.
fn latency() -> LineChart {
    let mut noise = Noise(3);
    let now = START + 9_000 * DAY;
    let samples: Vec<_> = (0..86_400_i64)
        .filter(|second| !(30_000..33_000).contains(second) && !(61_000..61_400).contains(second))
        .map(|second| {
            let storm = if (50_000..50_040).contains(&second) { 0.05 } else { 0.0 };
            (now + second * SECOND, 0.0042 + noise.next().abs().powi(6) * 0.012 + storm)
        })
        .collect();
    LineChart::new("Order latency, one a second")
        .unit(Unit::Seconds)
        .interval(Interval::every(Duration::from_secs(1)))
        .line("gateway", samples)
        .band(Band::above(0.04, Level::Warn, "slow from"))
        .between(now, now + DAY)
}

fn spread() -> LineChart {
    let mut noise = Noise(12);
    let now = START + 9_000 * DAY + 52_000 * SECOND;
    let spread = (0..90_i64).map(|second| (now + second * SECOND, 0.000_12 + noise.next() * 0.000_04));
    LineChart::new("Spread")
        .unit(Unit::BasisPoints)
        .interval(Interval::every(Duration::from_secs(1)))
        .line("ESZ6", spread)
        .flat()
}

fn many() -> LineChart {
    (1..=9).fold(LineChart::new("Exposure by symbol").unit(Unit::money("USD")), |chart, index| {
        let points =
            walk(index * 31, 0.0, 0.02).into_iter().step_by(20).map(|(at, value)| (at, value * 12_000.0));
        chart.line(format!("SYM{index}"), points)
    })
}

fn single() -> LineChart {
    LineChart::new("One value so far").unit(Unit::Percent).line("Sharpe", [(START, 0.0124)])
}

fn empty() -> LineChart {
    LineChart::new("Fills").unit(Unit::Count).when_empty("no fills since start 09:12")
}

fn hostile() -> LineChart {
    LineChart::new("<script>alert(1)</script> & \"quoted\"")
        .line("\"><img src=x onerror=alert(1)>", walk(3, 0.0, 0.01).into_iter().step_by(40))
        .line("]]> <!-- {{7*7}} \u{202e}reversed", walk(4, 0.0, 0.01).into_iter().step_by(40))
        .marker(START + 500 * DAY, "</title><svg/onload=alert(1)>", MarkerKind::Info)
}
