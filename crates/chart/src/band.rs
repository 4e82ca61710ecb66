//! Threshold bands: a tint with a labelled edge, never a painted background.

use crate::label::fit;
use crate::markup::{Anchor, Markup};
use crate::palette::Role;
use crate::plot_area::PlotArea;
use crate::size::Size;
use crate::unit::Unit;

/// How bad it is to be inside a band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// Where values should be; a dotted edge.
    Ok,
    /// Degraded; a dashed edge.
    Warn,
    /// Broken; a solid edge.
    Bad,
}

/// A range of values with a meaning and a name.
///
/// A limit that is not finite is no limit: such a band is told under the chart and not drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    from: Option<f64>,
    to: Option<f64>,
    level: Level,
    label: String,
}

impl Band {
    /// Everything from `limit` up.
    pub fn above(limit: f64, level: Level, label: impl Into<String>) -> Self {
        Self { from: Some(limit), to: None, level, label: label.into() }
    }

    /// Everything from `limit` down.
    pub fn below(limit: f64, level: Level, label: impl Into<String>) -> Self {
        Self { from: None, to: Some(limit), level, label: label.into() }
    }

    /// Everything between two limits, in either order.
    pub fn between(one: f64, other: f64, level: Level, label: impl Into<String>) -> Self {
        let (from, to) = if other < one { (other, one) } else { (one, other) };
        Self { from: Some(from), to: Some(to), level, label: label.into() }
    }

    /// The limits, low first.
    fn edges(&self) -> impl Iterator<Item = f64> {
        [self.from, self.to].into_iter().flatten()
    }

    /// Widens a range of data to the band's limits, unless the data would then fill less than half of the plot.
    pub(crate) fn widen(&self, (low, high): (f64, f64), only_positive: bool) -> Option<(f64, f64)> {
        let span = high - low;
        // Values that do not differ cannot be squeezed.
        let slack = if span > 0.0 { span } else { f64::INFINITY };
        let is_near = |edge: f64| {
            edge.abs() <= 1e300
                && (!only_positive || edge > 0.0)
                && edge >= low - slack
                && edge <= high + slack
        };
        self.edges()
            .all(is_near)
            .then(|| (self.edges().fold(low, f64::min), self.edges().fold(high, f64::max)))
    }

    /// `stop at −20.00 %`, `target 10.00 % to 14.00 %`.
    pub(crate) fn words(&self, unit: &Unit) -> String {
        let limits: Vec<String> = self.edges().map(|edge| unit.format_compact(edge)).collect();
        format!("{} {}", fit(&self.label, 1.0, 60.0), limits.join(" to "))
    }

    /// The tint and the edges, which lie behind the data.
    pub(crate) fn draw(&self, out: &mut Markup, area: &PlotArea) {
        let high = self.to.map_or(area.top, |to| area.values.y(to));
        let low = self.from.map_or(area.bottom, |from| area.values.y(from));
        let tint = out.tag("rect").px("x", area.left).px("y", high).px("width", area.width());
        tint.px("height", low - high).attr("fill-opacity", "0.08").fill(self.role()).empty();
        for edge in self.edges() {
            let y = area.values.y(edge);
            let line = out.tag("line").px("x1", area.left).px("x2", area.right).px("y1", y).px("y2", y);
            let line = match self.level {
                Level::Ok => line.attr("stroke-dasharray", "2 4"),
                Level::Warn => line.attr("stroke-dasharray", "6 4"),
                Level::Bad => line,
            };
            line.stroke(self.role(), 1.0).empty();
        }
    }

    /// The words, over the data with a rim: inside the band at the edge that is crossed first.
    pub(crate) fn draw_words(&self, out: &mut Markup, area: &PlotArea, size: Size, unit: &Unit) {
        let font = size.font() - 1.0;
        let words = fit(&self.words(unit), font, area.width() - 12.0);
        let (above, below) = (|y: f64| y - 5.0, |y: f64| y + font + 2.0);
        let y = match (self.from, self.to) {
            (Some(from), _) if above(area.values.y(from)) - font >= area.top => above(area.values.y(from)),
            (Some(from), _) => below(area.values.y(from)),
            (None, Some(to)) if below(area.values.y(to)) + 3.0 <= area.bottom => below(area.values.y(to)),
            (None, to) => above(to.map_or(area.bottom, |to| area.values.y(to))),
        };
        let text = out.tag("text").px("x", area.left + 6.0).px("y", y).px("font-size", font);
        text.anchor(Anchor::Start).rim(Role::Muted).text(&words);
    }

    fn role(&self) -> Role {
        match self.level {
            Level::Ok => Role::Ok,
            Level::Warn => Role::Warn,
            Level::Bad => Role::Bad,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_limit_widens_the_axis_and_a_far_one_does_not() {
        let band = Band::above(2.0, Level::Warn, "slow from");
        assert_eq!(band.widen((0.0, 1.0), false), Some((0.0, 2.0)));
        assert_eq!(band.widen((0.0, 0.9), false), None);
        assert_eq!(band.widen((1.0, 1.0), false), Some((1.0, 2.0)), "one value cannot be squeezed");
    }

    #[test]
    fn a_limit_that_is_no_number_is_not_drawn() {
        assert_eq!(Band::between(f64::NAN, 1.0, Level::Ok, "").widen((0.0, 1.0), false), None);
        assert_eq!(Band::below(f64::INFINITY, Level::Ok, "").widen((0.0, 0.0), false), None);
        assert_eq!(Band::below(0.0, Level::Ok, "").widen((0.1, 1.0), true), None);
    }

    #[test]
    fn words_name_every_limit_low_first() {
        let words = Band::between(0.14, 0.1, Level::Ok, "target").words(&Unit::Percent);
        assert_eq!(words, "target 10.00 % to 14.00 %");
    }
}
