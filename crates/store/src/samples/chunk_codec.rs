//! Samples of one series as bytes: stamps and values each in a column of their own.
//!
//! The first byte is the version; another codec gets another number. Version 1:
//!
//! - stamps: the first one, then the distances as a [packed column](pack): on a grid they take no bits at all,
//! - values, in whichever of three forms is shortest: as they are; as decimals of one exponent (`12.25` is 1225 with 2), themselves or
//!   their distances packed; or as the bits that change from one to the next (Pelkonen et al., "Gorilla", VLDB 2015, section 4.1.2).
//!
//! Values come back bit for bit. Decoding answers an error to whatever was not encoded here; it never panics, and
//! allocates no more than the count that it was told.

use super::bits::{BitReader, BitWriter, ByteReader, push_signed, push_varint};

const VERSION: u8 = 1;

const PLAIN: u8 = 0;
const DECIMAL: u8 = 1;
const DECIMAL_DISTANCES: u8 = 2;
const CHANGED_BITS: u8 = 3;

/// Largest exponent that is tried.
const MAX_EXPONENT: u8 = 9;
/// Integers up to here are exact in a double.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Most samples of one chunk.
pub(crate) const MAX_SAMPLES: usize = 65_536;

/// Bytes are not a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CodecError {
    /// Written by a codec that is not known here.
    #[error("chunk codec {0} is not known")]
    Version(u8),
    /// More samples than a chunk may have.
    #[error("{0} samples are more than a chunk may have")]
    TooMany(usize),
    /// The bytes end early or contradict themselves.
    #[error("chunk is malformed")]
    Malformed,
}

/// Samples in the order of time, as bytes.
pub(crate) fn encode(samples: &[(i64, f64)]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    let Some(&(first, _)) = samples.first() else { return bytes };
    push_signed(&mut bytes, first);
    let distances: Vec<i64> = samples.array_windows().map(|[a, b]| b.0.wrapping_sub(a.0)).collect();
    pack(&mut bytes, &distances);
    let values: Vec<f64> = samples.iter().map(|sample| sample.1).collect();
    bytes.extend(shortest(&values));
    bytes
}

/// What [`encode`] wrote, `count` samples.
pub(crate) fn decode(bytes: &[u8], count: usize) -> Result<Vec<(i64, f64)>, CodecError> {
    if count > MAX_SAMPLES {
        return Err(CodecError::TooMany(count));
    }
    let mut reader = ByteReader(bytes);
    match reader.byte() {
        Some(VERSION) => {}
        Some(other) => return Err(CodecError::Version(other)),
        None => return Err(CodecError::Malformed),
    }
    decode_columns(reader, count).ok_or(CodecError::Malformed)
}

fn decode_columns(mut reader: ByteReader<'_>, count: usize) -> Option<Vec<(i64, f64)>> {
    let Some(more) = count.checked_sub(1) else { return reader.0.is_empty().then(Vec::new) };
    let mut stamp = reader.signed()?;
    let mut stamps = vec![stamp];
    for distance in unpack(&mut reader, more)? {
        stamp = stamp.wrapping_add(distance);
        stamps.push(stamp);
    }
    let values = values(&mut reader, count)?;
    reader.0.is_empty().then(|| stamps.into_iter().zip(values).collect())
}

fn shortest(values: &[f64]) -> Vec<u8> {
    let mut best = vec![PLAIN];
    best.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    let mut offer = |form: Vec<u8>| {
        if form.len() < best.len() {
            best = form;
        }
    };
    if let Some((exponent, numbers)) = decimals(values) {
        let mut form = vec![DECIMAL, exponent];
        pack(&mut form, &numbers);
        offer(form);
        let mut form = vec![DECIMAL_DISTANCES, exponent];
        push_signed(&mut form, numbers.first().copied().unwrap_or(0));
        let distances: Vec<i64> = numbers.array_windows().map(|[a, b]| b.wrapping_sub(*a)).collect();
        pack(&mut form, &distances);
        offer(form);
    }
    let mut form = vec![CHANGED_BITS];
    form.extend(changed_bits(values));
    offer(form);
    best
}

