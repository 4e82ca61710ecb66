//! The ledger: fills in, positions, round trips and profit out, in exact decimals.
//!
//! It is a plain state machine: it reads no clock, takes every time from its caller, and changes nothing when it
//! refuses. Amounts are [`Decimal`](rust_decimal::Decimal). Every operation is exact or an error; a total that
//! needs more than the 28 digits of a decimal is kept whole and rounded once, when it is read. Floats appear only at
//! the border to statistics ([`nearest_f64`]).

mod book;
mod contract;
mod counts;
mod equity_curve;
mod error;
mod exact;
mod fill;
mod limits;
mod nearest;
mod position;
mod quantity;
mod round_trip;
mod seen;
mod side;
mod total;
mod untraded_marks;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use rust_decimal::Decimal;

use self::book::{Book, Freshness, Valuation};
use self::exact::NotExact;
use self::seen::SeenFills;
use self::total::Total;
use self::untraded_marks::UntradedMarks;
use crate::UnixMicros;

pub use self::contract::Contract;
pub use self::counts::LedgerCounts;
#[cfg(feature = "tracker")]
pub(crate) use self::equity_curve::period_return;
pub use self::equity_curve::{EquityCurve, EquityError, EquityPoint};
pub use self::error::LedgerError;
pub use self::fill::{Fill, FillDraft, FillId, FillViolation, InvalidFill, MAX_FILL_TEXT_LEN};
pub use self::limits::LedgerLimits;
pub(crate) use self::limits::horizon;
pub use self::nearest::nearest_f64;
pub use self::position::Position;
pub use self::quantity::{AmountError, MAX_SIGNIFICANT_DIGITS, Price, Quantity};
pub use self::round_trip::{RoundTrip, TripFilter};
pub use self::side::{Direction, InvalidSide, Side};

/// Which open lots a closing fill takes. A property of the ledger, fixed when it is made: a win rate without its
/// matching is ambiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Matching {
    /// The oldest first.
    Fifo,
    /// One lot per position at its average cost. The cost is kept whole: the close that empties the position
    /// takes all that is left.
    AverageCost,
}

/// Fills in; positions, round trips and profit out. Exact, bounded, idempotent by fill id.
///
/// A fill larger than the position closes it and opens the rest the other way. Fees are shared by quantity, and
/// the last piece of a lot or of a fill takes what is left, so shares add up to the fee exactly. The same fill
/// delivered again is ignored and counted.
///
/// ```
/// use bellwether_perf::{Fill, Ledger, Recorded};
/// use rust_decimal::Decimal;
/// let mut ledger = Ledger::fifo();
/// let buy = Fill::buy("ACME", 100, 10).at(1_000_000).id("a").fee(1);
/// ledger.record(buy.clone())?;
/// assert_eq!(ledger.record(buy)?, Recorded::Duplicate);
///
/// // Closes the 100 and opens 50 short; a third of the fee of 3 belongs to what it opened.
/// let Recorded::Booked(trips) = ledger.record(Fill::sell("ACME", 150, 12).at(2_000_000).id("b").fee(3))? else {
///     panic!("a new fill is booked");
/// };
/// assert_eq!((trips[0].gross, trips[0].fees, trips[0].net), (200.into(), 3.into(), 197.into()));
/// assert_eq!(ledger.position("ACME")?.unwrap().quantity, Decimal::from(-50));
/// # Ok::<(), bellwether_perf::LedgerError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ledger {
    matching: Matching,
    limits: LedgerLimits,
    books: Vec<Book>,
    by_instrument: HashMap<Arc<str>, usize>,
    untraded: UntradedMarks,
    seen: SeenFills,
    trips: VecDeque<RoundTrip>,
    /// The trips of the last fill.
    closed: Vec<RoundTrip>,
    realised: Total,
    fees: Total,
    counts: LedgerCounts,
    now: Option<UnixMicros>,
}

/// What happened to a recorded fill.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recorded<'a> {
    /// It was booked, and closed these trips.
    Booked(&'a [RoundTrip]),
    /// It was booked before; nothing changed.
    Duplicate,
}

