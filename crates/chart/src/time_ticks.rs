//! Calendar-round UTC ticks for a time axis: years, months, days, hours, seconds, chosen by span and room.

use crate::calendar::{
    Civil, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND, days_to_month,
};

/// One tick of a time axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeTick {
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// `2008`, `Mar`, `24 Nov`, `14:00`, `14:02:07`.
    pub label: String,
    /// What the label leaves out, said at the first tick and where it changes: the year under months and days,
    /// the date under hours.
    pub context: Option<String>,
}

/// Ticks inside `[lo, hi]` (microseconds UTC), as many as stand clear in an axis `room` characters wide.
///
/// Years fall on multiples of their step, months on quarters and halves, weeks on Mondays, hours on multiples
/// counted from midnight. There is always at least one tick.
pub fn time(lo: i64, hi: i64, room: usize) -> Vec<TimeTick> {
    let span = i128::from(hi) - i128::from(lo);
    let mut ticks = if span > 0 {
        let step = Step::ladder().find(|step| step.fits(span, room)).unwrap_or(Step::Years(500_000));
        step.ticks(lo, hi)
    } else {
        Vec::new()
    };
    if ticks.is_empty() {
        let civil = Civil::at(lo);
        let (label, context) =
            if civil.of_day == 0 { (civil.date(), None) } else { (civil.clock(), Some(day_and_year(civil))) };
        ticks.push(TimeTick { at: lo, label, context });
    }
    ticks
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Micros(i64),
    Days(i64),
    Weeks(i64),
    Months(i64),
    Years(i64),
}

impl Step {
    fn ladder() -> impl Iterator<Item = Self> {
        let fractions = (0..6).flat_map(|power| [1, 2, 5].map(|multiple| multiple * 10_i64.pow(power)));
        let seconds = [1, 2, 5, 10, 15, 30].map(|count| count * MICROS_PER_SECOND);
        let minutes = [1, 2, 5, 10, 15, 30].map(|count| count * MICROS_PER_MINUTE);
        let hours = [1, 2, 3, 6, 12].map(|count| count * MICROS_PER_HOUR);
        let years =
            (0..6).flat_map(|power| [1, 2, 5].map(|multiple| Self::Years(multiple * 10_i64.pow(power))));
        fractions
            .chain(seconds)
            .chain(minutes)
            .chain(hours)
            .map(Self::Micros)
            .chain([Self::Days(1), Self::Days(2), Self::Weeks(1), Self::Weeks(2)])
            .chain([1, 2, 3, 6].map(Self::Months))
            .chain(years)
    }

    fn micros(self) -> i128 {
        match self {
            Self::Micros(count) => i128::from(count),
            Self::Days(count) => i128::from(count * MICROS_PER_DAY),
            Self::Weeks(count) => i128::from(count * 7 * MICROS_PER_DAY),
            Self::Months(count) => i128::from(count * 2_629_746 * MICROS_PER_SECOND),
            Self::Years(count) => i128::from(count) * i128::from(31_556_952 * MICROS_PER_SECOND),
        }
    }

    /// Characters of the longest label.
    fn label_width(self) -> i128 {
        match self {
            Self::Micros(count) if count < MICROS_PER_SECOND => 9 + i128::from(6 - trailing_zeros(count)),
            Self::Micros(count) if count < MICROS_PER_MINUTE => 8,
            Self::Micros(_) => 5,
            Self::Days(_) | Self::Weeks(_) => 6,
            Self::Months(_) => 3,
            Self::Years(_) => 4,
        }
    }

    fn fits(self, span: i128, room: usize) -> bool {
        let clear = self.label_width() + 3;
        self.micros() * room as i128 >= clear * span
    }

    fn ticks(self, lo: i64, hi: i64) -> Vec<TimeTick> {
        let mut ticks: Vec<TimeTick> = Vec::new();
        let mut last_context = String::new();
        let mut index = self.index_at_or_after(i128::from(lo));
        while let Ok(at) = i64::try_from(self.moment(index))
            && at <= hi
        {
            let (label, context) = self.words(Civil::at(at));
            let is_said = context.is_empty() || context == last_context;
            ticks.push(TimeTick { at, label, context: (!is_said).then(|| context.clone()) });
            last_context = context;
            index += 1;
        }
        ticks
    }

    /// The number of the first tick at or after a moment; ticks are numbered so that `moment` gives them back.
    fn index_at_or_after(self, lo: i128) -> i128 {
        let mut index = match self {
            Self::Micros(_) | Self::Days(_) => lo.div_euclid(self.micros()),
            Self::Weeks(_) => (lo - 4 * i128::from(MICROS_PER_DAY)).div_euclid(self.micros()),
            Self::Months(count) => {
                let civil = Civil::at(lo as i64);
                i128::from((civil.year * 12 + civil.month - 1).div_euclid(count))
            }
            Self::Years(count) => i128::from(Civil::at(lo as i64).year.div_euclid(count)),
        };
        while self.moment(index) < lo {
            index += 1;
        }
        index
    }

    fn moment(self, index: i128) -> i128 {
        match self {
            Self::Micros(_) | Self::Days(_) => index * self.micros(),
            // 1970-01-05 was a Monday.
            Self::Weeks(_) => index * self.micros() + 4 * i128::from(MICROS_PER_DAY),
            Self::Months(count) => {
                i128::from(days_to_month(0, index as i64 * count)) * i128::from(MICROS_PER_DAY)
            }
            Self::Years(count) => {
                i128::from(days_to_month(index as i64 * count, 0)) * i128::from(MICROS_PER_DAY)
            }
        }
    }

    fn words(self, civil: Civil) -> (String, String) {
        match self {
            Self::Micros(count) => (Self::clock(count, civil), day_and_year(civil)),
            Self::Days(_) | Self::Weeks(_) => {
                (format!("{} {}", civil.day, civil.month_name()), civil.year.to_string())
            }
            Self::Months(_) => (civil.month_name().to_owned(), civil.year.to_string()),
            Self::Years(_) => (civil.year.to_string(), String::new()),
        }
    }

    /// All labels of an axis have the same precision.
    fn clock(count: i64, civil: Civil) -> String {
        let (hour, minute) = (civil.of_day / MICROS_PER_HOUR, civil.of_day / MICROS_PER_MINUTE % 60);
        let second = civil.of_day / MICROS_PER_SECOND % 60;
        if count >= MICROS_PER_MINUTE {
            format!("{hour:02}:{minute:02}")
        } else if count >= MICROS_PER_SECOND {
            format!("{hour:02}:{minute:02}:{second:02}")
        } else {
            let fraction = format!("{:06}", civil.of_day % MICROS_PER_SECOND);
            let digits = 6 - trailing_zeros(count) as usize;
            format!("{hour:02}:{minute:02}:{second:02}.{}", &fraction[..digits])
        }
    }
}

fn day_and_year(civil: Civil) -> String {
    format!("{} {} {}", civil.day, civil.month_name(), civil.year)
}

fn trailing_zeros(count: i64) -> u32 {
    (0..6).take_while(|power| count % 10_i64.pow(power + 1) == 0).count() as u32
}
