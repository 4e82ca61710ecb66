//! SVG charts for reports, tear sheets and the first paint of pages: pure functions from data to text.
//!
//! ```
//! use bellwether_chart::{Chart, Interval, Layout, LineChart, Unit, stylesheet};
//!
//! const DAY: i64 = 86_400_000_000; // microseconds, UTC
//! let closes = [(0, 100.0), (DAY, 101.5), (2 * DAY, 99.2)];
//! let chart = LineChart::new("S&P 500").unit(Unit::Ratio).interval(Interval::DAY).line("S&P 500", closes);
//!
//! let page = format!("<style>{}</style>{}", stylesheet(), chart.to_figure(Layout::Full));
//! assert!(page.contains("S&amp;P 500"));
//! ```
//!
//! - **Time** is microseconds since 1970-01-01T00:00:00Z as an `i64`; **values** are `f64` in the base of their [`Unit`]
//!   (fractions for percent, seconds for durations).
//! - **A chart cannot fail.** A value that is not finite, or beyond 1e300 in magnitude, is a hole: the line breaks
//!   there, no bar stands there, and the chart says how many are missing.
//! - **A gap is a gap**: lines break where points lie more than 2.5 [`Interval`]s apart.
//! - **Extremes are kept**: each pixel column shows its lowest and highest value, so the size of a drawing depends on
//!   its width and not on the number of points.
//! - **One chart, three forms**: a picture ([`Chart::to_svg`]), a sentence ([`Chart::summary`]) and tables
//!   ([`Chart::tables`]). [`Chart::to_figure`] puts them on a page for desks and phones.
//! - **Strict pages**: no `style` attribute, `id`, script or link is ever written; all text is escaped. Colours come
//!   from [`stylesheet`], for a light and a dark theme.
#![forbid(unsafe_code)]

// Data: values, moments, series.
mod calendar;
pub mod number;
mod series;
mod unit;

// From data to what a picture can hold.
pub mod decimate;
pub mod gaps;
mod plotted;
mod stretch;

// From data to places.
mod axis;
pub mod scale;
pub mod ticks;
mod time_axis;
pub mod time_ticks;

// From places to text.
mod hatch;
mod label;
mod markup;
pub mod palette;
mod path;
mod style;

// The parts of a chart.
mod band;
mod end_label;
mod heading;
mod marker;
mod plot_area;
mod size;
mod summary;
mod table;

// The charts.
mod area;
mod bars;
mod drawing;
mod figure;
mod line;
mod time_chart;
mod time_plot;

pub use area::AreaChart;
pub use band::{Band, Level};
pub use bars::BarChart;
pub use calendar::moment;
pub use drawing::{Chart, Drawing};
pub use figure::Layout;
pub use gaps::Interval;
pub use line::LineChart;
pub use marker::MarkerKind;
pub use markup::escape;
pub use palette::{Colour, Role, Theme};
pub use size::Size;
pub use style::stylesheet;
pub use table::{Cell, DataTable};
pub use unit::Unit;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
