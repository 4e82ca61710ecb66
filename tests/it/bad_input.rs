//! Whatever is wrong with the input, the desk says it in one sentence and leaves everything as it was.

use std::path::Path;

use tempfile::TempDir;

use crate::desk_run::{run, tree};

/// A folder with one data file, and the results of a run before.
fn folder(file: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    std::fs::write(folder.path().join("data/spread.csv"), file).unwrap();
    folder
}

/// Runs the desk and holds all that it says and does against `sentence`, in which `{}` stands for the folder.
#[track_caller]
fn refused_with(folder: &Path, out: &Path, arguments: &[&str], sentence: &str) {
    let before = tree(folder);
    let run = run(out, arguments);
    let said = run.stderr.replace(folder.to_str().unwrap(), "{}");
    assert_eq!(said, format!("trading_desk: {sentence}\n"));
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(run.stdout, "", "nothing on stdout");
    assert!(tree(folder) == before, "nothing is made, changed or removed");
}

/// Runs the desk on the data of the folder, where results of a run before stand, and where none do.
#[track_caller]
fn refused(folder: &TempDir, sentence: &str) {
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    let arguments = ["--data", data.to_str().unwrap()];
    refused_with(folder.path(), &out, &arguments, sentence);
    std::fs::create_dir(&out).unwrap();
    for file in ["report.html", "alerts.jsonl"] {
        std::fs::write(out.join(file), "of the run before").unwrap();
    }
    refused_with(folder.path(), &out, &arguments, sentence);
}

/// The same for one file.
#[track_caller]
fn refused_file(file: &[u8], place_and_fault: &str) {
    refused(&folder(file), &format!("{{}}/data/spread.csv, {place_and_fault}"));
}

#[test]
fn a_missing_data_directory() {
    refused(
        &tempfile::tempdir().unwrap(),
        "{}/data: found no readable folder (No such file or directory (os error 2)), expected a folder of *.csv files; \
         give one with --data DIR",
    );
}

#[test]
fn a_data_directory_without_files() {
    let folder = folder(b"");
    std::fs::rename(folder.path().join("data/spread.csv"), folder.path().join("data/spread.txt")).unwrap();
    refused(&folder, "{}/data: found no *.csv file, expected at least one, such as sp500_daily.csv");
}

#[test]
fn an_empty_file() {
    refused_file(
        b"",
        "line 1, column 1: found an empty file, expected the header `date,close` or `date,return`",
    );
}

#[test]
fn a_wrong_header() {
    refused_file(
        b"date,price\n2001-01-02,1\n",
        "line 1, column 6: found the header `date,price`, expected `date,close` or `date,return`",
    );
}

#[test]
fn an_unparsable_number() {
    refused_file(
        b"date,return\n2001-01-02,0.01\n2001-01-03,1.2.3\n",
        "line 3, column 12: found `1.2.3`, expected the return as a number such as 0.0125",
    );
}

#[test]
fn an_unparsable_date() {
    refused_file(
        b"date,return\n2001-02-30,0.01\n2001-03-01,0.01\n",
        "line 2, column 1: found `2001-02-30`, expected a date as YYYY-MM-DD from 1800-01-01 to 2199-12-31",
    );
}

#[test]
fn not_a_number() {
    refused_file(
        b"date,return\n2001-01-02,0.01\n2001-01-03,NaN\n",
        "line 3, column 12: found `NaN`, expected the return as a finite number such as 0.0125",
    );
}

#[test]
fn a_duplicate_date() {
    refused_file(
        b"date,return\n2001-01-02,0.01\n2001-01-02,0.01\n",
        "line 3, column 1: found 2001-01-02 a second time, first on line 2, expected each date once",
    );
}

#[test]
fn dates_out_of_order() {
    refused_file(
        b"date,return\n2001-01-03,0.01\n2001-01-02,0.01\n",
        "line 3, column 1: found 2001-01-02 after 2001-01-03, expected dates in ascending order",
    );
}

#[test]
fn a_single_row() {
    refused_file(
        b"date,return\n2001-01-02,0.01\n",
        "line 3, column 1: found the end of the file after 1 row, expected at least two",
    );
}

#[test]
fn a_header_alone() {
    refused_file(
        b"date,return\n",
        "line 2, column 1: found the end of the file after 0 rows, expected at least two",
    );
}

#[test]
fn a_loss_of_more_than_everything() {
    refused_file(
        b"date,return\n2001-01-02,0.01\n2001-01-03,-1.5\n",
        "line 3, column 12: found the return `-1.5`, expected more than -1: a price cannot lose more than all of itself",
    );
}

#[test]
fn bytes_that_are_no_text() {
    refused_file(
        b"date,return\n2001-01-02,0.01\n2001-01-03,\xff\xfe\n",
        "line 3, column 12: found the byte 0xFF, expected UTF-8 text",
    );
}

#[test]
fn one_bad_file_among_good_ones_stops_before_anything_is_made() {
    let folder = folder(b"date,return\n2001-01-02,0.01\n2001-01-03,0.01\n");
    std::fs::write(folder.path().join("data/zinc.csv"), b"date,close\n2001-01-02,5\n2001-01-03,-5\n")
        .unwrap();
    refused(&folder, "{}/data/zinc.csv, line 3, column 12: found the close `-5`, expected a price above 0");
}

#[test]
fn an_output_directory_that_cannot_be_made() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    refused_with(
        folder.path(),
        &folder.path().join("file/out"),
        &[],
        "{}/file/out: found Not a directory (os error 20), expected a folder in which files can be written",
    );
}

#[test]
fn a_folder_in_the_place_of_a_result() {
    for file in ["report.html", "alerts.jsonl"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(file)).unwrap();
        refused_with(
            folder.path(),
            folder.path(),
            &[],
            &format!(
                "{{}}/{file}: found a folder in the place of a file, expected a folder in which files can be written"
            ),
        );
    }
}

#[test]
fn an_old_database_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let text = "this is no database, only a text that somebody put here by mistake ".repeat(50);
    std::fs::write(folder.path().join("desk.sqlite"), text).unwrap();
    refused_with(
        folder.path(),
        folder.path(),
        &[],
        "{}/desk.sqlite is not a SQLite database: found a file that begins with \"this is no datab\", expected a file \
         that begins with \"SQLite format 3\"",
    );
}

#[test]
fn an_old_database_that_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("desk.sqlite")).unwrap();
    refused_with(
        folder.path(),
        folder.path(),
        &[],
        "{}/desk.sqlite is not a SQLite database: found a folder, expected a file that begins with \"SQLite format 3\"",
    );
}

#[test]
fn an_old_database_of_a_newer_schema() {
    let folder = tempfile::tempdir().unwrap();
    let first = run(folder.path(), &["--to", "1999-06-30"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    crate::trading_desk::raise_schema(&folder.path().join("desk.sqlite"));
    refused_with(
        folder.path(),
        folder.path(),
        &["--to", "1999-06-30"],
        "{}/desk.sqlite has a newer schema: found version 9999, expected at most 1; open it with the version that wrote it",
    );
}

#[test]
fn an_unknown_argument() {
    let folder = tempfile::tempdir().unwrap();
    refused_with(
        folder.path(),
        folder.path(),
        &["--speed", "9"],
        "found the argument `--speed`, expected --data, --out, --from, --to, --json or --help; see --help",
    );
}