impl Ledger {
    /// First in, first out, with the default limits.
    pub fn fifo() -> Self {
        Self::new(Matching::Fifo, LedgerLimits::default())
    }

    /// Average cost, with the default limits.
    pub fn average_cost() -> Self {
        Self::new(Matching::AverageCost, LedgerLimits::default())
    }

    /// With matching and limits.
    pub fn new(matching: Matching, limits: LedgerLimits) -> Self {
        Self {
            matching,
            limits,
            books: Vec::new(),
            by_instrument: HashMap::new(),
            untraded: UntradedMarks::new(limits.untraded_marks),
            seen: SeenFills::new(limits.fill_ids, limits.fill_id_age),
            trips: VecDeque::new(),
            closed: Vec::new(),
            realised: Total::ZERO,
            fees: Total::ZERO,
            counts: LedgerCounts::default(),
            now: None,
        }
    }

    /// Says what a unit of an instrument is. Before its first fill; without it an instrument is [`Contract::SPOT`].
    pub fn define(&mut self, instrument: impl Into<Arc<str>>, contract: Contract) -> Result<(), LedgerError> {
        let instrument = instrument.into();
        match self.by_instrument.get(&instrument).and_then(|&at| self.books.get_mut(at)) {
            Some(book) if book.contract == contract => Ok(()),
            Some(book) if book.last_fill.is_some() => Err(LedgerError::ContractInUse { instrument }),
            Some(book) => {
                book.contract = contract;
                book.valued = book.valued.filter(|valued| contract.allows(valued.price));
                Ok(())
            }
            None => self.add(Book::new(instrument, contract)).map(|_| ()),
        }
    }

    /// Tells the time. From then on a fill or mark further ahead of it than the limits allow is refused. It may be
    /// set back.
    pub fn set_time(&mut self, now: impl Into<UnixMicros>) {
        self.now = Some(now.into());
    }

    fn not_ahead(&self, instrument: &Arc<str>, at: UnixMicros) -> Result<(), LedgerError> {
        let now = self.now;
        let horizon = now.map_or(UnixMicros::LAST, |now| horizon(now, self.limits.max_ahead));
        if at <= horizon {
            Ok(())
        } else {
            Err(LedgerError::Ahead { instrument: Arc::clone(instrument), at, now, horizon })
        }
    }

    fn room_for(&self, instrument: &Arc<str>) -> Result<(), LedgerError> {
        let limit = self.limits.instruments;
        if self.books.len() < limit {
            Ok(())
        } else {
            Err(LedgerError::TooManyInstruments { instrument: Arc::clone(instrument), limit })
        }
    }

    fn named(instrument: &str) -> Result<(), LedgerError> {
        match instrument.len() {
            1..=MAX_FILL_TEXT_LEN => Ok(()),
            len => Err(LedgerError::InstrumentName { len }),
        }
    }

    /// A new book, valued at the mark that was kept for it.
    fn add(&mut self, mut book: Book) -> Result<usize, LedgerError> {
        self.room_for(&book.instrument)?;
        Self::named(&book.instrument)?;
        let at = self.books.len();
        let mark = self.untraded.take(&book.instrument);
        book.valued = mark.filter(|mark| book.contract.allows(mark.price));
        self.counts.refused_marks += u64::from(mark.is_some() && book.valued.is_none());
        self.by_instrument.insert(Arc::clone(&book.instrument), at);
        self.books.push(book);
        Ok(at)
    }

    /// Books a fill, or a draft of one, and answers with the round trips that it closed.
    ///
    /// A fill that was booked before under the same id is a [`Recorded::Duplicate`]. On an error nothing has
    /// changed but the count of refused fills.
    pub fn record<F>(&mut self, fill: F) -> Result<Recorded<'_>, LedgerError>
    where
        F: TryInto<Fill>,
        LedgerError: From<F::Error>,
    {
        let booked = match fill.try_into() {
            Ok(fill) => self.book(fill),
            Err(wrong) => Err(wrong.into()),
        };
        match booked {
            Ok(true) => Ok(Recorded::Booked(&self.closed)),
            Ok(false) => {
                self.counts.duplicates += 1;
                Ok(Recorded::Duplicate)
            }
            Err(why) => {
                self.counts.refused += 1;
                Err(why)
            }
        }
    }

