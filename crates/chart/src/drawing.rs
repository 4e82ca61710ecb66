//! What every chart gives: a drawing, a sentence, tables.

use crate::figure::{Layout, figure};
use crate::markup::Markup;
use crate::size::Size;
use crate::style::chart_rules;
use crate::summary::spoken;
use crate::table::DataTable;

/// A chart: the same data as a picture, as a sentence and as a table.
pub trait Chart {
    /// The title, as given.
    fn title(&self) -> &str;

    /// One sentence with the numbers: first, last, low and high. It is the `<desc>` of the picture.
    fn summary(&self) -> String;

    /// The data as tables of at most `rows` rows each; where there are more, the first, the last and the extremes are
    /// among those kept, and the caption says how many were left out.
    fn tables(&self, rows: usize) -> Vec<DataTable>;

    /// Lays the chart out at a size.
    fn draw(&self, size: Size) -> Drawing;

    /// The chart as an `<svg>` element for an HTML page that carries [`crate::stylesheet`].
    ///
    /// It holds no `style`, no `id`, no script and no link, so the strictest content security policy takes it.
    /// Without the style sheet it reads in the colours of the light theme.
    fn to_svg(&self, size: Size) -> String {
        self.draw(size).embedded()
    }

    /// The chart as a file of its own, with its style sheet inside; it follows the reader's theme.
    fn to_standalone_svg(&self, size: Size) -> String {
        self.draw(size).standalone()
    }

    /// The chart as a `<figure>` with a drawing for wide rooms, one for narrow rooms, of which the style sheet shows
    /// one, and the data as a table that opens on demand.
    fn to_figure(&self, layout: Layout) -> String {
        figure(layout, self.title(), |size| self.to_svg(size), |rows| self.tables(rows))
    }
}

/// A chart laid out at a size, not yet written.
#[derive(Debug, Clone)]
pub struct Drawing {
    size: Size,
    height: f64,
    title: String,
    summary: String,
    body: String,
}

impl Drawing {
    pub(crate) fn new(size: Size, height: f64, title: &str, summary: String, body: Markup) -> Self {
        Self { size, height, title: spoken(title), summary, body: body.into_text() }
    }

    /// Width and height in px.
    pub fn extent(&self) -> (f64, f64) {
        (self.size.width(), self.height)
    }

    /// See [`Chart::to_svg`].
    pub fn embedded(&self) -> String {
        self.write(None)
    }

    /// See [`Chart::to_standalone_svg`].
    pub fn standalone(&self) -> String {
        self.write(Some(&chart_rules()))
    }

    fn write(&self, style: Option<&str>) -> String {
        let mut svg = Markup::default();
        let (width, height) = self.extent();
        let view = format!("0 0 {width:.0} {height:.0}");
        let root =
            svg.tag("svg").attr("class", &format!("bw-chart {}", self.size.class())).attr("role", "img");
        let root = root.attr("viewBox", &view);
        let root = if style.is_some() {
            root.attr("xmlns", "http://www.w3.org/2000/svg").px("width", width).px("height", height)
        } else {
            root.attr("width", "100%")
        };
        root.attr("font-family", "system-ui, sans-serif").px("font-size", self.size.font()).open();
        svg.tag("title").text(&self.title);
        svg.tag("desc").text(&self.summary);
        if let Some(style) = style {
            svg.tag("style").text(style);
            let panel = svg.tag("rect").px("width", width).px("height", height);
            panel.fill(crate::palette::Role::Panel).empty();
        }
        svg.raw(&self.body);
        svg.close("svg");
        svg.into_text()
    }
}
