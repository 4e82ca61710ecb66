//! Reads one instrument's file: a header and two columns, checked to the last byte.
//!
//! ```text
//! date,return          or   date,close
//! 1999-01-05,0.0135         1999-01-05,1244.78
//! ```
//! UTF-8, with or without a byte order mark; lines end in LF or CRLF; empty lines may follow the last row.
//! Nothing is quoted, trimmed or guessed.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
};

use chrono::NaiveDate;

use crate::{
    data_error::{DataError, Fault, quoted},
    session::parse_date,
};

/// The largest file that is read: many times what daily data of four centuries need.
pub(crate) const MAX_FILE_BYTES: u64 = 64 << 20;

/// Where the second column begins: a date has ten characters, then comes the comma.
pub(crate) const VALUE_COLUMN: usize = 12;

/// What the second column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    /// Closing prices, above 0.
    Close,
    /// Simple returns since the row before, as fractions above -1.
    Return,
}

impl Column {
    /// A value of this column, to show its form.
    pub(crate) const fn sample(self) -> &'static str {
        match self {
            Self::Close => "1244.78",
            Self::Return => "0.0125",
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Close => "close",
            Self::Return => "return",
        })
    }
}

/// A row of the file, with the line it stands on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    pub(crate) date: NaiveDate,
    pub(crate) value: f64,
    pub(crate) line: usize,
}

/// A file that passed every check: at least two rows, dates strictly ascending, values finite and in range.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CsvFile {
    pub(crate) column: Column,
    pub(crate) rows: Vec<Row>,
}

impl CsvFile {
    /// Reads and checks the whole file.
    pub(crate) fn read(path: &Path) -> Result<Self, DataError> {
        Self::parse(&bytes_of(path)?).map_err(|Misplaced { line, column, fault }| DataError::Cell {
            file: path.to_owned(),
            line,
            column,
            fault,
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, Misplaced> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let end = bytes.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
        let lines = bytes[..end].split(|&byte| byte == b'\n').zip(1..);
        let mut lines = lines.map(|(line, number)| text_of(line.strip_suffix(b"\r").unwrap_or(line), number));

        let column = header(lines.next().transpose()?.map_or("", |line| line.text))?;
        let mut rows: Vec<Row> = Vec::new();
        for line in lines {
            let row = line?.row(column)?;
            if let Some(previous) = rows.last()
                && row.date <= previous.date
            {
                return Err(Misplaced {
                    line: row.line,
                    column: 1,
                    fault: out_of_order(&rows, previous, row.date),
                });
            }
            rows.push(row);
        }
        if rows.len() < 2 {
            return Err(Misplaced {
                line: rows.len() + 2,
                column: 1,
                fault: Fault::TooFewRows { rows: rows.len() },
            });
        }
        Ok(Self { column, rows })
    }
}

/// A fault and its place in the file.
#[derive(Debug, PartialEq)]
struct Misplaced {
    line: usize,
    column: usize,
    fault: Fault,
}

/// The bytes of a regular file of bounded size.
fn bytes_of(path: &Path) -> Result<Vec<u8>, DataError> {
    let unreadable = |source| DataError::File { file: path.to_owned(), source };
    let metadata = path.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(io::Error::other("not a regular file")));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(DataError::FileTooLarge {
            file: path.to_owned(),
            bytes: metadata.len().max(bytes.len() as u64),
        });
    }
    Ok(bytes)
}

/// One line of valid text.
struct Line<'a> {
    text: &'a str,
    number: usize,
}

fn text_of(bytes: &[u8], number: usize) -> Result<Line<'_>, Misplaced> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        // Every byte of valid UTF-8 but the continuation bytes begins a character.
        let characters = valid.iter().filter(|&&byte| byte & 0xC0 != 0x80).count();
        let fault = Fault::NotUtf8 { byte: rest.first().copied().unwrap_or_default() };
        Misplaced { line: number, column: characters + 1, fault }
    })?;
    Ok(Line { text, number })
}

fn header(text: &str) -> Result<Column, Misplaced> {
    match text {
        "date,close" => Ok(Column::Close),
        "date,return" => Ok(Column::Return),
        "" => Err(Misplaced { line: 1, column: 1, fault: Fault::EmptyFile }),
        _ => {
            let mut names = text.split(',');
            let column = match (names.next(), names.next()) {
                (Some("date"), Some(second @ ("close" | "return"))) => VALUE_OF_HEADER + second.len() + 1,
                (Some("date"), _) => VALUE_OF_HEADER,
                _ => 1,
            };
            Err(Misplaced { line: 1, column, fault: Fault::Header { found: quoted(text) } })
        }
    }
}

/// Where the second name of the header begins, after `date,`.
const VALUE_OF_HEADER: usize = 6;

