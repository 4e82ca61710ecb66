//! Which crate uses which: `docs/architecture.md` against `cargo metadata`.
//!
//! The page holds two tables. Under `## Floors`, `| floor | crate |` gives each crate its floor; under `## Edges`,
//! `| crate | may use |` lists by short names what it uses, with `(dev)` after those that only its tests use.

use std::collections::{BTreeMap, BTreeSet};

use crate::markdown;
use crate::step::Outcome;
use crate::workspace::{Metadata, Workspace};

const PAGE: &str = "docs/architecture.md";
/// All packages of the house begin with this; the root package is just this.
const HOUSE: &str = "bellwether";

/// The step `edges`.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome, String> {
    let crates = crates(workspace.metadata()?);
    let problems = check(&workspace.read(PAGE)?, &crates);
    let edges: usize = crates.iter().map(|item| item.uses.len()).sum();
    Ok(Outcome::check(problems).with_note(format!("{} packages, {edges} edges", crates.len())))
}

/// A package of the house, by its short name.
#[derive(Debug)]
struct Crate {
    name: String,
    published: bool,
    uses: BTreeMap<String, Use>,
}

/// How a crate uses another. What the library needs outweighs what its tests need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    Dev,
    Normal,
}

impl std::fmt::Display for Use {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Dev => " (dev)",
            Self::Normal => "",
        })
    }
}

fn short(package: &str) -> Option<&str> {
    match package.strip_prefix(HOUSE)? {
        "" => Some(HOUSE),
        rest => rest.strip_prefix('-'),
    }
}

fn crates(metadata: &Metadata) -> Vec<Crate> {
    metadata
        .members()
        .filter_map(|package| {
            let name = short(&package.name)?.to_owned();
            let mut uses = BTreeMap::new();
            for dependency in &package.dependencies {
                let Some(used) = short(&dependency.name).filter(|used| *used != name) else { continue };
                let how = if dependency.kind.as_deref() == Some("dev") { Use::Dev } else { Use::Normal };
                let kept = uses.entry(used.to_owned()).or_insert(how);
                *kept = how.max(*kept);
            }
            Some(Crate { name, published: package.is_published(), uses })
        })
        .collect()
}

/// Everything in which the page and the packages disagree, and every arrow that does not point down.
fn check(page: &str, crates: &[Crate]) -> Vec<String> {
    let mut problems = Vec::new();
    let allowed = allowed(page, &mut problems);
    let floors = floors(page, &mut problems);

    let names: BTreeSet<&str> = crates.iter().map(|item| item.name.as_str()).collect();
    let tables = [("Edges", allowed.keys().collect::<Vec<_>>()), ("Floors", floors.keys().collect())];
    for (table, mentioned) in tables {
        let strangers = mentioned.into_iter().filter(|name| !names.contains(name.as_str()));
        problems.extend(strangers.map(|name| format!("{PAGE}, {table}: there is no crate `{name}`")));
    }

    for item in crates {
        let name = &item.name;
        problems.extend(against_table(item, allowed.get(name)));
        if item.published && !floors.contains_key(name) {
            problems.push(format!("{name} has no floor in {PAGE}"));
        }
        for used in item.uses.keys() {
            if item.published && crates.iter().any(|other| other.name == *used && !other.published) {
                problems.push(format!("{name} is published and uses {used}, which is not"));
            }
            if let (Some(from), Some(to)) = (floors.get(name), floors.get(used))
                && to >= from
            {
                problems
                    .push(format!("{name} on floor {from} uses {used} on floor {to}; an arrow points down"));
            }
        }
    }
    problems
}

/// Packages that are not published need no row; with one, they are held to it.
fn against_table(item: &Crate, row: Option<&BTreeMap<String, Use>>) -> Vec<String> {
    let name = &item.name;
    let Some(allowed) = row else {
        let missing = item.published.then(|| format!("{name} has no row under Edges in {PAGE}"));
        return missing.into_iter().collect();
    };
    let used = item.uses.iter().filter_map(|(used, how)| match allowed.get(used) {
        None => Some(format!("{name} uses {used}{how}, which {PAGE} does not allow")),
        Some(written) if written != how => {
            Some(format!("{name} uses {used}{how}, and {PAGE} says {used}{written}"))
        }
        Some(_) => None,
    });
    let unused = allowed.keys().filter(|used| !item.uses.contains_key(*used));
    used.chain(unused.map(|used| format!("{PAGE} lets {name} use {used}, which it does not"))).collect()
}

fn allowed(page: &str, problems: &mut Vec<String>) -> BTreeMap<String, BTreeMap<String, Use>> {
    let mut allowed: BTreeMap<String, BTreeMap<String, Use>> = BTreeMap::new();
    for (line, [name, uses]) in rows(page, "Edges", ["crate", "may use"], problems) {
        let uses = names(&uses).into_iter().collect();
        for (name, _) in names(&name) {
            if allowed.insert(name.clone(), BTreeMap::clone(&uses)).is_some() {
                problems.push(format!("{PAGE}:{line}: a second row for `{name}`"));
            }
        }
    }
    allowed
}

