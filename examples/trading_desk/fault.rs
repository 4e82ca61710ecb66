//! Why a run ended early, and the exit code that says so.

use std::error::Error;
use std::fmt;

/// Why a run ended early.
#[derive(Debug)]
pub(crate) enum Fault {
    /// An argument, the data or the folder of results cannot be used: exit code 2.
    Input(Box<dyn Error>),
    /// The run failed: exit code 1.
    Run(Box<dyn Error>),
}

impl Fault {
    pub(crate) fn input(error: impl Error + 'static) -> Self {
        Self::Input(Box::new(error))
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Run(_) => 1,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(error) | Self::Run(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Run(Box::new(error))
    }
}
