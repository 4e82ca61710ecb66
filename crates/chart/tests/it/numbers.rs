use bellwether_chart::Unit;
use bellwether_chart::number::{Sign, compact, fixed};

const GOLDEN: &str = include_str!("../data/numbers.tsv");

fn unit(name: &str) -> Unit {
    match name.split_once(':') {
        Some((_, currency)) => Unit::money(currency),
        None => match name {
            "percent" => Unit::Percent,
            "bps" => Unit::BasisPoints,
            "count" => Unit::Count,
            "ratio" => Unit::Ratio,
            "number" => Unit::Number,
            "seconds" => Unit::Seconds,
            "bytes" => Unit::Bytes,
            other => panic!("unknown unit {other}"),
        },
    }
}

#[test]
fn every_number_of_the_golden_table_is_read_out_so() {
    let mut rows = 0;
    for line in GOLDEN.lines().filter(|line| !line.starts_with('#')) {
        let [name, value, expected] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let value: f64 = value.parse().unwrap();
        let found = match (name.strip_suffix('+'), name.strip_suffix('~')) {
            (Some(name), _) => unit(name).format_signed(value),
            (_, Some(name)) => unit(name).format_compact(value),
            _ => unit(name).format(value),
        };
        assert_eq!(found, expected, "{line}");
        rows += 1;
    }
    assert!(rows > 60, "only {rows} rows were read");
}

#[test]
fn minus_is_the_true_one_and_zero_has_no_sign() {
    assert!(fixed(-1.0, 0, Sign::Negative).starts_with('\u{2212}'));
    assert_eq!(fixed(-0.0, 2, Sign::Always), "0.00");
    assert_eq!(fixed(-0.004, 2, Sign::Always), "0.00");
}

#[test]
fn compact_never_shows_four_digits_before_the_suffix() {
    for value in [999.4, 999.5, 999_499.0, 999_500.0, 999_999.9, 1e6] {
        let text = compact(value, Sign::Negative);
        let digits = text.chars().take_while(char::is_ascii_digit).count();
        assert!(digits <= 3, "{value} is {text}");
    }
}

#[test]
fn decimals_of_a_currency_can_be_given() {
    let unit = Unit::Money { currency: "XBT".to_owned(), decimals: 4 };
    assert_eq!(unit.format(1.5), "1.5000 XBT");
}
