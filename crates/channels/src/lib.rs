//! Alert channel adapters: console, JSON-lines file, webhook.
#![forbid(unsafe_code)]
