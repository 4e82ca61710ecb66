//! From a name to a connection that can be written to.
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bellwether_alerts::SendError;
use bellwether_core::SharedClock;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};

use super::{Endpoint, Tls};

/// A connection, over TLS or not.
pub(super) type Stream = Box<dyn Duplex>;

/// Bytes both ways.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Looks up the name, connects, and shakes hands. `limit` is divided among the addresses of the name.
pub(super) async fn connect(
    endpoint: &Endpoint,
    tls: Option<&Tls>,
    clock: &SharedClock,
    limit: Duration,
) -> Result<Stream, SendError> {
    let failed =
        |error: &io::Error| SendError::retry(format_args!("no connection to {}: {error}", endpoint.host()));
    let addresses: Vec<_> =
        lookup_host((endpoint.host(), endpoint.port())).await.map_err(|error| failed(&error))?.collect();
    let stream = first(&addresses, clock, limit).await.map_err(|error| failed(&error))?;
    // A request is written whole: there is nothing to wait for. Failing that, it is only slower.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return Ok(Box::new(stream)) };
    let name = ServerName::try_from(endpoint.host().to_owned()).map_err(SendError::permanent)?;
    match tls.connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) if is_distrust(&error) => Err(SendError::permanent(format_args!(
            "the certificate of {} is refused: {error}",
            endpoint.host()
        ))),
        Err(error) => Err(failed(&error)),
    }
}

/// The first address that takes a connection; each has its part of the time.
async fn first(addresses: &[SocketAddr], clock: &SharedClock, limit: Duration) -> io::Result<TcpStream> {
    let share = limit / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
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
