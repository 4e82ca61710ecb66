//! A chart on a page: two drawings of which one is shown, and its data as a table.

use crate::markup::Markup;
use crate::size::Size;
use crate::summary::spoken;
use crate::table::DataTable;

/// How much of the page's width a figure has on a desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// The whole width: [`Size::WIDE`] from 640 px on, [`Size::NARROW`] below.
    #[default]
    Full,
    /// About half of it: [`Size::HALF`] from 440 px on, [`Size::NARROW`] below.
    Half,
}

/// Rows of the table in a figure.
const ROWS: usize = 60;

pub(crate) fn figure(
    layout: Layout,
    title: &str,
    svg: impl Fn(Size) -> String,
    tables: impl Fn(usize) -> Vec<DataTable>,
) -> String {
    let wide = match layout {
        Layout::Full => Size::WIDE,
        Layout::Half => Size::HALF,
    };
    let mut html = Markup::default();
    html.tag("figure").attr("class", "bw-figure").open();
    html.raw(&svg(wide));
    html.raw(&svg(Size::NARROW));
    let tables: Vec<_> = tables(ROWS).into_iter().filter(|table| !table.rows.is_empty()).collect();
    if !tables.is_empty() {
        let name = format!("Data of {}", spoken(title));
        html.tag("details").open();
        html.tag("summary").text(&name);
        let scroll = html.tag("div").attr("class", "bw-scroll").attr("tabindex", "0");
        scroll.attr("role", "region").attr("aria-label", &name).open();
        for table in &tables {
            html.raw(&table.to_html());
        }
        html.close("div");
        html.close("details");
    }
    html.close("figure");
    html.into_text()
}
