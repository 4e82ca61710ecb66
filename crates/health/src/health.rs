//! How one part is.

use std::borrow::Cow;
use std::fmt;

use bellwether_core::Unit;
use serde::Serialize;

/// How a part is: `Pass < Warn < Fail`, as in the draft "Health Check Response Format for HTTP APIs" (I. Nadareishvili).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is well.
    Pass,
    /// It works, but somebody should look at it.
    Warn,
    /// It does not do what it is for.
    Fail,
}

impl Status {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A number that a check looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Observed {
    /// Its value; always finite.
    pub value: f64,
    /// Its unit; empty when it has none.
    pub unit: Cow<'static, str>,
}

/// What a check found.
///
/// ```
/// use bellwether_health::{Health, Status};
/// assert_eq!(Health::from_headroom(0.30, 0.25, 0.10).status(), Status::Pass);
/// assert_eq!(Health::from_headroom(0.12, 0.25, 0.10).status(), Status::Warn);
/// assert_eq!(Health::from_headroom(0.05, 0.25, 0.10).status(), Status::Fail);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Health {
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed: Option<Observed>,
}

impl Health {
    /// Most characters of a reason.
    pub const MAX_REASON: usize = 1_000;

    /// It is well.
    pub fn pass() -> Self {
        Self { status: Status::Pass, output: None, observed: None }
    }

    /// It works, but somebody should look at it, because of `reason`: one line of at most [`MAX_REASON`](Self::MAX_REASON)
    /// characters; line breaks and other control characters become spaces, and the rest is cut.
    pub fn warn(reason: impl Into<String>) -> Self {
        Self { status: Status::Warn, output: Some(line(&reason.into())), observed: None }
    }

    /// It does not do what it is for, because of `reason`; see [`warn`](Self::warn).
    pub fn fail(reason: impl Into<String>) -> Self {
        Self { status: Status::Fail, output: Some(line(&reason.into())), observed: None }
    }

    /// Fails when there is a problem, and says which.
    ///
    /// ```
    /// use bellwether_health::{Health, Status};
    /// assert_eq!(Health::from_problem(None::<&str>).status(), Status::Pass);
    /// assert_eq!(Health::from_problem(Some("disk is full")).output(), Some("disk is full"));
    /// ```
    pub fn from_problem(problem: Option<impl fmt::Display>) -> Self {
        problem.map_or_else(Self::pass, |problem| Self::fail(problem.to_string()))
    }

    /// Judges what is left of something: below `warn_below` is a warning, below `fail_below` a failure. A number that is
    /// not finite is a failure too.
    pub fn from_headroom(left: f64, warn_below: f64, fail_below: f64) -> Self {
        let health = if !left.is_finite() {
            return Self::fail(format!("headroom is {left}, not a finite number"));
        } else if left < fail_below {
            Self::fail(format!("headroom {} is below {fail_below}", readable(left, fail_below)))
        } else if left < warn_below {
            Self::warn(format!("headroom {} is below {warn_below}", readable(left, warn_below)))
        } else {
            Self::pass()
        };
        health.observing(left, &Unit::None)
    }

    /// With the number that was looked at; one that is not finite is left out.
    #[must_use]
    pub fn observing(mut self, value: f64, unit: &Unit) -> Self {
        if value.is_finite() {
            self.observed = Some(Observed { value, unit: Cow::Owned(unit.as_str().to_owned()) });
        }
        self
    }

    /// How it is.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Why; nothing when it is well.
    pub fn output(&self) -> Option<&str> {
        self.output.as_deref()
    }

    /// The number that was looked at.
    pub fn observed(&self) -> Option<&Observed> {
        self.observed.as_ref()
    }
}

/// A text on one line, without what would change the line or others.
fn line(text: &str) -> String {
    let mut characters = text.chars().filter(|&c| !reorders(c)).map(|c| if c.is_control() { ' ' } else { c });
    let mut line: String = characters.by_ref().take(Health::MAX_REASON - 1).collect();
    match (characters.next(), characters.next()) {
        (Some(last), None) => line.push(last),
        (Some(_), Some(_)) => line.push('\u{2026}'),
        (None, _) => {}
    }
    line
}

/// Whether a character is none to be seen and changes the order in which its neighbours are shown.
pub(crate) fn reorders(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A number to four significant digits, from a thousand on to a whole number; in full where it would be told on another side
/// of its bound than it lies on.
pub(crate) fn readable(value: f64, bound: f64) -> String {
    let rounded =
        if value.abs() < 1_000.0 { format!("{value:.3e}").parse().unwrap_or(value) } else { value.round() };
    let is_told = rounded.partial_cmp(&bound) == value.partial_cmp(&bound);
    if is_told { rounded } else { value }.to_string()
}
