//! Health checks with a score, and reports in HTML, Markdown and JSON.
#![forbid(unsafe_code)]
