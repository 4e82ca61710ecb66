//! The market: every `*.csv` of a folder as an instrument, merged into trading days.
//!
//! Prices are index levels rebuilt from returns. A `date,return` file stands at 100 before its first day; a
//! `date,close` file stands at 100 on its first day, which therefore has no return.

use std::{
    collections::BTreeMap,
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::{
    csv_file::{Column, CsvFile, Row, VALUE_COLUMN},
    data_error::{DataError, Fault},
    session::{Day, InstrumentId, PRICE_DECIMALS, Period, Tick, session_close},
};

/// Levels outside this range are refused: below it a tick of 0.0001 would be more than 1 % of the price,
/// above it an `f64` no longer holds every tick.
pub(crate) const LEVELS: RangeInclusive<f64> = 0.01..=1e11;

/// The most files that a folder may hold.
pub(crate) const MAX_INSTRUMENTS: usize = 64;

const BASE_LEVEL: f64 = 100.0;
/// The folder of the files that come with the example.
pub(crate) const BUNDLED: &str = "examples/data";
/// What is in it.
const BUNDLED_INSTRUMENTS: [&str; 2] = [BENCHMARK, "wti_daily"];
const BENCHMARK: &str = "sp500_daily";

/// A return and the day at whose close it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct DatedReturn {
    pub(crate) date: NaiveDate,
    /// Simple, as a fraction: 0.01 is 1 %.
    pub(crate) value: f64,
}

/// One instrument with its whole history.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Instrument {
    /// The file's name without `.csv`.
    pub(crate) name: String,
    /// In full digits, for the benchmark; the desk itself sees only the rounded prices of the days.
    pub(crate) returns: Vec<DatedReturn>,
}

/// All instruments and all days, read and checked.
#[derive(Debug)]
pub(crate) struct Market {
    instruments: Vec<Instrument>,
    days: Vec<Day>,
    benchmark: InstrumentId,
    is_bundled: bool,
}

impl Market {
    /// Reads every `*.csv` of `folder` (hidden files are left alone), checks all of them, then keeps
    /// `period`.
    ///
    /// The cut comes first and the levels after it: 100 stands before the first day that is kept.
    pub(crate) fn read(folder: &Path, period: Period) -> Result<Self, DataError> {
        let files = files_of(folder)?
            .into_iter()
            .map(|path| Ok((name_of(&path)?, CsvFile::read(&path)?, path)))
            .collect::<Result<Vec<_>, DataError>>()?;

        let mut instruments = Vec::with_capacity(files.len());
        let mut days: BTreeMap<NaiveDate, Vec<Tick>> = BTreeMap::new();
        for (index, (name, file, path)) in files.into_iter().enumerate() {
            let rows = cut(&path, &file.rows, period)?;
            let history = Levels::rebuild(file.column, &rows).map_err(|(line, fault)| DataError::Cell {
                file: path,
                line,
                column: VALUE_COLUMN,
                fault,
            })?;
            for (date, level) in history.levels {
                days.entry(date)
                    .or_default()
                    .push(Tick { instrument: InstrumentId::new(index), price: price_of(level) });
            }
            instruments.push(Instrument { name, returns: history.returns });
        }
        let benchmark = instruments.iter().position(|instrument| instrument.name == BENCHMARK).unwrap_or(0);
        let days =
            days.into_iter().map(|(date, ticks)| Day { date, at: session_close(date), ticks }).collect();
        let is_bundled = folder == Path::new(BUNDLED)
            && instruments.iter().map(|instrument| instrument.name.as_str()).eq(BUNDLED_INSTRUMENTS);
        Ok(Self { instruments, days, benchmark: InstrumentId::new(benchmark), is_bundled })
    }

    /// By name, ascending.
    pub(crate) fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// By date, ascending: every date on which at least one instrument has a price.
    pub(crate) fn days(&self) -> &[Day] {
        &self.days
    }

    /// Whether these are the files that come with the example.
    pub(crate) fn is_bundled(&self) -> bool {
        self.is_bundled
    }

    /// `sp500_daily` if it is there, else the first by name.
    pub(crate) fn benchmark(&self) -> &Instrument {
        &self.instruments[self.benchmark.index()]
    }
}

