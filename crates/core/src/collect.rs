//! How a part tells its figures.

use crate::{Descriptor, Labels, SpreadSnapshot, SummarySnapshot};

/// Something that has figures to tell: a queue its depth, a store its lag, a book its drawdown.
///
/// Every part of Bellwether tells its own figures this way, and a host's parts can. A metrics registry takes
/// any `Collect` and adds intervals, deadlines and isolation.
///
/// ```
/// use bellwether_core::{Collect, CollectError, Descriptor, Labels, MetricName, SampleSink, Tally, Unit};
///
/// struct Gateway { descriptors: [Descriptor; 1], logins: Tally }
///
/// impl Collect for Gateway {
///     fn descriptors(&self) -> &[Descriptor] {
///         &self.descriptors
///     }
///     fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
///         out.counter(&self.descriptors[0], &Labels::empty(), self.logins.get() as f64);
///         Ok(())
///     }
/// }
/// let help = "Sessions opened at the gateway.";
/// let name = MetricName::new("gateway_logins_total")?;
/// let _gateway = Gateway { descriptors: [Descriptor::counter(name, Unit::None, help)], logins: Tally::new() };
/// # Ok::<(), bellwether_core::NameError>(())
/// ```
pub trait Collect: Send + Sync {
    /// What [`collect`](Collect::collect) may tell; always the same.
    fn descriptors(&self) -> &[Descriptor];

    /// Tells the figures as they stand now. Must be quick and must not block: it is called at every sample.
    /// A figure that has no value now is left out.
    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError>;
}

impl<T: Collect + ?Sized> Collect for std::sync::Arc<T> {
    fn descriptors(&self) -> &[Descriptor] {
        (**self).descriptors()
    }
    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        (**self).collect(out)
    }
}

/// Figures could not be told; the reason for people. Whoever called counts it and goes on with the others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct CollectError {
    /// Why.
    pub reason: String,
}

impl CollectError {
    /// With its reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// Where collected figures go.
///
/// A value that is not finite, a descriptor that the collector has not told before, or a kind that does not
/// fit is refused by the sink and counted there.
pub trait SampleSink {
    /// The total of a counter since its owner started.
    fn counter(&mut self, descriptor: &Descriptor, labels: &Labels, total: f64);
    /// The value of a gauge, of an info (1) or of a state (1 or 0).
    fn gauge(&mut self, descriptor: &Descriptor, labels: &Labels, value: f64);
    /// The buckets of a histogram.
    fn histogram(&mut self, descriptor: &Descriptor, labels: &Labels, spread: &SpreadSnapshot);
    /// The quantiles of a summary.
    fn summary(&mut self, descriptor: &Descriptor, labels: &Labels, summary: &SummarySnapshot);
}