    /// Books the fill; false when it was booked before.
    fn book(&mut self, fill: Fill) -> Result<bool, LedgerError> {
        if self.seen.contains(&fill)? {
            return Ok(false);
        }
        self.not_ahead(fill.instrument(), fill.at())?;
        let at = self.by_instrument.get(fill.instrument()).copied();
        let new = Book::new(Arc::clone(fill.instrument()), Contract::SPOT);
        let book = at.and_then(|at| self.books.get(at)).unwrap_or(&new);
        if at.is_none() {
            self.room_for(fill.instrument())?;
        }
        if !book.contract.allows(fill.price()) {
            let instrument = Arc::clone(fill.instrument());
            return Err(LedgerError::PriceNotPositive { instrument, price: fill.price() });
        }
        if let Some(latest) = book.last_fill
            && fill.at() < latest
        {
            let instrument = Arc::clone(fill.instrument());
            return Err(LedgerError::Late { id: fill.id().clone(), instrument, at: fill.at(), latest });
        }
        self.closed.clear();
        let effect = book.effect_of(&fill, self.matching, self.limits.open_lots, &mut self.closed)?;
        let realised = self.realised.add(effect.realised).map_err(|e| e.of("realised profit"))?;
        let fees = self.fees.add(fill.fee().into()).map_err(|e| e.of("fees"))?;

        // Nothing fails from here on.
        let at = match at {
            Some(at) => at,
            None => self.add(new)?,
        };
        if let Some(book) = self.books.get_mut(at) {
            book.apply(effect, &fill, self.matching);
        }
        self.realised = realised;
        self.fees = fees;
        self.counts.fills += 1;
        self.keep_trips();
        self.seen.insert(fill, self.now);
        Ok(true)
    }

    fn keep_trips(&mut self) {
        self.counts.trips += self.closed.len() as u64;
        self.trips.extend(self.closed.iter().cloned());
        let beyond = self.trips.len().saturating_sub(self.limits.trips);
        self.trips.drain(..beyond);
        self.counts.trips_dropped += beyond as u64;
    }

    /// Values the instrument at a price seen at a time. A price older than the one in use changes nothing and is
    /// counted; at the same time as a fill, the mark is taken. Returns whether it was taken.
    ///
    /// A mark that is taken although it is ahead of the clock gives way to the next one that comes, whatever its time.
    ///
    /// An instrument that was neither traded nor [defined](Self::define) has nothing to value: its marks are counted
    /// and not taken. The last one is kept for the first fill, which may be older, within a bound of its own, so that
    /// a feed of a whole market takes no room from what is traded.
    pub fn mark(
        &mut self,
        instrument: impl Into<Arc<str>>,
        price: Price,
        at: impl Into<UnixMicros>,
    ) -> Result<bool, LedgerError> {
        let marked = self.value_at(&instrument.into(), price, at.into());
        self.counts.refused_marks += u64::from(marked.is_err());
        marked
    }

    fn value_at(&mut self, instrument: &Arc<str>, price: Price, at: UnixMicros) -> Result<bool, LedgerError> {
        self.not_ahead(instrument, at)?;
        let known = self.by_instrument.get(instrument).copied();
        let Some(book) = known.and_then(|index| self.books.get_mut(index)) else {
            Self::named(instrument)?;
            self.counts.untraded_marks += 1;
            self.counts.untraded_marks_dropped += self.untraded.keep(instrument, price, at, self.now);
            return Ok(false);
        };
        if !book.contract.allows(price) {
            return Err(LedgerError::PriceNotPositive { instrument: Arc::clone(instrument), price });
        }
        let taken = book.value_at(price, at, Freshness::Mark { now: self.now });
        self.counts.stale_marks += u64::from(!taken);
        Ok(taken)
    }

