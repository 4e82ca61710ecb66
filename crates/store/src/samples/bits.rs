//! Numbers of a few bits, packed; and numbers of variable length.

/// Packs numbers of up to 64 bits, the lowest bit first.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    word: u64,
    filled: u32,
}

impl BitWriter {
    /// The lowest `width` bits of `value`; `width` is at most 64, higher bits must be zero.
    pub(super) fn push(&mut self, value: u64, width: u32) {
        self.word |= value << self.filled;
        let room = 64 - self.filled;
        if width < room {
            self.filled += width;
            return;
        }
        self.bytes.extend_from_slice(&self.word.to_le_bytes());
        self.word = value.checked_shr(room).unwrap_or(0);
        self.filled = width - room;
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        let rest = self.filled.div_ceil(8) as usize;
        self.bytes.extend(self.word.to_le_bytes().into_iter().take(rest));
        self.bytes
    }
}

/// Reads what [`BitWriter`] packed.
#[derive(Debug)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `width` bits, at most 64; nothing when there are not as many.
    pub(super) fn take(&mut self, width: u32) -> Option<u64> {
        let end = self.at.checked_add(width as usize)?;
        if end > self.bytes.len().checked_mul(8)? {
            return None;
        }
        let mut window = [0u8; 16];
        let tail = self.bytes.get(self.at / 8..)?;
        window.iter_mut().zip(tail).for_each(|(to, from)| *to = *from);
        let word = (u128::from_le_bytes(window) >> (self.at % 8)) as u64;
        self.at = end;
        Some(if width < 64 { word & ((1 << width) - 1) } else { word })
    }
}

/// Seven bits a byte, the lowest first (LEB128).
pub(super) fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

pub(super) fn push_signed(bytes: &mut Vec<u8>, value: i64) {
    push_varint(bytes, ((value << 1) ^ (value >> 63)) as u64);
}

/// Reads bytes from the front; every method answers nothing at the end.
#[derive(Debug, Clone, Copy)]
pub(super) struct ByteReader<'a>(pub(super) &'a [u8]);

impl<'a> ByteReader<'a> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(front)
    }

    pub(super) fn double(&mut self) -> Option<f64> {
        self.take(8)?.try_into().ok().map(f64::from_le_bytes)
    }

    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return None;
            }
            value |= part << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub(super) fn signed(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn bits_read_back_as_packed(numbers in prop::collection::vec((any::<u64>(), 0u32..=64), 0..200)) {
            let cut = |value: u64, width: u32| if width < 64 { value & ((1 << width) - 1) } else { value };
            let mut writer = BitWriter::default();
            for &(value, width) in &numbers {
                writer.push(cut(value, width), width);
            }
            let bytes = writer.finish();
            let mut reader = BitReader::new(&bytes);
            for (value, width) in numbers {
                prop_assert_eq!(reader.take(width), Some(cut(value, width)));
            }
            prop_assert!(reader.take(8).is_none());
        }

        #[test]
        fn varints_read_back(values in prop::collection::vec(any::<i64>(), 0..50)) {
            let mut bytes = Vec::new();
            for &value in &values {
                push_signed(&mut bytes, value);
            }
            let mut reader = ByteReader(&bytes);
            for value in values {
                prop_assert_eq!(reader.signed(), Some(value));
            }
            prop_assert!(reader.byte().is_none());
        }
    }
}