fn values(reader: &mut ByteReader<'_>, count: usize) -> Option<Vec<f64>> {
    match reader.byte()? {
        PLAIN => (0..count).map(|_| reader.double()).collect(),
        DECIMAL => {
            let scale = scale(reader.byte()?)?;
            let numbers = unpack(reader, count)?;
            Some(numbers.into_iter().map(|number| number as f64 / scale).collect())
        }
        DECIMAL_DISTANCES => {
            let scale = scale(reader.byte()?)?;
            let mut number = reader.signed()?;
            let mut values = vec![number as f64 / scale];
            for distance in unpack(reader, count.checked_sub(1)?)? {
                number = number.wrapping_add(distance);
                values.push(number as f64 / scale);
            }
            Some(values)
        }
        CHANGED_BITS => {
            let values = from_changed_bits(reader.0, count);
            reader.0 = &[];
            values
        }
        _ => None,
    }
}

fn scale(exponent: u8) -> Option<f64> {
    (exponent <= MAX_EXPONENT).then(|| 10f64.powi(i32::from(exponent)))
}

/// The values as whole numbers of the smallest exponent that keeps every bit, if there is one.
fn decimals(values: &[f64]) -> Option<(u8, Vec<i64>)> {
    (0..=MAX_EXPONENT).find_map(|exponent| {
        let scale = scale(exponent)?;
        let whole = |value: &f64| {
            let number = (value * scale).round();
            let exact =
                number.abs() <= MAX_EXACT && (number as i64 as f64 / scale).to_bits() == value.to_bits();
            exact.then_some(number as i64)
        };
        Some((exponent, values.iter().map(whole).collect::<Option<_>>()?))
    })
}

/// A column of numbers: the least, what divides all distances from it, the width of the quotients, the quotients.
fn pack(bytes: &mut Vec<u8>, numbers: &[i64]) {
    let least = numbers.iter().copied().min().unwrap_or(0);
    let above = |number: &i64| number.wrapping_sub(least) as u64;
    let divisor = numbers.iter().map(above).fold(0, divisor_of).max(1);
    let greatest = numbers.iter().map(above).max().unwrap_or(0) / divisor;
    let width = u64::BITS - greatest.leading_zeros();
    push_signed(bytes, least);
    push_varint(bytes, divisor);
    bytes.push(width as u8);
    let mut bits = BitWriter::default();
    for number in numbers {
        bits.push(above(number) / divisor, width);
    }
    bytes.extend(bits.finish());
}

fn unpack(reader: &mut ByteReader<'_>, count: usize) -> Option<Vec<i64>> {
    let least = reader.signed()?;
    let divisor = reader.varint()?;
    let width = u32::from(reader.byte()?);
    if width > u64::BITS {
        return None;
    }
    let mut bits = BitReader::new(reader.take((width as usize).checked_mul(count)?.div_ceil(8))?);
    let number = |quotient: u64| least.wrapping_add(quotient.wrapping_mul(divisor) as i64);
    (0..count).map(|_| bits.take(width).map(number)).collect()
}

