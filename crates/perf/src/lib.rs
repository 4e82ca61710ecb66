//! Performance and risk calculators and an exact FIFO ledger.
#![forbid(unsafe_code)]
