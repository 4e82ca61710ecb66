//! What is recorded: the same for everyone.

use std::sync::Arc;

/// Bounds of every histogram, in seconds.
pub(crate) const BOUNDS: [f64; 10] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.1, 1.0];
/// Values that a case goes through again and again.
const VALUES: usize = 4_096;

/// A venue and a symbol.
pub(crate) type Pair = [String; 2];

/// Label values and measurements.
pub(crate) struct Desk {
    /// 1,000 label sets in an order that no cache foresees.
    pub(crate) orders: Arc<[Pair]>,
    /// Seconds, log-normal around 400 µs.
    pub(crate) latencies: Arc<[f64]>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let mut random = Random(7);
        let latencies = (0..VALUES).map(|_| 0.000_4 * (0.9 * random.normal()).exp()).collect();
        let mut orders: Vec<Pair> =
            (0..1_000).map(|i| [format!("venue-{}", i / 100), format!("SYM{:04}", i % 100)]).collect();
        for i in (1..orders.len()).rev() {
            orders.swap(i, random.below(i as u64 + 1) as usize);
        }
        Self { orders: orders.into(), latencies }
    }

    /// Label sets of a page with so many series.
    pub(crate) fn series(&self, count: usize) -> Vec<Pair> {
        (0..count).map(|i| [format!("venue-{}", i % 100), format!("SYM{:05}", i / 100)]).collect()
    }

    /// The measurements that every histogram of a page holds.
    pub(crate) fn fifty(&self) -> &[f64] {
        &self.latencies[..50]
    }
}

/// What the counter of a series on a page has counted: one to seven digits.
pub(crate) fn count(series: usize) -> u64 {
    (series as u64).wrapping_mul(2_654_435_761) % 10_000_000
}

/// For peers whose histograms hold whole numbers.
pub(crate) fn whole_nanos(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

/// Numbers that look random, the same in every run (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Of the standard normal distribution (Box and Muller 1958).
    fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.fraction().max(f64::MIN_POSITIVE), self.fraction());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }
}
