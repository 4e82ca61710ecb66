//! As much of HTTP as a scrape needs.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use bellwether_metrics::Format;

use super::figures::Figures;

/// A client that asks for longer, or says more, is let go.
const PATIENCE: Duration = Duration::from_secs(2);
const LONGEST_REQUEST: usize = 16 << 10;

/// Serves `/metrics` on the loopback address, one request after the other.
pub(crate) struct Server {
    listener: TcpListener,
    figures: Figures,
    /// Every reader gets this one, whatever it accepts.
    forced: Option<Format>,
    page: Vec<u8>,
}

impl Server {
    /// Port 0 takes one that is free.
    pub(crate) fn new(port: u16, figures: Figures, forced: Option<Format>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        Ok(Self { listener, figures, forced, page: Vec::new() })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers one client. What goes wrong with it concerns nobody else.
    pub(crate) fn answer_one(&mut self) -> io::Result<()> {
        let (mut client, _) = self.listener.accept()?;
        client.set_read_timeout(Some(PATIENCE))?;
        client.set_write_timeout(Some(PATIENCE))?;
        let request = read_head(&mut client)?;
        self.page.clear();
        let (status, content_type) = self.respond(&request);
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.page.len()
        );
        client.write_all(head.as_bytes())?;
        if !request.starts_with("HEAD ") {
            client.write_all(&self.page)?;
        }
        client.flush()
    }

    fn respond(&mut self, request: &str) -> (&'static str, &'static str) {
        let mut words = request.split_whitespace();
        let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let path = target.split('?').next().unwrap_or("");
        match (method, path) {
            ("GET" | "HEAD", "/metrics") => {
                let format = self.forced.unwrap_or_else(|| Format::negotiate(accept(request).as_deref()));
                self.figures.write(format, &mut self.page);
                ("200 OK", format.content_type())
            }
            ("GET" | "HEAD", _) => ("404 Not Found", "text/plain"),
            _ => ("405 Method Not Allowed", "text/plain"),
        }
    }
}

/// The values of all `Accept` headers.
fn accept(request: &str) -> Option<String> {
    let headers = request.lines().skip(1).filter_map(|line| line.split_once(':'));
    let accepts: Vec<&str> = headers
        .filter(|(name, _)| name.eq_ignore_ascii_case("accept"))
        .map(|(_, value)| value.trim())
        .collect();
    (!accepts.is_empty()).then(|| accepts.join(","))
}

/// Reads up to the empty line that ends the head of a request.
fn read_head(client: &mut TcpStream) -> io::Result<String> {
    let (mut head, mut chunk) = (Vec::new(), [0; 1_024]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = client.read(&mut chunk)?;
        head.extend_from_slice(chunk.get(..count).unwrap_or_default());
        if count == 0 || head.len() > LONGEST_REQUEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "this is no HTTP request"));
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
