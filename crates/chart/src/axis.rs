//! The value axis: which round numbers it shows, in which unit, and where a value lies.

use crate::number::{Sign, fixed, scientific, three_digits};
use crate::scale::{Linear, Logarithmic};
use crate::ticks::{Ticks, linear, logarithmic};
use crate::unit::Unit;

/// From where to where an axis runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Baseline {
    /// Round numbers around the data; zero need not be among them.
    #[default]
    Free,
    /// Zero is always on the axis: bars and areas.
    Zero,
    /// Logarithmic; only values above zero have a place.
    Log,
}

#[derive(Debug, Clone, Copy)]
enum Scale {
    Linear(Linear),
    Log(Logarithmic),
}

/// A vertical axis. Values go in in the unit's base; the axis works in what it displays (percent, millions).
#[derive(Debug, Clone)]
pub(crate) struct ValueAxis {
    factor: f64,
    suffix: &'static str,
    decimals: usize,
    largest: f64,
    scale: Scale,
    ticks: Vec<f64>,
}

impl ValueAxis {
    /// An axis for values in `[lo, hi]` from `bottom` up to `top` (px), with at most `intervals` steps.
    pub(crate) fn new(
        unit: &Unit,
        (lo, hi): (f64, f64),
        baseline: Baseline,
        intervals: usize,
        (bottom, top): (f64, f64),
    ) -> Self {
        let (lo, hi) = if baseline == Baseline::Zero { (lo.min(0.0), hi.max(0.0)) } else { (lo, hi) };
        let (factor, suffix) = display(unit, lo.abs().max(hi.abs()));
        let (lo, hi) = (lo * factor, hi * factor);
        let Ticks { values: ticks, decimals } = match baseline {
            Baseline::Log => logarithmic(lo, hi, intervals),
            // A flat line at zero has no range to enclose; the one above it is as good as any.
            Baseline::Free | Baseline::Zero => linear(lo, hi, intervals),
        };
        let ends = (ticks.first().copied().unwrap_or(lo), ticks.last().copied().unwrap_or(hi));
        let scale = match baseline {
            Baseline::Log => Scale::Log(Logarithmic::new(ends, (bottom, top))),
            Baseline::Free | Baseline::Zero => Scale::Linear(Linear::new(ends, (bottom, top))),
        };
        let largest = ends.0.abs().max(ends.1.abs());
        Self { factor, suffix, decimals, largest, scale, ticks }
    }

    /// The height of a value in px.
    pub(crate) fn y(&self, value: f64) -> f64 {
        self.place(value * self.factor)
    }

    /// Ticks from low to high: height and label.
    pub(crate) fn ticks(&self) -> impl Iterator<Item = (f64, String)> + '_ {
        self.ticks.iter().map(|&tick| (self.place(tick), self.label(tick)))
    }

    /// Whether zero lies on the axis.
    pub(crate) fn has_zero(&self) -> bool {
        self.ticks.first().is_some_and(|&low| low <= 0.0)
            && self.ticks.last().is_some_and(|&high| high >= 0.0)
    }

    /// A value in the display of the axis, without suffix, for the end of a bar: as many decimals as give the longest
    /// bar three digits, none where all values are whole.
    pub(crate) fn short(&self, value: f64, is_whole: bool) -> String {
        let shown = value * self.factor;
        if self.is_scientific() {
            return scientific(shown, 1, Sign::Negative);
        }
        let decimals = if is_whole && self.factor == 1.0 { 0 } else { three_digits(self.largest) };
        fixed(shown, decimals, Sign::Negative)
    }

    fn place(&self, shown: f64) -> f64 {
        match self.scale {
            Scale::Linear(scale) => scale.at(shown),
            Scale::Log(scale) => scale.at(shown),
        }
    }

    fn label(&self, tick: f64) -> String {
        let number = if self.is_scientific() {
            let step = self.ticks.windows(2).map(|pair| pair[1] - pair[0]).fold(self.largest, f64::min);
            let digits = (self.largest / step).log10().ceil().clamp(1.0, 12.0) as usize;
            scientific(tick, digits, Sign::Negative)
        } else {
            let decimals = match self.scale {
                Scale::Log(_) if tick > 0.0 && tick.log10() >= 0.0 && tick.fract() == 0.0 => 0,
                _ => self.decimals,
            };
            fixed(tick, decimals, Sign::Negative)
        };
        if tick == 0.0 && self.suffix != " %" { "0".to_owned() } else { format!("{number}{}", self.suffix) }
    }

    fn is_scientific(&self) -> bool {
        self.decimals > 8 || self.largest >= 1e15
    }
}

