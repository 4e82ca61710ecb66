use std::time::Duration;

use bellwether_chart::decimate::min_max;
use bellwether_chart::gaps::runs;
use bellwether_chart::number::{Sign, fixed};
use bellwether_chart::ticks::{linear, logarithmic};
use bellwether_chart::time_ticks::time;
use bellwether_chart::{
    AreaChart, Band, BarChart, Chart, Interval, Layout, Level, LineChart, MarkerKind, Size, Unit,
};
use proptest::collection::vec;
use proptest::num::f64::{ANY, NORMAL, SUBNORMAL, ZERO};
use proptest::prelude::*;

use crate::picture::parse;

/// Any finite number of any size, and now and then one as a market gives it.
fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![NORMAL | SUBNORMAL | ZERO, -1e6..1e6_f64, Just(0.0), Just(f64::MAX), Just(f64::MIN)]
}

fn moment() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), 0..1_000_000_000_000_i64, Just(i64::MIN), Just(i64::MAX), Just(0)]
}

fn unit() -> impl Strategy<Value = Unit> {
    prop::sample::select(vec![
        Unit::Number,
        Unit::Count,
        Unit::Ratio,
        Unit::Percent,
        Unit::BasisPoints,
        Unit::Seconds,
        Unit::Bytes,
        Unit::money("USD"),
    ])
}

fn sizes() -> impl Strategy<Value = Size> {
    prop::sample::select(vec![Size::WIDE, Size::HALF, Size::NARROW, Size::NARROW.with_plot_height(1)])
}

