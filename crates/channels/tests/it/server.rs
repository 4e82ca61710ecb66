//! A web server on this machine that answers as it is told to.
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use bellwether_channels::WebhookConfig;
use bellwether_core::{MaskedUrl, UrlSource};
use rustls::ServerConfig;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What it does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
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
    pub(crate) fn status(status: u16) -> Self {
        Self::head(status, "")
    }

    /// A status with headers, each ended by CR and LF.
    pub(crate) fn head(status: u16, headers: &str) -> Self {
        Self::bytes(&format!("HTTP/1.1 {status} Whatever\r\n{headers}Content-Length: 0\r\n\r\n"))
    }

    pub(crate) fn bytes(bytes: &str) -> Self {
        Self::Bytes(bytes.as_bytes().to_vec())
    }
}

/// A request, as it came.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// The values of a header.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    /// The only value of a header.
    pub(crate) fn header(&self, name: &str) -> &str {
        match self.headers(name)[..] {
            [value] => value,
            ref values => panic!("{name} has the values {values:?}"),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A server for one connection after the other; ends with its value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    secure: bool,
    requests: UnboundedReceiver<Received>,
    connections: UnboundedReceiver<()>,
    _task: JoinSet<()>,
}

impl Server {
    /// Gives these replies one after the other, the last one again and again.
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::serve(replies, None).await
    }

    pub(crate) async fn start_tls(replies: impl IntoIterator<Item = Reply>, config: ServerConfig) -> Self {
        Self::serve(replies, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn serve(replies: impl IntoIterator<Item = Reply>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (told, requests) = unbounded_channel();
        let (met, connections) = unbounded_channel();
        let secure = tls.is_some();
        let mut replies: VecDeque<Reply> = replies.into_iter().collect();
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let _ = met.send(());
                let reply = if replies.len() > 1 { replies.pop_front() } else { replies.front().cloned() };
                let reply = reply.unwrap();
                match &tls {
                    None => answer(stream, reply, &told).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            answer(stream, reply, &told).await;
                        }
                    }
                }
            }
        });
        Self { address, secure, requests, connections, _task: task }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://localhost:{}/hook", self.address.port())
    }

    /// The settings of a webhook that posts to it.
    pub(crate) fn config(&self) -> WebhookConfig {
        WebhookConfig::new(UrlSource::Plain(MaskedUrl::parse(self.url()).unwrap()))
    }

    /// The next request that came whole.
    pub(crate) async fn request(&mut self) -> Received {
        self.requests.recv().await.unwrap()
    }

    /// How many connections there were that nobody asked for yet.
    pub(crate) fn connections(&mut self) -> usize {
        std::iter::from_fn(|| self.connections.try_recv().ok()).count()
    }
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    reply: Reply,
    told: &UnboundedSender<Received>,
) {
    if let Reply::Early = reply {
        stream.read_u8().await.unwrap();
        stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        return std::future::pending().await;
    }
    let Some(request) = read(&mut stream).await else { return };
    let _ = told.send(request);
    // The client may have gone; that is its right.
    match reply {
        Reply::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Reply::Early => unreachable!("it is answered above"),
        Reply::Hang => {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        }
        Reply::Flood => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            let chunk = [b"10000\r\n", &[b'x'].repeat(0x1_0000)[..], b"\r\n"].concat();
            while stream.write_all(&chunk).await.is_ok() {}
        }
        Reply::Stall => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").await;
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        }
    }
}

/// A whole request; nothing if the client goes before its end.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let body = bytes.split_off(end + 4);
    let head = String::from_utf8(bytes).unwrap().trim_end().to_owned();
    let mut request = Received { head, body };
    let len: usize = request.header("content-length").parse().unwrap();
    while request.body.len() < len {
        if stream.read_buf(&mut request.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(request)
}
