//! Aggregates over the recent past.

use bellwether_core::{Aggregate, SampleWindows, Selector, SeriesValue, TimeRange};

use super::History;

impl SampleWindows for History {
    fn aggregate(
        &self,
        selector: &Selector,
        range: TimeRange,
        aggregate: Aggregate,
        out: &mut Vec<SeriesValue>,
    ) {
        let Some(tracks) = self.index.metric(selector.metric_name()) else { return };
        let range = self.visible(range);
        let mut scratch = Vec::new();
        for track in tracks.iter().filter(|track| selector.matches(track.labels())) {
            if let Some((value, newest)) = track.aggregate(range, aggregate, &mut scratch) {
                out.push(SeriesValue { labels: track.labels().clone(), value, newest });
            }
        }
    }
}