/// The factor from base to display and the suffix of each label, for values up to `largest`.
fn display(unit: &Unit, largest: f64) -> (f64, &'static str) {
    let pick = |steps: &[(f64, f64, &'static str)]| {
        let step = steps.iter().find(|step| largest >= step.0).or(steps.last());
        step.map_or((1.0, ""), |&(_, size, suffix)| (1.0 / size, suffix))
    };
    match unit {
        Unit::Percent => (100.0, " %"),
        Unit::BasisPoints => (10_000.0, ""),
        Unit::Seconds => pick(&[
            (172_800.0, 86_400.0, " d"),
            (7_200.0, 3_600.0, " h"),
            (120.0, 60.0, " min"),
            (1.0, 1.0, " s"),
            (1e-3, 1e-3, " ms"),
            (1e-6, 1e-6, " µs"),
            (0.0, 1e-9, " ns"),
        ]),
        Unit::Bytes => pick(&[
            (1_099_511_627_776.0, 1_099_511_627_776.0, " TiB"),
            (1_073_741_824.0, 1_073_741_824.0, " GiB"),
            (1_048_576.0, 1_048_576.0, " MiB"),
            (1_024.0, 1_024.0, " KiB"),
            (0.0, 1.0, " B"),
        ]),
        Unit::Number | Unit::Count | Unit::Ratio | Unit::Money { .. } => pick(&[
            (1e15, 1.0, ""),
            (1e12, 1e12, " T"),
            (1e9, 1e9, " B"),
            (1e6, 1e6, " M"),
            (1e5, 1e3, " k"),
            (0.0, 1.0, ""),
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(unit: &Unit, lo: f64, hi: f64, baseline: Baseline) -> Vec<String> {
        let axis = ValueAxis::new(unit, (lo, hi), baseline, 5, (200.0, 0.0));
        axis.ticks().map(|(_, label)| label).collect()
    }

    #[test]
    fn percent_ticks_are_round_in_percent() {
        let found = labels(&Unit::Percent, -0.551, 0.0, Baseline::Zero);
        assert_eq!(found, ["−60 %", "−40 %", "−20 %", "0 %"]);
    }

    #[test]
    fn money_ticks_carry_one_suffix() {
        let found = labels(&Unit::money("USD"), 820_000.0, 1_430_000.0, Baseline::Free);
        assert_eq!(found, ["0.8 M", "1.0 M", "1.2 M", "1.4 M", "1.6 M"]);
    }

    #[test]
    fn bars_and_areas_always_have_zero_on_the_axis() {
        assert_eq!(labels(&Unit::Ratio, 7.0, 9.0, Baseline::Zero), ["0", "2", "4", "6", "8", "10"]);
        assert!(!labels(&Unit::Ratio, 7.0, 9.0, Baseline::Free).contains(&"0".to_owned()));
    }

    #[test]
    fn time_and_bytes_use_the_largest_unit_below_the_data() {
        assert_eq!(
            labels(&Unit::Seconds, 0.0, 0.0082, Baseline::Zero),
            ["0", "2 ms", "4 ms", "6 ms", "8 ms", "10 ms"]
        );
        assert_eq!(labels(&Unit::Bytes, 0.0, 3.1e9, Baseline::Zero), ["0", "1 GiB", "2 GiB", "3 GiB"]);
    }

    #[test]
    fn log_ticks_cover_the_data_with_ones_twos_and_fives() {
        let found = labels(&Unit::Ratio, 60.0, 900.0, Baseline::Log);
        assert_eq!(found, ["50", "100", "200", "500", "1,000"]);
    }

    #[test]
    fn labels_of_huge_and_tiny_axes_still_differ() {
        for (lo, hi) in [(1e300, 1.1e300), (0.0, 1e-200), (1e15, 1e15 + 10.0), (-1e300, 1e300)] {
            let found = labels(&Unit::Percent, lo, hi, Baseline::Free);
            let mut unique = found.clone();
            unique.dedup();
            assert_eq!(found, unique, "{lo} to {hi}");
        }
    }
}
