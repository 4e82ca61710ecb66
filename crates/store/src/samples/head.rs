//! Samples that are durable in the head log and not yet in a chunk.

use std::collections::{BTreeSet, VecDeque};

use hashbrown::HashMap;

use super::head_codec::Tick;

/// Samples of a series from which on it is sealed.
const FULL: usize = 512;
/// Rows of the head log beyond which the series that hold the oldest back are sealed.
const MAX_ROWS: usize = 1_000;
/// The same, in bytes.
const MAX_BYTES: usize = 4 << 20;

/// The head log in memory: per series the samples that no chunk holds.
#[derive(Debug, Default)]
pub(crate) struct Head {
    series: HashMap<i64, Open>,
    /// Which row of the log a series needs first: the oldest row, then the series.
    needed: BTreeSet<(i64, i64)>,
    full: BTreeSet<i64>,
    /// Rows of the log: number and bytes.
    rows: VecDeque<(i64, usize)>,
    bytes: usize,
    samples: usize,
}

#[derive(Debug)]
struct Open {
    /// By rising stamp, each stamp once.
    samples: Vec<(i64, f64)>,
    first_row: i64,
}

impl Head {
    /// A row of the log is there.
    pub(crate) fn add_row(&mut self, row: i64, bytes: usize) {
        self.rows.push_back((row, bytes));
        self.bytes += bytes;
    }

    /// Adds samples of a row of the log. Of two samples of one instant the later one added stays.
    pub(crate) fn add(&mut self, row: i64, ticks: &[Tick], mut wanted: impl FnMut(i64) -> bool) {
        for tick in ticks {
            for &(series, value) in tick.values.iter().filter(|(series, _)| wanted(*series)) {
                self.add_sample(row, series, (tick.at, value));
            }
        }
    }

    fn add_sample(&mut self, row: i64, series: i64, sample: (i64, f64)) {
        let open = self.series.entry(series).or_insert_with(|| {
            self.needed.insert((row, series));
            Open { samples: Vec::new(), first_row: row }
        });
        if open.samples.last().is_none_or(|last| last.0 < sample.0) {
            open.samples.push(sample);
        } else {
            match open.samples.binary_search_by_key(&sample.0, |old| old.0) {
                Ok(at) => {
                    if let Some(old) = open.samples.get_mut(at) {
                        *old = sample;
                    }
                    return;
                }
                Err(at) => open.samples.insert(at, sample),
            }
        }
        self.samples += 1;
        if open.samples.len() == FULL {
            self.full.insert(series);
        }
    }

    /// Samples of a series after `from`, up to `to`.
    pub(crate) fn samples(&self, series: i64, from: i64, to: i64) -> Vec<(i64, f64)> {
        let Some(open) = self.series.get(&series) else { return Vec::new() };
        let first = open.samples.partition_point(|sample| sample.0 <= from);
        let end = open.samples.partition_point(|sample| sample.0 <= to);
        open.samples.get(first..end).unwrap_or_default().to_vec()
    }

    /// Whether something should be sealed.
    pub(crate) fn is_ripe(&self) -> bool {
        !self.full.is_empty() || self.is_long()
    }

    fn is_long(&self) -> bool {
        (self.rows.len() > MAX_ROWS || self.bytes > MAX_BYTES) && !self.series.is_empty()
    }

    /// Up to `most` series to seal: those that are full, or if there are none, those that hold the oldest rows back.
    pub(crate) fn ripe(&self, most: usize) -> Vec<(i64, Vec<(i64, f64)>)> {
        let series: Vec<i64> = if self.full.is_empty() {
            self.needed.iter().filter(|_| self.is_long()).take(most).map(|(_, series)| *series).collect()
        } else {
            self.full.iter().take(most).copied().collect()
        };
        let samples = |series: i64| Some((series, self.series.get(&series)?.samples.clone()));
        series.into_iter().filter_map(samples).collect()
    }

    /// The newest row of the log.
    pub(crate) fn last_row(&self) -> Option<i64> {
        self.rows.back().map(|(row, _)| *row)
    }

    /// The first row that is still needed once these series are sealed; all rows before it may go.
    pub(crate) fn needed_without(&self, sealed: &[i64]) -> i64 {
        let needed = self.needed.iter().find(|(_, series)| !sealed.contains(series));
        needed.map_or_else(|| self.last_row().map_or(0, |last| last.saturating_add(1)), |(row, _)| *row)
    }

    /// The samples of these series are in chunks, and rows before `needed` are gone.
    pub(crate) fn sealed(&mut self, sealed: &[i64], needed: i64) {
        for series in sealed {
            if let Some(open) = self.series.remove(series) {
                self.needed.remove(&(open.first_row, *series));
                self.samples -= open.samples.len();
            }
            self.full.remove(series);
        }
        while let Some((_, bytes)) = self.rows.pop_front_if(|(row, _)| *row < needed) {
            self.bytes -= bytes;
        }
    }

    /// Whether a series has samples here.
    pub(crate) fn has(&self, series: i64) -> bool {
        self.series.contains_key(&series)
    }

    /// How many samples there are.
    pub(crate) fn len(&self) -> usize {
        self.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(at: i64, series: std::ops::Range<i64>) -> Tick {
        Tick { at, values: series.map(|series| (series, at as f64)).collect() }
    }

    #[test]
    fn a_row_goes_when_no_series_needs_it() {
        let mut head = Head::default();
        for row in 1..=3 {
            head.add_row(row, 10);
            head.add(row, &[tick(row, 1..4)], |_| true);
        }
        assert_eq!(head.needed_without(&[1, 2]), 1);
        head.sealed(&[1, 2], 1);
        assert_eq!((head.rows.len(), head.len()), (3, 3));
        assert_eq!(head.needed_without(&[3]), 4);
        head.sealed(&[3], 4);
        assert_eq!((head.rows.len(), head.len(), head.bytes), (0, 0, 0));
    }

    #[test]
    fn a_series_is_ripe_when_it_is_full_or_the_log_is_long() {
        let mut head = Head::default();
        for row in 1..FULL as i64 {
            head.add_row(row, 10);
            head.add(row, &[tick(row, 1..2)], |_| true);
        }
        assert!(!head.is_ripe());
        head.add(511, &[tick(600, 1..3)], |_| true);
        assert_eq!(head.ripe(50).iter().map(|ripe| ripe.0).collect::<Vec<_>>(), [1]);
        head.sealed(&[1], head.needed_without(&[1]));
        assert!(!head.is_ripe());
        head.add_row(512, MAX_BYTES);
        assert_eq!(head.ripe(50).iter().map(|ripe| ripe.0).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn samples_are_in_order_and_of_one_instant_the_last_stays() {
        let mut head = Head::default();
        head.add(1, &[tick(5, 1..2), tick(3, 1..2), tick(9, 1..2)], |_| true);
        head.add(2, &[Tick { at: 5, values: vec![(1, -1.0)] }], |_| true);
        assert_eq!(head.samples(1, i64::MIN, i64::MAX), [(3, 3.0), (5, -1.0), (9, 9.0)]);
        assert_eq!(head.samples(1, 3, 5), [(5, -1.0)]);
        assert_eq!(head.len(), 3);
    }
}
