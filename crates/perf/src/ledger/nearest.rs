//! The border between exact money and statistics.

use rust_decimal::Decimal;

/// Powers of ten that a float holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// The float nearest to the decimal, always.
///
/// The library's own conversion is one unit in the last place off for about one in eight values of more than
/// 15 digits. Here a mantissa under 2^53 over a power of ten up to 10^22 is divided, which rounds once; anything
/// longer is read from its digits.
///
/// ```
/// use bellwether_perf::nearest_f64;
/// use rust_decimal::Decimal;
/// assert_eq!(nearest_f64(Decimal::new(1, 1)), 0.1);
/// assert_eq!(nearest_f64("0.1000000000000000055511151231".parse()?), 0.1);
/// # Ok::<(), rust_decimal::Error>(())
/// ```
pub fn nearest_f64(value: Decimal) -> f64 {
    let mantissa = value.mantissa();
    if mantissa.unsigned_abs() < 1 << f64::MANTISSA_DIGITS
        && let Some(power) = EXACT_POWERS.get(value.scale() as usize)
    {
        return mantissa as f64 / power + 0.0;
    }
    // A decimal's digits always read as a float; the fallback is never reached.
    value.to_string().parse().unwrap_or(mantissa as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_read_to_the_nearest_float() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 11
        };
        for _ in 0..20_000 {
            let mantissa = i128::from(next()) * i128::from(next() % 100_000);
            let value = Decimal::from_i128_with_scale(mantissa, (next() % 29) as u32);
            let text: f64 = value.to_string().parse().unwrap();
            assert_eq!(nearest_f64(value), text, "{value}");
            assert_eq!(nearest_f64(-value), -text);
        }
    }

    #[test]
    fn zero_is_positive() {
        assert_eq!(nearest_f64(-Decimal::ZERO).to_bits(), 0.0_f64.to_bits());
    }
}
