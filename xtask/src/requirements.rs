//! `docs/requirements.md`: each guarantee and the types and tests that show it.
//!
//! Its tables have the columns `id`, `sev`, `guarantee`, `status` and `shown by`; the last holds links such as
//! `` `crates/perf/src/sharpe.rs::sharpe` ``. `xtask/findings.tsv` lists the findings that must have a row.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::markdown::{self, Row};
use crate::module_tree::ModuleTree;
use crate::rust_items::{self, Shown};
use crate::step::Outcome;
use crate::test_results::Held;
use crate::workspace::Workspace;

const PAGE: &str = "docs/requirements.md";
const FINDINGS: &str = "xtask/findings.tsv";
const COLUMNS: [&str; 5] = ["id", "sev", "guarantee", "status", "shown by"];

/// The step `requirements`.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome, String> {
    let findings = findings(&workspace.read(FINDINGS)?)?;
    let tree = ModuleTree::grow(workspace.metadata()?);
    let resolver = Resolver { root: &workspace.root, tree: &tree, held: workspace.held() };
    let check = check(&workspace.read(PAGE)?, &findings, |link| resolver.resolve(link));
    let note = format!("{} held, {} planned, {} links", check.held, check.planned, check.links);
    let seen = if workspace.held().is_some() { "each linked test held in this run" } else { "tests not run" };
    Ok(Outcome::check(check.problems).with_note(format!("{note}, {seen}")))
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

