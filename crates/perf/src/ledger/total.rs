//! A sum of decimals that is always exact.

use rust_decimal::Decimal;

use super::exact::{self, MAX_MANTISSA, NotExact};

/// A sum of decimals without rounding, within the range of a decimal.
///
/// A decimal holds 28 digits. A book of a thousand millions, of which shares with twenty decimals are closed,
/// needs more, and so does the sum of a large and of a small one: then the whole part and the fraction are kept
/// apart. It is rounded once, when it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Total {
    /// As long as a decimal holds it.
    Short(Decimal),
    /// `whole + fraction * 10^-28`, the fraction in 0 to 10^28, with at most `scale` decimals.
    Long {
        /// The largest whole number that is not over the total.
        whole: i128,
        /// What is over it, in units of 10^-28.
        fraction: i128,
        /// Decimals that its parts had.
        scale: u32,
    },
}

/// Decimals of a fraction.
const DECIMALS: u32 = Decimal::MAX_SCALE;

/// A whole, in units of the fraction.
const ONE: i128 = 10_i128.pow(DECIMALS);

/// Totals stay under this, either way, so that the nearest decimal exists.
const LIMIT: i128 = MAX_MANTISSA.cast_signed();

const fn power(exponent: u32) -> i128 {
    10_i128.pow(exponent)
}

impl Total {
    pub(crate) const ZERO: Self = Self::Short(Decimal::ZERO);

    /// `a * b`, if it has at most 28 decimals.
    pub(crate) fn product(a: Decimal, b: Decimal) -> Result<Self, NotExact> {
        Self::Short(a).times(b)
    }

    pub(crate) fn add(self, other: Self) -> Result<Self, NotExact> {
        if let (Self::Short(a), Self::Short(b)) = (self, other) {
            match exact::add(a, b) {
                Err(NotExact::Inexact) => {}
                sum => return sum.map(Self::Short),
            }
        }
        let ((a, b, i), (c, d, j)) = (self.parts(), other.parts());
        // Both fractions are under 10^28, both wholes under 10^29.
        Self::long(a + c, b + d, i.max(j))
    }

    pub(crate) fn sub(self, other: Self) -> Result<Self, NotExact> {
        self.add(-other)
    }

    /// `self * factor`, if that has at most 28 decimals and the digits on the way fit 127 bits.
    pub(crate) fn times(self, factor: Decimal) -> Result<Self, NotExact> {
        if let Self::Short(amount) = self {
            match exact::mul(amount, factor) {
                Err(NotExact::Inexact) => {}
                product => return product.map(Self::Short),
            }
        }
        let ((whole, mut fraction, scale), factor) = (self.parts(), factor.normalize());
        let (mantissa, factor_scale) = (factor.mantissa(), factor.scale());
        let wholes = whole.checked_mul(mantissa).ok_or(NotExact::Overflow)?;
        let part_of_whole = wholes.rem_euclid(power(factor_scale)) * power(DECIMALS - factor_scale);

        let mut decimals = DECIMALS;
        while decimals > 0 && fraction % 10 == 0 {
            fraction /= 10;
            decimals -= 1;
        }
        let mut product = fraction.checked_mul(mantissa).ok_or(NotExact::Inexact)?;
        decimals += factor_scale;
        while decimals > DECIMALS {
            if product % 10 != 0 {
                return Err(NotExact::Inexact);
            }
            product /= 10;
            decimals -= 1;
        }
        let one = power(decimals);
        let part = product.rem_euclid(one) * power(DECIMALS - decimals);
        let whole = wholes.div_euclid(power(factor_scale)) + product.div_euclid(one);
        Self::long(whole, part_of_whole + part, (scale + factor_scale).min(DECIMALS))
    }

    /// Of a fraction in 0 to twice 10^28.
    fn long(whole: i128, fraction: i128, scale: u32) -> Result<Self, NotExact> {
        let (whole, fraction) = if fraction >= ONE { (whole + 1, fraction - ONE) } else { (whole, fraction) };
        if !(-LIMIT..LIMIT).contains(&whole) {
            return Err(NotExact::Overflow);
        }
        let long = Self::Long { whole, fraction, scale };
        Ok(long.at_scale(scale).map_or(long, Self::Short))
    }

    fn parts(self) -> (i128, i128, u32) {
        match self {
            Self::Long { whole, fraction, scale } => (whole, fraction, scale),
            Self::Short(amount) => {
                let (mantissa, scale) = (amount.mantissa(), amount.scale());
                let one = power(scale);
                (mantissa.div_euclid(one), mantissa.rem_euclid(one) * power(DECIMALS - scale), scale)
            }
        }
    }

    /// The decimal with so many decimals, if that is the total.
    fn at_scale(self, scale: u32) -> Option<Decimal> {
        let (whole, fraction, _) = self.parts();
        let unit = power(DECIMALS - scale);
        let mantissa = whole.checked_mul(power(scale))?.checked_add(fraction / unit)?;
        let whole = fraction % unit == 0 && mantissa.unsigned_abs() <= MAX_MANTISSA;
        if whole { Decimal::try_from_i128_with_scale(mantissa, scale).ok() } else { None }
    }

    /// The total, if a decimal holds it.
    pub(crate) fn exact(self) -> Option<Decimal> {
        match self {
            Self::Short(amount) => Some(amount),
            Self::Long { fraction, scale, .. } => {
                let unneeded = (1..=scale).take_while(|less| fraction % power(DECIMALS - scale + less) == 0);
                self.at_scale(scale - unneeded.count() as u32)
            }
        }
    }

