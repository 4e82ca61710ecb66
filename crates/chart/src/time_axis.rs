//! The time axis below a plot: ticks, their labels, and the year or date under the first and each change.

use crate::label::width;
use crate::markup::{Anchor, Markup};
use crate::palette::Role;
use crate::scale::Time;
use crate::size::Size;
use crate::time_ticks::{TimeTick, time};

/// The horizontal axis of one drawing.
#[derive(Debug)]
pub(crate) struct TimeAxis {
    pub(crate) scale: Time,
    ticks: Vec<TimeTick>,
    left: f64,
    right: f64,
}

impl TimeAxis {
    /// An axis over `[lo, hi]` from `left` to `right` (px).
    pub(crate) fn new((lo, hi): (i64, i64), (left, right): (f64, f64), font: f64) -> Self {
        let room = ((right - left) / (font * 0.63)).max(1.0) as usize;
        Self { scale: Time::new((lo, hi), (left, right)), ticks: time(lo, hi, room), left, right }
    }

    /// Rows of text under the plot.
    pub(crate) fn rows(&self) -> usize {
        1 + usize::from(self.ticks.iter().any(|tick| tick.context.is_some()))
    }

    pub(crate) fn draw(&self, out: &mut Markup, bottom: f64, size: Size) {
        out.rule((self.left, bottom), (self.right, bottom), Role::Grid);
        let font = size.font();
        let (row, context_row) = (bottom + 7.0 + font, bottom + 7.0 + font + size.row() - 2.0);
        let edge = size.width() - 1.0;
        let mut free_from = 0.0;
        let zone_after_words = !self.draw_zone(out, row, font);
        for (index, tick) in self.ticks.iter().enumerate() {
            let x = self.scale.at(tick.at);
            out.rule((x, bottom), (x, bottom + 4.0), Role::Muted);
            let half = width(&tick.label, font) / 2.0;
            out.label((x.clamp(half, edge - half), row), Anchor::Middle, Role::Muted, &tick.label);
            if let Some(context) = &tick.context {
                let context =
                    if zone_after_words && index == 0 { format!("{context} UTC") } else { context.clone() };
                let half = width(&context, font) / 2.0;
                let at = x.clamp(half, edge - half);
                // The words of the next change matter more than those of a first tick that stands close to it.
                let next = self.ticks[index + 1..].iter().find_map(|later| {
                    later.context.as_ref().map(|words| self.scale.at(later.at) - width(words, font) / 2.0)
                });
                let crowds_next = index == 0 && next.is_some_and(|next| at + half + 6.0 > next);
                if at - half >= free_from && !crowds_next {
                    out.label((at, context_row), Anchor::Middle, Role::Muted, &context);
                    free_from = at + half + 6.0;
                }
            }
        }
    }

    /// Says the zone left of the first label, if it has room there.
    fn draw_zone(&self, out: &mut Markup, row: f64, font: f64) -> bool {
        let first = self.ticks.first().map_or(self.left, |tick| {
            let half = width(&tick.label, font) / 2.0;
            self.scale.at(tick.at).max(half) - half
        });
        let end = (self.left - 8.0).min(first - 6.0);
        let fits = end >= width("UTC", font);
        if fits {
            out.label((end, row), Anchor::End, Role::Muted, "UTC");
        }
        fits
    }
}