impl Line<'_> {
    fn row(&self, expected: Column) -> Result<Row, Misplaced> {
        let fault = |column, fault| Misplaced { line: self.number, column, fault };
        if self.text.is_empty() {
            return Err(fault(1, Fault::EmptyLine));
        }
        let mut fields = self.text.split(',');
        let day = fields.next().unwrap_or_default();
        let after_day = day.chars().count() + 2;
        let date = parse_date(day).ok_or_else(|| fault(1, Fault::Date { found: quoted(day) }))?;
        let number = fields
            .next()
            .ok_or_else(|| fault(self.text.chars().count() + 1, Fault::MissingColumn { expected }))?;
        if let Some(extra) = fields.next() {
            let column = after_day + number.chars().count() + 1;
            return Err(fault(column, Fault::ExtraColumn { found: quoted(extra), expected }));
        }
        let value = value(number, expected).map_err(|wrong| fault(after_day, wrong))?;
        Ok(Row { date, value, line: self.number })
    }
}

fn value(text: &str, expected: Column) -> Result<f64, Fault> {
    let found = || quoted(text);
    let value: f64 = text.parse().map_err(|_| Fault::Number { found: found(), expected })?;
    match expected {
        _ if !value.is_finite() => Err(Fault::NotFinite { found: found(), expected }),
        Column::Return if value < -1.0 => Err(Fault::LossBeyondTotal { found: found() }),
        Column::Return if value == -1.0 => Err(Fault::TotalLoss { found: found() }),
        Column::Close if value <= 0.0 => Err(Fault::CloseNotPositive { found: found() }),
        _ => Ok(value),
    }
}

