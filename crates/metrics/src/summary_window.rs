//! What was counted within a window.

use std::collections::VecDeque;
use std::time::Duration;

use bellwether_core::Monotonic;

/// What was counted within a window, told from counts that only grow. Recorders know nothing of it: it is moved on by
/// whoever reads.
#[derive(Debug)]
pub(crate) struct SummaryWindow {
    /// The counts when the slice that is open began.
    base: Vec<u64>,
    begun: Monotonic,
    /// The slices that are closed and not yet too old: when they ended, and which places counted how much.
    closed: VecDeque<(Monotonic, Vec<(u16, u64)>)>,
    /// What those counted together.
    inside: Vec<u64>,
    /// The room of a slice that is gone.
    spare: Vec<(u16, u64)>,
}

impl SummaryWindow {
    /// Of so many counts, from now on.
    pub(crate) fn new(counts: usize, now: Monotonic) -> Self {
        Self {
            base: vec![0; counts],
            begun: now,
            closed: VecDeque::new(),
            inside: vec![0; counts],
            spare: Vec::new(),
        }
    }

    /// Turns `counts` of all time into those of the window. What came since the last reading, however long ago that was, is
    /// within it. O(counts).
    pub(crate) fn narrow(
        &mut self,
        now: Monotonic,
        (window, slice): (Duration, Duration),
        counts: &mut [u64],
    ) {
        if now.saturating_since(self.begun) >= slice {
            let mut gained = std::mem::take(&mut self.spare);
            gained.clear();
            let places = self.base.iter_mut().zip(&mut self.inside).zip(&*counts).enumerate();
            for (place, ((base, inside), &count)) in places {
                let more = count.wrapping_sub(*base);
                if more > 0 {
                    gained.push((place as u16, more));
                    *inside = inside.wrapping_add(more);
                    *base = count;
                }
            }
            self.closed.push_back((now, gained));
            self.begun = now;
        }
        let kept = window.saturating_sub(slice);
        while let Some((_, gained)) =
            self.closed.pop_front_if(|(ended, _)| now.saturating_since(*ended) > kept)
        {
            for &(place, gone) in &gained {
                if let Some(inside) = self.inside.get_mut(usize::from(place)) {
                    *inside = inside.wrapping_sub(gone);
                }
            }
            self.spare = gained;
        }
        for ((count, base), inside) in counts.iter_mut().zip(&self.base).zip(&self.inside) {
            *count = count.wrapping_sub(*base).wrapping_add(*inside);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    proptest! {
        #[test]
        fn a_window_has_what_came_within_it_give_or_take_a_slice(
            steps in prop::collection::vec((0u64..5, 0u64..3, 0usize..4), 1..300),
            slices in 1u32..7,
        ) {
            let slice = SECOND * 5;
            let window = slice * slices;
            let mut now = Monotonic::ORIGIN;
            let mut counts = vec![0u64; 4];
            let mut all: Vec<(Monotonic, usize, u64)> = Vec::new();
            let mut kept = SummaryWindow::new(4, now);
            for (wait, more, place) in steps {
                now = now.saturating_add(SECOND * wait as u32);
                counts[place] += more;
                all.push((now, place, more));
                let mut told = counts.clone();
                kept.narrow(now, (window, slice), &mut told);
                for (place, &told) in told.iter().enumerate() {
                    let since = |age: Duration| {
                        let young = all.iter().filter(|(at, ..)| now.saturating_since(*at) <= age);
                        young.filter(|&&(_, p, _)| p == place).map(|&(.., more)| more).sum::<u64>()
                    };
                    prop_assert!(since(slice * (slices - 1)) <= told, "{told} lacks what is young");
                    // A reading comes every 4 seconds at least.
                    prop_assert!(told <= since(window + SECOND * 4), "{told} has what is old");
                }
            }
        }
    }

    #[test]
    fn what_nobody_read_for_long_is_told_once_and_then_grows_old() {
        let mut window = SummaryWindow::new(1, Monotonic::ORIGIN);
        let at = |seconds: u32| Monotonic::ORIGIN.saturating_add(SECOND * seconds);
        let mut told = |now, mut counts: [u64; 1]| {
            window.narrow(at(now), (SECOND * 60, SECOND * 10), &mut counts);
            counts[0]
        };
        assert_eq!((told(1_000, [7]), told(1_050, [7]), told(1_051, [7])), (7, 7, 0));
    }
}
