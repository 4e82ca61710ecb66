//! How likely a value of Student's t is by chance.

/// From here on more degrees of freedom change nothing that anyone reads.
const MOST_DEGREES: f64 = 1e6;

/// Probability that a value of Student's t with `degrees` of freedom, more than none and not only whole ones, lies at
/// least as far from zero as `t`, on either side: the p-value of a two-sided test.
///
/// `I_x(degrees / 2, 1 / 2)` at `x = degrees / (degrees + t^2)` (Abramowitz and Stegun 1964, 26.7.1 and 26.5.27), to about
/// twelve digits, in the tails too. More than a million degrees count as a million. O(sqrt(degrees)).
pub(crate) fn two_sided(t: f64, degrees: f64) -> f64 {
    let degrees = degrees.min(MOST_DEGREES);
    let ratio = t * t / degrees;
    if ratio == 0.0 {
        return 1.0;
    }
    if !ratio.is_finite() {
        return 0.0;
    }
    let (a, b) = (degrees / 2.0, 0.5);
    let (x, rest) = (1.0 / (1.0 + ratio), ratio / (1.0 + ratio));
    // x^a (1 - x)^b / B(a, b), where B(a, 1/2) = sqrt(pi) gamma(a) / gamma(a + 1/2).
    let front = (-a * ratio.ln_1p()).exp() * rest.sqrt() * half_step(a) / std::f64::consts::PI.sqrt();
    // The fraction converges fast on this side of its turning point, and its mirror image on the other.
    let p = if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, rest) / b
    };
    p.clamp(0.0, 1.0)
}

/// `gamma(a + 1/2) / gamma(a)` by its series for large `a` (Graham, Knuth and Patashnik 1994, exercise 9.60), which
/// `f(a) = f(a + 1) a / (a + 1/2)` brings down to any.
fn half_step(mut a: f64) -> f64 {
    let mut down = 1.0;
    while a < 256.0 {
        down *= a / (a + 0.5);
        a += 1.0;
    }
    let r = 1.0 / a;
    let series = 1.0 + r * (-1.0 / 8.0 + r * (1.0 / 128.0 + r * (5.0 / 1024.0 - r * (21.0 / 32_768.0))));
    down * a.sqrt() * series
}

/// The continued fraction of the incomplete beta function (DLMF 8.17.22), evaluated from its front (Lentz 1976; Thompson
/// and Barnett 1986).
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const MOST_TERMS: u32 = 20_000;
    let not_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut c, mut d, mut value) = (1.0, 0.0, 1.0);
    for term in 1..=MOST_TERMS {
        let m = f64::from(term / 2);
        let numerator = if term % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        d = 1.0 / not_zero(1.0 + numerator * d);
        c = not_zero(1.0 + numerator / c);
        value *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    1.0 / value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The closed form for whole degrees (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4).
    fn by_closed_form(t: f64, degrees: u32) -> f64 {
        let angle = (t / f64::from(degrees).sqrt()).atan();
        let square = angle.cos().powi(2);
        let odd = degrees % 2 == 1;
        let (mut term, mut sum) = (if odd { angle.cos() } else { 1.0 }, 0.0);
        let mut k = if odd { 3 } else { 2 };
        while k <= degrees {
            sum += term;
            term *= square * f64::from(k - 1) / f64::from(k);
            k += 2;
        }
        let inside =
            if odd { (angle + angle.sin() * sum) * std::f64::consts::FRAC_2_PI } else { angle.sin() * sum };
        1.0 - inside
    }

    #[test]
    fn whole_degrees_give_the_closed_form() {
        for degrees in (1..40).chain([99, 100, 997, 9_998]) {
            for t in [0.001, 0.1, 0.5, 1.0, 1.7, 2.0, 3.0, 5.0, 12.7] {
                let (got, expected) = (two_sided(t, f64::from(degrees)), by_closed_form(t, degrees));
                assert!((got - expected).abs() < 2e-12, "{t} with {degrees}: {got} and {expected}");
                assert_eq!(got, two_sided(-t, f64::from(degrees)));
            }
        }
    }

    /// Table of critical values, Abramowitz and Stegun 1964, 26.10.
    #[test]
    fn the_table_of_critical_values_is_met() {
        for (degrees, t, p) in [
            (1.0, 12.706, 0.05),
            (2.0, 9.925, 0.01),
            (5.0, 2.571, 0.05),
            (10.0, 3.169, 0.01),
            (30.0, 2.042, 0.05),
            (120.0, 2.617, 0.01),
        ] {
            let got = two_sided(t, degrees);
            assert!((got / p - 1.0).abs() < 2e-3, "{t} with {degrees}: {got} and {p}");
        }
    }

    #[test]
    fn far_tails_keep_their_digits() {
        // For two degrees 1 - t / sqrt(t^2 + 2) is 1 / t^2 - 3 / (2 t^4) + 5 / (2 t^6) and so on.
        let t = 1e5f64;
        let expected = 1.0 / t.powi(2) - 1.5 / t.powi(4);
        assert!((two_sided(t, 2.0) / expected - 1.0).abs() < 1e-12);
        // Many degrees come near the normal distribution: 2 (1 - Phi(6)) = 1.973175290075396e-9.
        assert!((two_sided(6.0, 1e9) / 1.973_175_290_075_396e-9 - 1.0).abs() < 5e-4);
    }

    #[test]
    fn the_ends_are_certain_and_impossible() {
        assert_eq!(two_sided(0.0, 5.0), 1.0);
        assert_eq!((two_sided(f64::INFINITY, 5.0), two_sided(1e200, 5.0)), (0.0, 0.0));
        for degrees in [0.3, 2.5, 77.1] {
            let (near, far) = (two_sided(1.0, degrees), two_sided(1.1, degrees));
            assert!(0.0 < far && far < near && near < 1.0, "{degrees}");
        }
    }
}
