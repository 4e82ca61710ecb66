//! A bar on stderr while the years pass, when somebody can see it.

use std::io::{self, IsTerminal as _, Write as _};

const WIDTH: usize = 40;

/// A bar that moves forward; silent when stderr is no terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    total: usize,
    shown: Option<usize>,
}

impl Progress {
    pub(crate) fn new(total: usize) -> Self {
        Self { total: total.max(1), shown: io::stderr().is_terminal().then_some(usize::MAX) }
    }

    /// Draws the bar anew when it has grown.
    pub(crate) fn at(&mut self, done: usize, label: impl std::fmt::Display) {
        let Some(shown) = self.shown.as_mut() else { return };
        let filled = done * WIDTH / self.total;
        if filled != *shown {
            *shown = filled;
            let (full, rest) = ("█".repeat(filled), "░".repeat(WIDTH - filled.min(WIDTH)));
            // A bar that cannot be drawn is no reason to stop.
            let _ = write!(io::stderr(), "\r{full}{rest} {label}");
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[2K");
        }
    }
}
