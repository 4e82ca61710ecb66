//! The life of one order, measured.

use std::sync::Arc;

use bellwether_core::Monotonic;

use super::Orders;
use crate::{Counter, Histogram};

/// The life of one order, measured: sent, acknowledged, filled in parts or whole, replaced, cancelled, rejected, expired.
///
/// The host keeps it beside its own order and tells it what it hears; nothing is returned, since nothing may fail on that
/// path. Each event is taken at the time of the registry's clock, or, with the methods that end in `_at`, at an instant
/// of it that the host has taken itself, as it must in a replay. No event takes a lock or allocates; a reject of a reason
/// not seen before does, once.
///
/// **Order of events.** Sessions and drop copies overtake each other, so any event may come at any time:
///
/// - A fill before the acknowledgement counts as a fill; the time between the two is not recorded, and the event counted
///   as `out_of_order` when the acknowledgement arrives. That one is recorded all the same.
/// - A fill after a cancel, reject or expiry is a fill too (the venue is right) and counts in the filled quantity; the
///   order keeps its outcome. Counted as `out_of_order`.
/// - A fill beyond the quantity counts as `overfill`, and is kept.
/// - A second acknowledgement is a `duplicate`; a cancel, expiry or reject of an order that has ended is `after_end`.
/// - A quantity that is not above zero is `invalid`; the event is not taken.
/// - An instant before the one it is measured from is `clock`; the event is taken and the time not recorded.
///
/// **Ends.** An order that is dropped before it ended counts as `abandoned`, and is open no longer: the host no longer
/// knows of it. Without that `orders_open` would rise for ever.
///
/// ```
/// use std::time::Duration;
/// # use bellwether_core::ManualClock;
/// use bellwether_metrics::trading::{OrderMetrics, RejectReason};
/// # use bellwether_metrics::{Registry, RegistryConfig};
///
/// # let clock = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH);
/// # let metrics = Registry::new(&clock.shared(), RegistryConfig::default());
/// let orders = OrderMetrics::register(&metrics)?.at("XNYS", "momentum");
/// let mut order = orders.send(300.0);
/// clock.advance(Duration::from_micros(180));
/// order.acked();
/// order.filled(100.0);
/// order.cancel_requested();
/// order.cancel_rejected(RejectReason::TooLate);
/// clock.advance(Duration::from_millis(2));
/// order.filled(200.0);
/// assert!(order.has_ended());
/// assert_eq!((orders.executions.get(), orders.finished.filled.get()), (2, 1));
/// assert_eq!(orders.filled.snapshot().sum, 0.002);
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
#[derive(Debug)]
pub struct LiveOrder {
    orders: Arc<Orders>,
    sent: Monotonic,
    acked: Option<Monotonic>,
    cancel_requested: Option<Monotonic>,
    replace_requested: Option<Monotonic>,
    quantity: f64,
    filled: f64,
    has_ended: bool,
    /// Whether its quantity stands among those of ended orders: of a rejected one only if something was filled.
    is_counted: bool,
}

impl LiveOrder {
    pub(super) fn sent(orders: &Arc<Orders>, quantity: f64, at: Monotonic) -> Self {
        orders.sent.increment();
        orders.open.add(1.0);
        let mut order = Self {
            orders: Arc::clone(orders),
            sent: at,
            acked: None,
            cancel_requested: None,
            replace_requested: None,
            quantity: 0.0,
            filled: 0.0,
            has_ended: false,
            is_counted: false,
        };
        order.set_quantity(quantity);
        order
    }

    /// The venue has taken the order.
    pub fn acked(&mut self) {
        self.acked_at(self.orders.clock.monotonic());
    }

    /// The venue took the order at `at`.
    pub fn acked_at(&mut self, at: Monotonic) {
        if self.acked.is_some() {
            self.orders.unexpected.duplicate.increment();
            return;
        }
        if self.has_ended || self.filled > 0.0 {
            self.orders.unexpected.out_of_order.increment();
        }
        self.acked = Some(at);
        self.record(&self.orders.acked, self.sent, at);
    }

    /// `quantity` was filled.
    pub fn filled(&mut self, quantity: f64) {
        self.filled_at(quantity, self.orders.clock.monotonic());
    }

    /// `quantity` was filled at `at`.
    pub fn filled_at(&mut self, quantity: f64, at: Monotonic) {
        if !is_quantity(quantity) {
            self.orders.unexpected.invalid.increment();
            return;
        }
        self.orders.executions.increment();
        let is_first = self.filled == 0.0;
        self.filled += quantity;
        if self.filled > self.quantity * (1.0 + ROUNDING) && self.quantity > 0.0 {
            self.orders.unexpected.overfill.increment();
        }
        if self.has_ended {
            self.orders.unexpected.out_of_order.increment();
            self.count(quantity);
            return;
        }
        if let Some(acked) = self.acked.filter(|_| is_first) {
            self.record(&self.orders.first_filled, acked, at);
        }
        if self.quantity > 0.0 && self.filled >= self.quantity * (1.0 - ROUNDING) {
            if let Some(acked) = self.acked {
                self.record(&self.orders.filled, acked, at);
            }
            self.end(|orders| &orders.finished.filled);
        }
    }

