//! The main job, run as a user runs it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::desk_run::{desk, finish, run};

/// Makes a database look as if a newer program had made it.
pub(crate) fn raise_schema(database: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use sqlx::Connection as _;
        let url = format!("sqlite://{}", database.display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::query(
            "INSERT INTO _bellwether_migrations (version, name, checksum, applied_at) \
             VALUES (9999, 'from the future', 0, 0)",
        )
        .execute(&mut connection)
        .await
        .unwrap();
        connection.close().await.unwrap();
    });
}

fn json(out: &Path, arguments: &[&str]) -> Value {
    let run = run(out, &[arguments, &["--json"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("one JSON document")
}

#[test]
fn it_gives_the_same_bytes_twice_and_leaves_three_files() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [0, 1].map(|_| run(folder.path(), &["--to", "2001-12-31"]));
    for run in &runs {
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    assert_eq!(runs[0].stdout, runs[1].stdout);
    let mut files: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["alerts.jsonl", "desk.sqlite", "report.html"]);
}

/// The benchmark is the S&P 500 held, so its column must agree with values that independent programs made of the same
/// returns.
#[test]
fn the_benchmark_agrees_with_the_literature() {
    let folder = tempfile::tempdir().unwrap();
    let document = json(folder.path(), &[]);
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/perf/tests/data/metrics.json");
    let golden: Value = serde_json::from_str(&fs::read_to_string(golden).unwrap()).unwrap();
    let expected = |metric: &str, confidence: Option<f64>| {
        let row = golden.as_array().unwrap().iter().find(|row| {
            row["dataset"] == "sp500_daily"
                && row["metric"] == metric
                && row["params"].get("confidence").and_then(Value::as_f64) == confidence
        });
        row.unwrap_or_else(|| panic!("no golden for {metric}"))["value"].as_f64().unwrap()
    };
    let pairs = [
        ("total_return", "total_return", None),
        ("cagr", "cagr", None),
        ("annualized_volatility", "annualized_volatility", None),
        ("sharpe", "sharpe", None),
        ("sortino", "sortino", None),
        ("max_drawdown", "max_drawdown", None),
        ("var_historical_95", "var_historical", Some(0.95)),
        ("var_historical_99", "var_historical", Some(0.99)),
        ("cvar_historical_exact_95", "cvar_historical_exact", Some(0.95)),
        ("cvar_historical_exact_99", "cvar_historical_exact", Some(0.99)),
    ];
    for book in document["books"].as_array().unwrap() {
        let values = book["snapshot"]["sheet"]["values"].as_array().unwrap();
        for (name, metric, confidence) in pairs {
            let row =
                values.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name} is missing"));
            let (found, wanted) = (row["benchmark"]["value"].as_f64().unwrap(), expected(metric, confidence));
            assert!((found - wanted).abs() <= 1e-9 * wanted.abs(), "{name}: {found} is not {wanted}");
        }
    }
}

#[test]
fn alerts_fire_where_the_market_fell_and_are_resolved_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let document = json(folder.path(), &["--to", "2005-12-31"]);
    let changes = document["alerts"].as_array().unwrap();
    let of = |tier: &str, state: &str| {
        changes
            .iter()
            .filter(|change| {
                change["alert"]["labels"]["alertname"] == "Drawdown"
                    && change["alert"]["labels"]["tier"] == tier
                    && change["alert"]["labels"]["strategy"] == "volatility_target"
                    && change["state"] == state
            })
            .map(|change| change["at"].as_str().unwrap()[..10].to_owned())
            .collect::<Vec<_>>()
    };
    let (fired, resolved) = (of("critical", "firing"), of("critical", "resolved"));
    assert_eq!(fired.len(), resolved.len(), "{fired:?} {resolved:?}");
    assert!(fired.iter().any(|day| ("2001-01-01".."2002-12-31").contains(&day.as_str())), "{fired:?}");
    // Markets were closed from 11 to 14 September 2001: every feed was silent, and came back.
    let stale: Vec<_> = changes
        .iter()
        .filter(|c| c["alert"]["labels"]["alertname"] == "FeedStale" && c["state"] == "firing")
        .map(|c| c["at"].as_str().unwrap()[..10].to_owned())
        .collect();
    assert!(stale.iter().any(|day| ("2001-09-13".."2001-09-17").contains(&day.as_str())), "{stale:?}");

    // Everything is in the journal, what is critical was paged, and nothing was told twice.
    let journal = fs::read_to_string(folder.path().join("alerts.jsonl")).unwrap();
    let lines: Vec<Value> = journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = document["notifications"].as_array().unwrap();
    let count = |channel: &str| told.iter().filter(|record| record["channel"] == channel).count();
    assert_eq!(lines.len(), count("journal"));
    assert!(count("pager") >= 2 * fired.len(), "fired and resolved");
    let paged = told.iter().filter(|record| record["channel"] == "pager");
    let mildest: Vec<_> = paged
        .flat_map(|record| ["firing", "resolved"].map(|state| &record["notification"][state]))
        .filter_map(Value::as_array)
        .flatten()
        .map(|alert| alert["labels"]["severity"].as_str().unwrap())
        .filter(|severity| *severity != "critical")
        .collect();
    assert!(mildest.is_empty(), "nobody is woken for less than what is critical: {mildest:?}");
    let mut keys: Vec<_> = lines.iter().map(|line| line["key"].as_str().unwrap()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), lines.len());
}

