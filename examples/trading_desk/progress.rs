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
            let _ = write!(io::stderr(), "{CLEAR}{full}{rest} {label}");
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr(), "{CLEAR}");
        }
    }
}

/// Takes away what stands on the line.
const CLEAR: &str = "\r\x1b[2K";

/// Stderr for others than the bar: what they write takes the bar's place, which comes back below.
#[derive(Debug)]
pub(crate) struct Screen;

impl io::Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stderr = io::stderr().lock();
        if stderr.is_terminal() {
            stderr.write_all(CLEAR.as_bytes())?;
        }
        stderr.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
