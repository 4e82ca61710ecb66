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

    /// Whether these are the texts, in this order.
    #[inline]
    pub(crate) fn are<'a>(&self, parts: impl Iterator<Item = &'a str>) -> bool {
        let mut rest = self.bytes();
        for part in parts {
            match Self::after(rest, part) {
                Some(next) => rest = next,
                None => return false,
            }
        }
        rest.is_empty()
    }

    /// What follows on a text that [`bytes`](Self::bytes), or the rest of them, begin with.
    #[inline]
    pub(crate) fn after<'v>(bytes: &'v [u8], text: &str) -> Option<&'v [u8]> {
        match bytes.split_at_checked(text.len())? {
            (head, [END, next @ ..]) if are_same(head, text.as_bytes()) => Some(next),
            _ => None,
        }
    }

    /// The texts.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes().split_inclusive(|&byte| byte == END).filter_map(|text| text.strip_suffix(&[END]))
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

    /// Whether look-ups find the series: it is neither gone nor about to go.
    #[inline]
    pub(crate) fn is_there(&self) -> bool {
        self.state().load(Ordering::Relaxed) & (IDLE | GONE) == 0
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

    #[inline]
    fn state(&self) -> &AtomicU8 {
        match self {
            Self::Short { state, .. } | Self::Long { state, .. } => state,
        }
    }
}

/// Whether texts of the same length are the same. Label values are short: a call of `memcmp` would take longer than this.
#[inline]
fn are_same(a: &[u8], b: &[u8]) -> bool {
    const WORD: usize = 8;
    if let (Some(first), Some(last)) = (a.first_chunk::<WORD>(), a.last_chunk::<WORD>()) {
        // The last word may overlap the one before.
        let words_are_same = || a.chunks_exact(WORD).zip(b.chunks_exact(WORD)).skip(1).all(|(a, b)| a == b);
        b.first_chunk() == Some(first)
            && b.last_chunk() == Some(last)
            && (a.len() <= 2 * WORD || words_are_same())
    } else if let (Some(first), Some(last)) = (a.first_chunk::<4>(), a.last_chunk::<4>()) {
        b.first_chunk() == Some(first) && b.last_chunk() == Some(last)
    } else {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b)
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
    fn a_text_differs_from_another_of_its_length_by_any_byte() {
        for length in 0..40 {
            let text = vec![b'a'; length];
            assert!(are_same(&text, &text.clone()));
            for at in 0..length {
                let mut other = text.clone();
                other[at] = b'b';
                assert!(!are_same(&text, &other), "{length} bytes, at {at}");
            }
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