/// Greatest common divisor; that of zero and a number is the number.
fn divisor_of(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Per value after the first: a 0 when nothing changed; a 1 and a 0 when the changed bits lie where they lay before;
/// two 1, where they lie and how many they are otherwise. Then the bits.
fn changed_bits(values: &[f64]) -> Vec<u8> {
    let mut bits = BitWriter::default();
    let mut before = 0u64;
    let (mut low, mut width) = (0u32, 0u32);
    for (place, value) in values.iter().map(|value| value.to_bits()).enumerate() {
        let changed = value ^ before;
        before = value;
        if place == 0 {
            bits.push(value, 64);
        } else if changed == 0 {
            bits.push(0, 1);
        } else {
            let (zeros, top) = (changed.trailing_zeros(), u64::BITS - changed.leading_zeros());
            if width > 0 && zeros >= low && top <= low + width {
                bits.push(0b01, 2);
            } else {
                (low, width) = (zeros, top - zeros);
                bits.push(0b11, 2);
                bits.push(u64::from(low), 6);
                bits.push(u64::from(width - 1), 6);
            }
            bits.push(changed >> low, width);
        }
    }
    bits.finish()
}

fn from_changed_bits(bytes: &[u8], count: usize) -> Option<Vec<f64>> {
    let mut bits = BitReader::new(bytes);
    let mut value = bits.take(64)?;
    let mut values = vec![f64::from_bits(value)];
    let (mut low, mut width) = (0u32, 0u32);
    while values.len() < count {
        if bits.take(1)? == 1 {
            if bits.take(1)? == 1 {
                low = bits.take(6)? as u32;
                width = bits.take(6)? as u32 + 1;
            }
            if width == 0 || low + width > u64::BITS {
                return None;
            }
            value ^= bits.take(width)? << low;
        }
        values.push(f64::from_bits(value));
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bits(samples: &[(i64, f64)]) -> Vec<(i64, u64)> {
        samples.iter().map(|&(at, value)| (at, value.to_bits())).collect()
    }

    fn size(samples: &[(i64, f64)]) -> usize {
        let bytes = encode(samples);
        assert_eq!(bits(&decode(&bytes, samples.len()).unwrap()), bits(samples));
        bytes.len()
    }

    #[test]
    fn a_grid_of_prices_takes_about_a_byte_a_sample() {
        let second = 1_000_000;
        let mut price = 100.0;
        let prices: Vec<_> = (0..512)
            .map(|i| {
                price += f64::from((i * 7919 % 13) - 6) * 0.25;
                (1_700_000_000_000_000 + i64::from(i) * second, price)
            })
            .collect();
        assert!(size(&prices) < 512, "{}", size(&prices));
        let same: Vec<_> = (0..512).map(|i| (i * second, 0.1 + 0.2)).collect();
        assert!(size(&same) < 90, "{}", size(&same));
        let counter: Vec<_> = (0..512).map(|i| (i * second, (i * i) as f64)).collect();
        assert!(size(&counter) < 900, "{}", size(&counter));
    }

    #[test]
    fn trading_days_cost_two_bits_each() {
        let day = 86_400_000_000;
        let days: Vec<_> = (0..500i64).map(|i| ((i + i / 5 * 2) * day, 1.0)).collect();
        assert!(size(&days) < 160, "{}", size(&days));
    }

    #[test]
    fn every_kind_of_double_comes_back_bit_for_bit() {
        let odd =
            [0.0, -0.0, f64::MIN_POSITIVE, f64::MAX, f64::MIN, f64::INFINITY, f64::NAN, 5e-324, 0.1, -1e300];
        let samples: Vec<_> = odd.iter().enumerate().map(|(i, &value)| (i as i64, value)).collect();
        size(&samples);
        size(&[(i64::MIN, -0.0)]);
        size(&[(i64::MIN, 1.0), (i64::MAX, 2.0)]);
        size(&[]);
    }

    #[test]
    fn a_later_codec_and_too_many_samples_are_told() {
        assert_eq!(decode(&[9], 1), Err(CodecError::Version(9)));
        assert_eq!(decode(&[VERSION], MAX_SAMPLES + 1), Err(CodecError::TooMany(MAX_SAMPLES + 1)));
        assert_eq!(decode(&[], 0), Err(CodecError::Malformed));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn decode_undoes_encode(
            samples in prop::collection::vec((any::<i64>(), any::<f64>()), 0..300),
            exponent in 0i32..4,
        ) {
            size(&samples);
            let decimals: Vec<_> =
                samples.iter().map(|&(at, _)| (at, (at % 100_000) as f64 / 10f64.powi(exponent))).collect();
            size(&decimals);
        }

        #[test]
        fn decoding_damaged_bytes_never_panics(
            mut bytes in prop::collection::vec(any::<u8>(), 0..200),
            count in 0usize..70_000,
            samples in prop::collection::vec((any::<i64>(), any::<f64>()), 1..50),
            at in any::<prop::sample::Index>(),
            flip in 1u8..,
        ) {
            let _ = decode(&bytes, count);
            if let Some(first) = bytes.first_mut() {
                *first = VERSION;
            }
            let _ = decode(&bytes, count);
            let mut bytes = encode(&samples);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            let _ = decode(&bytes, samples.len());
            let _ = decode(&bytes[..at], samples.len());
        }
    }
}
