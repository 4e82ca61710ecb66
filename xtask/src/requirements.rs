//! `docs/requirements.md`: each guarantee and the types and tests that show it.
//!
//! Its tables have the columns `id`, `sev`, `guarantee`, `status` and `shown by`; the last holds links such as
//! `` `crates/perf/src/sharpe.rs::sharpe` ``. `xtask/findings.tsv` lists the findings that must have a row.

use std::collections::{BTreeMap, BTreeSet};

use crate::markdown::{self, Row};
use crate::rust_items::{self, Item};
use crate::step::Outcome;
use crate::workspace::Workspace;

const PAGE: &str = "docs/requirements.md";
const FINDINGS: &str = "xtask/findings.tsv";
const COLUMNS: [&str; 5] = ["id", "sev", "guarantee", "status", "shown by"];

/// The step `requirements`.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome, String> {
    let findings = findings(&workspace.read(FINDINGS)?)?;
    let check = check(&workspace.read(PAGE)?, &findings, |path| {
        std::fs::read_to_string(workspace.root.join(path)).ok()
    });
    let note = format!("{} held, {} planned, {} links", check.held, check.planned, check.links);
    Ok(Outcome::check(check.problems).with_note(note))
}

/// Severity by finding, from lines `id<tab>severity`; `#` begins a comment.
fn findings(text: &str) -> Result<BTreeMap<String, String>, String> {
    let lines =
        text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|(number, line)| match line.split_once('\t') {
            Some((id, severity)) if matches!(severity, "P0" | "P1" | "P2" | "P3") => {
                Ok((id.to_owned(), severity.to_owned()))
            }
            _ => Err(format!("{FINDINGS}:{}: `{line}` is not `id<tab>P0..P3`", number + 1)),
        })
        .collect()
}

#[derive(Debug, Default)]
struct Check<'a> {
    held: usize,
    planned: usize,
    links: usize,
    seen: BTreeSet<&'a str>,
    problems: Vec<String>,
}

/// Checks every row; `read` gives the text of a file by its path from the root.
fn check<'a>(
    page: &str,
    findings: &'a BTreeMap<String, String>,
    read: impl Fn(&str) -> Option<String>,
) -> Check<'a> {
    let mut check = Check::default();
    let tables = markdown::tables(page);
    for table in
        tables.iter().filter(|table| table.columns.first().is_some_and(|column| column == COLUMNS[0]))
    {
        if table.columns != COLUMNS {
            check.problems.push(format!(
                "{PAGE}, {}: columns are not | {} |",
                table.heading,
                COLUMNS.join(" | ")
            ));
            continue;
        }
        for row in &table.rows {
            let mut problems = judge(row, findings, &read, &mut check);
            check.problems.append(&mut problems);
        }
        for row in &table.rows {
            if let Some((id, _)) = findings.get_key_value(row.cell(0))
                && !check.seen.insert(id)
            {
                check.problems.push(format!("{PAGE}:{}: a second row for {id}", row.line));
            }
        }
    }
    let urgent = findings.iter().filter(|(_, severity)| is_urgent(severity));
    let missing = urgent.filter(|(id, _)| !check.seen.contains(id.as_str()));
    check.problems.extend(missing.map(|(id, severity)| format!("{PAGE}: no row for {id} ({severity})")));
    check
}

fn judge(
    row: &Row,
    findings: &BTreeMap<String, String>,
    read: &impl Fn(&str) -> Option<String>,
    check: &mut Check<'_>,
) -> Vec<String> {
    let [id, severity, status, shown] = [0, 1, 3, 4].map(|column| row.cell(column));
    let mut problems = Vec::new();
    match findings.get(id) {
        Some(known) if known != severity => problems.push(format!("severity is {known}, not `{severity}`")),
        None if !is_capability(id) => problems.push("no such finding or capability".to_owned()),
        _ => {}
    }
    if row.cell(2).is_empty() {
        problems.push("the guarantee is not written".to_owned());
    }

    let mut tests = 0;
    let links = markdown::code_spans(shown);
    for link in &links {
        match resolve(link, read) {
            Ok(item) => tests += usize::from(item == Item::Test),
            Err(problem) => problems.push(problem),
        }
    }
    check.links += links.len();
    match status {
        "held" => {
            check.held += 1;
            if is_urgent(severity) && tests == 0 {
                problems.push(format!("is held and {severity}, and links no test"));
            } else if links.is_empty() {
                problems.push("is held, and links nothing".to_owned());
            }
        }
        "planned" => check.planned += 1,
        other => problems.push(format!("status is `held` or `planned`, not `{other}`")),
    }
    problems.into_iter().map(|problem| format!("{PAGE}:{}: {id}: {problem}", row.line)).collect()
}

