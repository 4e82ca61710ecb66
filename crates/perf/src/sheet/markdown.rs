//! The sheet as Markdown, for messages.

use std::fmt::Write;

use super::number::number;
use super::{PerformanceSheet, SheetRow};

impl PerformanceSheet {
    /// The sheet as Markdown: a table per group.
    ///
    /// ```
    /// use bellwether_perf::{Conventions, PerformanceSheet, PeriodsPerYear, Returns};
    /// let returns = Returns::new(&[0.02, -0.01])?;
    /// let sheet = PerformanceSheet::of(&returns, None, &Conventions::monthly(PeriodsPerYear::MONTHS));
    /// assert!(sheet.to_markdown().contains("| Maximum drawdown | -1.00 % |"));
    /// # Ok::<(), bellwether_perf::InvalidReturn>(())
    /// ```
    pub fn to_markdown(&self) -> String {
        let mut out = String::new();
        let conventions = self.conventions();
        // Writing to a `String` never fails.
        let _ = writeln!(
            out,
            "Performance over {} {}; {conventions}.",
            self.observations(),
            conventions.period().plural()
        );
        let with_benchmark = self.has_benchmark();
        for rows in self.groups() {
            let Some(first) = rows.first() else { continue };
            let _ = writeln!(out, "\n**{}**\n", first.group);
            let (title, rule) = if with_benchmark { (" Benchmark |", " ---: |") } else { ("", "") };
            let _ = writeln!(out, "| | Returns |{title} Convention |\n| --- | ---: |{rule} --- |");
            for row in rows {
                let _ = write!(out, "| {} | {} |", escaped(&row.label), number(row.value, row.unit));
                if with_benchmark {
                    let benchmark = row.benchmark.map_or(String::new(), |value| number(value, row.unit));
                    let _ = write!(out, " {benchmark} |");
                }
                let _ = writeln!(out, " {} |", escaped(&note(row)));
            }
        }
        out
    }
}

fn note(row: &SheetRow) -> String {
    match row.value {
        Ok(_) => row.convention.to_string(),
        Err(why) => format!("undefined: {why}"),
    }
}

/// A cell's text: what would end the cell, the row, or begin markup is escaped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if c.is_control() { ' ' } else { c };
        if matches!(c, '|' | '\\' | '*' | '_' | '`' | '<' | '[') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
