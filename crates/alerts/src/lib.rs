//! Alert rules, routing, grouping and reliable delivery as a deterministic state machine.
#![forbid(unsafe_code)]
