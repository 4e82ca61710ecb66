//! Decimal arithmetic that is exact or says that it cannot be; sums that need more digits are a
//! [`Total`](super::total::Total).
//!
//! The operators of `rust_decimal` panic on overflow, and its checked forms round without a word when a result
//! needs more than 28 digits (`1e28 + 1e-28` is `1e28`). Here a sum, difference or product is the exact one or
//! an error.

use rust_decimal::Decimal;

/// Why there is no exact result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotExact {
    /// Its whole part alone is beyond 28 digits.
    Overflow,
    /// It needs more than 28 digits.
    Inexact,
}

/// Decimals to which the share of an amount is rounded.
pub(crate) const SHARE_DECIMALS: u32 = 20;

/// A mantissa of 96 bits.
pub(crate) const MAX_MANTISSA: u128 = (1 << 96) - 1;

pub(crate) fn add(a: Decimal, b: Decimal) -> Result<Decimal, NotExact> {
    let (scale, x, y) = aligned(a, b)?;
    // Beyond 128 bits at this scale says nothing of the size of the sum.
    build(x.checked_add(y).ok_or(NotExact::Inexact)?, scale)
}

pub(crate) fn sub(a: Decimal, b: Decimal) -> Result<Decimal, NotExact> {
    add(a, -b)
}

pub(crate) fn mul(a: Decimal, b: Decimal) -> Result<Decimal, NotExact> {
    if let Some(product) = a.mantissa().checked_mul(b.mantissa()) {
        return build(product, a.scale() + b.scale());
    }
    let (a, b) = (a.normalize(), b.normalize());
    match a.mantissa().checked_mul(b.mantissa()) {
        Some(product) => build(product, a.scale() + b.scale()),
        None if super::nearest_f64(a).abs() * super::nearest_f64(b).abs() > MAX_MANTISSA as f64 => {
            Err(NotExact::Overflow)
        }
        None => Err(NotExact::Inexact),
    }
}

/// Both mantissas at the larger scale.
fn aligned(a: Decimal, b: Decimal) -> Result<(u32, i128, i128), NotExact> {
    let at = |a: Decimal, b: Decimal| {
        let scale = a.scale().max(b.scale());
        let x = a.mantissa().checked_mul(power(scale - a.scale())?)?;
        let y = b.mantissa().checked_mul(power(scale - b.scale())?)?;
        Some((scale, x, y))
    };
    at(a, b).or_else(|| at(a.normalize(), b.normalize())).ok_or(NotExact::Inexact)
}

/// The decimal of a mantissa of any size, if it has at most 28 digits without trailing zeros.
fn build(mut mantissa: i128, mut scale: u32) -> Result<Decimal, NotExact> {
    while mantissa.unsigned_abs() > MAX_MANTISSA || scale > Decimal::MAX_SCALE {
        if scale == 0 {
            return Err(NotExact::Overflow);
        }
        if mantissa % 10 != 0 {
            let whole = power(scale).map_or(0, |power| mantissa.unsigned_abs() / power.unsigned_abs());
            return Err(if whole > MAX_MANTISSA { NotExact::Overflow } else { NotExact::Inexact });
        }
        mantissa /= 10;
        scale -= 1;
    }
    Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| NotExact::Overflow)
}

