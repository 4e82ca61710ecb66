//! Tests against real servers and real process kills: see `tests/it`.
#![forbid(unsafe_code)]
