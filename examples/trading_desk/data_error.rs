//! What can be wrong with the data: each case one sentence with the place, what was found and what was expected.

use std::{
    io,
    path::{Path, PathBuf},
};

use chrono::NaiveDate;

use crate::{
    csv_file::{Column, MAX_FILE_BYTES},
    market::{LEVELS, MAX_INSTRUMENTS},
    session::Period,
};

/// Why a data folder cannot be traded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataError {
    /// The folder is missing or may not be listed.
    #[error(
        "{}: found no readable folder ({source}), expected a folder of *.csv files; give one with --data DIR",
        shown(folder)
    )]
    Folder { folder: PathBuf, source: io::Error },
    /// The folder has no `*.csv`.
    #[error("{}: found no *.csv file, expected at least one, such as sp500_daily.csv", shown(folder))]
    NoInstrument { folder: PathBuf },
    /// The folder has more files than the desk takes.
    #[error("{}: found {found} *.csv files, expected at most {MAX_INSTRUMENTS}", shown(folder))]
    TooManyInstruments { folder: PathBuf, found: usize },
    /// The file's name cannot name an instrument.
    #[error(
        "{}: found a file name that cannot name an instrument, expected NAME.csv with a NAME of 1 to 64 bytes of \
         UTF-8 without control characters",
        shown(file)
    )]
    InstrumentName { file: PathBuf },
    /// The file cannot be opened or read, or is no regular file.
    #[error("{}: found no readable file ({source}), expected a CSV file", shown(file))]
    File { file: PathBuf, source: io::Error },
    /// The file is larger than the desk reads.
    #[error("{}: found {bytes} bytes, expected at most {MAX_FILE_BYTES}", shown(file))]
    FileTooLarge { file: PathBuf, bytes: u64 },
    /// A place in the file holds what it should not; line and column count from 1, the column in characters.
    #[error("{}, line {line}, column {column}: {fault}", shown(file))]
    Cell { file: PathBuf, line: usize, column: usize, fault: Fault },
    /// The file is sound, but `--from` and `--to` leave too little of it.
    #[error(
        "{}: found {} {period}, expected at least two; the file runs from {first} to {last}",
        shown(file),
        counted(*rows)
    )]
    OutsidePeriod { file: PathBuf, period: Period, rows: usize, first: NaiveDate, last: NaiveDate },
}

/// What is wrong at one place of a file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("found an empty file, expected the header `date,close` or `date,return`")]
    EmptyFile,
    #[error("found the header {found}, expected `date,close` or `date,return`")]
    Header { found: String },
    #[error("found the byte 0x{byte:02X}, expected UTF-8 text")]
    NotUtf8 { byte: u8 },
    #[error("found an empty line, expected a date and a number")]
    EmptyLine,
    #[error("found the end of the line, expected the {expected} as second column")]
    MissingColumn { expected: Column },
    #[error("found a third column {found}, expected two: the date and the {expected}")]
    ExtraColumn { found: String, expected: Column },
    #[error("found {found}, expected a date as YYYY-MM-DD from 1800-01-01 to 2199-12-31")]
    Date { found: String },
    #[error("found {found}, expected the {expected} as a number such as {}", expected.sample())]
    Number { found: String, expected: Column },
    #[error("found {found}, expected the {expected} as a finite number such as {}", expected.sample())]
    NotFinite { found: String, expected: Column },
    #[error("found {date} a second time, first on line {first_line}, expected each date once")]
    DuplicateDate { date: NaiveDate, first_line: usize },
    #[error("found {date} after {previous}, expected dates in ascending order")]
    UnorderedDate { date: NaiveDate, previous: NaiveDate },
    #[error("found the return {found}, expected more than -1: a price cannot lose more than all of itself")]
    LossBeyondTotal { found: String },
    #[error(
        "found the return {found}, a total loss, expected more than -1: a price of 0 has no further returns, so end \
         the file on the day before"
    )]
    TotalLoss { found: String },
    #[error("found the close {found}, expected a price above 0")]
    CloseNotPositive { found: String },
    #[error(
        "found {value:?}, which takes the index level to {level:?}, expected levels from {:?} to {:e}",
        LEVELS.start(),
        LEVELS.end()
    )]
    LevelOutOfRange { value: f64, level: f64 },
    #[error("found the end of the file after {}, expected at least two", counted(*rows))]
    TooFewRows { rows: usize },
}

/// `text` in back ticks, cut to 40 characters, with control characters written out.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 40;
    let shown: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    let rest = if text.chars().nth(MOST).is_some() { "…" } else { "" };
    format!("`{shown}{rest}`")
}

/// The path on one line, whatever characters it has.
fn shown(path: &Path) -> String {
    let mut line = String::new();
    for character in path.display().to_string().chars() {
        if character.is_control() {
            line.extend(character.escape_debug());
        } else {
            line.push(character);
        }
    }
    line
}

fn counted(rows: usize) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_cut_and_cannot_break_the_line() {
        assert_eq!(quoted("a\tb\u{1b}[31m"), "`a\\tb\\u{1b}[31m`");
        assert_eq!(quoted(&"x".repeat(41)), format!("`{}…`", "x".repeat(40)));
        assert_eq!(quoted(&"é".repeat(40)), format!("`{}`", "é".repeat(40)));
    }

    #[test]
    fn a_path_with_a_line_break_stays_one_sentence() {
        let error = DataError::NoInstrument { folder: PathBuf::from("a\nb") };
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}