fn floors(page: &str, problems: &mut Vec<String>) -> BTreeMap<String, u8> {
    let mut floors = BTreeMap::new();
    for (line, [floor, name]) in rows(page, "Floors", ["floor", "crate"], problems) {
        let Ok(floor) = floor.parse() else {
            problems.push(format!("{PAGE}:{line}: `{floor}` is no floor, a small number is expected"));
            continue;
        };
        for (name, _) in names(&name) {
            if floors.insert(name.clone(), floor).is_some() {
                problems.push(format!("{PAGE}:{line}: a second floor for `{name}`"));
            }
        }
    }
    floors
}

/// Two columns of the table under the heading, with the line of each row.
fn rows(
    page: &str,
    heading: &str,
    columns: [&str; 2],
    problems: &mut Vec<String>,
) -> Vec<(usize, [String; 2])> {
    let tables = markdown::tables(page);
    let Some((table, places)) = tables.iter().filter(|table| table.heading == heading).find_map(|table| {
        let place = |name: &str| table.columns.iter().position(|column| column == name);
        Some((table, [place(columns[0])?, place(columns[1])?]))
    }) else {
        let [first, second] = columns;
        problems.push(format!("{PAGE}: no table `| {first} | {second} |` under `## {heading}`"));
        return Vec::new();
    };
    table.rows.iter().map(|row| (row.line, places.map(|place| row.cell(place).to_owned()))).collect()
}

/// Short names of a cell: separated by commas, in backticks or not, each with an optional `(dev)`.
fn names(cell: &str) -> Vec<(String, Use)> {
    cell.split(',')
        .filter_map(|part| {
            let part = part.replace('`', "");
            let name = part.split_whitespace().next()?;
            if matches!(name, "-" | "–" | "—" | "nothing") {
                return None;
            }
            let how = if part.contains("(dev)") { Use::Dev } else { Use::Normal };
            Some((short(name).unwrap_or(name).to_owned(), how))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
## Floors
| floor | crate | one line |
| --- | --- | --- |
| 2 | `bellwether` (root package) | facade |
| 1 | `alerts` | rules |
| 0 | `bellwether-core` | vocabulary |
| 0 | `chart` | pictures |

## Edges
| crate | may use |
| --- | --- |
| bellwether | `alerts`, `core` (dev) |
| alerts | core, chart (dev) |
| core | nothing |
| chart | — |
";

    fn item(name: &str, uses: &[(&str, Use)]) -> Crate {
        let uses = uses.iter().map(|(name, how)| ((*name).to_owned(), *how)).collect();
        Crate { name: name.to_owned(), published: true, uses }
    }

    fn house() -> Vec<Crate> {
        vec![
            item("bellwether", &[("alerts", Use::Normal), ("core", Use::Dev)]),
            item("alerts", &[("core", Use::Normal), ("chart", Use::Dev)]),
            item("core", &[]),
            item("chart", &[]),
        ]
    }

    #[test]
    fn a_true_page_has_no_problems() {
        assert_eq!(check(GOOD, &house()), Vec::<String>::new());
    }

    #[test]
    fn an_edge_that_is_not_in_the_table_is_named() {
        let mut crates = house();
        crates[1].uses.insert("perf".to_owned(), Use::Normal);
        assert_eq!(check(GOOD, &crates), ["alerts uses perf, which docs/architecture.md does not allow"]);
    }

    #[test]
    fn an_edge_that_nothing_uses_is_named() {
        let mut crates = house();
        crates[1].uses.remove("core");
        assert_eq!(check(GOOD, &crates), ["docs/architecture.md lets alerts use core, which it does not"]);
    }

    #[test]
    fn the_dev_mark_must_be_true() {
        let mut crates = house();
        crates[1].uses.insert("chart".to_owned(), Use::Normal);
        assert_eq!(check(GOOD, &crates), ["alerts uses chart, and docs/architecture.md says chart (dev)"]);
    }

    #[test]
    fn an_arrow_to_a_neighbour_is_refused() {
        let mut crates = house();
        crates[2].uses.insert("chart".to_owned(), Use::Dev);
        let page = GOOD.replace("| core | nothing |", "| core | chart (dev) |");
        assert_eq!(check(&page, &crates), ["core on floor 0 uses chart on floor 0; an arrow points down"]);
    }

    #[test]
    fn a_crate_without_row_or_floor_and_a_row_without_crate_are_named() {
        let mut crates = house();
        crates.push(item("perf", &[]));
        crates.remove(3);
        let problems = check(GOOD, &crates);
        assert_eq!(
            problems,
            [
                "docs/architecture.md, Edges: there is no crate `chart`",
                "docs/architecture.md, Floors: there is no crate `chart`",
                "perf has no row under Edges in docs/architecture.md",
                "perf has no floor in docs/architecture.md",
            ]
        );
    }

    #[test]
    fn unpublished_packages_are_free_but_must_not_be_used() {
        let mut crates = house();
        let mut bench = item("bench", &[("alerts", Use::Normal)]);
        bench.published = false;
        crates.push(bench);
        assert_eq!(check(GOOD, &crates), Vec::<String>::new());
        crates[0].uses.insert("bench".to_owned(), Use::Dev);
        assert!(
            check(GOOD, &crates).contains(&"bellwether is published and uses bench, which is not".to_owned())
        );
    }

    #[test]
    fn a_page_without_the_tables_says_which() {
        let problems = check("# House", &[]);
        assert_eq!(problems.len(), 2);
        assert!(problems[0].contains("`| crate | may use |` under `## Edges`"), "{problems:?}");
    }
}
