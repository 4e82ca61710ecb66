//! Why the ledger refused.

use std::convert::Infallible;
use std::sync::Arc;

use super::exact::NotExact;
use super::fill::{FillId, InvalidFill, MAX_FILL_TEXT_LEN};
use super::quantity::Price;
use crate::UnixMicros;

/// Why the ledger refused; its state is then what it was before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The fill itself is wrong.
    #[error(transparent)]
    InvalidFill(#[from] InvalidFill),
    /// Another fill was booked under the same id.
    #[error("fill {id} was booked with another content")]
    Conflict {
        /// The id.
        id: FillId,
    },
    /// The fill is so old that its id, if it was booked, has been forgotten.
    #[error("fill {id} of {at} is not after {watermark}, up to which ids have been forgotten")]
    TooOld {
        /// The id.
        id: FillId,
        /// Its time.
        at: UnixMicros,
        /// The time of the youngest id that was forgotten.
        watermark: UnixMicros,
    },
    /// The instrument has a younger fill: matching goes by time.
    #[error("fill {id} of {at} is late: {instrument} has one of {latest}")]
    Late {
        /// The id.
        id: FillId,
        /// The instrument.
        instrument: Arc<str>,
        /// The time of the fill.
        at: UnixMicros,
        /// The time of the youngest fill of the instrument.
        latest: UnixMicros,
    },
    /// The time is further ahead than [`LedgerLimits::max_ahead`](crate::LedgerLimits::max_ahead) allows: if it were
    /// taken, everything from now until then would be late. Of a clock that stands still everything is ahead.
    #[error("{instrument} at {at} is ahead of {}", clock(*now, *horizon))]
    Ahead {
        /// The instrument of the fill or mark.
        instrument: Arc<str>,
        /// Its time.
        at: UnixMicros,
        /// Where the clock of the ledger stands; none if it was told no time.
        now: Option<UnixMicros>,
        /// The last time that is taken now.
        horizon: UnixMicros,
    },
    /// The price is 0 or under, and the instrument's contract does not allow it.
    #[error("price {price} of {instrument}: expected over 0, unless its contract allows negative prices")]
    PriceNotPositive {
        /// The instrument.
        instrument: Arc<str>,
        /// The price.
        price: Price,
    },
    /// The name of an instrument is empty or too long.
    #[error("instrument name of {len} bytes: expected 1 to {MAX_FILL_TEXT_LEN}")]
    InstrumentName {
        /// Its length in bytes.
        len: usize,
    },
    /// No more instruments are taken.
    #[error("instrument {instrument} would be one more than {limit}")]
    TooManyInstruments {
        /// The instrument.
        instrument: Arc<str>,
        /// How many the ledger takes.
        limit: usize,
    },
    /// The instrument has no room for another open lot.
    #[error("{instrument} would have more than {limit} open lots")]
    TooManyLots {
        /// The instrument.
        instrument: Arc<str>,
        /// How many an instrument may have.
        limit: usize,
    },
    /// The contract of an instrument cannot change once it has fills.
    #[error("the contract of {instrument} cannot change: it has fills")]
    ContractInUse {
        /// The instrument.
        instrument: Arc<str>,
    },
    /// The result is beyond 28 digits before the point.
    #[error("{what} is beyond the 28 digits of a decimal")]
    Overflow {
        /// What was computed.
        what: &'static str,
    },
    /// The exact result needs more than 28 decimals, or, of a quantity, more than 28 digits.
    #[error("{what} needs more than the 28 digits of a decimal")]
    Inexact {
        /// What was computed.
        what: &'static str,
    },
}

/// Which clock it is, where it stands, and what helps.
fn clock(now: Option<UnixMicros>, horizon: UnixMicros) -> String {
    let Some(now) = now else {
        return format!("the calendar: expected microseconds since 1970, not after {horizon}");
    };
    format!(
        "the ledger's clock, which stands at {now}: expected not after {horizon}; move that clock on \
         (Ledger::set_time, or the clock that the tracker was built with) or raise LedgerLimits::max_ahead"
    )
}

impl From<Infallible> for LedgerError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl NotExact {
    /// This error, with what was computed.
    pub(crate) fn of(self, what: &'static str) -> LedgerError {
        match self {
            Self::Overflow => LedgerError::Overflow { what },
            Self::Inexact => LedgerError::Inexact { what },
        }
    }
}