/// Checks every row; `resolve` follows a link.
fn check<'a>(
    page: &str,
    findings: &'a BTreeMap<String, String>,
    resolve: impl Fn(&str) -> Result<Shown, String>,
) -> Check<'a> {
    let mut check = Check::default();
    for table in &markdown::tables(page) {
        if table.columns != COLUMNS {
            check.problems.push(format!(
                "{PAGE}, {}: columns are not | {} |",
                table.heading,
                COLUMNS.join(" | ")
            ));
            continue;
        }
        for row in &table.rows {
            let mut problems = judge(row, findings, &resolve, &mut check);
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
    let missing = findings.iter().filter(|(id, _)| !check.seen.contains(id.as_str()));
    check.problems.extend(missing.map(|(id, severity)| format!("{PAGE}: no row for {id} ({severity})")));
    check
}

fn judge(
    row: &Row,
    findings: &BTreeMap<String, String>,
    resolve: &impl Fn(&str) -> Result<Shown, String>,
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
        match resolve(link) {
            Ok(shown) => tests += usize::from(shown != Shown::Other),
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

/// Follows links to files and to what they define.
struct Resolver<'a> {
    root: &'a Path,
    tree: &'a ModuleTree<'a>,
    /// The tests that held in this run; none when they were not run.
    held: Option<&'a [Held]>,
}

impl Resolver<'_> {
    /// Follows `path`, `path::item` or `path::outer::item`. A test must be one that is compiled, run and, where that is
    /// known, held.
    fn resolve(&self, link: &str) -> Result<Shown, String> {
        let mut parts = link.split("::");
        let path = parts.next().unwrap_or_default();
        let names: Vec<&str> = parts.collect();
        let file = self.root.join(path);
        let Some(name) = names.last() else {
            return if file.is_file() { Ok(Shown::Other) } else { Err(format!("there is no file `{path}`")) };
        };
        let home = self.tree.home(&file).ok_or_else(|| {
            if file.is_file() {
                format!("`{path}` is a module of no program, so nothing in it is compiled")
            } else {
                format!("there is no file `{path}`")
            }
        })?;
        if !home.is_compiled {
            return Err(format!("`{path}` is left out of the tests by a `cfg`"));
        }
        let features = home.package.features.keys().cloned().collect();
        let (item, shown) = rust_items::find(&home.items, &names, &features)
            .ok_or_else(|| format!("`{path}` defines no `{}`", names.join("::")))?;
        let shown = shown.map_err(|problem| format!("`{path}`: {problem}"))?;
        let among_tests = home.target.is("test") || item.modules.iter().any(|module| module == "tests");
        if shown == Shown::Other && item.keyword == "fn" && among_tests {
            return Err(format!("`{path}`: `{name}` stands among tests, and is none"));
        }
        let modules = home.modules.iter().chain(&item.modules).map(String::as_str);
        let test = modules.chain([*name]).collect::<Vec<_>>().join("::");
        let part = if home.target.is("test") {
            home.target.name.clone()
        } else if home.target.is("example") {
            format!("example {}", home.target.name)
        } else {
            "unit".to_owned()
        };
        let held = |part: &str, is_it: &dyn Fn(&str) -> bool| {
            self.held.is_none_or(|held| {
                held.iter().any(|held| {
                    held.package == home.package.name
                        && held.part == part
                        && held.names.iter().any(|name| is_it(name))
                })
            })
        };
        let has_held = match shown {
            Shown::Other => true,
            Shown::Test => held(&part, &|name| name == test),
            Shown::CompileFail => held("doc", &|name| is_doc_test_of(name, path, &item.name)),
        };
        if has_held {
            Ok(shown)
        } else {
            Err(format!("`{path}`: the test `{name}` did not hold in this run"))
        }
    }
}

/// Whether this is a test in the documentation of the item: `src/secret.rs - secret::Secret (line 3)`.
fn is_doc_test_of(test: &str, path: &str, item: &str) -> bool {
    test.strip_prefix(path)
        .and_then(|rest| rest.strip_prefix(" - ")?.split(" (line").next())
        .is_some_and(|name| name.rsplit("::").next() == Some(item))
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
    use crate::workspace::Metadata;

    const SECOND: &str = "| 2a | P2 | bounded | planned | |\n";

    fn problems(rows: &str) -> Vec<String> {
        let known = findings("# id\tseverity\n1\tP0\n2a\tP2\n").unwrap();
        let page = format!("| id | sev | guarantee | status | shown by |\n| - | - | - | - | - |\n{rows}");
        let resolve = |link: &str| match link {
            "a.rs" | "a.rs::Clock" => Ok(Shown::Other),
            "a.rs::holds" => Ok(Shown::Test),
            "a.rs::Sealed" => Ok(Shown::CompileFail),
            other => Err(format!("`{other}` is nowhere")),
        };
        check(&page, &known, resolve).problems
    }

    #[test]
    fn held_rows_with_tests_and_planned_rows_without_are_good() {
        let rows = "| 1 | P0 | time is UTC | held | `a.rs::Clock`, `a.rs::holds` |\n\
                    | 2a | P2 | bounded | held | `a.rs` |\n\
                    | K1 | | time | planned | |\n";
        assert_eq!(problems(rows), Vec::<String>::new());
    }

    #[test]
    fn a_finding_without_a_row_is_named() {
        assert_eq!(
            problems("| K1 | | time | planned | |\n"),
            ["docs/requirements.md: no row for 1 (P0)", "docs/requirements.md: no row for 2a (P2)"]
        );
    }

    #[test]
    fn an_urgent_row_that_is_held_must_link_a_test() {
        let rows = format!("| 1 | P0 | time is UTC | held | `a.rs::Clock` |\n{SECOND}");
        assert_eq!(problems(&rows), ["docs/requirements.md:3: 1: is held and P0, and links no test"]);
        let rows = format!("| 1 | P0 | time is UTC | held | `a.rs::Sealed` |\n{SECOND}");
        assert_eq!(problems(&rows), Vec::<String>::new());
    }

    #[test]
    fn links_must_lead_somewhere_also_where_only_planned() {
        let rows = format!("| 1 | P0 | time is UTC | planned | `b.rs::x` `a.rs::holds` |\n{SECOND}");
        assert_eq!(problems(&rows), ["docs/requirements.md:3: 1: `b.rs::x` is nowhere"]);
    }

    #[test]
    fn wrong_severity_id_status_and_double_rows_are_named() {
        let rows = "| 1 | P1 | time | held | `a.rs::holds` |\n\
                    | 1 | P0 | time | done | |\n\
                    | 77 | P0 | time | planned | |\n";
        let found = problems(&format!("{rows}{SECOND}"));
        for part in ["severity is P0, not `P1`", "not `done`", "77: no such finding", "a second row for 1"] {
            assert!(found.iter().any(|problem| problem.contains(part)), "{part} in {found:?}");
        }
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn a_table_with_other_columns_is_refused() {
        let known = BTreeMap::new();
        let check = check("## A\n| Id | status |\n|---|---|\n| 1 | held |\n", &known, |_| Ok(Shown::Test));
        assert_eq!(check.problems.len(), 1);
    }

    #[test]
    fn a_broken_line_of_findings_is_named() {
        assert!(findings("1 P0\n").unwrap_err().contains(":1:"));
    }

    /// Links into this very package, whose files are there when its tests run.
    mod links {
        use super::*;

        fn resolve(link: &str, held: Option<&[Held]>) -> Result<Shown, String> {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
            let metadata = Metadata::of_one_package("xtask", &folder.join("src/main.rs"));
            let tree = ModuleTree::grow(&metadata);
            Resolver { root: folder, tree: &tree, held }.resolve(link)
        }

        const ONE: &str = "src/excerpt.rs::a_short_output_is_shown_whole_without_empty_ends";

        fn held(name: &str) -> Held {
            let names = [name.to_owned()].into();
            Held { package: "xtask".to_owned(), part: "unit".to_owned(), names }
        }

        #[test]
        fn files_items_and_tests_are_found() {
            assert_eq!(resolve("src/excerpt.rs", None), Ok(Shown::Other));
            assert_eq!(resolve("src/excerpt.rs::excerpt", None), Ok(Shown::Other));
            assert_eq!(resolve(ONE, None), Ok(Shown::Test));
            assert_eq!(resolve("src/features.rs::FeatureSet::arguments", None), Ok(Shown::Other));
        }

        #[test]
        fn what_is_not_there_is_told() {
            assert_eq!(resolve("src/none.rs", None).unwrap_err(), "there is no file `src/none.rs`");
            assert_eq!(resolve("src", None).unwrap_err(), "there is no file `src`");
            assert_eq!(
                resolve("src/excerpt.rs::numbered", None).unwrap_err(),
                "`src/excerpt.rs`: `numbered` stands among tests, and is none"
            );
            assert_eq!(
                resolve("src/excerpt.rs::gone", None).unwrap_err(),
                "`src/excerpt.rs` defines no `gone`"
            );
        }

        #[test]
        fn a_linked_test_must_have_held_where_tests_were_run() {
            let name = "excerpt::tests::a_short_output_is_shown_whole_without_empty_ends";
            assert_eq!(resolve(ONE, Some(&[held(name)])), Ok(Shown::Test));
            let problem = resolve(ONE, Some(&[held("tests::other")])).unwrap_err();
            assert!(problem.ends_with("did not hold in this run"), "{problem}");
        }

        #[test]
        fn a_documentation_test_is_known_by_its_item() {
            let name = "crates/core/src/secret.rs - secret::Secret (line 12)";
            assert!(is_doc_test_of(name, "crates/core/src/secret.rs", "Secret"));
            assert!(!is_doc_test_of(name, "crates/core/src/secret.rs", "secret"));
            assert!(!is_doc_test_of(name, "crates/core/src/clock.rs", "Secret"));
        }
    }
}
