//! What the sequence numbers of a feed tell.

/// What a message's sequence number says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arrival {
    /// The next one, or the first of all.
    InOrder,
    /// Numbers before it have not come.
    Gap {
        /// How many.
        missed: u64,
    },
    /// One that had been missed comes late.
    Late,
    /// One that was there before.
    Duplicate,
    /// So far behind that nobody can say whether it was there before.
    Old,
}

/// Tells gaps, late messages and duplicates apart, by sequence numbers.
///
/// It remembers which of the last [`Sequence::MEMORY`] numbers have come, in 16 bytes: what is late and what is double is
/// not guessed. Pure, O(1).
///
/// ```
/// use bellwether_metrics::trading::{Arrival, Sequence};
/// let mut sequence = Sequence::new();
/// assert_eq!(sequence.receive(1), Arrival::InOrder);
/// assert_eq!(sequence.receive(4), Arrival::Gap { missed: 2 });
/// assert_eq!(sequence.receive(3), Arrival::Late);
/// assert_eq!(sequence.receive(3), Arrival::Duplicate);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Sequence {
    highest: Option<u64>,
    /// Bit `i`: whether `highest - i` has come.
    seen: u128,
}

impl Sequence {
    /// How many numbers are remembered.
    pub const MEMORY: u64 = 128;

    /// Takes any number as the first.
    pub const fn new() -> Self {
        Self { highest: None, seen: 0 }
    }

    /// A message with this number has come.
    pub fn receive(&mut self, number: u64) -> Arrival {
        let Some(highest) = self.highest else {
            *self = Self { highest: Some(number), seen: 1 };
            return Arrival::InOrder;
        };
        if number > highest {
            self.advance(number, number - highest);
            self.seen |= 1;
            return match number - highest - 1 {
                0 => Arrival::InOrder,
                missed => Arrival::Gap { missed },
            };
        }
        let behind = highest - number;
        if behind >= Self::MEMORY {
            return Arrival::Old;
        }
        let bit = 1 << behind;
        if self.seen & bit != 0 {
            return Arrival::Duplicate;
        }
        self.seen |= bit;
        Arrival::Late
    }

    /// A heartbeat says that `next` is the number to come: how many before it have not come. Nothing is known of them
    /// while no message has come at all.
    pub fn announce(&mut self, next: u64) -> u64 {
        let Some(last) = next.checked_sub(1) else { return 0 };
        match self.highest {
            None => {
                // Whatever came before counts as seen: the host was not there.
                *self = Self { highest: Some(last), seen: u128::MAX };
                0
            }
            Some(highest) if last > highest => {
                self.advance(last, last - highest);
                last - highest
            }
            Some(_) => 0,
        }
    }

    /// The number that is to come, once one has come or was announced.
    pub fn next(&self) -> Option<u64> {
        self.highest.map(|highest| highest.saturating_add(1))
    }

    /// The numbers start anew: a new session, or a feed that was opened again.
    pub fn restart(&mut self) {
        *self = Self::new();
    }

    fn advance(&mut self, highest: u64, by: u64) {
        self.highest = Some(highest);
        self.seen = u32::try_from(by).ok().and_then(|by| self.seen.checked_shl(by)).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_gap_that_is_announced_is_told_once() {
        let mut sequence = Sequence::new();
        assert_eq!(sequence.announce(10), 0);
        assert_eq!(sequence.receive(10), Arrival::InOrder);
        assert_eq!(sequence.announce(13), 2);
        assert_eq!((sequence.announce(13), sequence.receive(13)), (0, Arrival::InOrder));
        assert_eq!((sequence.receive(12), sequence.receive(12)), (Arrival::Late, Arrival::Duplicate));
        assert_eq!(sequence.receive(9), Arrival::Duplicate);
    }

    #[test]
    fn the_ends_of_the_numbers_are_numbers() {
        let mut sequence = Sequence::new();
        assert_eq!(sequence.announce(0), 0);
        assert_eq!(sequence.receive(0), Arrival::InOrder);
        assert_eq!(sequence.receive(u64::MAX), Arrival::Gap { missed: u64::MAX - 1 });
        assert_eq!((sequence.receive(0), sequence.next()), (Arrival::Old, Some(u64::MAX)));
    }

    proptest! {
        #[test]
        fn it_equals_a_set_of_all_numbers_within_its_memory(
            numbers in prop::collection::vec(0u64..400, 1..300),
        ) {
            let mut sequence = Sequence::new();
            let (mut all, mut missed) = (HashSet::new(), 0);
            let first = numbers[0];
            for number in numbers {
                let highest = all.iter().max().copied();
                let expected = match highest {
                    None => Arrival::InOrder,
                    Some(highest) if number == highest + 1 => Arrival::InOrder,
                    Some(highest) if number > highest => Arrival::Gap { missed: number - highest - 1 },
                    Some(highest) if highest - number >= Sequence::MEMORY => Arrival::Old,
                    Some(_) if all.contains(&number) => Arrival::Duplicate,
                    Some(_) => Arrival::Late,
                };
                let got = sequence.receive(number);
                prop_assert_eq!(got, expected);
                match got {
                    Arrival::Gap { missed: more } => missed += more,
                    Arrival::Late if number > first => missed -= 1,
                    Arrival::Old => continue,
                    _ => {}
                }
                all.insert(number);
            }
            let highest = all.iter().max().unwrap();
            let absent = (first..=*highest).filter(|number| !all.contains(number)).count() as u64;
            prop_assert_eq!(missed, absent);
        }
    }
}
