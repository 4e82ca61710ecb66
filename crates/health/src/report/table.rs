//! A table in a report.

use serde::Serialize;

use super::Value;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    pub(super) title: String,
    pub(super) numeric: bool,
    pub(super) heat: bool,
}

impl Column {
    /// A column of text, to the left.
    pub fn text(title: impl Into<String>) -> Self {
        Self { title: title.into(), numeric: false, heat: false }
    }

    /// A column of numbers, to the right.
    pub fn number(title: impl Into<String>) -> Self {
        Self { title: title.into(), numeric: true, heat: false }
    }

    /// A column of numbers whose cells are tinted by sign and size: all such columns of a table share one scale.
    pub fn heat(title: impl Into<String>) -> Self {
        Self { title: title.into(), numeric: true, heat: true }
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    pub(super) caption: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Value>>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) left_out: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde wants")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Table {
    /// Without rows so far.
    pub fn new(caption: impl Into<String>, columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            caption: caption.into(),
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
            left_out: 0,
        }
    }

    /// With one more row. Cells that are missing are empty; cells beyond the last column are dropped.
    #[must_use]
    pub fn row<V: Into<Value>>(mut self, cells: impl IntoIterator<Item = V>) -> Self {
        let mut row: Vec<Value> = cells.into_iter().map(Into::into).collect();
        row.resize(self.columns.len(), Value::text(""));
        self.rows.push(row);
        self
    }

    /// Says that `n` more rows exist that the table does not show.
    #[must_use]
    pub fn left_out(mut self, n: usize) -> Self {
        self.left_out = n;
        self
    }

    /// The rows.
    pub fn rows(&self) -> &[Vec<Value>] {
        &self.rows
    }

    pub(super) fn has_heat(&self) -> bool {
        self.columns.iter().any(|column| column.heat)
    }

    /// The scale of all heat cells.
    pub(super) fn heat(&self) -> Heat {
        let mut sizes: Vec<f64> = self
            .rows
            .iter()
            .flat_map(|row| row.iter().zip(&self.columns))
            .filter(|(_, column)| column.heat)
            .filter_map(|(cell, _)| cell.as_number())
            .map(f64::abs)
            .collect();
        sizes.sort_unstable_by(f64::total_cmp);
        let full = sizes.get(sizes.len().saturating_mul(95) / 100).or(sizes.last()).copied().unwrap_or(0.0);
        Heat { full }
    }
}

/// The scale that the heat cells of a table share.
pub(super) struct Heat {
    /// The 95th percentile of the sizes of all cells: from here on the tint is full.
    full: f64,
}

impl Heat {
    /// The tint of a cell: -3 to 3, by sign and size.
    pub(super) fn tint(&self, value: f64) -> i8 {
        if self.full <= 0.0 {
            return 0;
        }
        (value / self.full * 3.0).round().clamp(-3.0, 3.0) as i8
    }
}
