//! From a name to a connection that can be written to.
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bellwether_alerts::SendError;
use bellwether_core::{Monotonic, SharedClock};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::{Endpoint, Tls};

/// A connection, over TLS or not.
pub(super) type Stream = Box<dyn Duplex>;

/// Bytes both ways.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// The least time that an address is given, however many there are.
const LEAST: Duration = Duration::from_millis(250);

/// Looks up the name, connects, and shakes hands. What the look-up leaves of `limit` is divided among the addresses.
pub(super) async fn connect(
    endpoint: &Endpoint,
    tls: Option<&Tls>,
    clock: &SharedClock,
    limit: Duration,
) -> Result<Stream, SendError> {
    let deadline = clock.monotonic().saturating_add(limit);
    let failed =
        |error: &io::Error| SendError::retry(format_args!("no connection to {}: {error}", endpoint.host()));
    let addresses = endpoint.addresses().await?;
    let stream = first(&addresses, clock, deadline).await.map_err(|error| failed(&error))?;
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
