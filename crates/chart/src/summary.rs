//! One sentence with the numbers of a chart, for those who hear it.

use crate::calendar::moment;
use crate::label::fit;
use crate::series::Extremes;
use crate::unit::Unit;

/// Longest name that is read out, in characters.
const NAME: f64 = 80.0;

/// `first 100 on 1999-01-04, last 271.3 on 2018-12-31, low 61.2 on 2009-03-09, high 310 on 2018-09-20`.
pub(crate) fn of_line(found: &Extremes, unit: &Unit) -> String {
    let part =
        |word: &str, (at, value): (i64, f64)| format!("{word} {} on {}", unit.format(value), moment(at));
    if found.first == found.last {
        return part("one value,", found.first);
    }
    [part("first", found.first), part("last", found.last), part("low", found.low), part("high", found.high)]
        .join(", ")
}

/// A name short enough to be read out.
pub(crate) fn spoken(name: &str) -> String {
    fit(name, 1.0, NAME)
}

/// `3 gaps`, `1 gap`; nothing for none.
pub(crate) fn counted(count: usize, noun: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {noun}")),
        _ => Some(format!("{count} {noun}s")),
    }
}