/// Follows `path` or `path::item` or `path::outer::item` to its definition.
fn resolve(link: &str, read: impl Fn(&str) -> Option<String>) -> Result<Item, String> {
    let mut parts = link.split("::");
    let path = parts.next().unwrap_or_default();
    let source = read(path).ok_or_else(|| format!("there is no file `{path}`"))?;
    let mut item = Item::Other;
    for name in parts {
        item = rust_items::find(&source, name).ok_or_else(|| format!("`{path}` defines no `{name}`"))?;
    }
    Ok(item)
}

fn is_urgent(severity: &str) -> bool {
    matches!(severity, "P0" | "P1")
}

/// Ids of capabilities are a capital letter and a number: `A3`.
fn is_capability(id: &str) -> bool {
    let mut letters = id.chars();
    letters.next().is_some_and(|letter| letter.is_ascii_uppercase())
        && !letters.as_str().is_empty()
        && letters.all(|letter| letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(rows: &str) -> Vec<String> {
        let known = findings("# id\tseverity\n1\tP0\n2a\tP2\n").unwrap();
        let page = format!("| id | sev | guarantee | status | shown by |\n| - | - | - | - | - |\n{rows}");
        let read = |path: &str| (path == "a.rs").then(|| "struct Clock;\n#[test]\nfn holds() {}".to_owned());
        check(&page, &known, read).problems
    }

    #[test]
    fn held_rows_with_tests_and_planned_rows_without_are_good() {
        let rows = "| 1 | P0 | time is UTC | held | `a.rs::Clock`, `a.rs::holds` |\n\
                    | 2a | P2 | bounded | held | `a.rs` |\n\
                    | K1 | | time | planned | |\n";
        assert_eq!(problems(rows), Vec::<String>::new());
    }

    #[test]
    fn an_urgent_finding_without_a_row_is_named() {
        assert_eq!(problems("| K1 | | time | planned | |\n"), ["docs/requirements.md: no row for 1 (P0)"]);
    }

    #[test]
    fn an_urgent_row_that_is_held_must_link_a_test() {
        let rows = "| 1 | P0 | time is UTC | held | `a.rs::Clock` |\n";
        assert_eq!(problems(rows), ["docs/requirements.md:3: 1: is held and P0, and links no test"]);
    }

    #[test]
    fn links_must_lead_somewhere_also_where_only_planned() {
        let rows = "| 1 | P0 | time is UTC | planned | `b.rs::x` `a.rs::gone` |\n";
        assert_eq!(
            problems(rows),
            [
                "docs/requirements.md:3: 1: there is no file `b.rs`",
                "docs/requirements.md:3: 1: `a.rs` defines no `gone`"
            ]
        );
    }

    #[test]
    fn wrong_severity_id_status_and_double_rows_are_named() {
        let rows = "| 1 | P1 | time | held | `a.rs::holds` |\n\
                    | 1 | P0 | time | done | |\n\
                    | 77 | P0 | time | planned | |\n";
        let found = problems(rows);
        for part in ["severity is P0, not `P1`", "not `done`", "77: no such finding", "a second row for 1"] {
            assert!(found.iter().any(|problem| problem.contains(part)), "{part} in {found:?}");
        }
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn a_table_with_other_columns_is_refused() {
        let known = BTreeMap::new();
        let check = check("## A\n| id | status |\n|---|---|\n| 1 | held |\n", &known, |_| None);
        assert_eq!(check.problems.len(), 1);
    }

    #[test]
    fn a_broken_line_of_findings_is_named() {
        assert!(findings("1 P0\n").unwrap_err().contains(":1:"));
    }
}
