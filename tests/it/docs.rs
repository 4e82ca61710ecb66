//! Pages of `docs/` that must stay true. With `BELLWETHER_WRITE_DOCS=1` in the environment they are written anew.

use std::fmt::Write as _;
use std::fs;

use bellwether::core::config::{Section, reference_table};

/// Holds a page against what it must be.
fn keep(name: &str, expected: &str) {
    let path = format!("{}/docs/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("BELLWETHER_WRITE_DOCS").is_some() {
        fs::write(&path, expected).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap();
    let differing = page.lines().zip(expected.lines()).find(|(is, must)| is != must);
    assert!(
        page == expected,
        "docs/{name} is not what the code says: {differing:?}; write it anew with BELLWETHER_WRITE_DOCS=1"
    );
}

fn section<S: Section>(page: &mut String, about: &str) {
    let table = reference_table::<S>().unwrap();
    write!(page, "\n## `{}`\n\n{about}\n\n{}\n", S::NAME, table.trim_end()).unwrap();
}

#[test]
fn the_configuration_page_lists_every_key_with_its_default() {
    let mut page = String::from(
        "# Configuration\n\n\
         One TOML tree with a section per crate, read by `bellwether::Config::load`, or a crate's own section by the loader of\n\
         `bellwether-core`. Unknown keys are refused, and every problem is told at once with its path. A variable of the\n\
         environment overrides a key: `BELLWETHER__METRICS__MAX_SERIES=500`. Durations are written as people do (`5m`,\n\
         `1h30m`), secrets only as a reference (`{ env = \"NAME\" }`, `{ file = \"/run/secrets/name\" }`).\n",
    );
    section::<bellwether::metrics::RegistryConfig>(&mut page, "The registry and its history.");
    section::<bellwether::alerts::config::AlertsConfig>(&mut page, "Rules, routes, receivers, delivery.");
    section::<bellwether::alerts::config::RouteConfig>(
        &mut page,
        "A route, at `alerts.route` and below it in `routes`.",
    );
    section::<bellwether::alerts::config::DeliveryConfig>(
        &mut page,
        "Delivery, at `alerts.delivery` for all channels and at `alerts.channels.NAME` for one.",
    );
    section::<bellwether::store::StoreConfig>(&mut page, "The database.");
    keep("configuration.md", &page);
}

#[test]
fn the_metrics_page_lists_exactly_what_the_main_job_exposes() {
    let folder = tempfile::tempdir().unwrap();
    let run = crate::desk_run::run(folder.path(), &["--to", "2001-12-31", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let mut page = String::from(
        "# Metrics\n\n\
         What Bellwether tells about itself, and what the example `trading_desk` tells with it. A tracker's metrics begin with\n\
         the prefix that its host gives it, here `desk`.\n\n\
         | name | kind | unit | help |\n| --- | --- | --- | --- |\n",
    );
    for metric in document["metrics"].as_array().unwrap() {
        let text = |key: &str| metric[key].as_str().unwrap();
        writeln!(page, "| `{}` | {} | {} | {} |", text("name"), text("kind"), text("unit"), text("help"))
            .unwrap();
    }
    keep("metrics.md", &page);
}
