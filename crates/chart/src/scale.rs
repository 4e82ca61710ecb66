//! Scales: from a value or a moment to a coordinate.

/// A linear scale from `[lo, hi]` to `[from, to]` in px. `from` may lie above `to`, as on a vertical axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linear {
    lo: f64,
    hi: f64,
    from: f64,
    to: f64,
}

impl Linear {
    /// Both ends must be finite; a domain of no width maps everything to the middle.
    pub fn new((lo, hi): (f64, f64), (from, to): (f64, f64)) -> Self {
        Self { lo, hi, from, to }
    }

    /// The coordinate of a value, held inside the range; the middle for what is no number.
    pub fn at(&self, value: f64) -> f64 {
        // Halves keep the difference finite for any two finite ends.
        let width = self.hi / 2.0 - self.lo / 2.0;
        let share = (value / 2.0 - self.lo / 2.0) / width;
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.5 };
        self.from + (self.to - self.from) * share
    }
}

/// A logarithmic scale over a positive domain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Logarithmic {
    exponents: Linear,
}

impl Logarithmic {
    /// Both ends must be above zero.
    pub fn new((lo, hi): (f64, f64), range: (f64, f64)) -> Self {
        Self { exponents: Linear::new((lo.log10(), hi.log10()), range) }
    }

    /// The coordinate of a value; what is not above zero is held at the low end.
    pub fn at(&self, value: f64) -> f64 {
        self.exponents.at(if value > 0.0 { value.log10() } else { f64::MIN })
    }
}

/// A scale from moments, in microseconds UTC, to px.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Time {
    lo: i64,
    hi: i64,
    from: f64,
    /// Px for one microsecond; 0 in a domain of no width.
    pace: f64,
}

impl Time {
    /// A domain of no width maps everything to the middle. Ends may come in either order.
    pub fn new((one, other): (i64, i64), (from, to): (f64, f64)) -> Self {
        let (lo, hi) = (one.min(other), one.max(other));
        if lo == hi {
            Self { lo, hi, from: f64::midpoint(from, to), pace: 0.0 }
        } else {
            Self { lo, hi, from, pace: (to - from) / hi.abs_diff(lo) as f64 }
        }
    }

    /// The coordinate of a moment, held inside the range.
    pub fn at(&self, micros: i64) -> f64 {
        self.from + micros.clamp(self.lo, self.hi).abs_diff(self.lo) as f64 * self.pace
    }

    /// Whether a moment lies inside the domain.
    pub fn contains(&self, micros: i64) -> bool {
        (self.lo..=self.hi).contains(&micros)
    }

    /// How long one px lasts, in microseconds; 0 in a domain of no width.
    pub fn micros_per_px(&self) -> f64 {
        if self.pace == 0.0 { 0.0 } else { 1.0 / self.pace.abs() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_map_to_ends_and_the_middle_to_the_middle() {
        let scale = Linear::new((-1.0, 3.0), (200.0, 0.0));
        assert_eq!((scale.at(-1.0), scale.at(1.0), scale.at(3.0)), (200.0, 100.0, 0.0));
    }

    #[test]
    fn the_widest_domain_does_not_overflow() {
        let scale = Linear::new((-f64::MAX, f64::MAX), (0.0, 100.0));
        assert_eq!((scale.at(-f64::MAX), scale.at(0.0), scale.at(f64::MAX)), (0.0, 50.0, 100.0));
        let time = Time::new((i64::MIN, i64::MAX), (0.0, 100.0));
        assert_eq!((time.at(i64::MIN), time.at(i64::MAX)), (0.0, 100.0));
    }

    #[test]
    fn a_domain_of_no_width_maps_to_the_middle() {
        assert_eq!(Linear::new((5.0, 5.0), (0.0, 10.0)).at(5.0), 5.0);
        assert_eq!(Time::new((5, 5), (0.0, 10.0)).at(5), 5.0);
    }

    #[test]
    fn decades_are_evenly_apart() {
        let scale = Logarithmic::new((1.0, 1_000.0), (0.0, 300.0));
        let at = [1.0, 10.0, 100.0, 1_000.0].map(|value| scale.at(value).round());
        assert_eq!(at, [0.0, 100.0, 200.0, 300.0]);
        assert_eq!(scale.at(0.0), 0.0);
    }
}
