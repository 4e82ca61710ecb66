//! Numbers as people read them.

use crate::{MetricUnit, Undefined};

/// `12.34 %`, `0.283`, `5,030`; a dash where there is no value.
pub(super) fn number(value: Result<f64, Undefined>, unit: MetricUnit) -> String {
    match value {
        Ok(value) => defined(value, unit),
        Err(_) => "–".to_owned(),
    }
}

fn defined(value: f64, unit: MetricUnit) -> String {
    match unit {
        MetricUnit::Fraction | MetricUnit::FractionPerYear => {
            // Returns of single periods are hundredths of a percent; four decimals keep their digits.
            let percent = value * 100.0;
            let decimals = if percent != 0.0 && percent.abs() < 0.1 { 4 } else { 2 };
            format!("{} %", plain(percent, decimals))
        }
        MetricUnit::Ratio => plain(value, 3),
        MetricUnit::Outcome => plain(value, 2),
        MetricUnit::Count | MetricUnit::Periods => plain(value, 0),
    }
}

/// With separators of thousands; in powers of ten where it is too long or too small for the decimals.
fn plain(value: f64, decimals: usize) -> String {
    let size = value.abs();
    if size >= 1e9 || (size > 0.0 && decimals > 0 && size < 0.5 * 0.1_f64.powi(decimals as i32)) {
        return format!("{value:.2e}");
    }
    let text = format!("{size:.decimals$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{grouped}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        let cases = [
            (1.041_24, MetricUnit::Fraction, "104.12 %"),
            (-0.567_8, MetricUnit::Fraction, "-56.78 %"),
            (0.000_214_278, MetricUnit::Fraction, "0.0214 %"),
            (0.0, MetricUnit::Fraction, "0.00 %"),
            (0.282_7, MetricUnit::Ratio, "0.283"),
            (14_564.478_19, MetricUnit::Ratio, "14,564.478"),
            (-1_234_567.0, MetricUnit::Count, "-1,234,567"),
            (5030.0, MetricUnit::Periods, "5,030"),
            (-12_345.678, MetricUnit::Outcome, "-12,345.68"),
            (1e-9, MetricUnit::Ratio, "1.00e-9"),
            (-2.5e12, MetricUnit::Ratio, "-2.50e12"),
        ];
        for (value, unit, text) in cases {
            assert_eq!(number(Ok(value), unit), text);
        }
        assert_eq!(number(Err(Undefined::NoLosses), MetricUnit::Ratio), "–");
    }
}
