//! A target for Prometheus, with everything on its page that makes an exposition hard:
//! `cargo run --release -p bellwether-metrics --example scrape -- --port 9100 --series 10000`.
//!
//! It serves `http://127.0.0.1:PORT/metrics` until it is stopped: in the Prometheus text format 0.0.4, or in OpenMetrics or
//! protobuf for those who ask for it; `--format text` and `--format openmetrics` give one to everyone. Without `--port` it
//! asks itself, prints what it answers, and ends.

mod figures;
mod server;

use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use bellwether_core::SystemClock;
use bellwether_metrics::Format;

use crate::figures::Figures;
use crate::server::Server;

const USAGE: &str = "usage: scrape [--port PORT] [--series N] [--format auto|text|openmetrics]";

struct Arguments {
    port: Option<u16>,
    series: usize,
    format: Option<Format>,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self { port: None, series: 100, format: None };
        while let Some(option) = words.next() {
            let value = words.next().ok_or(format!("{option} needs a value; {USAGE}"))?;
            let wrong = |expected: &str| format!("{option} {value}: expected {expected}; {USAGE}");
            match option.as_str() {
                "--port" => arguments.port = Some(value.parse().map_err(|_| wrong("a port"))?),
                "--series" => arguments.series = value.parse().map_err(|_| wrong("a number of series"))?,
                "--format" => {
                    arguments.format = match value.as_str() {
                        "auto" => None,
                        "text" => Some(Format::Text),
                        "openmetrics" => Some(Format::OpenMetrics),
                        _ => return Err(wrong("auto, text or openmetrics")),
                    };
                }
                _ => return Err(format!("there is no option {option}; {USAGE}")),
            }
        }
        Ok(arguments)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let figures = Figures::new(&SystemClock::shared(), arguments.series)?;
    let mut server = Server::new(arguments.port.unwrap_or(0), figures, arguments.format)?;
    let mut out = io::stdout();
    if arguments.port.is_none() {
        for accept in
            ["*/*", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "application/json"]
        {
            writeln!(out, "{}", ask(&mut server, accept)?)?;
        }
        return Ok(());
    }
    writeln!(out, "serving http://{}/metrics", server.address()?)?;
    loop {
        if let Err(problem) = server.answer_one() {
            writeln!(io::stderr(), "a client went away: {problem}")?;
        }
    }
}

/// Asks the server as a reader does that accepts this, and tells what came.
fn ask(server: &mut Server, accept: &str) -> Result<String, Box<dyn Error>> {
    let mut client = TcpStream::connect(server.address()?)?;
    write!(client, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n")?;
    // Both ends are this thread: the page has to fit into the buffers between them.
    server.answer_one()?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    let (head, page) = answer.split_once("\r\n\r\n").ok_or("this is no HTTP")?;
    let kind = head.lines().find_map(|line| line.strip_prefix("Content-Type: ")).ok_or("of no type")?;
    let series = page.matches("demo_events_total{series=").count();
    Ok(format!("Accept: {accept}\n  {kind}, {series} lines of demo_events_total"))
}