    /// Which lots a closing fill takes.
    pub fn matching(&self) -> Matching {
        self.matching
    }

    /// The closed round trips that are kept, in order of closing.
    pub fn trips(&self) -> impl DoubleEndedIterator<Item = &RoundTrip> + ExactSizeIterator + Clone {
        self.trips.iter()
    }

    /// The kept round trips that the filter lets through, in order of closing.
    pub fn trips_where(&self, filter: &TripFilter) -> impl Iterator<Item = &RoundTrip> {
        self.trips.iter().filter(move |trip| filter.matches(trip))
    }

    /// The instruments that it knows, in order of their first fill or definition.
    pub fn instruments(&self) -> impl Iterator<Item = &Arc<str>> {
        self.books.iter().map(|book| &book.instrument)
    }

    /// What is open in an instrument; none if it is not known.
    pub fn position(&self, instrument: &str) -> Result<Option<Position>, LedgerError> {
        let book = self.by_instrument.get(instrument).and_then(|&at| self.books.get(at));
        book.map(Self::position_of).transpose()
    }

    /// What is open in each instrument that it knows, flat ones included.
    pub fn positions(&self) -> Result<Vec<Position>, LedgerError> {
        self.books.iter().map(Self::position_of).collect()
    }

    /// In how many instruments something is open.
    pub fn open_positions(&self) -> usize {
        self.books.iter().filter(|book| !book.quantity.is_zero()).count()
    }

    fn position_of(book: &Book) -> Result<Position, LedgerError> {
        Ok(Position {
            instrument: Arc::clone(&book.instrument),
            quantity: book.quantity,
            average_price: book.average_price().map_err(|e| e.of("average price"))?,
            open_lots: book.lots(),
            valued_at: book.valued.map(|Valuation { price, .. }| price.get()),
            valued_when: book.valued.map(|Valuation { at, .. }| at),
            unrealised: book.unrealised().map_err(|e| e.of("unrealised profit"))?.nearest(),
            realised: book.gross.nearest(),
            fees: book.fees.nearest(),
        })
    }

    /// Profit of everything that was closed, before fees. As every total here it is summed up without rounding, and
    /// is the nearest decimal only where it needs more than 28 digits.
    pub fn realised(&self) -> Decimal {
        self.realised.nearest()
    }

    /// The fees of all fills.
    pub fn fees(&self) -> Decimal {
        self.fees.nearest()
    }

    /// The fees that belong to closed round trips: all but the entry fees of what is open.
    pub fn realised_fees(&self) -> Result<Decimal, LedgerError> {
        let open = |fees: Total, book: &Book| fees.sub(book.open_fees()?);
        self.books.iter().try_fold(self.fees, open).map(Total::nearest).map_err(|e| e.of("fees"))
    }

    fn unrealised_total(&self) -> Result<Total, NotExact> {
        self.books.iter().try_fold(Total::ZERO, |sum, book| sum.add(book.unrealised()?))
    }

    /// Profit of everything that is open at its valuation, before fees.
    pub fn unrealised(&self) -> Result<Decimal, LedgerError> {
        self.unrealised_total().map(Total::nearest).map_err(|e| e.of("unrealised profit"))
    }

    /// What an account that began with `capital` is worth: with realised and unrealised profit, less all fees.
    pub fn equity(&self, capital: Decimal) -> Result<Decimal, LedgerError> {
        let unrealised = self.unrealised_total().map_err(|e| e.of("unrealised profit"))?;
        let closed = self.realised.sub(self.fees).and_then(|sum| sum.add(capital.into()));
        closed.and_then(|sum| sum.add(unrealised)).map(Total::nearest).map_err(|e| e.of("equity"))
    }

    /// What was counted since the ledger was made.
    pub fn counts(&self) -> LedgerCounts {
        self.counts
    }

    /// How many ids of fills were forgotten at the bound.
    pub fn forgotten_ids(&self) -> u64 {
        self.seen.forgotten()
    }
}

#[cfg(test)]
mod tests;
