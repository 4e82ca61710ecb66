//! The label values of one series, as a look-up compares them.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// The texts that a series is looked up by, each followed by a byte that no text contains, and what the registry
/// remembers of the series beside its value. Short texts lie inline.
#[derive(Debug)]
pub enum Values {
    Short { looked_up: AtomicBool, state: AtomicU8, length: u8, bytes: [u8; SHORT] },
    Long { looked_up: AtomicBool, state: AtomicU8, bytes: Box<[u8]> },
}

/// Most bytes that lie inline: the enum then has 32.
const SHORT: usize = 28;

/// Ends each text.
const END: u8 = 0xff;

/// Whoever scrapes knows the series.
const KNOWN: u8 = 1;
/// The series belongs to no metric any more.
const GONE: u8 = 2;
/// The series is to leave for being idle.
const IDLE: u8 = 4;

impl Values {
    pub(crate) fn new<'a>(parts: impl Iterator<Item = &'a str>) -> Self {
        let all: Vec<u8> = parts.flat_map(|part| part.bytes().chain([END])).collect();
        let (looked_up, state) = (AtomicBool::new(true), AtomicU8::new(0));
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..all.len()), u8::try_from(all.len())) {
            (Some(short), Ok(length)) => {
                short.copy_from_slice(&all);
                Self::Short { looked_up, state, length, bytes }
            }
            _ => Self::Long { looked_up, state, bytes: all.into() },
        }
    }

    /// Whether these are the texts.
    #[inline]
    pub(crate) fn are<'a>(&self, parts: impl Iterator<Item = &'a str>) -> bool {
        let mut rest = self.bytes();
        for part in parts {
            match rest.strip_prefix(part.as_bytes()) {
                Some([END, next @ ..]) => rest = next,
                _ => return false,
            }
        }
        rest.is_empty()
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes, .. } => bytes.get(..usize::from(*length)).unwrap_or(bytes),
            Self::Long { bytes, .. } => bytes,
        }
    }

    /// Remembers that a look-up found the series. Writes only once between two looks of whoever scrapes, so that threads
    /// that look it up at once do not fight for the cache line.
    #[inline]
    pub(crate) fn look_up(&self) {
        let looked_up = self.looked_up();
        if !looked_up.load(Ordering::Relaxed) {
            looked_up.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a look-up has found the series since the last call.
    pub(crate) fn take_look_up(&self) -> bool {
        let looked_up = self.looked_up();
        looked_up.load(Ordering::Relaxed) && looked_up.swap(false, Ordering::Relaxed)
    }

    /// Whether a look-up has found the series since the last [`take_look_up`](Self::take_look_up).
    pub(crate) fn was_looked_up(&self) -> bool {
        self.looked_up().load(Ordering::Relaxed)
    }

    /// Remembers that whoever scrapes knows the series; whether that is new.
    pub(crate) fn know(&self) -> bool {
        self.state().fetch_or(KNOWN, Ordering::Relaxed) & KNOWN == 0
    }

    pub(crate) fn set_idle(&self, idle: bool) {
        if idle {
            self.state().fetch_or(IDLE, Ordering::Relaxed);
        } else {
            self.state().fetch_and(!IDLE, Ordering::Relaxed);
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.state().load(Ordering::Relaxed) & IDLE != 0
    }

    /// Remembers that the series belongs to no metric any more.
    pub(crate) fn leave(&self) {
        self.state().fetch_or(GONE, Ordering::Relaxed);
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.state().load(Ordering::Relaxed) & GONE != 0
    }

    #[inline]
    fn looked_up(&self) -> &AtomicBool {
        match self {
            Self::Short { looked_up, .. } | Self::Long { looked_up, .. } => looked_up,
        }
    }

    fn state(&self) -> &AtomicU8 {
        match self {
            Self::Short { state, .. } | Self::Long { state, .. } => state,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_apart_by_their_borders_too() {
        for filler in ["", "a filler that makes them too long to lie inline"] {
            let values = Values::new(["ab", "c", filler].into_iter());
            let are = |parts: &[&str]| values.are(parts.iter().copied());
            assert!(are(&["ab", "c", filler]));
            assert!(!are(&["a", "bc", filler]));
            assert!(!are(&["ab", "c", "another"]));
            assert!(!are(&["ab", "c"]));
            assert!(!are(&["ab", "c", filler, ""]));
        }
    }

    #[test]
    fn up_to_twenty_eight_bytes_lie_inline() {
        assert_eq!(size_of::<Values>(), 32);
        let text = "x".repeat(SHORT);
        assert!(matches!(Values::new([&text[1..]].into_iter()), Values::Short { .. }));
        let long = Values::new([text.as_str()].into_iter());
        assert!(matches!(long, Values::Long { .. }) && long.are([text.as_str()].into_iter()));
        assert!(Values::new(std::iter::empty()).are(std::iter::empty()));
    }

    #[test]
    fn a_look_up_is_seen_once_and_by_the_next_look_alone() {
        let values = Values::new(["a"].into_iter());
        assert!(values.take_look_up(), "who made it looked it up");
        assert!(!values.take_look_up());
        values.look_up();
        values.look_up();
        assert!(values.was_looked_up() && values.take_look_up() && !values.was_looked_up());
    }
}
