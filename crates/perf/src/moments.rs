//! Mean and central moments to the fourth order.

use crate::undefined::{Undefined, at_least, defined};

/// Count, mean, extremes and the central sums of powers two to four of a series.
///
/// Taken in blocks of 1024 values, each in two passes over `x - x[0]`, merged by the formulas of Chan (1979)
/// and Pebay (2008): the error does not grow with an offset common to all values (relative error of the second
/// sum under 1e-14, of the fourth under 1e-13, at offsets from 0 to 1e12), and a constant series has central
/// sums of exactly 0.
///
/// ```
/// use bellwether_perf::Moments;
/// let (left, right) = (Moments::of(&[1.0, 2.0, 3.0]), Moments::of(&[4.0, 5.0]));
/// let both = left.merge(right);
/// assert_eq!(both.mean(), 3.0);
/// assert_eq!(both.variance()?, 2.5);
/// # Ok::<(), bellwether_perf::Undefined>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    count: usize,
    /// The shift: sums run on `x - origin`.
    origin: f64,
    /// Mean of `x - origin`.
    mean: f64,
    m2: f64,
    m3: f64,
    m4: f64,
    min: f64,
    max: f64,
    /// The values are rounded by at least this size, whatever their own.
    rounding_size: f64,
}

const BLOCK: usize = 1024;
const LANES: usize = 8;

impl Moments {
    /// Of no value.
    pub const EMPTY: Self = Self {
        count: 0,
        origin: 0.0,
        mean: 0.0,
        m2: 0.0,
        m3: 0.0,
        m4: 0.0,
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
        rounding_size: 0.0,
    };

    /// Of the values, which must be finite. O(n).
    pub fn of(values: &[f64]) -> Self {
        let Some(&origin) = values.first() else { return Self::EMPTY };
        values.chunks(BLOCK).map(|block| Self::block(block, origin)).fold(Self::EMPTY, Self::merge)
    }

    fn block(values: &[f64], origin: f64) -> Self {
        let n = values.len() as f64;
        let (chunks, rest) = values.as_chunks::<LANES>();
        let mut sums = [0.0; LANES];
        let (mut lows, mut highs) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
        for chunk in chunks {
            for i in 0..LANES {
                let x = chunk[i];
                sums[i] += x - origin;
                lows[i] = if x < lows[i] { x } else { lows[i] };
                highs[i] = if x > highs[i] { x } else { highs[i] };
            }
        }
        for (i, &x) in rest.iter().enumerate() {
            sums[i] += x - origin;
            lows[i] = if x < lows[i] { x } else { lows[i] };
            highs[i] = if x > highs[i] { x } else { highs[i] };
        }
        let near = sum(sums) / n;

        let (mut e1, mut e2, mut e3, mut e4) = ([0.0; LANES], [0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let mut add = |i: usize, x: f64| {
            let e = (x - origin) - near;
            let square = e * e;
            e1[i] += e;
            e2[i] += square;
            e3[i] += square * e;
            e4[i] += square * square;
        };
        for chunk in chunks {
            for (i, &x) in chunk.iter().enumerate() {
                add(i, x);
            }
        }
        for (i, &x) in rest.iter().enumerate() {
            add(i, x);
        }
        let (e1, e2, e3, e4) = (sum(e1), sum(e2), sum(e3), sum(e4));
        // `near` is the mean up to rounding; d moves the sums to the mean itself.
        let d = e1 / n;
        Self {
            count: values.len(),
            origin,
            mean: near + d,
            m2: not_negative(e2 - n * d * d),
            m3: e3 - 3.0 * d * e2 + 2.0 * n * d * d * d,
            m4: not_negative(e4 - 4.0 * d * e3 + 6.0 * d * d * e2 - 3.0 * n * d * d * d * d),
            min: lows.into_iter().fold(f64::INFINITY, f64::min),
            max: highs.into_iter().fold(f64::NEG_INFINITY, f64::max),
            rounding_size: 0.0,
        }
    }

    /// Of both series, one behind the other. Associative up to rounding.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        if self.count == 0 {
            return other;
        }
        if other.count == 0 {
            return self;
        }
        let (na, nb) = (self.count as f64, other.count as f64);
        let n = na + nb;
        let d = (other.mean - self.mean) + (other.origin - self.origin);
        let step = d / n;
        let product = d * step * na * nb;
        Self {
            count: self.count + other.count,
            origin: self.origin,
            mean: self.mean + step * nb,
            m2: self.m2 + other.m2 + product,
            m3: self.m3 + other.m3 + product * step * (na - nb) + 3.0 * step * (na * other.m2 - nb * self.m2),
            m4: self.m4
                + other.m4
                + product * step * step * (na * na - na * nb + nb * nb)
                + 6.0 * step * step * (na * na * other.m2 + nb * nb * self.m2)
                + 4.0 * step * (na * other.m3 - nb * self.m3),
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            rounding_size: self.rounding_size.max(other.rounding_size),
        }
    }

