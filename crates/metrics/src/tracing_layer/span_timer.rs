//! The layer that times spans.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{LabelName, Monotonic, SharedClock};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::fields::Fields;
use super::{SpanTime, SpanTiming};
use crate::family::LabelPairs;
use crate::{DynamicFamily, Histogram};

/// A layer of `tracing-subscriber` that records how long spans take.
///
/// **Labels** are the span's name and the chosen fields, also those that are recorded after the span was made; a field
/// without a value is no label. A value is cut after 128 bytes, and the label sets are bounded as those of every family
/// are: what is beyond shares the series `overflow="true"`.
///
/// **Cost.** A span that is not timed costs a comparison of its level, names and target. One that is costs two readings
/// of the clock, a look-up of its labels without a lock, and an allocation for what is kept with it, and one per chosen
/// field that it has; with [`SpanTime::Busy`] two more readings of the clock each time it is entered. Nothing is kept of a
/// span once it has closed. On a path of microseconds take a [`Timer`](crate::Timer).
///
/// Other layers and filters hear what they would without it. A span that is turned off for all layers is not timed.
pub struct SpanTimer {
    /// Its place on the heap tells this layer from others of its kind.
    timing: Arc<SpanTiming>,
    /// Of each field.
    labels: Box<[LabelName]>,
    family: DynamicFamily<Histogram>,
    clock: SharedClock,
}

/// What one layer keeps with a span that is open.
struct Open {
    /// The [`number`](SpanTimer::number) of the layer.
    of: usize,
    since: Monotonic,
    fields: Fields,
    /// How many threads are in it.
    entered: u32,
    entered_at: Monotonic,
    busy: Duration,
}

/// What all layers of this kind keep with a span.
#[derive(Default)]
struct OpenSpans(Vec<Open>);

impl OpenSpans {
    fn get(&mut self, of: usize) -> Option<&mut Open> {
        self.0.iter_mut().find(|open| open.of == of)
    }

    fn take(&mut self, of: usize) -> Option<Open> {
        let at = self.0.iter().position(|open| open.of == of)?;
        Some(self.0.swap_remove(at))
    }
}

impl SpanTimer {
    pub(super) fn new(
        timing: SpanTiming,
        labels: Box<[LabelName]>,
        family: DynamicFamily<Histogram>,
        clock: &SharedClock,
    ) -> Self {
        Self { timing: Arc::new(timing), labels, family, clock: SharedClock::clone(clock) }
    }

    fn number(&self) -> usize {
        Arc::as_ptr(&self.timing).addr()
    }

    /// Calls with what is kept of a span, if it is timed.
    fn with_open<S>(&self, id: &Id, ctx: &Context<'_, S>, call: impl FnOnce(&mut Open))
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if let Some(span) = ctx.span(id).filter(|span| self.timing.means(span.metadata()))
            && let Some(open) = span.extensions_mut().get_mut::<OpenSpans>()
            && let Some(open) = open.get(self.number())
        {
            call(open);
        }
    }

    fn is_busy_time(&self) -> bool {
        self.timing.time == SpanTime::Busy
    }
}

impl<S> Layer<S> for SpanTimer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id).filter(|span| self.timing.means(span.metadata())) else { return };
        let mut fields = Fields::new(self.labels.len());
        if !self.labels.is_empty() {
            attributes.record(&mut fields.visitor(self.timing.fields()));
        }
        let now = self.clock.monotonic();
        let open =
            Open { of: self.number(), since: now, fields, entered: 0, entered_at: now, busy: Duration::ZERO };
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<OpenSpans>() {
            Some(others) => others.0.push(open),
            None => extensions.insert(OpenSpans(vec![open])),
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        if !self.labels.is_empty() {
            self.with_open(id, &ctx, |open| values.record(&mut open.fields.visitor(self.timing.fields())));
        }
    }

    fn on_enter(&self, id: &Id, ctx: Context<'_, S>) {
        if self.is_busy_time() {
            self.with_open(id, &ctx, |open| {
                open.entered += 1;
                if open.entered == 1 {
                    open.entered_at = self.clock.monotonic();
                }
            });
        }
    }

    fn on_exit(&self, id: &Id, ctx: Context<'_, S>) {
        if self.is_busy_time() {
            self.with_open(id, &ctx, |open| {
                open.entered = open.entered.saturating_sub(1);
                if open.entered == 0 {
                    open.busy += self.clock.monotonic().saturating_since(open.entered_at);
                }
            });
        }
    }

    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        let now = self.clock.monotonic();
        let Some(span) = ctx.span(&id).filter(|span| self.timing.means(span.metadata())) else { return };
        let mut extensions = span.extensions_mut();
        let kept = extensions.get_mut::<OpenSpans>().and_then(|open| open.take(self.number()));
        // Whatever recording leads to meets no lock of the span.
        drop(extensions);
        if let Some(open) = kept {
            let length = match self.timing.time {
                SpanTime::Total => now.saturating_since(open.since),
                SpanTime::Busy => open.busy,
            };
            let labels = SpanLabels { metadata: span.metadata(), names: &self.labels, fields: &open.fields };
            self.family.record(&labels, length);
        }
    }
}

/// The labels of a span.
struct SpanLabels<'a> {
    metadata: &'static Metadata<'static>,
    names: &'a [LabelName],
    fields: &'a Fields,
}

impl LabelPairs for SpanLabels<'_> {
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        let fields = self.names.iter().map(LabelName::as_str).zip(self.fields.values());
        std::iter::once(("span", self.metadata.name())).chain(fields)
    }
}

impl fmt::Debug for SpanTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanTimer")
            .field("timing", &self.timing)
            .field("family", &self.family)
            .finish_non_exhaustive()
    }
}