fn power(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

/// `amount * part / whole`, rounded half to even at 20 decimals, or at as many as a decimal holds.
pub(crate) fn share(amount: Decimal, part: Decimal, whole: Decimal) -> Result<Decimal, NotExact> {
    let mut shares =
        (0..=SHARE_DECIMALS).rev().filter_map(|decimals| share_at(amount, part, whole, decimals));
    shares.next().ok_or(NotExact::Overflow)
}

/// `amount * part / whole`, rounded half to even at so many decimals; none if a decimal does not hold that.
pub(crate) fn share_at(amount: Decimal, part: Decimal, whole: Decimal, decimals: u32) -> Option<Decimal> {
    let negative = [amount, part, whole].iter().filter(|d| d.mantissa() < 0).count() % 2 == 1;
    let mantissa = i128::try_from(rounded_share(amount, part, whole, decimals)?).ok()?;
    Decimal::try_from_i128_with_scale(if negative { -mantissa } else { mantissa }, decimals).ok()
}

/// The mantissa of `|amount * part / whole|` with so many decimals, rounded half to even; none beyond 128 bits.
fn rounded_share(amount: Decimal, part: Decimal, whole: Decimal, decimals: u32) -> Option<u128> {
    let (a, p) = (amount.mantissa().unsigned_abs(), part.mantissa().unsigned_abs());
    let mut divisor = whole.mantissa().unsigned_abs();
    if divisor == 0 {
        return None;
    }
    // a p / w has the scale below; it is moved to `decimals` by tens above or under the line.
    let shift =
        i64::from(decimals) + i64::from(whole.scale()) - i64::from(amount.scale()) - i64::from(part.scale());
    let tens = u32::try_from(shift.unsigned_abs()).ok()?;
    if shift < 0 {
        divisor = divisor.checked_mul(10_u128.checked_pow(tens)?)?;
    }
    let up = if shift > 0 { tens } else { 0 };
    let direct = || a.checked_mul(p)?.checked_mul(10_u128.checked_pow(up)?);
    let (quotient, rest) = match direct() {
        Some(dividend) => (dividend / divisor, dividend % divisor),
        None => long_division(a, p, up, divisor)?,
    };
    let left = divisor - rest;
    let round_up = rest > left || (rest == left && quotient % 2 == 1);
    quotient.checked_add(u128::from(round_up))
}

/// `a * p * 10^up` divided by `divisor`, digit by digit of `p` and of the tens: no product is ever wider than
/// 128 bits while `a` has 96 and the divisor less than 124.
fn long_division(a: u128, p: u128, up: u32, divisor: u128) -> Option<(u128, u128)> {
    let (mut quotient, mut rest) = (0_u128, 0_u128);
    let digits = p.to_string();
    let digits = digits.bytes().map(|digit| u128::from(digit - b'0')).chain((0..up).map(|_| 0));
    for digit in digits {
        rest = rest.checked_mul(10)?.checked_add(a.checked_mul(digit)?)?;
        quotient = quotient.checked_mul(10)?.checked_add(rest / divisor)?;
        rest %= divisor;
    }
    Some((quotient, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    fn share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal {
        super::share(amount, part, whole).unwrap()
    }

    #[test]
    fn sums_that_the_library_rounds_are_errors() {
        assert_eq!(
            add(d("10000000000000000000000000000"), d("0.0000000000000000000000000001")),
            Err(NotExact::Inexact)
        );
        assert_eq!(add(Decimal::MAX, d("0.4")), Err(NotExact::Inexact));
        assert_eq!(add(Decimal::MAX, Decimal::ONE), Err(NotExact::Overflow));
        assert_eq!(sub(d("12345678901234"), d("0.00000000000001")), Ok(d("12345678901233.99999999999999")));
        assert_eq!(add(d("1"), d("2.50")), Ok(d("3.5")));
    }

    #[test]
    fn products_that_the_library_rounds_or_panics_on_are_errors() {
        assert_eq!(mul(d("1000000000000000"), d("1000000000000000")), Err(NotExact::Overflow));
        assert_eq!(mul(d("0.000000000000001"), d("0.000000000000001")), Err(NotExact::Inexact));
        assert_eq!(mul(d("99999999999999"), d("9999999.9999999")), Ok(d("999999999999980000000.0000001")));
        assert_eq!(mul(Decimal::MAX, Decimal::MAX), Err(NotExact::Overflow));
        assert_eq!(
            mul(d("0.1234567890123456789012345678"), d("0.1234567890123456789012345678")),
            Err(NotExact::Inexact)
        );
        assert_eq!(
            mul(d("5000000000000000000000000000"), d("0.0000000000000000000000000002")),
            Ok(Decimal::ONE)
        );
    }

    #[test]
    fn shares_are_rounded_half_to_even_at_twenty_decimals() {
        assert_eq!(share(d("1"), d("1"), d("3")), d("0.33333333333333333333"));
        assert_eq!(share(d("2"), d("1"), d("3")), d("0.66666666666666666667"));
        assert_eq!(share(d("-2"), d("1"), d("3")), d("-0.66666666666666666667"));
        // 0.00000000000000000001 / 2 = half of the last decimal: to the even 0; three halves to the even 2.
        assert_eq!(share(d("0.00000000000000000001"), d("1"), d("2")), d("0"));
        assert_eq!(share(d("0.00000000000000000003"), d("1"), d("2")), d("0.00000000000000000002"));
        assert_eq!(share(d("0.80"), d("30"), d("80")), d("0.30"));
    }

    #[test]
    fn large_shares_keep_as_many_decimals_as_fit() {
        let third = share(d("90000000000000"), d("1"), d("3"));
        assert_eq!(third, d("30000000000000"));
        let third = share(d("10000000000000"), d("1"), d("3"));
        assert!(third.to_string().starts_with("3333333333333.33333333333"), "{third}");
        // The average of a price at the end of the range is that price, and nothing over nothing has none.
        let highest = d("79000000000000000000000000000");
        assert_eq!(share(highest, d("1"), d("1")), highest);
        assert_eq!(super::share(highest, d("1"), d("0.1")), Err(NotExact::Overflow));
        assert_eq!(super::share(d("1"), d("1"), d("0")), Err(NotExact::Overflow));
    }

    #[test]
    fn long_division_agrees_with_the_direct_one() {
        for (a, p, up, w) in
            [(123_456_789_u128, 987_654_321_u128, 5, 333_667_u128), (7, 11, 20, 13), (1, 1, 0, 1)]
        {
            let dividend = a * p * 10_u128.pow(up);
            assert_eq!(long_division(a, p, up, w), Some((dividend / w, dividend % w)));
        }
        // Wider than 128 bits on the way.
        let wide = share(d("99999999.99999999999999999999"), d("9999999999.9999"), d("19999999999.9998"));
        assert_eq!(wide, d("50000000"));
    }
}