fn interval() -> impl Strategy<Value = Interval> {
    prop::sample::select(vec![
        Interval::Unknown,
        Interval::DAY,
        Interval::Weekdays,
        Interval::every(Duration::from_micros(1)),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_numbers_give_a_line_chart_that_every_reader_accepts(
        one in vec((moment(), ANY), 0..60),
        other in vec((moment(), finite()), 0..60),
        marks in vec(moment(), 0..8),
        limit in ANY,
        range in proptest::option::of((moment(), moment())),
        (unit, size, interval, log) in (unit(), sizes(), interval(), any::<bool>()),
    ) {
        let mut chart = LineChart::new("a").unit(unit).interval(interval).line("one", one).line("other", other);
        chart = chart.band(Band::above(limit, Level::Bad, "limit")).band(Band::between(limit, 0.0, Level::Ok, "ok"));
        if log {
            chart = chart.log_axis();
        }
        if let Some((from, to)) = range {
            chart = chart.between(from, to);
        }
        for at in marks {
            chart = chart.marker(at, "mark", MarkerKind::Warning);
        }
        parse(&chart.to_svg(size));
        parse(&chart.to_standalone_svg(size));
        prop_assert!(!chart.summary().contains("NaN"));
        roxmltree::Document::parse(&chart.to_figure(Layout::Half)).unwrap();
    }

    #[test]
    fn any_numbers_give_an_area_chart_that_every_reader_accepts(
        area in vec((moment(), ANY), 0..60),
        line in vec((moment(), finite()), 0..60),
        (unit, size, interval) in (unit(), sizes(), interval()),
    ) {
        let chart = AreaChart::new("a").unit(unit).interval(interval).area("area", area).line("line", line).flat();
        parse(&chart.to_svg(size));
        roxmltree::Document::parse(&chart.to_figure(Layout::Full)).unwrap();
    }

    #[test]
    fn any_numbers_give_a_bar_chart_that_every_reader_accepts(
        bars in vec(("[a-z]{0,6}", ANY), 0..400),
        more in vec(("[a-z]{0,3}", finite()), 0..40),
        (unit, size, has_more) in (unit(), sizes(), any::<bool>()),
    ) {
        let mut chart = BarChart::new("a").unit(unit).bars("one", bars).unfinished_last();
        if has_more {
            chart = chart.bars("more", more);
        }
        parse(&chart.to_svg(size));
        roxmltree::Document::parse(&chart.to_figure(Layout::Full)).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn decimation_keeps_the_extremes_the_ends_and_the_order(
        values in vec(finite(), 1..500),
        width in 1..60_i64,
    ) {
        let points: Vec<(i64, f64)> = (0..).zip(values).collect();
        let kept = min_max(&points, |at| at / width);
        let low = |points: &[(i64, f64)]| points.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
        let high = |points: &[(i64, f64)]| points.iter().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
        prop_assert_eq!(low(&kept), low(&points));
        prop_assert_eq!(high(&kept), high(&points));
        for column in 0..=(points.len() as i64 - 1) / width {
            let of = |points: &[(i64, f64)]| -> Vec<_> {
                points.iter().copied().filter(|point| point.0 / width == column).collect()
            };
            prop_assert_eq!(low(&of(&kept)), low(&of(&points)));
            prop_assert_eq!(high(&of(&kept)), high(&of(&points)));
        }
        prop_assert_eq!(kept.first(), points.first());
        prop_assert_eq!(kept.last(), points.last());
        prop_assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0), "in time order, none twice");
        prop_assert!(kept.len() <= 2 * (points.len() / width as usize + 1) + 2);
    }

    #[test]
    fn runs_hold_every_finite_value_once_and_nothing_else(
        values in vec(prop_oneof![3 => finite(), 1 => Just(f64::NAN)], 0..200),
        steps in vec(1..100_i64, 200),
    ) {
        let mut at = 0;
        let points: Vec<(i64, f64)> = values.into_iter().zip(steps).map(|(value, step)| {
            at += step;
            (at, value)
        }).collect();
        let interval = Interval::every(Duration::from_micros(20));
        let found = runs(&points, interval);
        let held: Vec<usize> = found.iter().cloned().flatten().collect();
        let finite: Vec<usize> = (0..points.len()).filter(|&index| points[index].1.is_finite()).collect();
        prop_assert_eq!(held, finite);
        for run in &found {
            prop_assert!(points[run.clone()].windows(2).all(|pair| pair[1].0 - pair[0].0 <= 50));
        }
    }

    #[test]
    fn ticks_enclose_the_data_rise_and_are_few(lo in finite(), hi in finite(), intervals in 1..12_usize) {
        let (lo, hi) = (lo.clamp(-1e300, 1e300), hi.clamp(-1e300, 1e300));
        let ticks = linear(lo, hi, intervals).values;
        let slack = lo.abs().max(hi.abs()) * 1e-8 + 1e-280;
        prop_assert!(ticks.iter().all(|tick| tick.is_finite()));
        prop_assert!(ticks[0] <= lo.min(hi) + slack && ticks[ticks.len() - 1] >= lo.max(hi) - slack, "{:?}", ticks);
        prop_assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", ticks);
        prop_assert!((2..=intervals.max(2) + 1).contains(&ticks.len()), "{:?}", ticks);
    }

    #[test]
    fn log_ticks_enclose_the_data_and_rise(lo in 1e-300..1e300_f64, factor in 1.0..1e12_f64, intervals in 1..12_usize) {
        let hi = (lo * factor).min(1e300);
        let ticks = logarithmic(lo, hi, intervals).values;
        prop_assert!(ticks[0] > 0.0 && ticks[0] <= lo * (1.0 + 1e-8), "{lo} {hi} {:?}", ticks);
        prop_assert!(ticks[ticks.len() - 1] >= hi * (1.0 - 1e-8), "{lo} {hi} {:?}", ticks);
        prop_assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", ticks);
    }

    #[test]
    fn time_ticks_lie_inside_rise_and_stand_clear(lo in moment(), hi in moment(), room in 0..200_usize) {
        let (lo, hi) = (lo.min(hi), lo.max(hi));
        let ticks = time(lo, hi, room);
        prop_assert!(!ticks.is_empty());
        prop_assert!(ticks.iter().all(|tick| (lo..=hi).contains(&tick.at)));
        prop_assert!(ticks.windows(2).all(|pair| pair[0].at < pair[1].at));
        prop_assert!(ticks.len() <= room / 6 + 2, "{} ticks in {room} characters", ticks.len());
    }

    #[test]
    fn a_written_number_reads_back_to_within_half_of_its_last_digit(value in -1e12..1e12_f64, decimals in 0..6_usize) {
        let text = fixed(value, decimals, Sign::Negative).replace(',', "").replace('\u{2212}', "-");
        let read: f64 = text.parse().unwrap();
        let half = 0.5 * 10_f64.powi(-(decimals as i32));
        prop_assert!((read - value).abs() <= half * (1.0 + 1e-9) + value.abs() * 1e-15, "{value} is {text}");
    }
}
