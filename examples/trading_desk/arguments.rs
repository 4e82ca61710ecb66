//! The command line.

use std::{ffi::OsString, path::PathBuf};

use chrono::NaiveDate;

use crate::{
    data_error::quoted,
    market::BUNDLED,
    session::{Period, parse_date},
};

/// The text of `--help`.
pub(crate) const HELP: &str = "\
A monitored trading desk on 20 years of real market data.

Two published strategies (volatility targeting and 12-month momentum) trade
every instrument of a folder of daily prices on a simulated venue, with costs.
Bellwether watches them: order counters and latencies, a ledger of fills,
rolling risk, alerts routed to two channels, history in SQLite, health.
Time is virtual: the years pass in seconds. No server is needed, and the same
data give the same output.

Usage: cargo run --release --example trading_desk -- [OPTIONS]

Options:
  --data DIR   folder of daily data; every *.csv is an instrument named by its
               file                                 [default: examples/data]
  --out DIR    folder for the results, built in a hidden folder inside of it
               and moved into place at the end [default: target/trading_desk]
               Both defaults are seen from the current directory, which cargo
               does not change: start from the root of the repository.
  --from DATE  first day of the data to use, as YYYY-MM-DD    [default: all]
  --to DATE    last day of the data to use, as YYYY-MM-DD     [default: all]
  --json       print one JSON document instead of text
  -h, --help   print this help

Reads:
  *.csv of the data folder: one line `date,return` or `date,close`, then at
  least two rows in ascending order of date. A return is simple, a fraction
  since the row before (0.01 = 1 %), above -1; a close is above 0. All files
  are checked before anything is traded. Prices are index levels rebuilt from
  the returns, 100 at the start. Numbers per year take 252 days. The benchmark
  is sp500_daily.csv if it is there, else the first file by name. Momentum
  starts to trade when it has seen 253 days and a month begins.

Writes:
  report.html   the report, one file that needs no network
  desk.sqlite   samples, alerts and snapshots
  alerts.jsonl  every notification, one JSON object a line
  Results go to standard output, progress and wall-clock times to standard
  error.

Exit codes:
  0  the desk ran and the results are written
  1  the run failed; the results folder is still that of the run before, or,
     if only standard output did not take the summary, the new one
  2  an argument, the data or the results folder cannot be used; one sentence
     on standard error says what was found and what was expected
";

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// Print [`HELP`].
    Help,
    /// Run the desk.
    Run(Arguments),
}

/// The form of standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Text,
    Json,
}

/// How to run the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) data: PathBuf,
    pub(crate) out: PathBuf,
    pub(crate) period: Period,
    pub(crate) output: Output,
}

