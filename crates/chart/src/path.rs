//! The outline of a shape or a line, written short.

/// The `d` attribute of a path, in steps from point to point so that digits are few.
///
/// Steps are differences of rounded positions, so rounding does not add up.
#[derive(Debug, Default)]
pub(crate) struct Path {
    d: String,
    at: (i64, i64),
    in_line: bool,
}

impl Path {
    pub(crate) fn move_to(&mut self, x: f64, y: f64) {
        self.at = (tenths(x), tenths(y));
        self.d.push('M');
        push_tenths(&mut self.d, self.at.0);
        self.push_next(self.at.1);
        self.in_line = false;
    }

    pub(crate) fn line_to(&mut self, x: f64, y: f64) {
        let to = (tenths(x), tenths(y));
        let step = (to.0 - self.at.0, to.1 - self.at.1);
        if step == (0, 0) {
            return;
        }
        if self.in_line {
            self.push_next(step.0);
        } else {
            self.d.push('l');
            push_tenths(&mut self.d, step.0);
            self.in_line = true;
        }
        self.push_next(step.1);
        self.at = to;
    }

    pub(crate) fn close(&mut self) {
        self.d.push('Z');
        self.in_line = false;
    }

    pub(crate) fn d(&self) -> &str {
        &self.d
    }

    fn push_next(&mut self, value: i64) {
        if value >= 0 {
            self.d.push(' ');
        }
        push_tenths(&mut self.d, value);
    }
}

/// A coordinate in tenths of a px. The drawing is never larger than the bound, and no number is ever 0.
pub(crate) fn tenths(px: f64) -> i64 {
    const BOUND: f64 = 1e6;
    if px.is_finite() { (px.clamp(-BOUND, BOUND) * 10.0).round() as i64 } else { 0 }
}

pub(crate) fn push_tenths(out: &mut String, tenths: i64) {
    if tenths < 0 {
        out.push('-');
    }
    let (whole, tenth) = (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10);
    if whole != 0 || tenth == 0 {
        push_whole(out, whole);
    }
    if tenth != 0 {
        out.push('.');
        push_digit(out, tenth);
    }
}

fn push_whole(out: &mut String, number: u64) {
    if number >= 10 {
        push_whole(out, number / 10);
    }
    push_digit(out, number % 10);
}

fn push_digit(out: &mut String, digit: u64) {
    out.push(char::from(b'0' + digit as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_a_path_add_up_to_the_rounded_end() {
        let mut path = Path::default();
        path.move_to(0.0, 0.0);
        for step in 1..=1_000 {
            path.line_to(f64::from(step) * 0.123, 0.0);
        }
        let total: f64 = path.d()["M0 0l".len()..]
            .split_whitespace()
            .step_by(2)
            .map(|dx| dx.parse::<f64>().unwrap())
            .sum();
        assert!((total - 123.0).abs() < 1e-9, "{total}");
    }

    #[test]
    fn a_path_is_written_short() {
        let mut path = Path::default();
        path.move_to(10.0, 20.5);
        path.line_to(11.2, 17.5);
        path.line_to(11.7, 21.5);
        path.close();
        assert_eq!(path.d(), "M10 20.5l1.2-3 .5 4Z");
    }
}
