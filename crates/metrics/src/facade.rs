//! The `metrics` facade: libraries that are instrumented with it feed a registry.
//!
//! [`FacadeRecorder`] is a recorder for the crate `metrics`, version 0.24. The host installs it, if it wants to;
//! Bellwether never does.
//!
//! ```
//! # use bellwether_core::SystemClock;
//! use bellwether_metrics::facade::{FacadeRecorder, metrics};
//! use bellwether_metrics::{Registry, RegistryConfig};
//!
//! let registry = Registry::new(&SystemClock::shared(), RegistryConfig::default());
//! let recorder = FacadeRecorder::new(&registry)?;
//! // a host says `metrics::set_global_recorder(recorder)?` instead
//! metrics::with_local_recorder(&recorder, || {
//!     metrics::describe_counter!("gateway.logins", "Sessions opened.");
//!     metrics::counter!("gateway.logins", "venue" => "XNYS").increment(2);
//! });
//! assert!(registry.text().contains("\ngateway_logins_total{venue=\"XNYS\"} 2\n"));
//! # Ok::<(), bellwether_metrics::RegistryError>(())
//! ```
//!
//! # Two versions of the facade
//!
//! Each version of the crate `metrics` has a global recorder of its own. A library that is built with another version
//! than this one talks to nobody, and no one is told: `cargo tree -i metrics` shows whether there are two. So that host
//! and recorder cannot differ, the crate is exported here as `facade::metrics`. After start-up the gauge
//! `bellwether_facade_metrics` says how many metrics have come through the recorder: raise an alert while it is zero, or
//! below what it was in the release before.

mod handles;
mod names;
mod recorder;

pub use metrics;

pub use self::recorder::FacadeRecorder;