    /// The total, or the decimal nearest to it where that needs more than 28 digits, half to even.
    pub(crate) fn nearest(self) -> Decimal {
        if let Some(exact) = self.exact() {
            return exact;
        }
        let (whole, fraction, scale) = self.parts();
        let negative = whole < 0;
        let (whole, fraction) = match (negative, fraction) {
            (false, fraction) => (whole, fraction),
            (true, 0) => (-whole, 0),
            (true, fraction) => (-whole - 1, ONE - fraction),
        };
        let rounded = |decimals: u32| {
            let unit = power(DECIMALS - decimals);
            let down = whole.checked_mul(power(decimals))?.checked_add(fraction / unit)?;
            let (rest, left) = (fraction % unit, unit - fraction % unit);
            let up = rest > left || (rest == left && down % 2 == 1);
            let mantissa = down + i128::from(up);
            let fits = mantissa.unsigned_abs() <= MAX_MANTISSA;
            fits.then(|| Decimal::try_from_i128_with_scale(mantissa, decimals).ok()).flatten()
        };
        // Without decimals it fits, by the limit.
        let nearest = (0..=scale).rev().find_map(rounded).unwrap_or(Decimal::MAX);
        if negative { -nearest } else { nearest }
    }
}

impl From<Decimal> for Total {
    fn from(amount: Decimal) -> Self {
        Self::Short(amount)
    }
}

impl std::ops::Neg for Total {
    type Output = Self;
    fn neg(self) -> Self {
        match self {
            Self::Short(amount) => Self::Short(-amount),
            Self::Long { whole, fraction: 0, scale } => Self::Long { whole: -whole, fraction: 0, scale },
            Self::Long { whole, fraction, scale } => {
                Self::Long { whole: -whole - 1, fraction: ONE - fraction, scale }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn d(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    fn total(texts: &[&str]) -> Total {
        texts.iter().fold(Total::ZERO, |sum, text| sum.add(d(text).into()).unwrap())
    }

    #[test]
    fn what_a_decimal_would_lose_is_there_when_the_large_part_has_gone() {
        let sum = total(&["12345678901234567890", "0.00000000000000000000000001"]);
        assert_eq!(sum.exact(), None);
        assert_eq!(sum.nearest(), d("12345678901234567890"));
        let rest = sum.sub(d("12345678901234567890").into()).unwrap();
        assert_eq!(rest.exact(), Some(d("0.00000000000000000000000001")));
        let rest = total(&["-12345678901234567890", "0.3333333333333333333", "12345678901234567890"]);
        assert_eq!(rest.nearest(), d("0.3333333333333333333"));
    }

    #[test]
    fn a_total_keeps_the_decimals_of_its_parts() {
        assert_eq!(total(&["1.50", "0.50"]).nearest().to_string(), "2.00");
        let long = total(&["99999999999999999999", "0.000000000001", "-0.000000000001"]);
        assert_eq!(long.nearest(), d("99999999999999999999"));
    }

    #[test]
    fn it_is_rounded_half_to_even_and_overflows_at_the_range_of_a_decimal() {
        let large = "50000000000000000000000000000";
        assert_eq!(total(&[large, "0.5"]).nearest(), d(large));
        assert_eq!(total(&[large, "1.5"]).nearest(), d(large) + d("2"));
        assert_eq!(total(&[large, "0.50000000000000000001"]).nearest(), d(large) + d("1"));
        assert_eq!((-total(&[large, "1.5"])).nearest(), -(d(large) + d("2")));
        assert_eq!(total(&[large, "0.5"]).add(d(large).into()).unwrap_err(), NotExact::Overflow);
        assert_eq!(Total::from(Decimal::MAX).add(d("0.1").into()).unwrap_err(), NotExact::Overflow);
        assert_eq!(total(&[large, "0.5"]).times(d("2")).unwrap_err(), NotExact::Overflow);
    }

    #[test]
    fn products_are_exact_to_28_decimals() {
        let amount = total(&["123456789012345", "0.00000000000001"]);
        let product = amount.times(d("50.5")).unwrap();
        assert_eq!(
            product.sub(total(&["6234567845123422.5"])).unwrap().exact(),
            Some(d("0.000000000000505"))
        );
        let tiny = Total::from(d("0.00000000000000000001"));
        assert_eq!(tiny.times(d("0.000000001")).unwrap_err(), NotExact::Inexact);
        let wide = Total::product(d("1000000000000.01"), d("99999999999999.9")).unwrap();
        assert_eq!(wide.sub(total(&["100000000000000899999999999"])).unwrap().exact(), Some(d("0.999")));
    }

    proptest! {
        #[test]
        fn sums_and_products_agree_with_whole_numbers(parts in proptest::collection::vec((any::<i64>(), 0..7_u32), 1..40), factor in 1..1000_i64) {
            // In units of 10^-6 every sum fits 127 bits.
            let (mut sum, mut exact) = (Total::ZERO, 0_i128);
            for (mantissa, scale) in parts {
                sum = sum.add(Decimal::from_i128_with_scale(i128::from(mantissa), scale).into()).unwrap();
                exact += i128::from(mantissa) * power(6 - scale);
                let same = |got: Total, exact: i128| {
                    let (whole, fraction, _) = got.parts();
                    whole * power(6) + fraction / power(22) == exact && fraction % power(22) == 0
                };
                prop_assert!(same(sum, exact));
                prop_assert!(same(-sum, -exact));
                prop_assert!(same(sum.times(Decimal::from(factor)).unwrap(), exact * i128::from(factor)));
                prop_assert_eq!(sum.nearest(), Decimal::from_i128_with_scale(exact, 6));
            }
        }
    }
}
