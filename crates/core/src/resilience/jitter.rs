//! A small source of fractions that spread retries.
use std::hash::{BuildHasher, RandomState};

/// Fractions in `[0, 1)` for spreading delays: not for secrets.
///
/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): one
/// word of state, equally distributed, and the same sequence for the same seed on every machine.
///
/// ```
/// use bellwether_core::resilience::Jitter;
///
/// let mut replay = Jitter::seeded(7);
/// assert_eq!(replay.fraction(), Jitter::seeded(7).fraction());
/// assert!((0.0..1.0).contains(&Jitter::from_system().fraction()));
/// ```
#[derive(Debug, Clone)]
pub struct Jitter {
    state: u64,
}

impl Jitter {
    /// A source that repeats the same fractions for the same seed.
    pub const fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A source seeded by the operating system, different in each process and at each call.
    pub fn from_system() -> Self {
        Self::seeded(RandomState::new().hash_one(0_u8))
    }

    /// The next fraction, in `[0, 1)`: a multiple of 2^-53.
    pub fn fraction(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.word() >> 11) as f64 * STEP
    }

    fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Default for Jitter {
    fn default() -> Self {
        Self::from_system()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_reference_implementation() {
        // The published sequence for seed 1234567, as printed by Vigna's splitmix64.c.
        let mut jitter = Jitter::seeded(1_234_567);
        let words: Vec<u64> = (0..5).map(|_| jitter.word()).collect();
        assert_eq!(
            words,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821
            ]
        );
    }

    #[test]
    fn fractions_stay_below_one_and_fill_the_range() {
        let mut jitter = Jitter::seeded(42);
        let mut tenths = [0_u32; 10];
        for _ in 0..10_000 {
            let fraction = jitter.fraction();
            assert!((0.0..1.0).contains(&fraction));
            tenths[(fraction * 10.0) as usize] += 1;
        }
        assert!(tenths.iter().all(|&n| (850..1_150).contains(&n)), "{tenths:?}");
    }

    #[test]
    fn two_system_sources_differ() {
        assert_ne!(Jitter::from_system().word(), Jitter::from_system().word());
    }
}
