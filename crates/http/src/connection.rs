//! From a name to a connection that can be written to.
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bellwether_core::{Monotonic, SharedClock};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::HttpError;
use crate::endpoint::Endpoint;
use crate::trust::Tls;

/// A connection, over TLS or not.
pub(crate) type Stream = Box<dyn Duplex>;

/// Bytes both ways.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// The least time that an address is given, however many there are.
const LEAST: Duration = Duration::from_millis(250);

/// Looks up the name, connects, and shakes hands. What the look-up leaves of `limit` is divided among the addresses.
pub(crate) async fn connect(
    endpoint: &Endpoint,
    tls: Option<&Tls>,
    clock: &SharedClock,
    limit: Duration,
) -> Result<Stream, HttpError> {
    let deadline = clock.monotonic().saturating_add(limit);
    let addresses = endpoint.addresses().await?;
    let stream = first(&addresses, clock, deadline).await.map_err(|error| endpoint.no_connection(error))?;
    // A request is written whole: there is nothing to wait for. Failing that, it is only slower.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return Ok(Box::new(stream)) };
    let host = || endpoint.host().to_owned();
    let name = ServerName::try_from(host())
        .map_err(|error| HttpError::Request { host: host(), reason: error.to_string() })?;
    match tls.connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) if is_distrust(&error) => {
            Err(HttpError::Certificate { host: host(), reason: error.to_string() })
        }
        Err(error) => Err(endpoint.no_connection(error)),
    }
}

/// The first address that takes a connection; each has its part of the time.
async fn first(addresses: &[SocketAddr], clock: &SharedClock, deadline: Monotonic) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for (address, to_come) in addresses.iter().zip((1..=addresses.len()).rev()) {
        let left = deadline.saturating_since(clock.monotonic());
        let share = (left / u32::try_from(to_come).unwrap_or(u32::MAX)).max(LEAST);
        match clock.timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(elapsed) => last = io::Error::new(io::ErrorKind::TimedOut, elapsed),
        }
    }
    Err(last)
}

/// Whether it failed because the server is not who it should be. That does not mend itself.
fn is_distrust(error: &io::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.get_ref().map(|inner| inner as _);
    while let Some(error) = cause {
        if matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        cause = error.source();
    }
    false
}
