//! Round numbers for a value axis.
//!
//! Steps are 1, 2 or 5 times a power of ten, and 25 times one where that adds no decimal. The idea of "nice
//! numbers" is that of P. Heckbert, "Nice Numbers for Graph Labels", Graphics Gems (1990), p. 61; the count
//! is chosen here by the room for labels, not by a wish.

/// The ticks of an axis, in rising order; the first and the last enclose the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticks {
    /// At least two values.
    pub values: Vec<f64>,
    /// Decimals that tell the values apart.
    pub decimals: usize,
}

/// Round ticks that enclose `[lo, hi]`, with at most `intervals` steps between them: at least one, and two where
/// the data lie on both sides of zero, which is always a tick then.
///
/// Ends may come in either order; both must be finite and below 1e304 in magnitude, else they are held there.
/// A range too narrow for `f64` to divide is first widened by 5 % of its value, and to `[0, 1]` at zero.
pub fn linear(lo: f64, hi: f64, intervals: usize) -> Ticks {
    let (lo, hi) = widened(held(lo.min(hi)), held(lo.max(hi)));
    let least = if lo < 0.0 && hi > 0.0 { 2 } else { 1 };
    let intervals = intervals.clamp(least, 100) as f64;
    let mut exponent = ((hi - lo) / intervals).log10().floor() as i32 - 1;
    loop {
        for multiple in [1.0, 2.0, 2.5, 5.0] {
            let step = Step { multiple, exponent };
            if !step.is_round() {
                continue;
            }
            let (first, last) = (step.below(lo), step.above(hi));
            if last - first <= intervals {
                let count = (last - first).max(1.0) as usize;
                let values = (0..=count).map(|index| step.times(first + index as f64)).collect();
                return Ticks { values, decimals: step.decimals() };
            }
        }
        exponent += 1;
    }
}

/// Ticks for a logarithmic axis that enclose `[lo, hi]`, both above zero.
///
/// Less than a decade: as [`linear`], if all of those are above zero. Else 1, 2 and 5 times each power of ten while
/// they fit, and the powers of ten, thinned evenly, when not.
pub fn logarithmic(lo: f64, hi: f64, intervals: usize) -> Ticks {
    let (lo, hi) = (lo.clamp(1e-300, 1e300), hi.clamp(1e-300, 1e300));
    if hi.log10() - lo.log10() < 1.0 {
        let ticks = linear(lo, hi, intervals);
        if ticks.values.first().is_some_and(|&first| first > 0.0) {
            return ticks;
        }
    }
    let (first, last) = ((lo.log10() + 1e-9).floor() as i32, (hi.log10() - 1e-9).ceil() as i32);
    let fine = |exponent: i32| [1.0, 2.0, 5.0].map(|multiple| Step { multiple, exponent }.times(1.0));
    let mut values: Vec<f64> = (first..=last).flat_map(fine).collect();
    let above_low = values.iter().rposition(|&value| value <= lo * (1.0 + 1e-9)).unwrap_or(0);
    let below_high = values.iter().position(|&value| value >= hi * (1.0 - 1e-9)).unwrap_or(values.len() - 1);
    values = values[above_low..=below_high.max(above_low)].to_vec();
    if values.len() > intervals.max(2) + 1 {
        let every = ((last - first) as usize).div_ceil(intervals.max(1)).max(1);
        let steps = ((last - first) as usize).div_ceil(every);
        let power =
            |index: usize| Step { multiple: 1.0, exponent: first + (index * every) as i32 }.times(1.0);
        values = (0..=steps).map(power).collect();
    }
    let smallest = values.first().map_or(0.0, |value| value.log10().floor());
    Ticks { values, decimals: (-smallest).clamp(0.0, 12.0) as usize }
}

/// `multiple * 10^exponent`.
#[derive(Debug, Clone, Copy)]
struct Step {
    multiple: f64,
    exponent: i32,
}

impl Step {
    fn is_round(self) -> bool {
        self.multiple != 2.5 || self.exponent >= 1
    }

    /// Dividing by a power of ten is rounded once and so gives 0.3, where multiplying by 0.1 gives 0.30000000000000004.
    fn times(self, count: f64) -> f64 {
        let amount = count * self.multiple;
        let value = if self.exponent < 0 {
            amount / 10_f64.powi(-self.exponent)
        } else {
            amount * 10_f64.powi(self.exponent)
        };
        // No negative zero: it would be read out as −0.
        value + 0.0
    }

    fn below(self, value: f64) -> f64 {
        let count = value / self.times(1.0);
        if (count - count.round()).abs() < 1e-9 * count.abs().max(1.0) {
            count.round()
        } else {
            count.floor()
        }
    }

    fn above(self, value: f64) -> f64 {
        -self.below(-value)
    }

    fn decimals(self) -> usize {
        usize::try_from(-self.exponent).unwrap_or(0)
    }
}

fn held(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(-1e304, 1e304) }
}

fn widened(lo: f64, hi: f64) -> (f64, f64) {
    let magnitude = lo.abs().max(hi.abs());
    if hi - lo > magnitude * 1e-12 && hi - lo > 1e-290 {
        (lo, hi)
    } else if magnitude <= 1e-290 {
        (0.0, 1.0)
    } else {
        (lo - magnitude * 0.05, hi + magnitude * 0.05)
    }
}
