//! Numbers as text, through buffers on the stack.

use bellwether_core::Timestamp;

use super::page::Page;

/// Numbers as text, through buffers on the stack.
pub(crate) struct Numbers {
    whole: itoa::Buffer,
    real: ryu::Buffer,
}

/// Up to here every whole number is exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Numbers {
    pub(crate) fn new() -> Self {
        Self { whole: itoa::Buffer::new(), real: ryu::Buffer::new() }
    }

    #[inline]
    pub(crate) fn whole(&mut self, value: u64) -> &str {
        self.whole.format(value)
    }

    pub(crate) fn signed(&mut self, value: i64) -> &str {
        self.whole.format(value)
    }

    /// Whole numbers without decimals, all others so that they read back as the same number. The value is finite: every
    /// value was found so when it was taken in.
    #[inline]
    pub(crate) fn real(&mut self, value: f64) -> &str {
        if value.fract() == 0.0 && value.abs() <= EXACT {
            self.whole.format(value as i64)
        } else {
            self.real.format_finite(value)
        }
    }

    /// A bound or quantile in a label: OpenMetrics 1.0, "Considerations: Canonical Numbers". That is how Go writes the
    /// number with `%g`, and `.0` after it if it would read as a whole one. Prometheus names the series of a histogram
    /// that it reads from protobuf so too: a series stays the same whatever format is scraped.
    pub(crate) fn canonical(&mut self, value: f64, out: &mut impl Page) {
        let text = self.real.format_finite(value);
        let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        // The digits that count, as text, and the power of ten of the first of them.
        let mut digits = [b'0'; 32];
        let mut length = 0;
        let mut power = exponent.parse::<i32>().unwrap_or(0) + whole.len() as i32 - 1;
        for digit in whole.bytes().chain(fraction.bytes()) {
            if length == 0 && digit == b'0' {
                power -= 1;
            } else if let Some(place) = digits.get_mut(length) {
                *place = digit;
                length += 1;
            }
        }
        let digits = digits.get(..length).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or("");
        let digits = digits.trim_end_matches('0');
        out.text(sign);
        if digits.is_empty() {
            out.text("0.0");
        } else if (0..=5).contains(&power) {
            let ahead = power as usize + 1;
            let (before, after) = digits.split_at(ahead.min(digits.len()));
            out.text(before);
            out.text(ZEROS.get(..ahead - before.len()).unwrap_or(""));
            out.text(".");
            out.text(if after.is_empty() { "0" } else { after });
        } else if (-4..0).contains(&power) {
            out.text("0.");
            out.text(ZEROS.get(..power.unsigned_abs() as usize - 1).unwrap_or(""));
            out.text(digits);
        } else {
            let (first, rest) = digits.split_at(1);
            out.text(first);
            if !rest.is_empty() {
                out.text(".");
                out.text(rest);
            }
            out.text(if power < 0 { "e-" } else { "e+" });
            if power.unsigned_abs() < 10 {
                out.text("0");
            }
            out.text(self.whole.format(power.unsigned_abs()));
        }
    }

    /// Seconds since 1970, exact, with as many decimals as are needed.
    pub(crate) fn seconds(&mut self, at: Timestamp, out: &mut impl Page) {
        const MILLION: u64 = 1_000_000;
        let micros = at.as_micros();
        if micros < 0 {
            out.text("-");
        }
        let micros = micros.unsigned_abs();
        out.text(self.whole.format(micros / MILLION));
        let fraction = micros % MILLION;
        if fraction > 0 {
            // A one ahead keeps the leading zeros.
            let text = self.whole.format(MILLION + fraction);
            out.text(".");
            out.text(text.get(1..).unwrap_or("").trim_end_matches('0'));
        }
    }
}

const ZEROS: &str = "000000";

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(value: f64) -> String {
        let mut out = String::new();
        Numbers::new().canonical(value, &mut out);
        out
    }

    #[test]
    fn canonical_numbers_are_those_of_the_openmetrics_text() {
        // The lists of the specification.
        let written = "0.0 0.001 0.002 0.01 0.1 0.9 0.95 0.99 0.999 1.0 1.7 9.999 10.0 \
             1e-10 1e-09 1e-08 1e-07 1e-06 1e-05 0.0001 0.001 0.01 0.1 1.0 10.0 100.0 1000.0 10000.0 100000.0 \
             1e+06 1e+07 1e+08 1e+09 1e+10";
        for text in written.split_whitespace() {
            assert_eq!(canonical(text.parse().unwrap()), text);
        }
        // And some more, as Go writes them.
        for text in [
            "-0.5",
            "-1.0",
            "0.00012345",
            "1.2345e-05",
            "123456.789",
            "1.23456789e+06",
            "1e+21",
            "1.5e+300",
            "5e-324",
            "1.7976931348623157e+308",
            "0.30000000000000004",
            "-2.5e-07",
            "9.007199254740992e+15",
            "120.0",
        ] {
            assert_eq!(canonical(text.parse().unwrap()), text);
        }
    }

    #[test]
    fn seconds_are_exact_to_the_microsecond() {
        let seconds = |micros| {
            let mut out = String::new();
            Numbers::new().seconds(Timestamp::from_micros(micros).unwrap(), &mut out);
            out
        };
        assert_eq!(seconds(1_700_000_000_000_000), "1700000000");
        assert_eq!(seconds(1_700_000_000_000_001), "1700000000.000001");
        assert_eq!(seconds(1_700_000_000_250_000), "1700000000.25");
        assert_eq!(seconds(0), "0");
        assert_eq!(seconds(-1_500_000), "-1.5");
    }

    proptest::proptest! {
        #[test]
        fn canonical_numbers_read_back(value in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL) {
            let text = canonical(value);
            proptest::prop_assert_eq!(text.parse::<f64>().unwrap(), value);
            proptest::prop_assert!(text.contains(['.', 'e']));
        }
    }
}
