//! Whatever is wrong with the input, the desk says it in one sentence and leaves nothing half done.

use std::path::Path;

use tempfile::TempDir;

use crate::desk_run::run;

/// A folder with one data file, and an output folder that does not exist yet.
fn folder(file: Option<&[u8]>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    if let Some(bytes) = file {
        std::fs::write(folder.path().join("data/spread.csv"), bytes).unwrap();
    }
    folder
}

/// Runs the desk on the folder and holds its one sentence against the words that it must have.
fn refused(folder: &TempDir, words: &[&str]) {
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    refused_with(&out, &["--data", data.to_str().unwrap()], words);
    assert!(!out.join("report.html").exists(), "no report is written");
}

fn refused_with(out: &Path, arguments: &[&str], words: &[&str]) {
    let run = run(out, arguments);
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(run.stdout, "", "nothing on stdout");
    assert_eq!(run.stderr.trim_end().lines().count(), 1, "one sentence: {}", run.stderr);
    for word in words {
        assert!(run.stderr.contains(word), "{word:?} is missing in: {}", run.stderr);
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}

#[test]
fn a_missing_data_directory() {
    let folder = tempfile::tempdir().unwrap();
    refused(&folder, &["data"]);
}

#[test]
fn a_data_directory_without_files() {
    refused(&folder(None), &["data", ".csv"]);
}

#[test]
fn an_empty_file() {
    refused(&folder(Some(b"")), &["spread.csv", "empty"]);
}

#[test]
fn a_wrong_header() {
    refused(
        &folder(Some(b"day,price\n2001-01-02,1\n")),
        &["spread.csv", "line 1", "date,close", "date,return"],
    );
}

#[test]
fn an_unparsable_number() {
    let file = b"date,return\n2001-01-02,0.01\n2001-01-03,1.2.3\n";
    refused(&folder(Some(file)), &["spread.csv", "line 3", "column 12", "1.2.3"]);
}

#[test]
fn an_unparsable_date() {
    let file = b"date,return\n2001-02-30,0.01\n2001-03-01,0.01\n";
    refused(&folder(Some(file)), &["spread.csv", "line 2", "column 1", "2001-02-30"]);
}

#[test]
fn not_a_number() {
    let file = b"date,return\n2001-01-02,0.01\n2001-01-03,NaN\n";
    refused(&folder(Some(file)), &["spread.csv", "line 3", "NaN"]);
}

#[test]
fn a_duplicate_date() {
    let file = b"date,return\n2001-01-02,0.01\n2001-01-02,0.01\n";
    refused(&folder(Some(file)), &["spread.csv", "line 3", "2001-01-02"]);
}

#[test]
fn dates_out_of_order() {
    let file = b"date,return\n2001-01-03,0.01\n2001-01-02,0.01\n";
    refused(&folder(Some(file)), &["spread.csv", "line 3", "2001-01-02", "2001-01-03"]);
}

#[test]
fn a_single_row() {
    refused(&folder(Some(b"date,return\n2001-01-02,0.01\n")), &["spread.csv", "at least"]);
}

#[test]
fn a_loss_of_more_than_everything() {
    let file = b"date,return\n2001-01-02,0.01\n2001-01-03,-1.5\n";
    refused(&folder(Some(file)), &["spread.csv", "line 3", "column 12", "-1.5"]);
}

#[test]
fn bytes_that_are_no_text() {
    let file = b"date,return\n2001-01-02,0.01\n2001-01-03,\xff\xfe\n";
    refused(&folder(Some(file)), &["spread.csv", "line 3", "UTF-8"]);
}

#[test]
fn one_bad_file_among_good_ones_stops_before_anything_is_made() {
    let folder = folder(Some(b"date,return\n2001-01-02,0.01\n2001-01-03,0.01\n"));
    std::fs::write(folder.path().join("data/zinc.csv"), b"date,close\n2001-01-02,5\n2001-01-03,-5\n")
        .unwrap();
    refused(&folder, &["zinc.csv", "line 3", "-5"]);
    assert!(!folder.path().join("out").exists(), "not even the folder");
}

#[test]
fn an_output_directory_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    refused_with(&file.join("out"), &[], &["file"]);
}

#[test]
fn an_old_database_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("desk.sqlite");
    std::fs::write(
        &database,
        "this is no database, only a text that somebody put here by mistake ".repeat(50),
    )
    .unwrap();
    refused_with(folder.path(), &["--to", "1999-06-30"], &["desk.sqlite", "SQLite"]);
    assert!(!folder.path().join("report.html").exists());
    assert!(
        std::fs::read_to_string(&database).unwrap().starts_with("this is no database"),
        "it is left alone"
    );
}

#[test]
fn an_old_database_of_a_newer_schema() {
    let folder = tempfile::tempdir().unwrap();
    let first = run(folder.path(), &["--to", "1999-06-30"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    crate::trading_desk::raise_schema(&folder.path().join("desk.sqlite"));
    refused_with(folder.path(), &["--to", "1999-06-30"], &["desk.sqlite", "newer"]);
}

#[test]
fn an_unknown_argument() {
    let folder = tempfile::tempdir().unwrap();
    refused_with(folder.path(), &["--speed", "9"], &["--speed", "--help"]);
}
