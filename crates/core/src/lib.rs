//! The shared vocabulary of the Bellwether monitoring libraries: labels, time, supervision, resilience, configuration.
#![forbid(unsafe_code)]