    /// The host has asked the venue to cancel. A second request starts the time anew.
    pub fn cancel_requested(&mut self) {
        self.cancel_requested_at(self.orders.clock.monotonic());
    }

    /// The host asked the venue to cancel at `at`.
    pub fn cancel_requested_at(&mut self, at: Monotonic) {
        if self.is_open() {
            self.cancel_requested = Some(at);
        }
    }

    /// The order was cancelled: at the host's request, whose time is then recorded, or by the venue.
    pub fn cancelled(&mut self) {
        self.cancelled_at(self.orders.clock.monotonic());
    }

    /// The order was cancelled at `at`.
    pub fn cancelled_at(&mut self, at: Monotonic) {
        if self.is_open() {
            if let Some(requested) = self.cancel_requested {
                self.record(&self.orders.cancelled, requested, at);
            }
            self.end(|orders| &orders.finished.cancelled);
        }
    }

    /// The host has asked the venue for another price or quantity.
    pub fn replace_requested(&mut self) {
        self.replace_requested_at(self.orders.clock.monotonic());
    }

    /// The host asked the venue for another price or quantity at `at`.
    pub fn replace_requested_at(&mut self, at: Monotonic) {
        if self.is_open() {
            self.replace_requested = Some(at);
        }
    }

    /// The order has another price, and `quantity` in all, what was filled before included.
    pub fn replaced(&mut self, quantity: f64) {
        self.replaced_at(quantity, self.orders.clock.monotonic());
    }

    /// The order got another price or quantity at `at`. One that is filled already up to its new quantity has ended.
    pub fn replaced_at(&mut self, quantity: f64, at: Monotonic) {
        if !self.is_open() {
            return;
        }
        if let Some(requested) = self.replace_requested.take() {
            self.record(&self.orders.replaced, requested, at);
        }
        self.set_quantity(quantity);
        if self.filled > 0.0 && self.filled >= self.quantity * (1.0 - ROUNDING) {
            self.end(|orders| &orders.finished.filled);
        }
    }

    /// The venue refused to cancel or replace: the order goes on as it was.
    pub fn cancel_rejected(&mut self, reason: impl AsRef<str>) {
        self.orders.cancels_rejected.with(reason).increment();
        self.cancel_requested = None;
        self.replace_requested = None;
    }

    /// The order was rejected, by the venue or by a check before it.
    pub fn rejected(&mut self, reason: impl AsRef<str>) {
        if self.is_open() {
            self.orders.rejected.with(reason).increment();
            if self.filled > 0.0 {
                self.count(self.filled);
            }
            self.close();
        }
    }

    /// The time of the order is over.
    pub fn expired(&mut self) {
        if self.is_open() {
            self.end(|orders| &orders.finished.expired);
        }
    }

    /// Whether the order has ended: nothing more is expected.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// How much was filled so far.
    pub fn filled_quantity(&self) -> f64 {
        self.filled
    }

    /// How much is still open; zero after the end.
    pub fn open_quantity(&self) -> f64 {
        if self.has_ended { 0.0 } else { (self.quantity - self.filled).max(0.0) }
    }

    /// The handles that it counts in.
    pub fn orders(&self) -> &Arc<Orders> {
        &self.orders
    }

    /// Whether an event comes before the end; one that does not is counted.
    fn is_open(&self) -> bool {
        if self.has_ended {
            self.orders.unexpected.after_end.increment();
        }
        !self.has_ended
    }

    fn set_quantity(&mut self, quantity: f64) {
        if is_quantity(quantity) {
            self.quantity = quantity;
        } else {
            self.orders.unexpected.invalid.increment();
        }
    }

    /// Ends otherwise than by a reject.
    fn end(&mut self, outcome: impl Fn(&Orders) -> &Counter) {
        outcome(&self.orders).increment();
        self.count(self.filled);
        self.close();
    }

    /// Adds what was filled to that of all ended orders, and the order's quantity, once, to what was ordered. In this
    /// order, so that a reader between the two never sees more filled than there was.
    fn count(&mut self, filled: f64) {
        if !self.is_counted {
            self.is_counted = true;
            self.orders.finished_quantity.add(self.quantity);
        }
        self.orders.filled_quantity.add(filled);
    }

    fn close(&mut self) {
        self.has_ended = true;
        self.orders.open.sub(1.0);
    }

    /// Records the time between two events, if it is one.
    fn record(&self, histogram: &Histogram, from: Monotonic, to: Monotonic) {
        match to.checked_since(from) {
            Some(length) => histogram.record(length),
            None => self.orders.unexpected.clock.increment(),
        }
    }
}

impl Drop for LiveOrder {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end(|orders| &orders.finished.abandoned);
        }
    }
}

/// Parts of a quantity that does not divide evenly, as of a coin, add up to it but for this much.
const ROUNDING: f64 = 1e-9;

fn is_quantity(quantity: f64) -> bool {
    quantity.is_finite() && quantity > 0.0
}
