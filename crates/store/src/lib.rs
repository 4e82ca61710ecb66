//! Embedded SQLite storage for alerts, samples and snapshots.
#![forbid(unsafe_code)]
