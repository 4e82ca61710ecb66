//! The data of a chart as a table: its accessible form, and what a person copies into a sheet.

use crate::calendar::{moment, rfc3339};
use crate::marker::Marker;
use crate::markup::Markup;
use crate::number::UNDEFINED;
use crate::series::{Series, extremes};
use crate::unit::Unit;

/// A table of formatted cells. The first column names the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataTable {
    /// What is listed, and how many rows were left out.
    pub caption: String,
    /// One head for each column.
    pub header: Vec<String>,
    /// Cells as they are read; `–` where there is no value.
    pub rows: Vec<Vec<Cell>>,
}

/// One cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cell {
    /// A moment, microseconds UTC.
    Moment(i64),
    /// Words, set to the left.
    Words(String),
    /// A formatted number, set to the right.
    Number(String),
}

impl Cell {
    /// The cell as it is read.
    pub fn text(&self) -> String {
        match self {
            Self::Moment(at) => moment(*at),
            Self::Words(text) | Self::Number(text) => text.clone(),
        }
    }
}

impl DataTable {
    /// The table as an HTML `<table>` with a caption and scoped heads, everything escaped.
    pub fn to_html(&self) -> String {
        let mut html = Markup::default();
        html.tag("table").attr("class", "bw-table").open();
        html.tag("caption").text(&self.caption);
        html.tag("thead").open();
        html.tag("tr").open();
        for (index, head) in self.header.iter().enumerate() {
            let is_words = self.rows.first().and_then(|row| row.get(index)).is_some_and(Cell::is_words);
            let tag = html.tag("th").attr("scope", "col");
            let tag = if is_words { tag.attr("class", "bw-words") } else { tag };
            tag.text(head);
        }
        html.close("tr");
        html.close("thead");
        html.tag("tbody").open();
        for row in &self.rows {
            html.tag("tr").open();
            for (index, cell) in row.iter().enumerate() {
                cell.write(&mut html, index == 0);
            }
            html.close("tr");
        }
        html.close("tbody");
        html.close("table");
        html.into_text()
    }
}

impl Cell {
    fn is_words(&self) -> bool {
        matches!(self, Self::Words(_))
    }

    fn write(&self, html: &mut Markup, names_row: bool) {
        let name = if names_row { "th" } else { "td" };
        let tag = html.tag(name);
        let tag = if names_row { tag.attr("scope", "row") } else { tag };
        let tag = if self.is_words() { tag.attr("class", "bw-words") } else { tag };
        match self {
            Self::Moment(at) => {
                tag.open();
                html.tag("time").attr("datetime", &rfc3339(*at)).text(&moment(*at));
                html.close(name);
            }
            Self::Words(text) | Self::Number(text) => tag.text(text),
        }
    }
}

/// Series side by side, one row a moment.
pub(crate) fn of_series(
    title: &str,
    unit: &Unit,
    series: &[Series],
    range: Option<(i64, i64)>,
    rows: usize,
) -> DataTable {
    let shown: Vec<_> = series.iter().map(|line| line.within(range)).collect();
    let mut moments: Vec<i64> = shown.iter().flat_map(|points| points.iter().map(|point| point.0)).collect();
    moments.sort_unstable();
    moments.dedup();
    let total = moments.len();
    let marked = shown
        .iter()
        .filter_map(|points| extremes(points))
        .flat_map(|found| [found.first.0, found.last.0, found.low.0, found.high.0]);
    let kept = thin(&moments, &marked.collect::<Vec<_>>(), rows);
    let caption = if kept.len() < total {
        format!("{title}: {} of {total} moments, lows and highs among them", kept.len())
    } else {
        format!("{title}: all {total} moments")
    };
    let header = std::iter::once("Time (UTC)".to_owned()).chain(series.iter().map(|line| line.name.clone()));
    let row = |at: i64| {
        let values = shown.iter().map(|points| {
            let after = points.partition_point(|point| point.0 <= at);
            let here = after.checked_sub(1).map(|index| points[index]).filter(|point| point.0 == at);
            Cell::Number(here.map_or_else(|| UNDEFINED.to_owned(), |point| unit.format(point.1)))
        });
        std::iter::once(Cell::Moment(at)).chain(values).collect()
    };
    DataTable { caption, header: header.collect(), rows: kept.into_iter().map(row).collect() }
}

/// The first `rows` marks in time order; no table where there are none.
pub(crate) fn of_marks(marks: &[Marker], rows: usize) -> Option<DataTable> {
    let cells = |mark: &Marker| {
        let word = Cell::Words(mark.kind.word().to_owned());
        vec![Cell::Moment(mark.at), word, Cell::Words(mark.label.clone())]
    };
    let kept: Vec<_> = marks.iter().take(rows).map(cells).collect();
    let caption = match kept.len() {
        0 => return None,
        count if count < marks.len() => format!("Marks: the first {count} of {}", marks.len()),
        count => format!("Marks: all {count}"),
    };
    Some(DataTable {
        caption,
        header: ["Time (UTC)", "Kind", "Mark"].map(str::to_owned).to_vec(),
        rows: kept,
    })
}

/// At most `rows` of the sorted moments: all that are marked, as far as they go, and the others evenly.
fn thin(moments: &[i64], marked: &[i64], rows: usize) -> Vec<i64> {
    if moments.len() <= rows {
        return moments.to_vec();
    }
    let mut kept: Vec<i64> = marked.to_vec();
    kept.sort_unstable();
    kept.dedup();
    kept.truncate(rows);
    let free = rows - kept.len();
    kept.extend((0..free).map(|index| moments[index * moments.len() / free.max(1)]));
    kept.sort_unstable();
    kept.dedup();
    kept
}
