//! One HTTP request with a deadline, over hyper and rustls.
//!
//! What Bellwether sends over a network goes through this crate: webhooks, and figures that are pushed. It is no general HTTP
//! client, and what it does not do is its point:
//!
//! * A request goes where the configuration says, or nowhere: no redirect is followed, no proxy of the environment is asked, and
//!   nothing leaves this machine in clear unless that is allowed.
//! * A connection lives as long as its request: none can be stale, none needs a task of its own, and dropping the future closes it.
//! * Every wait has a limit, on the [`Clock`](bellwether_core::Clock) that is handed in; so has every answer in bytes.
//! * No error, no `Debug` and no `Display` tells path, query, header, token or anything that a server wrote.
//!
//! An [error](HttpError) says what the one who sends must know: whether the request [was sent](Fate).
//!
//! ```
//! use bellwether_core::{MaskedUrl, SecretProviders, SystemClock, UrlSource};
//! use bellwether_http::{Client, ClientConfig, Fate, Method, Request};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let url = MaskedUrl::parse("http://localhost:1/api/v1/write")?;
//! let client = Client::new(&ClientConfig::new(UrlSource::Plain(url)), &SystemClock::shared(), &SecretProviders::none())?;
//! let error = client.send(Request::new(Method::POST).with_body("up 1\n")).await.unwrap_err();
//! assert_eq!(error.fate(), Fate::NotSent); // nobody listens there: a later attempt repeats nothing
//! assert!(error.to_string().starts_with("no connection to localhost: "));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | brings |
//! | --- | --- |
//! | `serde` | [`ClientConfig`] from and to text |
//! | `testing` | `testing`: a server on this machine that answers as it is told to |
#![forbid(unsafe_code)]

mod answer;
mod authorization;
mod client;
mod config;
mod connection;
mod endpoint;
mod error;
mod request;
#[cfg(feature = "testing")]
pub mod testing;
mod trust;

pub use hyper::{Method, StatusCode, header};

pub use crate::answer::Answer;
pub use crate::client::{Client, ClientError};
pub use crate::config::{BasicCredentials, ClientConfig};
pub use crate::endpoint::{EndpointError, PlainHttp};
pub use crate::error::{Fate, HttpError};
pub use crate::request::Request;
pub use crate::trust::TrustError;

/// The README's quick start is compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
