//! Why there is no answer.
use std::net::IpAddr;
use std::time::Duration;

/// What became of a request that was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing was sent: it may succeed later, and repeats nothing.
    NotSent,
    /// It may have arrived or not: a repetition must do no harm.
    Unknown,
    /// Nothing was sent, nor will be with these settings.
    Never,
}

/// Why there is no answer to a request. Tells the host and nothing else of where it was to go.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The name is not found, nobody listens, or there was no handshake in time.
    #[error("no connection to {host}: {reason}")]
    NoConnection {
        /// The name or address of the machine.
        host: String,
        /// Why.
        reason: String,
    },
    /// The server is not who it should be.
    #[error("the certificate of {host} is refused: {reason}")]
    Certificate {
        /// The name or address of the machine.
        host: String,
        /// Why.
        reason: String,
    },
    /// A name of this machine that leads to another, to which nothing is sent in clear.
    #[error(
        "{host} is {address}, to which nothing is sent in clear: write https, or allow_plain_http = true"
    )]
    PlainHttp {
        /// The name.
        host: String,
        /// Where it leads.
        address: IpAddr,
    },
    /// Host or path cannot stand in a request.
    #[error("no request to {host} can be written: {reason}")]
    Request {
        /// The name or address of the machine.
        host: String,
        /// Why.
        reason: String,
    },
    /// The request was sent, at least in part, and the time is over.
    #[error("{host} gave no answer within {limit:?}")]
    NoAnswer {
        /// The name or address of the machine.
        host: String,
        /// How much time there was.
        limit: Duration,
    },
    /// The connection broke while the request was sent or its answer awaited.
    #[error("{host} broke off before it answered: {reason}")]
    BrokenOff {
        /// The name or address of the machine.
        host: String,
        /// Why.
        reason: String,
    },
}

impl HttpError {
    /// What became of the request.
    pub fn fate(&self) -> Fate {
        match self {
            Self::NoConnection { .. } => Fate::NotSent,
            Self::Certificate { .. } | Self::PlainHttp { .. } | Self::Request { .. } => Fate::Never,
            Self::NoAnswer { .. } | Self::BrokenOff { .. } => Fate::Unknown,
        }
    }
}
