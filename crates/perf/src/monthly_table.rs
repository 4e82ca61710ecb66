//! Returns of months and years, compounded from dated returns.

use std::fmt;

use crate::undefined::{Undefined, defined};
use crate::{CivilDate, Returns, total_return};

/// Dates and returns that do not go together.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DatesError {
    /// One date is needed per return.
    #[error("{dates} dates stand against {returns} returns")]
    LengthMismatch {
        /// How many dates there are.
        dates: usize,
        /// How many returns there are.
        returns: usize,
    },
    /// A date is not after the one before it.
    #[error("date {index} is {date}: expected one after {previous}")]
    Unsorted {
        /// Where it stands.
        index: usize,
        /// What it is.
        date: CivilDate,
        /// The date before it.
        previous: CivilDate,
    },
    /// The returns of the month do not compound to a number.
    #[error("the returns of {year}-{month:02} have no total: {why}")]
    Undefined {
        /// The year.
        year: u16,
        /// The month.
        month: u8,
        /// The reason.
        why: Undefined,
    },
}

/// The compounded return of one month.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MonthReturn {
    /// The year.
    pub year: u16,
    /// The month, 1 to 12.
    pub month: u8,
    /// What was gained, compounded, as a fraction.
    pub total: f64,
    /// How many returns fell into the month; fewer than usual at the first and last month of the data.
    pub periods: usize,
}

/// A year of the table: twelve months, of which some may be missing, and their compounded total.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct YearReturns {
    /// The year.
    pub year: u16,
    /// January to December; a month without a return is none, not 0.
    pub months: [Option<f64>; 12],
    /// What was gained over the months that are there, compounded.
    pub total: f64,
}

/// Monthly and yearly returns, compounded from dated returns; each return belongs to the month of its date.
///
/// `Display` writes the familiar table, a row per year, in percent.
///
/// ```
/// use bellwether_perf::{CivilDate, MonthlyTable, Returns};
/// let dates = ["2008-09-30", "2008-10-01", "2008-10-31"].map(|text| text.parse::<CivilDate>().unwrap());
/// let table = MonthlyTable::new(&dates, &Returns::new(&[-0.1, 0.5, -0.5])?)?;
/// assert_eq!(table.months()[1].total, -0.25);
/// assert_eq!(table.years()[0].months[0], None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MonthlyTable {
    months: Vec<MonthReturn>,
    years: Vec<YearReturns>,
}

impl MonthlyTable {
    /// Compounds the returns by month and year; one date per return, each after the one before. O(n).
    pub fn new(dates: &[CivilDate], returns: &Returns<'_>) -> Result<Self, DatesError> {
        if dates.len() != returns.len() {
            return Err(DatesError::LengthMismatch { dates: dates.len(), returns: returns.len() });
        }
        if let Some(at) = dates.windows(2).position(|pair| pair[1] <= pair[0]) {
            return Err(DatesError::Unsorted { index: at + 1, date: dates[at + 1], previous: dates[at] });
        }
        let mut table = Self { months: Vec::new(), years: Vec::new() };
        let mut from = 0;
        for run in dates.chunk_by(|a, b| (a.year(), a.month()) == (b.year(), b.month())) {
            let values = &returns.as_slice()[from..from + run.len()];
            from += run.len();
            let (year, month) = (run[0].year(), run[0].month());
            let total = Returns::new(values)
                .map_err(|wrong| Undefined::BeyondTotalLoss { index: from - run.len() + wrong.index })
                .and_then(|part| total_return(&part));
            let total = total.map_err(|why| DatesError::Undefined { year, month, why })?;
            table.add(MonthReturn { year, month, total, periods: run.len() })?;
        }
        Ok(table)
    }

    fn add(&mut self, month: MonthReturn) -> Result<(), DatesError> {
        if self.years.last().is_none_or(|last| last.year != month.year) {
            self.years.push(YearReturns { year: month.year, months: [None; 12], total: 0.0 });
        }
        if let Some(year) = self.years.last_mut() {
            year.months[usize::from(month.month) - 1] = Some(month.total);
            let total = year.total + month.total * (1.0 + year.total);
            year.total = defined(total).map_err(|why| DatesError::Undefined {
                year: month.year,
                month: month.month,
                why,
            })?;
        }
        self.months.push(month);
        Ok(())
    }

    /// The months that have a return, in order.
    pub fn months(&self) -> &[MonthReturn] {
        &self.months
    }

    /// The years that have a return, in order.
    pub fn years(&self) -> &[YearReturns] {
        &self.years
    }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl fmt::Display for MonthlyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<4}", "%")?;
        for month in MONTHS {
            write!(f, " {month:>6}")?;
        }
        writeln!(f, " {:>8}", "Year")?;
        for year in &self.years {
            write!(f, "{:<4}", year.year)?;
            for month in year.months {
                match month {
                    Some(total) => write!(f, " {:>6.1}", total * 100.0)?,
                    None => write!(f, " {:>6}", "")?,
                }
            }
            writeln!(f, " {:>8.1}", year.total * 100.0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> CivilDate {
        text.parse().unwrap()
    }

    #[test]
    fn months_and_years_compound_and_missing_months_are_none() {
        let dates = ["2007-12-31", "2008-01-02", "2008-01-03", "2008-03-03"].map(date);
        let returns = Returns::new(&[0.5, 1.0, -0.5, 0.25]).unwrap();
        let table = MonthlyTable::new(&dates, &returns).unwrap();
        assert_eq!(table.months().len(), 3);
        assert_eq!((table.months()[1].total, table.months()[1].periods), (0.0, 2));
        assert_eq!(table.years()[1].months[..4], [Some(0.0), None, Some(0.25), None]);
        assert_eq!((table.years()[0].total, table.years()[1].total), (0.5, 0.25));
        let text = table.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{text}");
        assert!(lines[2].starts_with("2008    0.0          25.0"), "{text}");
    }

    #[test]
    fn dates_out_of_order_doubled_or_missing_are_told_with_their_place() {
        let returns = Returns::new(&[0.1, 0.1]).unwrap();
        let wrong = MonthlyTable::new(&["2008-01-02", "2008-01-02"].map(date), &returns).unwrap_err();
        assert_eq!(wrong.to_string(), "date 1 is 2008-01-02: expected one after 2008-01-02");
        let wrong = MonthlyTable::new(&[date("2008-01-02")], &returns).unwrap_err();
        assert_eq!(wrong.to_string(), "1 dates stand against 2 returns");
        let returns = Returns::allowing_beyond_total_loss(&[0.1, -2.0]).unwrap();
        let wrong = MonthlyTable::new(&["2008-01-02", "2008-02-01"].map(date), &returns).unwrap_err();
        let why = Undefined::BeyondTotalLoss { index: 1 };
        assert_eq!(wrong, DatesError::Undefined { year: 2008, month: 2, why });
    }
}
