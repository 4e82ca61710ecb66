//! Monitoring libraries for trading engines.
#![forbid(unsafe_code)]
