//! The rectangle of a plot, with its value axis; lines over time add a time axis below.

use crate::axis::ValueAxis;
use crate::label::width;
use crate::markup::{Anchor, Markup};
use crate::palette::Role;
use crate::size::Size;

/// Where the plot lies, in px.
#[derive(Debug)]
pub(crate) struct PlotArea {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
    pub(crate) values: ValueAxis,
    font: f64,
}

impl PlotArea {
    /// The area between the axis labels and a right margin.
    pub(crate) fn new(values: ValueAxis, size: Size, right_margin: f64, (top, bottom): (f64, f64)) -> Self {
        let font = size.font();
        let widest = values.ticks().map(|(_, label)| width(&label, font)).fold(0.0, f64::max);
        Self { left: size.left_margin(widest), right: size.width() - right_margin, top, bottom, values, font }
    }

    pub(crate) fn width(&self) -> f64 {
        self.right - self.left
    }

    /// Grid lines and labels of the value axis.
    pub(crate) fn draw_grid(&self, out: &mut Markup) {
        for (y, label) in self.values.ticks() {
            out.rule((self.left, y), (self.right, y), Role::Grid);
            out.label((self.left - 8.0, y + self.font * 0.35), Anchor::End, Role::Muted, &label);
        }
    }

    /// The line from which bars and areas are measured.
    pub(crate) fn draw_zero(&self, out: &mut Markup) {
        if self.values.has_zero() {
            let y = self.values.y(0.0);
            out.rule((self.left, y), (self.right, y), Role::Muted);
        }
    }
}
