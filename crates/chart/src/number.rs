//! The one number format: true minus, comma groups, ties rounded away from zero, `–` for what is no number.
//!
//! Rounding is that of the decimal expansion of the `f64` itself, a tie going away from zero: the rule of
//! `toFixed` in ECMAScript (ECMA-262, 21.1.3.3), so that a page's script and a report print the same digits.

/// True minus, U+2212: as wide as a digit, unlike the hyphen.
pub const MINUS: char = '\u{2212}';

/// What stands for a value that does not exist: an en dash, U+2013.
pub const UNDEFINED: &str = "\u{2013}";

/// From this magnitude on, numbers are written with an exponent.
const SCIENTIFIC_FROM: f64 = 1e15;

/// When a number shows its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sign {
    /// Minus only.
    #[default]
    Negative,
    /// Plus and minus, for returns and profit. A number that rounds to zero has no sign.
    Always,
}

/// `value` with `decimals` digits after the point and commas between groups of three: `−12,480.22`.
///
/// From 1e15 on the number is written as `1.00e15`. At most 12 decimals are written.
pub fn fixed(value: f64, decimals: usize, sign: Sign) -> String {
    if !value.is_finite() {
        return UNDEFINED.to_owned();
    }
    if value.abs() >= SCIENTIFIC_FROM {
        return scientific(value, 2, sign);
    }
    let digits = rounded(value.abs(), decimals.min(12));
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let is_zero = digits.bytes().all(|digit| matches!(digit, b'0' | b'.'));
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 4);
    push_sign(&mut text, value, is_zero, sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// Three significant digits and a suffix: `1.84 M`, `12.5 k`, `950`. Suffixes are k, M, B (1e9) and T (1e12).
pub fn compact(value: f64, sign: Sign) -> String {
    if !value.is_finite() {
        return UNDEFINED.to_owned();
    }
    let mut scaled = value;
    let mut suffixes = ["", " k", " M", " B", " T"].into_iter();
    let mut suffix = suffixes.next().unwrap_or_default();
    for next in suffixes {
        // 999.5 would be written 1000: it belongs to the next suffix.
        if scaled.abs() < 999.5 {
            break;
        }
        scaled /= 1_000.0;
        suffix = next;
    }
    format!("{}{suffix}", fixed(scaled, three_digits(scaled), sign))
}

/// At most `digits` significant digits, without zeros at the end: `271.3`, `0.01234`, `5`.
///
/// The whole part is never cut: `12,345`. Below 1e−6 the number is written with an exponent.
pub fn significant(value: f64, digits: usize, sign: Sign) -> String {
    if !value.is_finite() {
        return UNDEFINED.to_owned();
    }
    if value != 0.0 && value.abs() < 1e-6 {
        return scientific(value, digits.saturating_sub(1), sign);
    }
    let lead = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    let decimals = (digits as f64 - 1.0 - lead).clamp(0.0, 12.0) as usize;
    let text = fixed(value, decimals, sign);
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A span of time in the two largest units that say something: `8.2 ms`, `41 s`, `3 h 12 min`, `5 d 3 h`.
pub fn duration(seconds: f64, sign: Sign) -> String {
    if !seconds.is_finite() {
        return UNDEFINED.to_owned();
    }
    let magnitude = seconds.abs();
    if magnitude == 0.0 {
        return "0 s".to_owned();
    }
    let mut text = String::new();
    push_sign(&mut text, seconds, magnitude < 0.5e-9, sign);
    for (unit, size, limit) in
        [("ns", 1e-9, 1_000.0), ("µs", 1e-6, 1_000.0), ("ms", 1e-3, 1_000.0), ("s", 1.0, 60.0)]
    {
        let amount = magnitude / size;
        let decimals = usize::from(unit != "ns" && amount < 9.95);
        if rounded(amount, decimals).parse::<f64>().is_ok_and(|shown| shown < limit) {
            return format!("{text}{} {unit}", rounded(amount, decimals));
        }
    }
    let whole = magnitude.round();
    let (large, small, large_unit, small_unit) = if whole < 3_600.0 {
        ((whole / 60.0).floor(), whole % 60.0, "min", "s")
    } else if (whole / 60.0).round() < 24.0 * 60.0 {
        let minutes = (whole / 60.0).round();
        ((minutes / 60.0).floor(), minutes % 60.0, "h", "min")
    } else {
        let hours = (whole / 3_600.0).round();
        ((hours / 24.0).floor(), hours % 24.0, "d", "h")
    };
    text.push_str(&fixed(large, 0, Sign::Negative));
    text.push(' ');
    text.push_str(large_unit);
    if small > 0.0 && large < 1_000.0 {
        text.push(' ');
        text.push_str(&fixed(small, 0, Sign::Negative));
        text.push(' ');
        text.push_str(small_unit);
    }
    text
}

/// Bytes in binary units with three significant digits: `1.50 GiB`, `512 B`.
pub fn bytes(value: f64, sign: Sign) -> String {
    if !value.is_finite() {
        return UNDEFINED.to_owned();
    }
    let mut scaled = value;
    let mut units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for next in units {
        if scaled.abs() < 1_023.5 {
            break;
        }
        scaled /= 1_024.0;
        unit = next;
    }
    let decimals = if unit == "B" { 0 } else { three_digits(scaled) };
    format!("{} {unit}", fixed(scaled, decimals, sign))
}

/// `1.25e−7`, `1.00e300`.
pub fn scientific(value: f64, decimals: usize, sign: Sign) -> String {
    if !value.is_finite() {
        return UNDEFINED.to_owned();
    }
    let mut text = String::new();
    push_sign(&mut text, value, value == 0.0, sign);
    for symbol in format!("{:.*e}", decimals.min(12), value.abs()).chars() {
        text.push(if symbol == '-' { MINUS } else { symbol });
    }
    text
}

/// Decimals that give a number below 1,000 three significant digits.
pub(crate) fn three_digits(value: f64) -> usize {
    match value.abs() {
        magnitude if magnitude == 0.0 || magnitude >= 99.95 => 0,
        magnitude if magnitude >= 9.995 => 1,
        _ => 2,
    }
}

fn push_sign(text: &mut String, value: f64, is_zero: bool, sign: Sign) {
    if is_zero {
    } else if value < 0.0 {
        text.push(MINUS);
    } else if sign == Sign::Always {
        text.push('+');
    }
}

/// Digits of a magnitude below 1e15, ties away from zero.
fn rounded(magnitude: f64, decimals: usize) -> String {
    // A binary fraction whose decimal expansion ends right after the digit to be dropped is a multiple of
    // 2^-(decimals + 1). Only then can the tie be exact, and only then does the formatter choose the even side.
    let halves = magnitude * f64::from(1_u32 << (decimals + 1).min(31));
    let is_tie = halves.fract() == 0.0 && format!("{magnitude:.*}", decimals + 1).ends_with('5');
    let magnitude = if is_tie { magnitude.next_up() } else { magnitude };
    format!("{magnitude:.decimals$}")
}
