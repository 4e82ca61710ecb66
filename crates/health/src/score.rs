//! One number for how well all is, with its parts.

use serde::Serialize;

use crate::Status;

/// What a warning leaves of a check's weight: half.
pub const WARN_SHARE: f64 = 0.5;

/// The score that one failing critical check leaves at most: 40.
pub const CRITICAL_CAP: f64 = 40.0;

/// How much a check counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Weight {
    /// Its share of the score, relative to the other checks, within [`SHARES`](crate::SHARES).
    pub share: f64,
    /// Whether its failure caps the score at [`CRITICAL_CAP`].
    pub critical: bool,
}

impl Default for Weight {
    fn default() -> Self {
        Self { share: 1.0, critical: false }
    }
}

/// One number for how well all is, 0 to 100, that can be worked out again by hand from its parts.
///
/// `100 * sum(share * kept) / sum(share)`, where a check keeps 1 when it passes, [`WARN_SHARE`] when it warns and 0
/// when it fails; not above [`CRITICAL_CAP`] while a critical check fails. No checks at all: 100.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// 0 to 100.
    pub value: f64,
    /// Whether a failing critical check holds it down.
    pub capped: bool,
    /// What each check brings, in the order of the checks: points gained of points possible.
    pub parts: Vec<ScorePart>,
}

/// What one check brings to the score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScorePart {
    /// The check.
    pub check: String,
    /// Points gained.
    pub gained: f64,
    /// Points possible.
    pub possible: f64,
}

impl Score {
    pub(crate) fn of<'a>(checks: impl Iterator<Item = (&'a str, Status, Weight)> + Clone) -> Self {
        let all: f64 = checks.clone().map(|(_, _, weight)| weight.share).sum();
        let mut parts = Vec::new();
        let mut capped = false;
        for (check, status, weight) in checks {
            let possible = 100.0 * weight.share / all;
            let gained = match status {
                Status::Pass => possible,
                Status::Warn => possible * WARN_SHARE,
                Status::Fail => 0.0,
            };
            capped |= weight.critical && status == Status::Fail;
            parts.push(ScorePart { check: check.to_owned(), gained, possible });
        }
        let sum = if parts.is_empty() { 100.0 } else { parts.iter().map(|part| part.gained).sum::<f64>() };
        let value = if capped { sum.min(CRITICAL_CAP) } else { sum.clamp(0.0, 100.0) };
        Self { value, capped, parts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRITICAL: Weight = Weight { share: 1.0, critical: true };

    #[test]
    fn a_score_is_the_weighted_share_of_what_is_well() {
        let double = Weight { share: 2.0, critical: false };
        let checks = [
            ("a", Status::Pass, double),
            ("b", Status::Warn, Weight::default()),
            ("c", Status::Fail, Weight::default()),
        ];
        let score = Score::of(checks.into_iter());
        assert_eq!((score.value, score.capped), (62.5, false));
        let gained: Vec<f64> = score.parts.iter().map(|part| part.gained).collect();
        assert_eq!(gained, [50.0, 12.5, 0.0]);
    }

    #[test]
    fn one_critical_failure_caps_the_score() {
        let checks = (0..9).map(|_| ("x", Status::Pass, CRITICAL)).chain([("y", Status::Fail, CRITICAL)]);
        let score = Score::of(checks);
        assert_eq!((score.value, score.capped), (40.0, true));
    }

    #[test]
    fn nothing_to_check_is_well() {
        assert_eq!(Score::of(std::iter::empty()).value, 100.0);
    }
}