/// The `*.csv` of the folder by name, so that the order in which a disk lists them does not matter.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let unreadable = |source| DataError::Folder { folder: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|extension| extension == "csv") {
            files.push(path);
        }
    }
    // By the name, not by the path: `oil-2.csv` comes before `oil.csv`, yet `oil` before `oil-2`.
    files.sort_by(|one, other| one.file_stem().cmp(&other.file_stem()));
    match files.len() {
        0 => Err(DataError::NoInstrument { folder: folder.to_owned() }),
        found if found > MAX_INSTRUMENTS => {
            Err(DataError::TooManyInstruments { folder: folder.to_owned(), found })
        }
        _ => Ok(files),
    }
}

fn name_of(path: &Path) -> Result<String, DataError> {
    path.file_stem()
        .and_then(|stem| stem.to_str())
        .filter(|name| (1..=64).contains(&name.len()) && !name.chars().any(char::is_control))
        .map(str::to_owned)
        .ok_or_else(|| DataError::InstrumentName { file: path.to_owned() })
}

/// The rows inside the period, at least two.
fn cut(path: &Path, rows: &[Row], period: Period) -> Result<Vec<Row>, DataError> {
    let kept: Vec<Row> = rows.iter().copied().filter(|row| period.contains(row.date)).collect();
    match rows {
        [first, .., last] if kept.len() < 2 => Err(DataError::OutsidePeriod {
            file: path.to_owned(),
            period,
            rows: kept.len(),
            first: first.date,
            last: last.date,
        }),
        _ => Ok(kept),
    }
}

/// An instrument's index levels and the returns between them.
struct Levels {
    levels: Vec<(NaiveDate, f64)>,
    returns: Vec<DatedReturn>,
}

impl Levels {
    /// Fails with the line whose value takes the level out of [`LEVELS`].
    fn rebuild(column: Column, rows: &[Row]) -> Result<Self, (usize, Fault)> {
        let mut history =
            Self { levels: Vec::with_capacity(rows.len()), returns: Vec::with_capacity(rows.len()) };
        let mut level = BASE_LEVEL;
        let mut previous: Option<f64> = None;
        let first_close = rows.first().map_or(1.0, |row| row.value);
        for row in rows {
            let change = match column {
                Column::Return => Some(row.value),
                Column::Close => previous.replace(row.value).map(|previous| row.value / previous - 1.0),
            };
            level = match column {
                Column::Return => level * (1.0 + row.value),
                Column::Close => BASE_LEVEL * (row.value / first_close),
            };
            if !LEVELS.contains(&level) {
                return Err((row.line, Fault::LevelOutOfRange { value: row.value, level }));
            }
            history.levels.push((row.date, level));
            history.returns.extend(change.map(|value| DatedReturn { date: row.date, value }));
        }
        Ok(history)
    }
}

