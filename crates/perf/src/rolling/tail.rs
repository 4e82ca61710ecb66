//! The lower tail of a window: the few smallest values, kept in order.

use super::sorted::SortedWindow;

/// The smallest values of the window in ascending order, at least `needed` of them.
///
/// Every value of the window that is not kept is at least as large as the last one kept. A value that leaves
/// and was kept leaves a gap; when too few are left, the tail is filled again by selection.
#[derive(Debug)]
pub(super) struct Tail {
    kept: Vec<f64>,
    needed: usize,
    capacity: usize,
    scratch: Vec<f64>,
}

impl Tail {
    fn new(window: &[f64], needed: usize) -> Self {
        let capacity = (3 * needed).min(window.len());
        let mut tail = Self { kept: Vec::with_capacity(capacity + 1), needed, capacity, scratch: Vec::new() };
        tail.fill(window);
        tail
    }

    fn fill(&mut self, window: &[f64]) {
        self.scratch.clear();
        self.scratch.extend_from_slice(window);
        if self.capacity < window.len() {
            self.scratch.select_nth_unstable_by(self.capacity, f64::total_cmp);
        }
        self.kept.clear();
        self.kept.extend_from_slice(&self.scratch[..self.capacity]);
        self.kept.sort_unstable_by(f64::total_cmp);
    }

    /// `window` is the window after the change.
    fn replace(&mut self, out: f64, new: f64, window: &[f64]) {
        if self.kept.last().is_some_and(|&last| out <= last) {
            let at = self.kept.partition_point(|&x| x < out);
            self.kept.remove(at);
        }
        // A value over the last one kept may not be appended: one of the others may be smaller.
        if self.kept.last().is_some_and(|&last| new <= last) {
            if self.kept.len() == self.capacity {
                self.kept.pop();
            }
            let at = self.kept.partition_point(|&x| x < new);
            self.kept.insert(at, new);
        }
        if self.kept.len() < self.needed {
            self.fill(window);
        }
    }
}

/// Either form of an ordered lower part of the window.
#[derive(Debug)]
enum Ordered {
    Tail(Tail),
    Whole(SortedWindow),
}

/// Gives, for each window of the values, its `needed` (or more) smallest values in ascending order to `take`.
///
/// Few of a large window are kept as a tail, else the whole window is kept sorted. `needed` is at least 1 and
/// at most the window.
pub(super) fn each_tail(values: &[f64], window: usize, needed: usize, mut take: impl FnMut(&[f64])) {
    let Some(first) = values.get(..window) else { return };
    let mut ordered = if needed + 1 < window / 6 {
        Ordered::Tail(Tail::new(first, needed))
    } else {
        Ordered::Whole(SortedWindow::new(first))
    };
    for end in window..=values.len() {
        if end > window {
            let (out, new) = (values[end - window - 1], values[end - 1]);
            match &mut ordered {
                Ordered::Tail(tail) => tail.replace(out, new, &values[end - window..end]),
                Ordered::Whole(sorted) => sorted.replace(out, new),
            }
        }
        match &ordered {
            Ordered::Tail(tail) => take(&tail.kept),
            Ordered::Whole(sorted) => take(sorted.as_slice()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agrees(values: &[f64], window: usize, needed: usize) {
        let mut end = window;
        each_tail(values, window, needed, |tail| {
            let mut expected = values[end - window..end].to_vec();
            expected.sort_unstable_by(f64::total_cmp);
            assert!(tail.len() >= needed);
            assert_eq!(tail, &expected[..tail.len()], "window ending at {end}");
            end += 1;
        });
        assert_eq!(end, values.len() + 1);
    }

    #[test]
    fn the_tail_is_the_start_of_the_sorted_window_on_every_pattern() {
        let n = 600_u32;
        let patterns: [Vec<f64>; 7] = [
            (0..n).map(|i| f64::from(i * 7919 % 1009)).collect(),
            (0..n).map(f64::from).collect(),
            (0..n).map(|i| -f64::from(i)).collect(),
            vec![0.25; n as usize],
            (0..n).map(|i| f64::from(i % 2)).collect(),
            (0..n).map(|i| f64::from(i * 31 % 5)).collect(),
            (0..n).map(|i| f64::from(i % 97) * if i / 150 % 2 == 0 { 1.0 } else { 20.0 }).collect(),
        ];
        for values in &patterns {
            for (window, needed) in [(100, 3), (100, 12), (100, 60), (7, 1), (1, 1), (600, 5), (100, 100)] {
                agrees(values, window, needed);
            }
        }
    }
}
