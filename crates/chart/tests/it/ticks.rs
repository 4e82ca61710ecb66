use bellwether_chart::number::{Sign, fixed};
use bellwether_chart::ticks::{linear, logarithmic};
use bellwether_chart::time_ticks::time;

const NUMBERS: &str = include_str!("../data/ticks.tsv");
const TIMES: &str = include_str!("../data/time_ticks.tsv");

fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

/// Microseconds of `2026-11-24` or `2026-11-24T14:02:07`, counted day by day so as not to trust the code under test.
fn micros(text: &str) -> i64 {
    let (date, clock) = text.split_once('T').unwrap_or((text, "00:00:00"));
    let parts = |text: &str, mark: char| {
        text.split(mark).map(|part| part.parse::<i64>().unwrap()).collect::<Vec<_>>()
    };
    let ([year, month, day], [hour, minute, second]) = (&parts(date, '-')[..], &parts(clock, ':')[..]) else {
        panic!("{text}")
    };
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut days: i64 = (1970..*year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    let lengths = [31, if is_leap(*year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    days += lengths[..(*month - 1) as usize].iter().sum::<i64>() + day - 1;
    (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000
}

#[test]
fn value_ticks_are_those_of_the_golden_table() {
    for row in rows(NUMBERS) {
        let ticks = linear(row[0].parse().unwrap(), row[1].parse().unwrap(), row[2].parse().unwrap());
        let labels: Vec<_> =
            ticks.values.iter().map(|&tick| fixed(tick, ticks.decimals, Sign::Negative)).collect();
        assert_eq!(labels.join(" "), row[3], "{row:?}");
    }
}

#[test]
fn time_ticks_are_those_of_the_golden_table() {
    for row in rows(TIMES) {
        let ticks = time(micros(row[0]), micros(row[1]), row[2].parse().unwrap());
        let labels: Vec<_> = ticks
            .iter()
            .map(|tick| match &tick.context {
                Some(context) => format!("{}/{context}", tick.label),
                None => tick.label.clone(),
            })
            .collect();
        assert_eq!(labels.join(" "), row[3], "{row:?}");
    }
}

#[test]
fn ticks_below_a_second_are_as_precise_as_their_step() {
    let labels: Vec<_> = time(0, 10_000, 80).into_iter().map(|tick| tick.label).collect();
    assert_eq!(
        labels,
        ["00:00:00.000", "00:00:00.002", "00:00:00.004", "00:00:00.006", "00:00:00.008", "00:00:00.010"]
    );
}

#[test]
fn week_ticks_fall_on_mondays_and_year_ticks_on_the_first_of_january() {
    const DAY: i64 = 86_400_000_000;
    for tick in time(micros("2026-09-01"), micros("2026-11-24"), 120) {
        assert_eq!((tick.at / DAY + 3) % 7, 0, "{} is no Monday", tick.label);
    }
    for tick in time(micros("1999-01-04"), micros("2018-12-31"), 60) {
        assert_eq!(tick.at, micros(&format!("{}-01-01", tick.label)));
    }
}

#[test]
fn log_ticks_of_many_decades_are_powers_of_ten_evenly_thinned() {
    assert_eq!(logarithmic(1e-3, 1e9, 4).values, [1e-3, 1.0, 1e3, 1e6, 1e9]);
    assert_eq!(logarithmic(1.0, 1_000.0, 6).values, [1.0, 10.0, 100.0, 1_000.0]);
    assert_eq!(logarithmic(1.37, 9.9, 3).values, [1.0, 2.0, 5.0, 10.0], "never zero, never an odd end");
    assert_eq!(logarithmic(10.0, 200.0, 6).values, [10.0, 20.0, 50.0, 100.0, 200.0]);
}