/// The level as a price, to the nearest tick.
fn price_of(level: f64) -> Decimal {
    // A level is at most 1e11, so the ticks are at most 1e15: exact in an `f64` and in an `i64`.
    let ticks = (level * 10_f64.powi(PRICE_DECIMALS as i32)).round() as i64;
    Decimal::new(ticks, PRICE_DECIMALS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::parse_date;

    /// A folder that is removed when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str, files: &[(&str, &str)]) -> Self {
            let path = std::env::temp_dir().join(format!("trading-desk-{}-{test}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            for (name, text) in files {
                fs::write(path.join(name), text).unwrap();
            }
            Self(path)
        }

        fn read(&self) -> Result<Market, DataError> {
            self.between("", "")
        }

        fn between(&self, from: &str, to: &str) -> Result<Market, DataError> {
            Market::read(&self.0, Period { from: parse_date(from), to: parse_date(to) })
        }

        fn refusal(&self) -> String {
            self.read().unwrap_err().to_string().replace(&format!("{}/", self.0.display()), "")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn prices(market: &Market) -> Vec<Vec<String>> {
        let of_day = |day: &Day| day.ticks.iter().map(|tick| tick.price.to_string()).collect();
        market.days().iter().map(of_day).collect()
    }

    const RETURNS: &str = "date,return\n2000-01-03,0.5\n2000-01-04,-0.1\n2000-01-06,0.123456789\n";
    const CLOSES: &str = "date,close\n2000-01-03,50\n2000-01-05,75\n2000-01-06,60\n";

    #[test]
    fn returns_become_levels_from_100_before_the_first_day() {
        let market = Folder::new("levels", &[("a.csv", RETURNS)]).read().unwrap();
        assert_eq!(prices(&market), [["150.0000"], ["135.0000"], ["151.6667"]]);
        assert_eq!(
            market.instruments()[0].returns.iter().map(|r| r.value).collect::<Vec<_>>(),
            [0.5, -0.1, 0.123_456_789]
        );
    }

    #[test]
    fn closes_become_levels_from_100_on_the_first_day_which_has_no_return() {
        let market = Folder::new("closes", &[("a.csv", CLOSES)]).read().unwrap();
        assert_eq!(prices(&market), [["100.0000"], ["150.0000"], ["120.0000"]]);
        let returns = &market.instruments()[0].returns;
        assert_eq!(
            (returns.len(), returns[0].date, returns[0].value),
            (2, parse_date("2000-01-05").unwrap(), 0.5)
        );
    }

    #[test]
    fn days_are_merged_by_date_and_a_silent_instrument_has_no_tick() {
        let market = Folder::new("merge", &[("b.csv", CLOSES), ("a.csv", RETURNS)]).read().unwrap();
        let days: Vec<_> = market
            .days()
            .iter()
            .map(|day| {
                (
                    day.date.to_string(),
                    day.ticks.iter().map(|tick| tick.instrument.index()).collect::<Vec<_>>(),
                )
            })
            .collect();
        assert_eq!(
            days,
            [
                ("2000-01-03".to_owned(), vec![0, 1]),
                ("2000-01-04".to_owned(), vec![0]),
                ("2000-01-05".to_owned(), vec![1]),
                ("2000-01-06".to_owned(), vec![0, 1]),
            ]
        );
        assert_eq!(market.days()[0].at, session_close(market.days()[0].date));
    }

    #[test]
    fn the_benchmark_is_the_sp500_or_else_the_first_by_name() {
        let folder = Folder::new("benchmark", &[("z.csv", RETURNS), ("b.csv", RETURNS)]);
        assert_eq!(folder.read().unwrap().benchmark().name, "b");
        fs::write(folder.0.join("b-2.csv"), RETURNS).unwrap();
        assert_eq!(folder.read().unwrap().benchmark().name, "b", "by name, although - comes before .csv");
        fs::write(folder.0.join("sp500_daily.csv"), RETURNS).unwrap();
        assert_eq!(folder.read().unwrap().benchmark().name, "sp500_daily");
    }

    #[test]
    fn a_cut_keeps_its_days_and_starts_the_level_anew() {
        let folder = Folder::new("cut", &[("a.csv", RETURNS)]);
        let market = folder.between("2000-01-04", "2000-01-06").unwrap();
        assert_eq!(prices(&market), [["90.0000"], ["101.1111"]]);
        let refusal = folder.between("2000-01-05", "").unwrap_err().to_string();
        assert!(
            refusal.ends_with(
                "a.csv: found 1 row from 2000-01-05 on, expected at least two; the file runs from 2000-01-03 to 2000-01-06"
            ),
            "{refusal}"
        );
        assert!(
            folder
                .between("2001-01-01", "2002-01-01")
                .unwrap_err()
                .to_string()
                .contains("found 0 rows from 2001-01-01 to 2002-01-01")
        );
    }

    #[test]
    fn every_file_is_checked_even_outside_the_period_and_beside_a_good_one() {
        let folder = Folder::new(
            "all",
            &[("a.csv", RETURNS), ("b.csv", "date,close\n2000-01-03,5\n2000-01-04,NaN\n")],
        );
        assert_eq!(
            folder.refusal(),
            "b.csv, line 3, column 12: found `NaN`, expected the close as a finite number such as 1244.78"
        );
        assert!(folder.between("1999-01-01", "2000-01-03").unwrap_err().to_string().contains("line 3"));
    }

    #[test]
    fn a_missing_folder_and_a_folder_without_csv_are_refused() {
        let missing = Market::read(Path::new("/no/such/folder"), Period::default()).unwrap_err().to_string();
        assert!(missing.starts_with("/no/such/folder: found no readable folder ("), "{missing}");
        assert!(missing.ends_with("expected a folder of *.csv files; give one with --data DIR"), "{missing}");
        let folder = Folder::new("none", &[("README.md", "text"), (".hidden.csv", "x"), ("a.CSV", "x")]);
        assert!(
            folder.refusal().ends_with("found no *.csv file, expected at least one, such as sp500_daily.csv")
        );
        let file = Market::read(&folder.0.join("README.md"), Period::default()).unwrap_err();
        assert!(matches!(file, DataError::Folder { .. }), "{file}");
    }

    #[test]
    fn a_folder_named_like_a_file_and_a_dangling_link_are_refused() {
        let folder = Folder::new("odd", &[]);
        fs::create_dir(folder.0.join("a.csv")).unwrap();
        assert_eq!(
            folder.refusal(),
            "a.csv: found no readable file (not a regular file), expected a CSV file"
        );
        #[cfg(unix)]
        {
            fs::remove_dir(folder.0.join("a.csv")).unwrap();
            std::os::unix::fs::symlink("nowhere", folder.0.join("a.csv")).unwrap();
            assert!(folder.refusal().starts_with("a.csv: found no readable file ("));
        }
    }

    #[test]
    fn a_file_beyond_the_size_limit_is_refused() {
        let folder = Folder::new("large", &[]);
        fs::File::create(folder.0.join("a.csv"))
            .unwrap()
            .set_len(crate::csv_file::MAX_FILE_BYTES + 1)
            .unwrap();
        assert_eq!(folder.refusal(), "a.csv: found 67108865 bytes, expected at most 67108864");
    }

    #[test]
    fn too_many_files_are_refused() {
        let folder = Folder::new("many", &[]);
        for file in 0..=MAX_INSTRUMENTS {
            fs::write(folder.0.join(format!("{file}.csv")), RETURNS).unwrap();
        }
        assert!(folder.refusal().ends_with("found 65 *.csv files, expected at most 64"));
    }

    #[test]
    fn a_name_that_is_no_name_is_refused() {
        let folder = Folder::new("name", &[("a\nb.csv", RETURNS)]);
        assert!(folder.refusal().starts_with("a\\nb.csv: found a file name that cannot name an instrument"));
        let long = Folder::new("long", &[(&format!("{}.csv", "x".repeat(65)), RETURNS)]);
        assert!(matches!(long.read(), Err(DataError::InstrumentName { .. })));
    }

    #[test]
    fn a_level_that_leaves_its_range_is_refused_on_its_line() {
        let folder = Folder::new("range", &[("a.csv", "date,return\n2000-01-03,0\n2000-01-04,-0.99999\n")]);
        assert!(
            folder
                .refusal()
                .starts_with("a.csv, line 3, column 12: found -0.99999, which takes the index level to 0.00")
        );
        for text in [
            "date,return\n2000-01-03,1e300\n2000-01-04,1e300\n",
            "date,close\n2000-01-03,1e-300\n2000-01-04,1e300\n",
            "date,close\n2000-01-03,1e300\n2000-01-04,1e-300\n",
        ] {
            fs::write(folder.0.join("a.csv"), text).unwrap();
            assert!(folder.refusal().contains("expected levels from 0.01 to 1e11"), "{}", folder.refusal());
        }
    }

    #[test]
    fn the_bundled_data_are_whole() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
        let market = Market::read(&folder, Period::default()).unwrap();
        let [sp500, wti] = market.instruments() else { panic!("two instruments") };
        assert_eq!((sp500.name.as_str(), sp500.returns.len()), ("sp500_daily", 5030));
        assert_eq!((wti.name.as_str(), wti.returns.len()), ("wti_daily", 5011));
        assert_eq!(market.benchmark(), sp500);
        // WTI trades on no other day than the S&P 500, and its level is that of the whole series.
        assert_eq!(market.days().len(), 5030);
        let last = market
            .days()
            .iter()
            .flat_map(|day| &day.ticks)
            .rfind(|tick| tick.instrument.index() == 1)
            .unwrap();
        assert_eq!(last.price.to_string(), "363.5266");
    }

    #[test]
    fn the_smallest_and_the_largest_price_keep_every_tick() {
        assert_eq!(price_of(0.01).to_string(), "0.0100");
        assert_eq!(price_of(1e11).to_string(), "100000000000.0000");
        assert_eq!(price_of(123.456_75).to_string(), "123.4568");
    }
}
