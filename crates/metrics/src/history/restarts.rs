//! Where a total started again from zero.

use std::collections::VecDeque;

/// How a series shows that its total started again from zero.
#[derive(Debug, Clone)]
pub(crate) enum Restarts {
    /// By a fall: a counter falls for no other reason.
    Falls,
    /// By being told so, since the sum of a histogram falls with every negative value.
    Told(Told),
}

/// The samples that came first after a restart, oldest first: stamp, and the value of the sample before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told(VecDeque<(i64, f64)>);

impl Told {
    /// The sample of this stamp came first after a restart; the one before it had `before`.
    pub(crate) fn add(&mut self, time: i64, before: f64) {
        self.0.push_back((time, before));
    }

    /// Forgets restarts that no window over the samples from `oldest` to `newest` can span.
    pub(crate) fn keep(&mut self, oldest: Option<i64>, newest: Option<i64>) {
        let (Some(oldest), Some(newest)) = (oldest, newest) else {
            self.0 = VecDeque::new();
            return;
        };
        while self.0.front().is_some_and(|&(time, _)| time <= oldest) {
            self.0.pop_front();
        }
        while self.0.back().is_some_and(|&(time, _)| time > newest) {
            self.0.pop_back();
        }
    }

    /// What was there before the restarts between two samples, added up. O(restarts).
    pub(crate) fn before(&self, oldest: i64, newest: i64) -> f64 {
        let between = self.0.iter().filter(|&&(time, _)| oldest < time && time <= newest);
        between.map(|&(_, before)| before).sum()
    }
}
