//! What is wrong with a configuration: all of it, each with its path.

use std::fmt;
use std::ops::RangeBounds;
use std::sync::Arc;

use super::path::ConfigPath;
use crate::ratio::interval;

/// Most problems that are kept; more are counted.
pub const MAX_PROBLEMS: usize = 100;

/// Longest message of a problem, in characters; longer ones are cut.
const MAX_MESSAGE_CHARS: usize = 500;

/// Where in the sources of a configuration something was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Origin {
    /// In a file.
    File {
        /// The file, as the loader was given it.
        name: Arc<str>,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// In an environment variable.
    Variable {
        /// The variable's name.
        name: Arc<str>,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line, column } => write!(f, "{name}:{line}:{column}"),
            Self::Variable { name } => write!(f, "environment variable {name}"),
        }
    }
}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Where in the configuration.
    pub path: ConfigPath,
    /// What is wrong, and what was expected.
    pub message: String,
    /// Where it was written, if it was: a default has no origin, a missing key that of its table.
    pub origin: Option<Origin>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        if !self.path.steps().is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// All that is wrong with a configuration: at most [`MAX_PROBLEMS`], and how many more there are.
///
/// Printed one per line. As an error it stands for a configuration that must not be used.
///
/// ```
/// use bellwether_core::config::{ConfigPath, Problems};
///
/// let mut problems = Problems::new();
/// let at = ConfigPath::root().key("store");
/// problems.within(&at.key("connections"), &0, 1..=64);
/// problems.push(&at.key("url"), "no database of this kind");
/// assert_eq!(
///     problems.to_string(),
///     "store.connections: 0 is outside of [1, 64]\nstore.url: no database of this kind"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problems {
    kept: Vec<Problem>,
    omitted: usize,
    gave_up: bool,
}

impl Problems {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a problem: what is wrong at `path`, and what was expected.
    pub fn push(&mut self, path: &ConfigPath, message: impl Into<String>) {
        self.add(Problem { path: path.clone(), message: message.into(), origin: None });
    }

    /// Whether more are only counted.
    pub(super) fn is_full(&self) -> bool {
        self.kept.len() >= MAX_PROBLEMS
    }

    pub(super) fn add(&mut self, mut problem: Problem) {
        if self.is_full() {
            self.omitted += 1;
            return;
        }
        if let Some((end, _)) = problem.message.char_indices().nth(MAX_MESSAGE_CHARS) {
            problem.message.truncate(end);
            problem.message.push_str("...");
        }
        self.kept.push(problem);
    }

    /// Adds `message` unless `holds`.
    pub fn require(&mut self, path: &ConfigPath, holds: bool, message: impl Into<String>) {
        if !holds {
            self.push(path, message);
        }
    }

    /// Adds a problem unless `value` lies within `bounds`: `300 is outside of [0, 100]`.
    ///
    /// For numbers, [`Ratio`](crate::Ratio), [`HumanDuration`](crate::HumanDuration) and whatever else can be
    /// compared and printed.
    pub fn within<T: PartialOrd + fmt::Display>(
        &mut self,
        path: &ConfigPath,
        value: &T,
        bounds: impl RangeBounds<T>,
    ) {
        if !bounds.contains(value) {
            self.push(path, format!("{value} is outside of {}", interval(&bounds)));
        }
    }

    /// The problems that were kept.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.kept.iter()
    }

    /// How many there are, with those that were not kept.
    pub fn len(&self) -> usize {
        self.kept.len() + self.omitted
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many were found and not kept.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// Whether all were found; otherwise there were so many that the search was given up.
    pub fn is_complete(&self) -> bool {
        !self.gave_up
    }

    /// Nothing, or these problems as an error.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

/// What the loader needs.
#[cfg(feature = "config")]
impl Problems {
    pub(super) fn into_parts(self) -> (Vec<Problem>, usize) {
        (self.kept, self.omitted)
    }

    pub(super) fn omit(&mut self, more: usize) {
        self.omitted += more;
    }

    pub(super) fn give_up(&mut self) {
        self.gave_up = true;
    }

    /// In the order in which a reader meets them: by line, then by variable, then by path.
    pub(super) fn sort(&mut self) {
        self.kept.sort_by(|a, b| {
            let place = |problem: &Problem| (problem.origin.is_none(), problem.origin.clone());
            place(a).cmp(&place(b)).then_with(|| a.path.cmp(&b.path))
        });
    }

    pub(super) fn edit(&mut self, mut edit: impl FnMut(&mut Problem)) {
        self.kept.iter_mut().for_each(&mut edit);
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.kept.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            // One problem, one line, whatever its message holds.
            for (i, line) in problem.to_string().lines().enumerate() {
                write!(f, "{}{line}", if i > 0 { " " } else { "" })?;
            }
        }
        if self.omitted > 0 {
            write!(f, "\nand {} more", self.omitted)?;
        }
        if self.gave_up {
            f.write_str("\nand what was not looked for behind so many")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;
    fn into_iter(self) -> Self::IntoIter {
        self.kept.iter()
    }
}
