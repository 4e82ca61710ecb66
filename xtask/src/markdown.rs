//! Tables in Markdown pages.

/// A table with the heading that it stands under.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// The nearest heading above, without its hashes.
    pub(crate) heading: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// A row with its line in the page, counted from one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) line: usize,
    cells: Vec<String>,
}

impl Row {
    /// The cell of a column; empty where the row is short.
    pub(crate) fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

/// All tables of a page; text inside code fences is no table.
pub(crate) fn tables(page: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut heading = String::new();
    let (mut inside, mut fenced) = (false, false);
    for (number, line) in page.lines().enumerate() {
        let text = line.trim();
        if text.starts_with("```") {
            fenced = !fenced;
        }
        if fenced || !text.starts_with('|') {
            inside = false;
            if !fenced && text.starts_with('#') {
                text.trim_start_matches('#').trim().clone_into(&mut heading);
            }
            continue;
        }
        let cells = cells(text);
        if !inside {
            tables.push(Table { heading: heading.clone(), columns: cells, rows: Vec::new() });
            inside = true;
        } else if let Some(table) = tables.last_mut()
            && !(table.rows.is_empty() && cells.iter().all(|cell| is_rule(cell)))
        {
            table.rows.push(Row { line: number + 1, cells });
        }
    }
    tables
}

/// Words in backticks, in their order.
pub(crate) fn code_spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).map(str::trim).filter(|span| !span.is_empty()).collect()
}

/// The cells of one row. `\|` is a bar inside a cell.
fn cells(row: &str) -> Vec<String> {
    let inner = row.strip_prefix('|').unwrap_or(row);
    let inner = if inner.ends_with("\\|") { inner } else { inner.strip_suffix('|').unwrap_or(inner) };
    let mut cells = vec![String::new()];
    let mut letters = inner.chars().peekable();
    while let Some(letter) = letters.next() {
        let bar = letter == '\\' && letters.next_if_eq(&'|').is_some();
        match (bar, letter, cells.last_mut()) {
            (false, '|', _) => cells.push(String::new()),
            (true, _, Some(cell)) => cell.push('|'),
            (false, letter, Some(cell)) => cell.push(letter),
            _ => {}
        }
    }
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}

/// Whether the cell belongs to the line under the column names.
fn is_rule(cell: &str) -> bool {
    cell.contains('-') && cell.chars().all(|letter| matches!(letter, '-' | ':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# House
text
## Edges

| crate | may use |
| --- | :---: |
| `alerts` | `core`, a \\| b |
| chart | - |

```text
| not | a table |
```
## Floors
| floor | crate |
|---|---|
| 0 |
";

    #[test]
    fn tables_are_found_under_their_headings() {
        let tables = tables(PAGE);
        assert_eq!(
            tables.iter().map(|table| table.heading.as_str()).collect::<Vec<_>>(),
            ["Edges", "Floors"]
        );
        assert_eq!(tables[0].columns, ["crate", "may use"]);
        assert_eq!(tables[0].rows.len(), 2);
        assert_eq!(tables[0].rows[0].cell(1), "`core`, a | b");
        assert_eq!(tables[0].rows[0].line, 7);
    }

    #[test]
    fn a_short_row_has_empty_cells() {
        assert_eq!(tables(PAGE)[1].rows[0].cell(1), "");
    }

    #[test]
    fn code_spans_are_what_stands_between_backticks() {
        assert_eq!(code_spans("`a::b`, `c` and text ``"), ["a::b", "c"]);
    }
}
