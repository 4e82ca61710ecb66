//! The metrics that every trading desk needs, declared once: orders, feeds, positions, queues.
//!
//! ```
//! use std::time::Duration;
//! # use bellwether_core::SystemClock;
//! use bellwether_metrics::trading::{FeedMetrics, OrderMetrics, PositionMetrics, QueueMetrics};
//! # use bellwether_metrics::{Registry, RegistryConfig};
//!
//! # let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
//! let orders = OrderMetrics::register(&metrics)?;
//! let feeds = FeedMetrics::register(&metrics)?;
//!
//! // on the hot path
//! orders.acked.record(Duration::from_micros(180));
//! orders.rejected.with("price_band").increment();
//! # Ok::<(), bellwether_metrics::RegistryError>(())
//! ```
//!
//! Each page tells the names it registers: [`OrderMetrics`], [`FeedMetrics`], [`PositionMetrics`], [`QueueMetrics`]. All
//! are in base units, seconds and ratios, and a [`Preset`] puts a prefix such as `desk` before them. `venue`, `strategy`,
//! `symbol`, `feed` and `queue` are labels: names from a list. An order's id is none; it belongs into a log, or beside a
//! slow observation as an exemplar.
//!
//! # What must be alerted on
//!
//! | what went wrong | watch | raise when, as a start |
//! | --- | --- | --- |
//! | the engine sees an old market | `feed_staleness_seconds` | above 5 s (of a quiet market: above twice its heartbeat) for 5 s |
//! | the book is wrong | `feed_missed_messages_total` less `feed_recovered_messages_total` | any that stay for 10 s |
//! | a feed falls behind | `feed_lag_seconds` p99 | above what the strategy bears for 30 s |
//! | the numbers were started anew unnoticed | `feed_old_messages_total`, `feed_duplicates_total` | a rate near that of all messages |
//! | clocks disagree | `feed_stamps_ahead_total` | any |
//! | the venue is slow | `order_ack_seconds` p99 | above three times its usual for 1 min |
//! | the host is slow | `tick_to_order_seconds` p99, `queue_wait_seconds` p99 | above the budget for 1 min |
//! | orders cannot be taken back | `order_cancel_seconds` p99, `order_cancels_rejected_total` | critical: above 1 s, or a rate above the usual |
//! | a venue or risk check refuses | `orders_rejected_total` against `orders_sent_total` | above 5 % for 1 min; any with `reason="kill_switch"` or `"disconnected"` |
//! | nothing trades | `order_fill_ratio` | below half its usual while `orders_sent_total` grows |
//! | the host and the venue disagree | `order_unexpected_events_total` with `event` `overfill`, `after_end`, `clock` | any |
//! | orders were lost from sight | `orders_finished_total{outcome="abandoned"}` | any |
//! | an engine runs away | `orders_sent_total` rate, `orders_open` | critical: above what the strategy ever had |
//! | too much risk | `strategy_gross_exposure_usd`, `strategy_net_exposure_usd` | critical: at 90 % of the limit |
//! | money is lost | `strategy_pnl_usd` | below the day's loss limit; its fall over 5 min |
//! | a part does not keep up | `queue_utilisation_ratio`, `queue_dropped_total` | above 0.8 for 10 s; any dropped |
//! | labels were given without bound | `bellwether_metrics_overflowed_total` | any |

mod live_order;
mod orders;
mod reject_reason;
mod rejections;

mod feeds;
mod sequence;

mod positions;

mod queues;

mod fill_ratio;
mod preset;

pub use self::feeds::{Feed, FeedMetrics};
pub use self::live_order::LiveOrder;
pub use self::orders::{Finished, OrderMetrics, Orders};
pub use self::positions::{Mark, Position, PositionMetrics};
pub use self::preset::Preset;
pub use self::queues::{Queue, QueueMetrics};
pub use self::reject_reason::RejectReason;
pub use self::rejections::Rejections;
pub use self::sequence::{Arrival, Sequence};

/// How many label sets a collector of ours may tell beside the overflow series, which takes a place too.
fn places(metrics: &crate::Registry) -> usize {
    metrics.config().max_series_per_metric.saturating_sub(1)
}
