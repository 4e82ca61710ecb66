//! The ticks of one flush as bytes: one row of the head log.
//!
//! Version 1: the count of ticks; per tick its stamp as the distance from the one before, whether its series are those of the tick
//! before, otherwise their count and numbers, rising, each as the distance from the one before; then the values, eight bytes each.

use super::bits::{ByteReader, push_signed, push_varint};

const VERSION: u8 = 1;

/// All samples of one instant, by rising number of their series.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Tick {
    pub(crate) at: i64,
    pub(crate) values: Vec<(i64, f64)>,
}

/// Ticks as bytes.
pub(crate) fn encode(ticks: &[Tick]) -> Vec<u8> {
    let values: usize = ticks.iter().map(|tick| tick.values.len()).sum();
    let mut bytes = Vec::with_capacity(values * 9 + 16);
    bytes.push(VERSION);
    push_varint(&mut bytes, ticks.len() as u64);
    let mut before: Option<&Tick> = None;
    for tick in ticks {
        push_signed(&mut bytes, tick.at.wrapping_sub(before.map_or(0, |before| before.at)));
        let same = before.is_some_and(|before| {
            before.values.len() == tick.values.len()
                && before.values.iter().zip(&tick.values).all(|(a, b)| a.0 == b.0)
        });
        bytes.push(u8::from(same));
        if !same {
            push_varint(&mut bytes, tick.values.len() as u64);
            let mut last = 0;
            for (series, _) in &tick.values {
                push_varint(&mut bytes, series.wrapping_sub(last) as u64);
                last = *series;
            }
        }
        bytes.extend(tick.values.iter().flat_map(|(_, value)| value.to_le_bytes()));
        before = Some(tick);
    }
    bytes
}

/// What [`encode`] wrote; nothing if that is not what the bytes are. Allocates in proportion to the bytes.
pub(crate) fn decode(bytes: &[u8]) -> Option<Vec<Tick>> {
    let mut reader = ByteReader(bytes);
    if reader.byte()? != VERSION {
        return None;
    }
    let count = reader.varint()?;
    let mut ticks: Vec<Tick> = Vec::new();
    for _ in 0..count {
        let distance = reader.signed()?;
        let at = ticks.last().map_or(0, |before| before.at).wrapping_add(distance);
        let values = match reader.byte()? {
            1 => {
                let same = &ticks.last()?.values;
                same.iter().map(|(series, _)| Some((*series, reader.double()?))).collect::<Option<_>>()?
            }
            0 => {
                let count = usize::try_from(reader.varint()?).ok()?;
                let mut series = Vec::new();
                let mut last = 0i64;
                for _ in 0..count {
                    last = last.wrapping_add(reader.varint()? as i64);
                    series.push(last);
                }
                series.into_iter().map(|series| Some((series, reader.double()?))).collect::<Option<_>>()?
            }
            _ => return None,
        };
        ticks.push(Tick { at, values });
    }
    reader.0.is_empty().then_some(ticks)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ticks() -> impl Strategy<Value = Vec<Tick>> {
        let values = prop::collection::btree_map(1i64..500, -1e300f64..1e300, 0..20);
        let tick = (any::<i64>(), values, 1usize..4);
        prop::collection::vec(tick, 0..20).prop_map(|ticks| {
            let repeat = |(at, values, times): (i64, std::collections::BTreeMap<i64, f64>, usize)| {
                let values: Vec<_> = values.into_iter().collect();
                vec![Tick { at, values }; times]
            };
            ticks.into_iter().flat_map(repeat).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn decode_undoes_encode(ticks in ticks()) {
            prop_assert_eq!(decode(&encode(&ticks)), Some(ticks));
        }

        #[test]
        fn damaged_bytes_never_panic(ticks in ticks(), at in any::<prop::sample::Index>(), flip in 1u8.., junk in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut bytes = encode(&ticks);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            let _ = decode(&bytes);
            let _ = decode(&bytes[..at]);
            let _ = decode(&junk);
        }
    }

    #[test]
    fn ticks_of_the_same_series_cost_eight_bytes_a_value() {
        let values: Vec<_> = (1..=40).map(|series| (series, 1.5)).collect();
        let ticks: Vec<_> = (0..100).map(|i| Tick { at: i * 1_000_000, values: values.clone() }).collect();
        assert!(encode(&ticks).len() < 100 * 40 * 8 + 600);
    }
}