/// Says whether `date`, which is not after the row before it, is already there or only late.
fn out_of_order(rows: &[Row], previous: &Row, date: NaiveDate) -> Fault {
    match rows.binary_search_by_key(&date, |row| row.date) {
        Ok(first) => Fault::DuplicateDate { date, first_line: rows[first].line },
        Err(_) => Fault::UnorderedDate { date, previous: previous.date },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_of(bytes: impl AsRef<[u8]>) -> String {
        let Misplaced { line, column, fault } = CsvFile::parse(bytes.as_ref()).unwrap_err();
        format!("{line}:{column}: {fault}")
    }

    #[test]
    fn both_headers_are_read_with_every_digit_of_the_value() {
        let returns =
            CsvFile::parse(b"date,return\n1999-01-05,0.013581999288305502\n1999-01-06,-1e-3\n").unwrap();
        assert_eq!(returns.column, Column::Return);
        assert_eq!(
            returns.rows.iter().map(|row| row.value).collect::<Vec<_>>(),
            [0.013_581_999_288_305_502, -0.001]
        );
        let closes = CsvFile::parse(b"date,close\n1999-01-05,1244.78\n1999-01-06,1272.34").unwrap();
        assert_eq!(closes.column, Column::Close);
        assert_eq!(
            closes.rows.iter().map(|row| (row.line, row.value)).collect::<Vec<_>>(),
            [(2, 1244.78), (3, 1272.34)]
        );
    }

    #[test]
    fn a_byte_order_mark_and_carriage_returns_and_a_blank_end_change_nothing() {
        let plain = CsvFile::parse(b"date,return\n2000-01-03,0.1\n2000-01-04,0.2\n");
        let other = CsvFile::parse(b"\xEF\xBB\xBFdate,return\r\n2000-01-03,0.1\r\n2000-01-04,0.2\r\n\r\n\n");
        assert_eq!(other, plain);
        assert!(plain.is_ok());
    }

    #[test]
    fn an_empty_file_is_refused() {
        let expected = "1:1: found an empty file, expected the header `date,close` or `date,return`";
        for empty in ["", "\n\r\n", "\u{feff}", "\u{feff}\r\n"] {
            assert_eq!(fault_of(empty), expected, "{empty:?}");
        }
    }

    #[test]
    fn a_wrong_header_is_refused_at_the_first_wrong_name() {
        let place = |text: &str| fault_of(text).split(": ").next().unwrap().to_owned();
        assert_eq!(
            fault_of("Date,Close\n"),
            "1:1: found the header `Date,Close`, expected `date,close` or `date,return`"
        );
        assert_eq!(place("date;close\n2000-01-03;1\n"), "1:1");
        assert_eq!(place("date\n"), "1:6");
        assert_eq!(place("date,price\n"), "1:6");
        assert_eq!(place("date,close,volume\n"), "1:12");
        assert_eq!(place("date,return,benchmark\n"), "1:13");
        assert_eq!(place("\ndate,close\n"), "1:1");
        assert_eq!(place("1999-01-05,0.01\n1999-01-06,0.01\n"), "1:1");
    }

    #[test]
    fn a_missing_or_extra_column_is_refused_where_it_is() {
        assert_eq!(
            fault_of("date,close\n2000-01-03\n"),
            "2:11: found the end of the line, expected the close as second column"
        );
        assert_eq!(
            fault_of("date,return\n2000-01-03,0.1,7\n"),
            "2:16: found a third column `7`, expected two: the date and the return"
        );
        assert_eq!(
            fault_of("date,return\n2000-01-03,0.1\n\n2000-01-04,0.1\n"),
            "3:1: found an empty line, expected a date and a number"
        );
    }

    #[test]
    fn a_date_that_is_none_is_refused() {
        assert_eq!(
            fault_of("date,close\n2000-01-03,5\n2000-02-30,5\n"),
            "3:1: found `2000-02-30`, expected a date as YYYY-MM-DD from 1800-01-01 to 2199-12-31"
        );
        assert!(fault_of("date,close\n03.01.2000,5\n").starts_with("2:1: found `03.01.2000`"));
        assert!(fault_of("date,close\n\"2000-01-03\",5\n").starts_with("2:1: found `\\\"2000-01-03\\\"`"));
    }

    #[test]
    fn a_number_that_is_none_is_refused() {
        assert_eq!(
            fault_of("date,return\n2000-01-03,abc\n"),
            "2:12: found `abc`, expected the return as a number such as 0.0125"
        );
        for wrong in ["", " 0.1", "1.5%", "0x10", "1_000", "--1"] {
            assert!(
                fault_of(format!("date,close\n2000-01-03,{wrong}\n")).starts_with("2:12: found `"),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn nan_and_infinity_are_refused() {
        assert_eq!(
            fault_of("date,close\n2000-01-03,NaN\n"),
            "2:12: found `NaN`, expected the close as a finite number such as 1244.78"
        );
        for wrong in ["nan", "inf", "-inf", "Infinity", "1e999"] {
            let fault = fault_of(format!("date,return\n2000-01-03,{wrong}\n"));
            assert!(fault.contains("finite number"), "{fault}");
        }
    }

    #[test]
    fn a_date_that_comes_twice_is_told_from_one_that_comes_late() {
        let rows = "date,return\n2000-01-03,0.1\n2000-01-05,0.1\n";
        assert_eq!(
            fault_of(format!("{rows}2000-01-05,0.1\n")),
            "4:1: found 2000-01-05 a second time, first on line 3, expected each date once"
        );
        assert_eq!(
            fault_of(format!("{rows}2000-01-03,0.1\n")),
            "4:1: found 2000-01-03 a second time, first on line 2, expected each date once"
        );
        assert_eq!(
            fault_of(format!("{rows}2000-01-04,0.1\n")),
            "4:1: found 2000-01-04 after 2000-01-05, expected dates in ascending order"
        );
    }

    #[test]
    fn less_than_two_rows_are_refused() {
        assert_eq!(
            fault_of("date,return\n"),
            "2:1: found the end of the file after 0 rows, expected at least two"
        );
        assert_eq!(
            fault_of("date,return\n2000-01-03,0.1\n\n"),
            "3:1: found the end of the file after 1 row, expected at least two"
        );
    }

    #[test]
    fn a_return_of_minus_one_or_less_is_refused() {
        assert_eq!(
            fault_of("date,return\n2000-01-03,-1.5\n"),
            "2:12: found the return `-1.5`, expected more than -1: a price cannot lose more than all of itself"
        );
        assert!(fault_of("date,return\n2000-01-03,-1.0\n").contains("a total loss"));
        assert!(CsvFile::parse(b"date,return\n2000-01-03,-0.999\n2000-01-04,0\n").is_ok());
    }

    #[test]
    fn a_close_of_nothing_or_less_is_refused() {
        for wrong in ["0", "-0.0", "-37.63"] {
            assert_eq!(
                fault_of(format!("date,close\n2000-01-03,{wrong}\n")),
                format!("2:12: found the close `{wrong}`, expected a price above 0")
            );
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_are_refused_where_they_are() {
        assert_eq!(
            fault_of(b"date,return\n2000-01-03,0.\xFF1\n"),
            "2:14: found the byte 0xFF, expected UTF-8 text"
        );
        assert_eq!(fault_of(b"\xFF\xFEd\0a\0t\0e\0"), "1:1: found the byte 0xFF, expected UTF-8 text");
        assert_eq!(
            fault_of("é\u{20ac}".bytes().chain([0xE2, 0x82]).collect::<Vec<_>>()),
            "1:3: found the byte 0xE2, expected UTF-8 text"
        );
    }

    #[test]
    fn no_prefix_of_a_file_and_no_damaged_byte_makes_it_panic() {
        let good = b"\xEF\xBB\xBFdate,close\r\n2000-01-03,1244.78\r\n2000-01-04,1e2\r\n";
        for length in 0..=good.len() {
            let _ = CsvFile::parse(&good[..length]);
            for byte in [0, b',', b'\n', b'\r', b'-', 0x80, 0xFF] {
                let mut damaged = good.to_vec();
                if let Some(place) = damaged.get_mut(length) {
                    *place = byte;
                }
                let _ = CsvFile::parse(&damaged);
            }
        }
    }
}
