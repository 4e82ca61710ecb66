//! The drawdown episodes, deepest first.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::Returns;
use crate::drawdown::{compounding, walk};
use crate::undefined::Undefined;

/// A time under a peak: from the period after the peak to the one that reaches it again.
///
/// Indices are those of the returns. The peak is the last high, *before* the first loss; a peak that was the
/// start itself, before the first return, has no index.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DrawdownEpisode {
    /// The return that made the peak; none when the peak is the start.
    pub peak: Option<usize>,
    /// The first return under the peak.
    pub start: usize,
    /// The return after which wealth was lowest, the first of equals.
    pub trough: usize,
    /// The last return that ended under the peak.
    pub end: usize,
    /// The return that reached the peak again; none while the episode is open.
    pub recovery: Option<usize>,
    /// The lowest drawdown, negative.
    pub depth: f64,
}

impl DrawdownEpisode {
    /// How many periods ended under the peak.
    pub fn length(&self) -> usize {
        self.end + 1 - self.start
    }

    /// How many periods it took from the peak to the trough.
    pub fn to_trough(&self) -> usize {
        self.trough + 1 - self.start
    }

    /// How many periods it took from the trough back to the peak; none while the episode is open.
    pub fn to_recovery(&self) -> Option<usize> {
        self.recovery.map(|recovery| recovery - self.trough)
    }

    /// Whether the peak has not been reached again.
    pub fn is_open(&self) -> bool {
        self.recovery.is_none()
    }
}

/// By rank: the deeper is the greater, of equals the earlier.
struct ByRank(DrawdownEpisode);

impl Ord for ByRank {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.depth.total_cmp(&self.0.depth).then(other.0.start.cmp(&self.0.start))
    }
}

impl PartialOrd for ByRank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByRank {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ByRank {}

/// The `top` deepest episodes, deepest first, of equal ones the earlier first. O(n log top), memory O(top).
///
/// ```
/// use bellwether_perf::{Returns, drawdown_table};
/// let returns = Returns::new(&[0.25, -0.5, 1.0, -0.25])?;
/// let table = drawdown_table(&returns, 5)?;
/// assert_eq!((table[0].depth, table[0].peak, table[0].recovery), (-0.5, Some(0), Some(2)));
/// assert_eq!((table[1].depth, table[1].peak, table[1].recovery), (-0.25, Some(2), None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn drawdown_table(returns: &Returns<'_>, top: usize) -> Result<Vec<DrawdownEpisode>, Undefined> {
    compounding(returns)?;
    // The least of the kept ones stands on top of the heap and is the one to go.
    let mut kept: BinaryHeap<Reverse<ByRank>> = BinaryHeap::new();
    let mut keep = |episode: DrawdownEpisode| {
        kept.push(Reverse(ByRank(episode)));
        if kept.len() > top {
            kept.pop();
        }
    };
    let mut open: Option<DrawdownEpisode> = None;
    for (index, drawdown) in walk(returns.as_slice()).enumerate() {
        if drawdown < 0.0 {
            let episode = open.get_or_insert(DrawdownEpisode {
                peak: index.checked_sub(1),
                start: index,
                trough: index,
                end: index,
                recovery: None,
                depth: drawdown,
            });
            episode.end = index;
            if drawdown < episode.depth {
                episode.trough = index;
                episode.depth = drawdown;
            }
        } else if let Some(mut episode) = open.take() {
            episode.recovery = Some(index);
            keep(episode);
        }
    }
    open.map(&mut keep);
    let mut table: Vec<DrawdownEpisode> = kept.into_iter().map(|Reverse(ByRank(episode))| episode).collect();
    table.sort_by(|a, b| a.depth.total_cmp(&b.depth).then(a.start.cmp(&b.start)));
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_at_the_start_has_no_index_and_an_open_episode_no_recovery() {
        let table = drawdown_table(&Returns::new(&[-0.1, -0.1, 0.05]).unwrap(), 3).unwrap();
        assert_eq!(table.len(), 1);
        let episode = table[0];
        assert_eq!((episode.peak, episode.start, episode.trough, episode.end), (None, 0, 1, 2));
        assert_eq!((episode.length(), episode.to_trough(), episode.to_recovery()), (3, 2, None));
        assert!(episode.is_open());
    }

    #[test]
    fn the_peak_is_the_last_high_before_the_first_loss() {
        // High at 1, flat at 2 (still at the peak), first loss at 3, back at 5.
        let table = drawdown_table(&Returns::new(&[0.1, 0.1, 0.0, -0.5, 0.0, 1.0]).unwrap(), 3).unwrap();
        let episode = table[0];
        assert_eq!((episode.peak, episode.start, episode.trough), (Some(2), 3, 3));
        assert_eq!((episode.end, episode.recovery, episode.to_recovery()), (4, Some(5), Some(2)));
    }

    #[test]
    fn the_deepest_are_kept_and_equal_depths_stand_in_order_of_time() {
        let values = [-0.25, 1.0, -0.5, 1.0, -0.25, 1.0, -0.125, 1.0, -0.5];
        let table = drawdown_table(&Returns::new(&values).unwrap(), 3).unwrap();
        let rows: Vec<_> = table.iter().map(|episode| (episode.depth, episode.start)).collect();
        assert_eq!(rows, [(-0.5, 2), (-0.5, 8), (-0.25, 0)]);
        assert!(drawdown_table(&Returns::new(&values).unwrap(), 0).unwrap().is_empty());
    }

    #[test]
    fn gains_only_have_an_empty_table() {
        assert!(drawdown_table(&Returns::new(&[0.1, 0.0]).unwrap(), 5).unwrap().is_empty());
    }
}