#[test]
fn people_read_numbers_as_they_write_them_and_with_one_minus() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), &["--to", "2001-12-31"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains(" -") && !run.stdout.contains('\u{2212}'), "{}", run.stdout);
    let pager: Vec<_> = run.stderr.lines().filter(|line| line.contains(", value ")).collect();
    assert!(!pager.is_empty(), "{}", run.stderr);
    for line in pager {
        let value = line.rsplit(", value ").next().unwrap();
        assert!(value.len() <= 6 && value.parse::<f64>().is_ok(), "{line}");
    }
}

/// What is counted stands in the registry, what happened in the history: they must agree.
#[test]
fn the_alerts_that_are_counted_are_those_that_the_history_holds() {
    let folder = tempfile::tempdir().unwrap();
    let text = run(folder.path(), &["--to", "2001-12-31"]).stdout;
    let history = json(folder.path(), &["--to", "2001-12-31"]);
    let fired = |severity: &str| {
        let changes = history["alerts"].as_array().unwrap().iter();
        changes.filter(|c| c["state"] == "firing" && c["alert"]["severity"] == severity).count()
    };
    let counts = ["critical", "error", "warning", "info"].map(|it| format!("{} {it}", fired(it))).join(", ");
    assert!(fired("critical") > 0);
    assert!(text.contains(&format!("Alerts fired: {counts};")), "{counts} in {text}");
}

#[test]
fn the_report_loads_nothing_and_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &["--to", "2000-12-31"]).code, 0);
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    for forbidden in ["<script", "<link", "<img", "<iframe", " src=", "url(", "@import", "style=\"", "NaN"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let links: Vec<_> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.iter().all(|link| link.starts_with('#')), "{links:?}");
    assert!(page.len() < 500_000, "{} bytes", page.len());
    assert!(page.contains("as shipped with the Python package arch"), "the bundled data and their licence");
}

#[test]
fn a_users_own_closes_are_traded_and_too_short_a_history_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let rows: Vec<_> = (1..=28).map(|day| format!("2020-02-{day:02},{}", 100 + day % 5)).collect();
    fs::write(data.join("gold.csv"), format!("date,close\n{}\n", rows.join("\n"))).unwrap();
    let run = run(&folder.path().join("out"), &["--data", data.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("gold held"), "{}", run.stdout);
    let page = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("Data: gold.csv, from the folder that the desk was given."), "its own sources");
    assert!(!page.contains("Python package") && !page.contains("licence"), "not those of the bundled data");
    assert!(!run.stdout.contains("NaN") && !run.stdout.contains("inf "), "{}", run.stdout);
}

/// Whoever runs the desk in a folder of their own has their own data under the name of the bundled ones.
#[test]
fn other_data_in_a_folder_of_the_same_name_are_not_told_as_the_bundled_ones() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("examples/data");
    fs::create_dir_all(&data).unwrap();
    let rows: Vec<_> = (1..=28).map(|day| format!("2020-02-{day:02},{}", 100 + day % 5)).collect();
    fs::write(data.join("gold.csv"), format!("date,close\n{}\n", rows.join("\n"))).unwrap();
    let out = folder.path().join("out");
    let run = finish(desk(&out, &[]).current_dir(folder.path()).output().unwrap());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("Data: gold.csv, from the folder that the desk was given."), "their own sources");
    assert!(!page.contains("licence"), "not those of the bundled data");
}

#[test]
fn help_says_what_it_reads_and_writes() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), &["--help"]);
    assert_eq!(run.code, 0);
    for word in ["--data", "--out", "--from", "--to", "--json", "report.html", "Exit codes"] {
        assert!(run.stdout.contains(word), "{word}");
    }
}
