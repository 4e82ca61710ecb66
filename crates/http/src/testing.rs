//! For tests of what sends: a web server on this machine that answers as it is told to.
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What it does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Writes these bytes, and closes the connection.
    Bytes(Vec<u8>),
    /// Answers 413 as soon as the request begins, and reads no more of it.
    Early,
    /// Never answers.
    Hang,
    /// Answers 200 and sends a body without end.
    Flood,
    /// Answers 200 and never sends the body that it tells of.
    Stall,
}

impl Reply {
    /// A status without a body.
    pub fn status(status: u16) -> Self {
        Self::head(status, "")
    }

    /// A status with headers, each ended by CR and LF.
    pub fn head(status: u16, headers: &str) -> Self {
        Self::bytes(&format!("HTTP/1.1 {status} Whatever\r\n{headers}Content-Length: 0\r\n\r\n"))
    }

    /// These bytes, and the end of the connection.
    pub fn bytes(bytes: &str) -> Self {
        Self::Bytes(bytes.as_bytes().to_vec())
    }
}

/// A request, as it came.
#[derive(Debug)]
pub struct Received {
    /// Request line and headers, without the empty line behind them.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// The values of a header.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    /// The request line without its version: `POST /hook`.
    pub fn asked(&self) -> &str {
        let line = self.head.lines().next().unwrap_or_default();
        line.rsplit_once(' ').map_or(line, |(asked, _)| asked)
    }

    /// The only value of a header.
    ///
    /// # Panics
    ///
    /// If there is none, or more than one.
    #[allow(clippy::panic, reason = "a test tells by panicking")]
    pub fn header(&self, name: &str) -> &str {
        match self.headers(name)[..] {
            [value] => value,
            ref values => panic!("{name} has the values {values:?}"),
        }
    }
}

/// A server for one connection after the other; ends with its value.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    secure: bool,
    requests: UnboundedReceiver<Received>,
    connections: UnboundedReceiver<()>,
    _task: JoinSet<io::Result<()>>,
}

impl Server {
    /// Gives these replies one after the other, the last one again and again.
    ///
    /// # Panics
    ///
    /// If this machine lets nobody listen.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::serve(replies, None).await
    }

    /// The same over TLS.
    ///
    /// # Panics
    ///
    /// If this machine lets nobody listen.
    pub async fn start_tls(replies: impl IntoIterator<Item = Reply>, config: ServerConfig) -> Self {
        Self::serve(replies, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    #[allow(clippy::panic, reason = "a test tells by panicking")]
    #[allow(clippy::disallowed_methods, reason = "the task ends with the value that owns it")]
    async fn serve(replies: impl IntoIterator<Item = Reply>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) = listener.unwrap_or_else(|error| panic!("no server can listen: {error}"));
        let (told, requests) = unbounded_channel();
        let (met, connections) = unbounded_channel();
        let secure = tls.is_some();
        let mut replies: VecDeque<Reply> = replies.into_iter().collect();
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await?;
                let _ = met.send(());
                let reply = if replies.len() > 1 { replies.pop_front() } else { replies.front().cloned() };
                let Some(reply) = reply else { continue };
                // The client may have gone; that is its right.
                let _ = match &tls {
                    None => answer(stream, reply, &told).await,
                    Some(tls) => match tls.accept(stream).await {
                        Ok(stream) => answer(stream, reply, &told).await,
                        Err(error) => Err(error),
                    },
                };
            }
        });
        Self { address, secure, requests, connections, _task: task }
    }

    /// The URL of its path `/hook`.
    pub fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://localhost:{}/hook", self.address.port())
    }

    /// The next request that came whole.
    ///
    /// # Panics
    ///
    /// If the server has ended.
    #[allow(clippy::panic, reason = "a test tells by panicking")]
    pub async fn request(&mut self) -> Received {
        self.requests.recv().await.unwrap_or_else(|| panic!("the server has ended"))
    }

    /// The next request that came whole, if there is one by now.
    pub fn received(&mut self) -> Option<Received> {
        self.requests.try_recv().ok()
    }

    /// How many connections there were that nobody asked for yet.
    pub fn connections(&mut self) -> usize {
        std::iter::from_fn(|| self.connections.try_recv().ok()).count()
    }
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    reply: Reply,
    told: &UnboundedSender<Received>,
) -> io::Result<()> {
    if let Reply::Early = reply {
        stream.read_u8().await?;
        stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n").await?;
        return std::future::pending().await;
    }
    let Some(request) = read(&mut stream).await? else { return Ok(()) };
    let _ = told.send(request);
    let mut rest = Vec::new();
    match reply {
        Reply::Bytes(bytes) => {
            stream.write_all(&bytes).await?;
            stream.shutdown().await
        }
        Reply::Early | Reply::Hang => stream.read_to_end(&mut rest).await.map(drop),
        Reply::Flood => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
            let chunk = [b"10000\r\n", &[b'x'].repeat(0x1_0000)[..], b"\r\n"].concat();
            loop {
                stream.write_all(&chunk).await?;
            }
        }
        Reply::Stall => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").await?;
            stream.read_to_end(&mut rest).await.map(drop)
        }
    }
}

/// A whole request; nothing if the client goes before its end.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Received>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let body = bytes.split_off(end + 4);
    let head = String::from_utf8_lossy(&bytes).trim_end().to_owned();
    let mut request = Received { head, body };
    let len = request.headers("content-length").first().and_then(|len| len.parse().ok()).unwrap_or(0);
    while request.body.len() < len {
        if stream.read_buf(&mut request.body).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(request))
}
