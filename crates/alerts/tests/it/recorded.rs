//! Samples in a vector, as windows.
use bellwether_core::{
    Aggregate, Labels, MetricName, SampleWindows, Selector, SeriesValue, TimeRange, Timestamp,
};

/// Samples in a vector; an end of a series hides what was before it.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    series: Vec<Series>,
}

#[derive(Debug)]
struct Series {
    metric: MetricName,
    labels: Labels,
    samples: Vec<(Timestamp, Option<f64>)>,
}

impl Recorded {
    pub(crate) fn push(&mut self, metric: &str, labels: &Labels, at: Timestamp, value: Option<f64>) {
        let is_meant = |series: &&mut Series| series.metric == *metric && series.labels == *labels;
        if let Some(known) = self.series.iter_mut().find(is_meant) {
            known.samples.push((at, value));
            return;
        }
        let metric = MetricName::new(metric.to_owned()).unwrap();
        self.series.push(Series { metric, labels: labels.clone(), samples: vec![(at, value)] });
        self.series.sort_by(|a, b| a.labels.cmp(&b.labels));
    }
}

impl SampleWindows for Recorded {
    fn aggregate(
        &self,
        selector: &Selector,
        range: TimeRange,
        aggregate: Aggregate,
        out: &mut Vec<SeriesValue>,
    ) {
        let meant =
            |series: &&Series| series.metric == *selector.metric_name() && selector.matches(&series.labels);
        for Series { labels, samples, .. } in self.series.iter().filter(meant) {
            let upto: Vec<_> = samples.iter().filter(|(at, _)| *at <= range.end()).collect();
            let ended = upto.iter().rposition(|(_, value)| value.is_none()).map_or(0, |at| at + 1);
            let seen: Vec<(Timestamp, f64)> = upto[ended..]
                .iter()
                .filter(|(at, _)| range.contains(*at))
                .filter_map(|(at, value)| Some((*at, (*value)?)))
                .collect();
            let Some(&(newest, last)) = seen.last() else { continue };
            assert_eq!(aggregate, Aggregate::Last, "nothing else is asked here");
            out.push(SeriesValue { labels: labels.clone(), value: last, newest });
        }
    }
}