    /// Of values that are rounded by at least this size.
    pub(crate) fn rounded_by(self, rounding_size: f64) -> Self {
        Self { rounding_size, ..self }
    }

    /// How many values there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The mean; 0 of no value.
    pub fn mean(&self) -> f64 {
        self.origin + self.mean
    }

    /// The sum of squared distances from the mean.
    pub fn sum_of_squares(&self) -> f64 {
        self.m2
    }

    /// The sum of third powers of the distances from the mean.
    pub fn sum_of_cubes(&self) -> f64 {
        self.m3
    }

    /// The sum of fourth powers of the distances from the mean.
    pub fn sum_of_fourths(&self) -> f64 {
        self.m4
    }

    /// The smallest value.
    pub fn min(&self) -> Result<f64, Undefined> {
        at_least(1, self.count)?;
        Ok(self.min)
    }

    /// The largest value.
    pub fn max(&self) -> Result<f64, Undefined> {
        at_least(1, self.count)?;
        Ok(self.max)
    }

    /// Sample variance, over `n - 1`.
    pub fn variance(&self) -> Result<f64, Undefined> {
        at_least(2, self.count)?;
        defined(self.m2 / (self.count - 1) as f64)
    }

    /// Population variance, over `n`.
    pub fn population_variance(&self) -> Result<f64, Undefined> {
        at_least(1, self.count)?;
        defined(self.m2 / self.count as f64)
    }

    /// Sample standard deviation.
    pub fn stdev(&self) -> Result<f64, Undefined> {
        self.variance().map(f64::sqrt)
    }

    /// Population standard deviation.
    pub fn population_stdev(&self) -> Result<f64, Undefined> {
        self.population_variance().map(f64::sqrt)
    }

    /// Population skewness g1.
    pub fn skewness(&self) -> Result<f64, Undefined> {
        self.varying(2)?;
        let n = self.count as f64;
        let m2 = self.m2 / n;
        defined(self.m3 / n / (m2 * m2.sqrt()))
    }

    /// Sample skewness G1, adjusted by Fisher and Pearson.
    pub fn sample_skewness(&self) -> Result<f64, Undefined> {
        self.varying(3)?;
        let n = self.count as f64;
        defined(self.skewness()? * (n * (n - 1.0)).sqrt() / (n - 2.0))
    }

    /// Population excess kurtosis g2.
    pub fn excess_kurtosis(&self) -> Result<f64, Undefined> {
        self.varying(2)?;
        let n = self.count as f64;
        let m2 = self.m2 / n;
        defined(self.m4 / n / (m2 * m2) - 3.0)
    }

    /// Sample excess kurtosis G2.
    pub fn sample_excess_kurtosis(&self) -> Result<f64, Undefined> {
        self.varying(4)?;
        let n = self.count as f64;
        defined(((n + 1.0) * self.excess_kurtosis()? + 6.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0)))
    }

    /// The sample deviation as a divisor: undefined when it is no more than the rounding of the values.
    pub(crate) fn varying_stdev(&self) -> Result<f64, Undefined> {
        self.varying(2)?;
        self.stdev()
    }

    /// The largest size by which a value is rounded: its own, or that of what it was made of.
    pub(crate) fn magnitude(&self) -> f64 {
        self.max.max(-self.min).max(self.rounding_size)
    }

    /// An error unless there are `needed` values, and they vary by more than their rounding.
    fn varying(&self, needed: usize) -> Result<(), Undefined> {
        at_least(needed, self.count)?;
        if is_flat(self.stdev()?, self.magnitude()) { Err(Undefined::ZeroVariance) } else { Ok(()) }
    }
}

