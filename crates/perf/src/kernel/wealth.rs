//! Compounded wealth that neither overflows nor dies, as a mantissa and a power of two.

use std::f64::consts::LN_2;

use super::neumaier::Neumaier;

/// What 1.0 becomes after all returns, as `mantissa * 2^exponent`; each return is at least -1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wealth {
    mantissa: f64,
    exponent: i64,
    /// The logarithm by a compensated sum, where the product is so near to 1 that its own has lost digits.
    near_one: Option<f64>,
}

/// Products are renormalised beyond these, so that one more factor cannot leave the range.
const LARGE: f64 = 1e150;
const SMALL: f64 = 1e-150;

/// Within this distance of 1 the logarithm of the product has lost too many digits.
const NEAR: f64 = 0.125;

impl Wealth {
    pub(crate) fn after(returns: &[f64]) -> Self {
        let (mut mantissa, mut exponent) = (1.0_f64, 0_i64);
        // What the roundings of `1 + r` lose, relative: of equal returns all are rounded the same way.
        let mut lost = 0.0_f64;
        for &r in returns {
            let factor = 1.0 + r;
            let one = factor - r;
            let error = (1.0 - one) + (r - (factor - one));
            if error != 0.0 {
                lost += error / factor;
            }
            if factor > LARGE {
                let (m, e) = split(factor);
                mantissa *= m;
                exponent += e;
            } else {
                mantissa *= factor;
            }
            if mantissa > LARGE || (mantissa < SMALL && mantissa > 0.0) {
                let (m, e) = split(mantissa);
                mantissa = m;
                exponent += e;
            }
        }
        mantissa += mantissa * lost.exp_m1();
        let near_one = (exponent == 0 && (mantissa - 1.0).abs() < NEAR).then(|| {
            let mut sum = Neumaier::default();
            for &r in returns {
                sum.add(r.ln_1p());
            }
            sum.total()
        });
        Self { mantissa, exponent, near_one }
    }

    pub(crate) fn is_lost(self) -> bool {
        self.mantissa == 0.0
    }

    /// Natural logarithm; negative infinity when everything is lost.
    pub(crate) fn ln(self) -> f64 {
        self.near_one.unwrap_or_else(|| self.mantissa.ln() + self.exponent as f64 * LN_2)
    }

    /// Wealth minus 1; infinite beyond the range of a float.
    pub(crate) fn gain(self) -> f64 {
        match self.near_one {
            Some(ln) => ln.exp_m1(),
            None => scaled(self.mantissa, self.exponent) - 1.0,
        }
    }
}

/// `x = m * 2^e` with `m` in 1..2; for finite normal `x > 0`.
fn split(x: f64) -> (f64, i64) {
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i64 - 1023;
    (f64::from_bits((bits & !(0x7ff << 52)) | (1023 << 52)), exponent)
}

/// `mantissa * 2^exponent`, in two steps so that the power itself stays in range.
fn scaled(mantissa: f64, exponent: i64) -> f64 {
    let exponent = exponent.clamp(-2200, 2200) as i32;
    let half = exponent / 2;
    mantissa * 2.0_f64.powi(half) * 2.0_f64.powi(exponent - half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_gains_do_not_overflow_and_many_losses_do_not_die() {
        let up = Wealth::after(&vec![0.001; 1_000_000]);
        assert!((up.ln() / (1e6 * 0.001_f64.ln_1p()) - 1.0).abs() < 1e-12);
        assert_eq!(up.gain(), f64::INFINITY);
        let down = Wealth::after(&vec![-0.005; 200_000]);
        assert!((down.ln() / (2e5 * (-0.005_f64).ln_1p()) - 1.0).abs() < 1e-12);
        assert_eq!(down.gain(), -1.0);
        assert!(!down.is_lost());
    }

    #[test]
    fn returns_under_the_rounding_of_one_are_kept() {
        let tiny = Wealth::after(&[1e-17; 10]);
        assert!((tiny.gain() / 1e-16 - 1.0).abs() < 1e-15);
        assert!((tiny.ln() / 1e-16 - 1.0).abs() < 1e-15);
    }

    #[test]
    fn single_huge_returns_stay_in_range() {
        let wealth = Wealth::after(&[f64::MAX, f64::MAX, -0.5]);
        assert!((wealth.ln() / (2.0 * f64::MAX.ln() + 0.5_f64.ln()) - 1.0).abs() < 1e-14);
        assert_eq!(Wealth::after(&[f64::MAX]).gain(), f64::MAX);
        assert!(Wealth::after(&[0.1, -1.0, 5.0]).is_lost());
    }

    #[test]
    fn product_and_exact_wealth_agree() {
        // 1.5 * 0.5 * 4 = 3 exactly.
        assert_eq!(Wealth::after(&[0.5, -0.5, 3.0]).gain(), 2.0);
    }
}
