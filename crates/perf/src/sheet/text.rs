//! The sheet as an aligned table.

use std::fmt;

use super::number::number;
use super::{PerformanceSheet, SheetRow};

/// Characters, which is what the columns of a terminal count for the texts of a sheet.
fn width(text: &str) -> usize {
    text.chars().count()
}

/// `text` with spaces before it up to the width.
fn right(text: &str, wide: usize) -> String {
    format!("{}{text}", " ".repeat(wide.saturating_sub(width(text))))
}

/// What stands behind the numbers: the convention, and why a value is missing.
fn note(row: &SheetRow) -> String {
    let mut reasons = Vec::new();
    if let Err(why) = row.value {
        reasons.push(format!("undefined: {why}"));
    }
    if let Some(Err(why)) = row.benchmark
        && row.value != Err(why)
    {
        reasons.push(format!("undefined for the benchmark: {why}"));
    }
    if row.value.is_ok() {
        reasons.insert(0, row.convention.to_string());
    }
    reasons.join("; ")
}

impl fmt::Display for PerformanceSheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conventions = self.conventions();
        let returns = number(Ok(self.observations() as f64), crate::MetricUnit::Count);
        writeln!(f, "Performance over {returns} {}", conventions.period().plural())?;
        writeln!(f, "{conventions}")?;

        let with_benchmark = self.has_benchmark();
        let widest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
        let label = widest(&mut self.rows().iter().map(|row| width(&row.label))).max(24);
        let value = widest(&mut self.rows().iter().map(|row| width(&number(row.value, row.unit)))).max(9);
        let other = |row: &SheetRow| row.benchmark.map_or(String::new(), |value| number(value, row.unit));
        let second = widest(&mut self.rows().iter().map(|row| width(&other(row)))).max(9);

        for (at, rows) in self.groups().enumerate() {
            let Some(first) = rows.first() else { continue };
            let title = first.group.to_string();
            writeln!(f)?;
            if at == 0 && with_benchmark {
                let gap = label + 2 - width(&title);
                writeln!(
                    f,
                    "{title}{}{}  {}",
                    " ".repeat(gap),
                    right("Returns", value),
                    right("Benchmark", second)
                )?;
            } else {
                writeln!(f, "{title}")?;
            }
            for row in rows {
                let gap = " ".repeat(label - width(&row.label));
                write!(f, "  {}{gap}{}", row.label, right(&number(row.value, row.unit), value))?;
                if with_benchmark {
                    write!(f, "  {}", right(&other(row), second))?;
                }
                writeln!(f, "  {}", note(row))?;
            }
        }
        Ok(())
    }
}
