//! The preset for trading desks.

mod alert_names;
mod allocations;
mod feeds;
mod live_orders;
mod orders;
mod positions;
mod queues;
