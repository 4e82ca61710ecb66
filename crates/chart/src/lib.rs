//! SVG charts for reports: pure functions from data to text.
#![forbid(unsafe_code)]
