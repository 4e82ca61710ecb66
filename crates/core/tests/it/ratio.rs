//! Fractions as people write them.

use bellwether_core::{Ratio, RatioError};
use proptest::prelude::*;

fn parse(text: &str) -> Result<Ratio, RatioError> {
    text.parse()
}

#[test]
fn percent_basis_points_and_fractions_are_read_exactly_and_printed_as_percent() {
    for (text, fraction, printed) in [
        ("2.5 %", 0.025, "2.5 %"),
        ("2.5%", 0.025, "2.5 %"),
        ("15 bps", 0.0015, "0.15 %"),
        ("15bps", 0.0015, "0.15 %"),
        ("1 bp", 0.0001, "0.01 %"),
        ("0.025", 0.025, "2.5 %"),
        (" 7 % ", 0.07, "7 %"),
        ("-3.1 %", -0.031, "-3.1 %"),
        ("+3 %", 0.03, "3 %"),
        ("0", 0.0, "0 %"),
        ("-0 %", 0.0, "0 %"),
        ("1", 1.0, "100 %"),
        ("250", 250.0, "25000 %"),
        ("29 %", 0.29, "29 %"),
        ("0.1 bps", 0.00001, "0.001 %"),
        ("1e-3", 0.001, "0.1 %"),
        ("1e300", 1e300, "1e302 %"),
        ("5e-324", 5e-324, "5e-322 %"),
        ("123456.789 %", 1234.56789, "123456.789 %"),
    ] {
        let ratio = parse(text).unwrap();
        assert_eq!(ratio.get(), fraction, "{text}");
        assert_eq!(ratio.to_string(), printed, "{text}");
        assert_eq!(format!("{ratio:?}"), printed, "{text}");
    }
}

#[test]
fn percent_and_basis_points_are_without_noise() {
    let ratio = Ratio::new(0.0029).unwrap();
    assert_eq!(ratio.as_percent(), 0.29); // 0.0029 * 100.0 is 0.29000000000000004
    assert_eq!(ratio.as_bps(), 29.0);
    assert_eq!(Ratio::from_bps(15.0).unwrap().get(), 0.0015);
    assert_eq!(Ratio::from_percent(2.9).unwrap().get(), 0.029);
    assert_eq!(Ratio::new(f64::MAX).unwrap().as_bps(), f64::MAX);
}

#[test]
fn what_is_not_a_ratio_is_told_with_the_text() {
    for text in [
        "",
        "%",
        "bps",
        "2.5 percent",
        "2,5 %",
        "1.",
        ".5",
        "1e",
        "0x1",
        "inf",
        "NaN",
        "1 % %",
        "--1",
        "5 %bps",
        "1 2",
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert_eq!(error, format!("{text:?} is not a ratio: write e.g. 2.5 %, 15 bps or 0.025"));
    }
    assert_eq!(parse("1e999").unwrap_err().to_string(), "1e999 is not a finite ratio");
    for fraction in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(Ratio::new(fraction).is_err() && Ratio::from_bps(fraction).is_err(), "{fraction}");
    }
}

#[test]
fn bounds_are_told_with_the_value() {
    let ratio = parse("150 %").unwrap();
    let error = ratio.within(Ratio::ZERO..=Ratio::ONE).unwrap_err();
    assert_eq!(error.to_string(), "150 % is outside of [0 %, 100 %]");
    assert_eq!(ratio.within(Ratio::ZERO..), Ok(ratio));
    let error = Ratio::ONE.within(..Ratio::ONE).unwrap_err();
    assert_eq!(error.to_string(), "100 % is outside of (-inf, 100 %)");
}

#[test]
fn a_precision_rounds_and_a_width_aligns() {
    let ratio = parse("12.345 %").unwrap();
    assert_eq!(format!("{ratio:.1}"), "12.3 %");
    assert_eq!(format!("{ratio:>9.1}|{ratio:>10}|"), "   12.3 %|  12.345 %|");
}

#[test]
fn it_is_a_text_with_its_unit_in_json_and_read_from_numbers_too() {
    assert_eq!(serde_json::to_string(&parse("2.5 %").unwrap()).unwrap(), "\"2.5 %\"");
    for json in ["\"2.5 %\"", "\"250 bps\"", "0.025", "\"0.025\""] {
        assert_eq!(serde_json::from_str::<Ratio>(json).unwrap().get(), 0.025, "{json}");
    }
    assert_eq!(serde_json::from_str::<Ratio>("1").unwrap(), Ratio::ONE);
    assert!(serde_json::from_str::<Ratio>("true").is_err());
}

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>().prop_filter("finite", |x| x.is_finite()), -2.0..2.0_f64]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_ratio_is_read_back_as_it_was_printed(fraction in finite()) {
        let ratio = Ratio::new(fraction).unwrap();
        prop_assert_eq!(parse(&ratio.to_string()), Ok(ratio));
        prop_assert!(ratio.as_percent().is_finite() && ratio.as_bps().is_finite());
    }

    #[test]
    fn a_unit_shifts_the_decimal_text(whole in 0..100_000_u32, decimals in 0..1_000_u32) {
        let number = format!("{whole}.{decimals:03}");
        for (unit, exponent) in [("%", -2), ("bps", -4), ("", 0)] {
            let expected: f64 = format!("{number}e{exponent}").parse().unwrap();
            prop_assert_eq!(parse(&format!("{number} {unit}")).unwrap().get(), expected);
        }
    }

    #[test]
    fn the_order_is_that_of_the_numbers(a in finite(), b in finite()) {
        let (x, y) = (Ratio::new(a).unwrap(), Ratio::new(b).unwrap());
        prop_assert_eq!(Some(x.cmp(&y)), a.partial_cmp(&b));
        prop_assert_eq!(x == y, a == b);
    }

    #[test]
    fn any_text_is_a_ratio_or_an_error(text in "[-+0-9.eE %bps]{0,12}|.{0,20}") {
        if let Ok(ratio) = parse(&text) {
            prop_assert!(ratio.get().is_finite());
        }
    }
}
