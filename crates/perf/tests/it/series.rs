//! The return series of the golden data.

use std::path::{Path, PathBuf};

use bellwether_perf::{CivilDate, Returns};

pub(crate) fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

pub(crate) fn text(name: &str) -> String {
    let path = data().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// A dataset: dates, returns, and a benchmark where there is one.
pub(crate) struct Series {
    pub(crate) dates: Vec<CivilDate>,
    pub(crate) returns: Returns<'static>,
    pub(crate) benchmark: Option<Returns<'static>>,
}

pub(crate) fn series(name: &str) -> Series {
    let text = text(&format!("{name}.csv"));
    let (mut dates, mut returns, mut benchmark) = (Vec::new(), Vec::new(), Vec::new());
    for line in text.lines().skip(1) {
        let mut cells = line.split(',');
        dates.push(cells.next().unwrap().parse().unwrap());
        returns.push(cells.next().unwrap().parse::<f64>().unwrap());
        benchmark.extend(cells.next().map(|cell| cell.parse::<f64>().unwrap()));
    }
    let has_benchmark = !benchmark.is_empty();
    Series {
        dates,
        returns: Returns::new(returns).unwrap(),
        benchmark: has_benchmark.then(|| Returns::new(benchmark).unwrap()),
    }
}
