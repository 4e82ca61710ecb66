//! What a task may return.
use std::error::Error;

/// Longest text that is kept of an error, in bytes.
const MAX_ERROR_LEN: usize = 1_000;

/// What a supervised future may return: `()`, or `Result<(), E>` with any error or text.
///
/// `Ok` and `()` mean that the task is done and need not run again; an error means that it has failed.
pub trait TaskOutput: sealed::Sealed {
    /// The failure as text with its sources, if it is one.
    fn failure(self) -> Option<String>;
}

impl TaskOutput for () {
    fn failure(self) -> Option<String> {
        None
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> TaskOutput for Result<(), E> {
    fn failure(self) -> Option<String> {
        self.err().map(|error| chain(error.into().as_ref()))
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    impl<E> Sealed for Result<(), E> {}
}

/// The error and its sources, in one line of bounded length. A source whose text the line already ends with
/// is left out: many errors print their source themselves.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        if line.len() > MAX_ERROR_LEN {
            break;
        }
        source = error.source();
    }
    bounded(line)
}

/// The text cut to its bound, at the border of a character.
pub(super) fn bounded(mut text: String) -> String {
    if text.len() > MAX_ERROR_LEN {
        let end = text.floor_char_boundary(MAX_ERROR_LEN);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot write")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("disk is full")]
    struct Inner;

    #[test]
    fn a_failure_tells_its_sources() {
        assert_eq!(Err(Outer(Inner)).failure().unwrap(), "cannot write: disk is full");
        assert_eq!(Err("plain text").failure().unwrap(), "plain text");
        assert_eq!(Ok::<(), Outer>(()).failure(), None);
        assert_eq!(().failure(), None);
    }

    #[test]
    fn a_long_failure_is_cut_between_characters() {
        let text = Err("é".repeat(2_000)).failure().unwrap();
        assert!(text.len() <= MAX_ERROR_LEN + '…'.len_utf8());
        assert!(text.ends_with('…'));
    }
}
