//! How large a chart is drawn.

/// The measures of a drawing. The plot has the height given here; title, legend, axis and notes add theirs.
///
/// A drawing scales with the room it gets, text included, so one is made for each width at which it is read:
/// [`Size::WIDE`] for desks and paper, [`Size::HALF`] for two panels side by side, [`Size::NARROW`] for phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    width: u16,
    plot_height: u16,
    font: u16,
    class: &'static str,
}

impl Size {
    /// 960 px wide: read at 640 to 1,280 px.
    pub const WIDE: Self = Self { width: 960, plot_height: 240, font: 13, class: "bw-at-wide" };
    /// 580 px wide: read at 440 to 720 px.
    pub const HALF: Self = Self { width: 580, plot_height: 200, font: 13, class: "bw-at-half" };
    /// 340 px wide: read at 300 to 480 px.
    pub const NARROW: Self = Self { width: 340, plot_height: 170, font: 12, class: "bw-at-narrow" };

    /// The same size with a plot of another height, held between 40 and 2,000 px.
    #[must_use]
    pub fn with_plot_height(self, px: u16) -> Self {
        Self { plot_height: px.clamp(40, 2_000), ..self }
    }

    /// Width in px.
    pub fn width(self) -> f64 {
        f64::from(self.width)
    }

    /// Height of the plot in px.
    pub fn plot_height(self) -> f64 {
        f64::from(self.plot_height)
    }

    pub(crate) fn font(self) -> f64 {
        f64::from(self.font)
    }

    /// Height of a row of text.
    pub(crate) fn row(self) -> f64 {
        self.font() + 6.0
    }

    pub(crate) fn class(self) -> &'static str {
        self.class
    }

    /// The left margin of a plot whose axis labels are `widest` px wide. Most axes get the same one, so that charts
    /// under each other share their time axis to the pixel.
    pub(crate) fn left_margin(self, widest: f64) -> f64 {
        let usual = if self.is_narrow() { 56.0 } else { 70.0 };
        (((widest + 10.0) / 8.0).ceil() * 8.0).max(usual)
    }

    /// The right margin for end labels `widest` px wide; in coarse steps for the same reason.
    pub(crate) fn right_margin(self, widest: f64) -> f64 {
        let needed = widest + 14.0;
        let step = if self.is_narrow() { 12.0 } else { 56.0 };
        if !self.is_narrow() && needed <= 88.0 { 88.0 } else { (needed / step).ceil() * step }
    }

    /// Steps of the value axis that leave its labels clear in a plot of this height.
    pub(crate) fn intervals(plot_height: f64) -> usize {
        (plot_height / 40.0).floor().max(2.0) as usize
    }

    pub(crate) fn is_narrow(self) -> bool {
        self.width < 480
    }
}
