//! Which fills have been booked, within a bound.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::error::LedgerError;
use super::fill::{Fill, FillId};
use super::limits::micros;
use crate::UnixMicros;

/// Booked fills by id: bounded by count and, where it is said, by age. The oldest by its own time is forgotten first.
/// It moves the watermark, and a fill that is not younger than it is refused instead of being booked twice. As the
/// oldest go first, a fill that is stamped ahead stays, and moves nothing until its time has come.
#[derive(Debug, Clone)]
pub(crate) struct SeenFills {
    fills: HashMap<FillId, Fill>,
    /// Ids by the time of the fill, those of one time in the order of booking.
    by_time: BTreeMap<(UnixMicros, u64), FillId>,
    booked: u64,
    watermark: Option<UnixMicros>,
    max_count: usize,
    max_age_micros: i64,
    forgotten: u64,
}

impl SeenFills {
    pub(crate) fn new(max_count: usize, max_age: Duration) -> Self {
        Self {
            fills: HashMap::new(),
            by_time: BTreeMap::new(),
            booked: 0,
            watermark: None,
            max_count,
            max_age_micros: micros(max_age),
            forgotten: 0,
        }
    }

    /// Whether the fill was booked before; an error if another one was under its id, or if that is not known.
    pub(crate) fn contains(&self, fill: &Fill) -> Result<bool, LedgerError> {
        match (self.fills.get(fill.id()), self.watermark) {
            (Some(booked), _) if booked == fill => Ok(true),
            (Some(_), _) => Err(LedgerError::Conflict { id: fill.id().clone() }),
            (None, Some(watermark)) if fill.at() <= watermark => {
                Err(LedgerError::TooOld { id: fill.id().clone(), at: fill.at(), watermark })
            }
            (None, _) => Ok(false),
        }
    }

    /// Remembers a fill that was booked, and forgets what is beyond the bounds. Ages are those at the time of the fill,
    /// or of the clock where the fill is ahead of it.
    pub(crate) fn insert(&mut self, fill: Fill, clock: Option<UnixMicros>) {
        let now = clock.map_or(fill.at(), |clock| clock.min(fill.at()));
        self.by_time.insert((fill.at(), self.booked), fill.id().clone());
        self.booked += 1;
        self.fills.insert(fill.id().clone(), fill);
        while let Some(oldest) = self.by_time.first_entry() {
            let (at, _) = *oldest.key();
            if self.fills.len() <= self.max_count && now.micros_since(at) <= self.max_age_micros {
                break;
            }
            self.fills.remove(&oldest.remove());
            self.watermark = self.watermark.max(Some(at));
            self.forgotten += 1;
        }
    }

    /// How many ids have been forgotten at the bound.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }
}
