#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]
#![allow(clippy::disallowed_methods, reason = "the output of a server is read by a thread of its own")]

mod exposition;
mod flaky_server;
mod killed_desk;
mod own_server;
mod push;
mod scrape;
