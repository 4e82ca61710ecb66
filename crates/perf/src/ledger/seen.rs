//! Which fills have been booked, within a bound.

use std::collections::{HashMap, VecDeque};

use super::error::LedgerError;
use super::fill::{Fill, FillId};
use crate::UnixMicros;

/// Booked fills by id: bounded by count and, where it is said, by age. What is forgotten moves the watermark, and
/// a fill that is not younger than it is refused instead of being booked twice.
#[derive(Debug, Clone)]
pub(crate) struct SeenFills {
    fills: HashMap<FillId, Fill>,
    /// Ids in the order of booking.
    order: VecDeque<(UnixMicros, FillId)>,
    watermark: Option<UnixMicros>,
    max_count: usize,
    max_age_micros: i64,
    forgotten: u64,
}

impl SeenFills {
    pub(crate) fn new(max_count: usize, max_age_micros: i64) -> Self {
        Self {
            fills: HashMap::new(),
            order: VecDeque::new(),
            watermark: None,
            max_count,
            max_age_micros,
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

    pub(crate) fn insert(&mut self, fill: Fill) {
        let now = fill.at();
        self.order.push_back((now, fill.id().clone()));
        self.fills.insert(fill.id().clone(), fill);
        while let Some((at, _)) = self.order.front() {
            if self.order.len() <= self.max_count && now.micros_since(*at) <= self.max_age_micros {
                break;
            }
            if let Some((at, id)) = self.order.pop_front() {
                self.fills.remove(&id);
                self.watermark = self.watermark.max(Some(at));
                self.forgotten += 1;
            }
        }
    }

    /// How many ids have been forgotten at the bound.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }
}
