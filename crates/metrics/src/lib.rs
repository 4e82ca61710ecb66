//! Instruments, registry, bounded history and exposition for trading engines.
#![forbid(unsafe_code)]