/// Why the command line was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArgumentError {
    #[error("found the argument {found}, expected --data, --out, --from, --to, --json or --help; see --help")]
    Unknown { found: String },
    #[error("found nothing after {option}, expected {expected}")]
    MissingValue { option: &'static str, expected: &'static str },
    #[error("found {found} after {option}=, expected {option} alone")]
    NoValueExpected { option: &'static str, found: String },
    #[error("found {option} twice, expected it once")]
    Twice { option: &'static str },
    #[error("found {found} after {option}, expected a date as YYYY-MM-DD from 1800-01-01 to 2199-12-31")]
    Date { option: &'static str, found: String },
    #[error("found an empty path after {option}, expected a folder")]
    EmptyPath { option: &'static str },
    #[error("found --from {from} after --to {to}, expected a first day on or before the last")]
    PeriodReversed { from: NaiveDate, to: NaiveDate },
}

impl Command {
    /// Reads the arguments after the program's name; `--option VALUE` and `--option=VALUE` are the same.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, ArgumentError> {
        let mut arguments = arguments.into_iter();
        let (mut data, mut out, mut from, mut to, mut output) = (None, None, None, None, None);
        while let Some(argument) = arguments.next() {
            let text = argument.to_string_lossy();
            let (option, attached) = match text.split_once('=') {
                // A path that is no UTF-8 would be changed here: it must be given as an argument of its own.
                Some((option, value)) if argument.to_str().is_some() => (option, Some(OsString::from(value))),
                _ => (text.as_ref(), None),
            };
            match option {
                "-h" | "--help" if attached.is_none() => return Ok(Self::Help),
                "--data" => take(&mut data, "--data", attached, &mut arguments, path)?,
                "--out" => take(&mut out, "--out", attached, &mut arguments, path)?,
                "--from" => take(&mut from, "--from", attached, &mut arguments, date)?,
                "--to" => take(&mut to, "--to", attached, &mut arguments, date)?,
                "--json" => match attached {
                    None => once(&mut output, "--json", Output::Json)?,
                    Some(value) => {
                        return Err(ArgumentError::NoValueExpected {
                            option: "--json",
                            found: shown(&value),
                        });
                    }
                },
                _ => return Err(ArgumentError::Unknown { found: shown(&argument) }),
            }
        }
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            return Err(ArgumentError::PeriodReversed { from, to });
        }
        Ok(Self::Run(Arguments {
            data: data.unwrap_or_else(|| PathBuf::from(BUNDLED)),
            out: out.unwrap_or_else(|| PathBuf::from("target/trading_desk")),
            period: Period { from, to },
            output: output.unwrap_or(Output::Text),
        }))
    }
}

/// Reads an option's value, from behind its `=` or from the next argument.
fn take<T>(
    slot: &mut Option<T>,
    option: &'static str,
    attached: Option<OsString>,
    rest: &mut impl Iterator<Item = OsString>,
    read: fn(&'static str, Option<OsString>) -> Result<T, ArgumentError>,
) -> Result<(), ArgumentError> {
    once(slot, option, read(option, attached.or_else(|| rest.next()))?)
}

fn once<T>(slot: &mut Option<T>, option: &'static str, value: T) -> Result<(), ArgumentError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(ArgumentError::Twice { option }),
    }
}

fn path(option: &'static str, value: Option<OsString>) -> Result<PathBuf, ArgumentError> {
    let value = value.ok_or(ArgumentError::MissingValue { option, expected: "a folder" })?;
    if value.is_empty() { Err(ArgumentError::EmptyPath { option }) } else { Ok(PathBuf::from(value)) }
}

fn date(option: &'static str, value: Option<OsString>) -> Result<NaiveDate, ArgumentError> {
    let value = value.ok_or(ArgumentError::MissingValue { option, expected: "a date as YYYY-MM-DD" })?;
    value.to_str().and_then(parse_date).ok_or_else(|| ArgumentError::Date { option, found: shown(&value) })
}

fn shown(argument: &OsString) -> String {
    quoted(&argument.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, ArgumentError> {
        Command::parse(line.split_whitespace().map(OsString::from))
    }

    fn refusal(line: &str) -> String {
        parse(line).unwrap_err().to_string()
    }

    #[test]
    fn no_argument_runs_the_bundled_data() {
        let Command::Run(arguments) = parse("").unwrap() else { panic!("not a run") };
        assert_eq!(arguments.data, PathBuf::from("examples/data"));
        assert_eq!(arguments.out, PathBuf::from("target/trading_desk"));
        assert_eq!((arguments.period, arguments.output), (Period::default(), Output::Text));
    }

    #[test]
    fn every_option_is_taken_in_both_spellings() {
        let spaced = parse("--data d --out o=1 --from 2000-01-03 --to 2001-01-03 --json").unwrap();
        assert_eq!(parse("--json --to=2001-01-03 --from=2000-01-03 --out=o=1 --data=d").unwrap(), spaced);
        let Command::Run(arguments) = spaced else { panic!("not a run") };
        assert_eq!((arguments.data, arguments.out), (PathBuf::from("d"), PathBuf::from("o=1")));
        assert_eq!(arguments.period.to_string(), "from 2000-01-03 to 2001-01-03");
        assert_eq!(arguments.output, Output::Json);
    }

    #[test]
    fn help_is_answered_wherever_it_stands_and_names_every_option_and_file() {
        assert_eq!(parse("--json --help").unwrap(), Command::Help);
        assert_eq!(parse("-h --nonsense").unwrap(), Command::Help);
        for word in [
            "--data",
            "--out",
            "--from",
            "--to",
            "--json",
            "--help",
            "examples/data",
            "target/trading_desk",
            "report.html",
            "desk.sqlite",
            "alerts.jsonl",
            "\n  0  ",
            "\n  1  ",
            "\n  2  ",
        ] {
            assert!(HELP.contains(word), "{word}");
        }
        assert!(HELP.lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn what_is_not_understood_is_refused_in_one_sentence() {
        assert_eq!(
            refusal("--colour red"),
            "found the argument `--colour`, expected --data, --out, --from, --to, --json or --help; see --help"
        );
        assert!(refusal("examples/data").starts_with("found the argument `examples/data`"));
        assert!(refusal("--colour=red").starts_with("found the argument `--colour=red`"));
        assert!(refusal("--help=me").starts_with("found the argument `--help=me`"));
        assert_eq!(refusal("--data"), "found nothing after --data, expected a folder");
        assert_eq!(refusal("--to"), "found nothing after --to, expected a date as YYYY-MM-DD");
        assert_eq!(refusal("--out="), "found an empty path after --out, expected a folder");
        assert_eq!(refusal("--json=yes"), "found `yes` after --json=, expected --json alone");
        assert_eq!(refusal("--from 2000-01-03 --from=2000-01-04"), "found --from twice, expected it once");
        assert_eq!(
            refusal("--from yesterday"),
            "found `yesterday` after --from, expected a date as YYYY-MM-DD from 1800-01-01 to 2199-12-31"
        );
        assert_eq!(
            refusal("--from 2001-01-02 --to 2001-01-01"),
            "found --from 2001-01-02 after --to 2001-01-01, expected a first day on or before the last"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_path_of_any_bytes_is_taken_as_it_is() {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(vec![b'd', 0xFF]);
        let Command::Run(arguments) = Command::parse(["--data".into(), odd.clone()]).unwrap() else {
            panic!()
        };
        assert_eq!(arguments.data.as_os_str(), odd);
        assert!(Command::parse([OsString::from_vec(b"--data=\xFF".to_vec())]).is_err());
    }
}