/// Whether a deviation is no more than the rounding of values of this magnitude: 16 units in the last place.
/// The rule is relative, so it holds for basis points as for prices.
pub(crate) fn is_flat(deviation: f64, magnitude: f64) -> bool {
    deviation <= 16.0 * f64::EPSILON * magnitude
}

/// A sum of even powers that rounding took under 0 is 0; what is no number stays none (`f64::max` would hide it).
fn not_negative(sum: f64) -> f64 {
    if sum < 0.0 { 0.0 } else { sum }
}

fn sum([a, b, c, d, e, f, g, h]: [f64; LANES]) -> f64 {
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_series_of_any_length_have_a_deviation_of_exactly_zero() {
        for constant in [0.01, 0.1, 3.3e-4, -0.07] {
            for n in [2, 252, 253, 10_000] {
                let moments = Moments::of(&vec![constant; n]);
                assert_eq!(moments.stdev(), Ok(0.0));
                assert_eq!(moments.mean(), constant);
                assert_eq!(moments.skewness(), Err(Undefined::ZeroVariance));
                assert_eq!(moments.varying_stdev(), Err(Undefined::ZeroVariance));
            }
        }
    }

    #[test]
    fn noise_of_one_unit_in_the_last_place_is_no_variance() {
        let mut values = vec![0.001; 252];
        values[100] = 0.001_f64.next_up();
        assert_eq!(Moments::of(&values).varying_stdev(), Err(Undefined::ZeroVariance));
        values[100] = 0.001 * (1.0 + 1e-9);
        assert!(Moments::of(&values).varying_stdev().is_ok());
    }

    #[test]
    fn what_is_no_variance_is_relative_to_the_size_of_the_values() {
        let tiny = Moments::of(&[1e-17, 2e-17, 3e-17]);
        assert!((tiny.varying_stdev().unwrap() / 1e-17 - 1.0).abs() < 1e-14);
        let mut large = vec![1e6_f64; 252];
        for value in large.iter_mut().step_by(2) {
            *value = value.next_up();
        }
        assert!(Moments::of(&large).stdev().unwrap() > f64::EPSILON);
        assert_eq!(Moments::of(&large).varying_stdev(), Err(Undefined::ZeroVariance));
    }

    #[test]
    fn moments_of_one_to_five_by_hand() {
        let moments = Moments::of(&[1.0, 2.0, 3.0, 4.0, 10.0]);
        assert_eq!(moments.mean(), 4.0);
        // Distances -3 -2 -1 0 6: squares 50, cubes 180, fourths 1394.
        assert_eq!(moments.sum_of_squares(), 50.0);
        assert_eq!(moments.sum_of_cubes(), 180.0);
        assert_eq!(moments.sum_of_fourths(), 1394.0);
        assert_eq!((moments.min(), moments.max()), (Ok(1.0), Ok(10.0)));
        assert_eq!(moments.excess_kurtosis(), Ok(1394.0 / 5.0 / 100.0 - 3.0));
    }

    #[test]
    fn moments_beyond_a_float_are_an_overflow() {
        let moments = Moments::of(&[1e200, -1e200, 0.0]);
        assert_eq!(moments.stdev(), Err(Undefined::Overflow));
        assert_eq!(moments.excess_kurtosis(), Err(Undefined::Overflow));
        assert_eq!(Moments::of(&[f64::MAX, f64::MIN]).skewness(), Err(Undefined::Overflow));
    }

    #[test]
    fn each_moment_says_how_many_observations_it_needs() {
        let few = |needed, got| Err(Undefined::TooFewObservations { needed, got });
        let one = Moments::of(&[0.05]);
        assert_eq!(one.stdev(), few(2, 1));
        assert_eq!(one.population_stdev(), Ok(0.0));
        assert_eq!(one.sample_skewness(), few(3, 1));
        assert_eq!(one.sample_excess_kurtosis(), few(4, 1));
        assert_eq!(Moments::EMPTY.population_stdev(), few(1, 0));
        assert_eq!(Moments::of(&[]).min(), few(1, 0));
    }
}
