//! Every public metric says what it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bellwether_perf::METRICS;

/// `module::function` of every public function that answers with a metric, found in the source.
fn public_metrics(dir: &Path, module: Option<&str>, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            // Rolling metrics are called by the name of their folder; the kernels have none.
            if stem == "rolling" {
                public_metrics(&path, Some("rolling"), found);
            }
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = source.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let Some(rest) = line.strip_prefix("pub fn ") else { continue };
            let name = rest.split(['(', '<']).next().unwrap();
            let signature: String =
                lines[at..].iter().take_while(|line| !line.ends_with('{')).copied().collect();
            let signature = signature + lines[at..].iter().find(|line| line.ends_with('{')).unwrap();
            let answer = signature.split("->").nth(1).unwrap_or_default();
            let is_metric =
                ["Result<f64, Undefined>", "Result<usize, Undefined>", "Result<RollingSeries, Undefined>"];
            if is_metric.iter().any(|kind| answer.contains(kind)) {
                found.insert(format!("{}::{name}", module.unwrap_or(&stem)));
            }
        }
    }
}

#[test]
fn every_public_metric_has_its_info_and_every_info_its_metric() {
    let mut found = BTreeSet::new();
    public_metrics(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), None, &mut found);
    let listed: BTreeSet<String> = METRICS.iter().map(|info| info.calculator.to_owned()).collect();
    assert_eq!(
        listed.difference(&found).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "infos without a metric"
    );
    assert_eq!(
        found.difference(&listed).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "metrics without an info"
    );
    assert_eq!(found.len(), METRICS.len());
}

#[test]
fn names_are_unique_and_nothing_is_left_empty() {
    let mut names = BTreeSet::new();
    for info in METRICS {
        assert!(names.insert(info.name), "{} is there twice", info.name);
        for (what, text) in [
            ("label", info.label),
            ("formula", info.formula),
            ("source", info.source),
            ("convention", info.convention),
            ("undefined_when", info.undefined_when),
        ] {
            assert!(!text.trim().is_empty(), "{}: {what} is empty", info.name);
        }
        assert!(
            info.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
            "{}",
            info.name
        );
    }
}
