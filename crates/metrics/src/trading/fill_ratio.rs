//! How much of what was ordered was filled, over the recent past.

use std::collections::VecDeque;
use std::time::Duration;

use bellwether_core::Monotonic;

/// Filled part of the ordered quantity over the last while, from two sums that only grow and are looked at now and then.
///
/// Keeps at most [`FillRatio::LOOKS`] looks, whatever the pace: the past is resolved to a sixteenth of the window.
#[derive(Debug)]
pub(super) struct FillRatio {
    window: Duration,
    looks: VecDeque<Look>,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    at: Monotonic,
    ordered: f64,
    filled: f64,
}

impl FillRatio {
    /// Looks that a window is resolved to.
    const RESOLUTION: u32 = 16;
    /// Most looks that are kept: those of a window, the one it began from, and the newest.
    pub(super) const LOOKS: usize = Self::RESOLUTION as usize + 2;

    pub(super) fn new(window: Duration) -> Self {
        let start = Look { at: Monotonic::ORIGIN, ordered: 0.0, filled: 0.0 };
        Self { window, looks: VecDeque::from([start]) }
    }

    /// The ratio now: of what was ordered and has ended since the window began. Nothing if nothing has.
    pub(super) fn look(&mut self, at: Monotonic, ordered: f64, filled: f64) -> Option<f64> {
        let newest = self.looks.back().map_or(Monotonic::ORIGIN, |look| look.at);
        if at.saturating_since(newest) >= self.window / Self::RESOLUTION {
            self.looks.push_back(Look { at, ordered, filled });
        }
        // The first that stays is the last one from before the window.
        while let Some(second) = self.looks.get(1)
            && (at.saturating_since(second.at) >= self.window || self.looks.len() > Self::LOOKS)
        {
            self.looks.pop_front();
        }
        let first = self.looks.front()?;
        let ended = ordered - first.ordered;
        (ended > 0.0).then(|| (filled - first.filled) / ended).filter(|ratio| ratio.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::after_origin(Duration::from_secs(seconds))
    }

    #[test]
    fn only_what_ended_within_the_window_counts() {
        let mut ratio = FillRatio::new(Duration::from_secs(160));
        assert_eq!(ratio.look(at(1), 0.0, 0.0), None);
        assert_eq!(ratio.look(at(20), 100.0, 80.0), Some(0.8));
        assert_eq!(ratio.look(at(100), 200.0, 80.0), Some(0.4));
        // The first hundred was seen at 20 and is out of the window that began then.
        assert_eq!(ratio.look(at(180), 200.0, 80.0), Some(0.0));
        assert_eq!(ratio.look(at(260), 200.0, 80.0), None);
    }

    #[test]
    fn looks_are_bounded_at_any_pace() {
        let mut ratio = FillRatio::new(Duration::from_secs(16));
        for second in 0..1_000u32 {
            let filled = f64::from(second) / 2.0;
            let seen = ratio.look(at(u64::from(second)), f64::from(second), filled);
            assert_eq!(seen.unwrap_or(0.5), 0.5);
            assert!(ratio.looks.len() <= FillRatio::LOOKS);
        }
    }

    #[test]
    fn a_window_of_no_length_is_bounded_too() {
        let mut ratio = FillRatio::new(Duration::ZERO);
        for second in 0..100u32 {
            ratio.look(at(u64::from(second)), f64::from(second), 0.0);
            assert!(ratio.looks.len() <= FillRatio::LOOKS);
        }
    }
}
