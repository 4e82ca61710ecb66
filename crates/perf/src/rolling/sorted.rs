//! A window kept in ascending order: for quantiles in the middle.

/// The values of the window in ascending order.
#[derive(Debug)]
pub(super) struct SortedWindow(Vec<f64>);

impl SortedWindow {
    pub(super) fn new(window: &[f64]) -> Self {
        let mut values = window.to_vec();
        values.sort_unstable_by(f64::total_cmp);
        Self(values)
    }

    pub(super) fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// Takes one value out and another in: two searches and one move of what lies between.
    pub(super) fn replace(&mut self, out: f64, new: f64) {
        let from = self.0.partition_point(|&x| x < out);
        let to = self.0.partition_point(|&x| x < new);
        if from < to {
            self.0.copy_within(from + 1..to, from);
            self.0[to - 1] = new;
        } else {
            self.0.copy_within(to..from, to + 1);
            self.0[to] = new;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_holds_whatever_goes_out_and_in() {
        let values: Vec<f64> = (0..400_u32).map(|i| f64::from(i * 7919 % 23)).collect();
        let mut sorted = SortedWindow::new(&values[..20]);
        for i in 20..values.len() {
            sorted.replace(values[i - 20], values[i]);
            let mut expected = values[i - 19..=i].to_vec();
            expected.sort_unstable_by(f64::total_cmp);
            assert_eq!(sorted.as_slice(), expected);
        }
    }
}
