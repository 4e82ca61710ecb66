//! The label values of one series, as a look-up compares them.

/// Label values, each followed by a byte that no text contains. Short ones lie inline.
#[derive(Debug)]
pub enum Values {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Box<[u8]>),
}

/// Most bytes that lie inline: the enum then has 32.
const SHORT: usize = 30;

/// Ends each value.
const END: u8 = 0xff;

impl Values {
    pub(crate) fn new<const N: usize>(values: &[&str; N]) -> Self {
        let all: Vec<u8> = values.iter().flat_map(|value| value.bytes().chain([END])).collect();
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..all.len()), u8::try_from(all.len())) {
            (Some(short), Ok(length)) => {
                short.copy_from_slice(&all);
                Self::Short { length, bytes }
            }
            _ => Self::Long(all.into()),
        }
    }

    /// Whether these are the values.
    #[inline]
    pub(crate) fn are<const N: usize>(&self, values: &[&str; N]) -> bool {
        let mut rest = self.bytes();
        for value in values {
            match rest.strip_prefix(value.as_bytes()) {
                Some([END, next @ ..]) => rest = next,
                _ => return false,
            }
        }
        rest.is_empty()
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or(bytes),
            Self::Long(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_apart_by_their_borders_too() {
        for filler in ["", "a filler that makes them too long to lie inline"] {
            let values = Values::new(&["ab", "c", filler]);
            assert!(values.are(&["ab", "c", filler]));
            assert!(!values.are(&["a", "bc", filler]));
            assert!(!values.are(&["ab", "c", "another"]));
            assert!(!values.are(&["ab", "c"]));
            assert!(!values.are(&["ab", "c", filler, ""]));
        }
    }

    #[test]
    fn up_to_thirty_bytes_lie_inline() {
        assert_eq!(size_of::<Values>(), 32);
        let text = "x".repeat(SHORT);
        assert!(matches!(Values::new(&[&text[1..]]), Values::Short { .. }));
        let long = Values::new(&[text.as_str()]);
        assert!(matches!(long, Values::Long(_)) && long.are(&[text.as_str()]));
        assert!(Values::new(&[]).are(&[]));
    }
}
