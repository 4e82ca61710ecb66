//! Where requests go.
use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};

use bellwether_core::{Blocking, MaskedUrl};
use hyper::Uri;
use hyper::header::HeaderValue;
use hyper::http::uri::{InvalidUri, PathAndQuery, Scheme};

use crate::HttpError;
use crate::authorization::basic_of_url;

/// A place that takes requests, read from a URL once. Prints only what the URL shows.
pub(crate) struct Endpoint {
    shown: String,
    secure: bool,
    host: String,
    port: u16,
    authority: HeaderValue,
    target: PathAndQuery,
    authorization: Option<HeaderValue>,
    /// It is in clear, and must not leave this machine.
    stays_here: bool,
    lookup: Blocking<()>,
}

/// Whether a request may go over the network in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainHttp {
    /// Only to this machine.
    Loopback,
    /// To any.
    Anywhere,
}

/// Why a URL is not a place for requests. Tells only what the URL shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Neither `https` nor `http`.
    #[error("{url} has a scheme that is neither https nor http")]
    Scheme {
        /// The URL, masked.
        url: String,
    },
    /// Plain `http` to another machine, which the configuration does not allow.
    #[error("{url} would be sent in clear: write https, or allow_plain_http = true")]
    PlainHttp {
        /// The URL, masked.
        url: String,
    },
    /// It has a character that must be percent-encoded, or a host that is written in other letters than ASCII.
    #[error(
        "{url} is not written as URLs are: percent-encode special characters, write international hosts in punycode"
    )]
    Unreadable {
        /// The URL, masked.
        url: String,
    },
}

impl Endpoint {
    /// Reads a URL, and puts `path` behind its own.
    pub(crate) fn new(url: &MaskedUrl, path: &str, plain: PlainHttp) -> Result<Self, EndpointError> {
        let shown = url.to_string();
        let unreadable = || EndpointError::Unreadable { url: url.to_string() };
        // Whatever stands behind # is for browsers.
        let uri: Uri = url.expose().parse().map_err(|_: InvalidUri| unreadable())?;
        let secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(EndpointError::Scheme { url: shown }),
        };
        let authority = uri.authority().ok_or_else(unreadable)?;
        let (user_info, host_and_port) = match authority.as_str().rsplit_once('@') {
            Some((user_info, host_and_port)) => (Some(user_info), host_and_port),
            None => (None, authority.as_str()),
        };
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let stays_here = !secure && plain == PlainHttp::Loopback;
        if stays_here && !is_loopback(host) {
            return Err(EndpointError::PlainHttp { url: shown });
        }
        Ok(Self {
            secure,
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            authority: HeaderValue::from_str(host_and_port).map_err(|_| unreadable())?,
            target: target(&uri, path).ok_or_else(unreadable)?,
            authorization: user_info
                .map(|user_info| basic_of_url(user_info).ok_or_else(unreadable))
                .transpose()?,
            stays_here,
            lookup: Blocking::new("http-lookup", ()),
            shown,
        })
    }

    /// Whether it is reached over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }

    /// The name or address of the machine.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The addresses of the machine, in the order in which the system wants them tried.
    ///
    /// The system's look-up blocks, and nothing stops it before its own end: a second one waits for the first.
    pub(crate) async fn addresses(&self) -> Result<Vec<SocketAddr>, HttpError> {
        let found = if let Ok(address) = self.host.parse() {
            vec![SocketAddr::new(address, self.port)]
        } else {
            let place = (self.host.clone(), self.port);
            let found = self.lookup.run(move |()| place.to_socket_addrs().map(Vec::from_iter)).await;
            found.map_err(|error| self.no_connection(error))?.map_err(|error| self.no_connection(error))?
        };
        if self.stays_here { this_machine(&self.host, found) } else { Ok(found) }
    }

    /// Nothing was sent, for this reason.
    pub(crate) fn no_connection(&self, reason: impl fmt::Display) -> HttpError {
        HttpError::NoConnection { host: self.host.clone(), reason: reason.to_string() }
    }

    /// Host and port, as they are written.
    pub(crate) fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    /// What is asked of the machine.
    pub(crate) fn target(&self) -> Result<Uri, HttpError> {
        let mut parts = hyper::http::uri::Parts::default();
        parts.path_and_query = Some(self.target.clone());
        Uri::from_parts(parts)
            .map_err(|error| HttpError::Request { host: self.host.clone(), reason: error.to_string() })
    }

    /// The user and password of the URL, as a header.
    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

/// What is asked: the path of the URL, `path` behind it, and the query of the URL.
fn target(uri: &Uri, path: &str) -> Option<PathAndQuery> {
    let own = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    if path.is_empty() {
        return Some(own);
    }
    let base = own.path().trim_end_matches('/');
    let query = own.query().map_or_else(String::new, |query| format!("?{query}"));
    format!("{base}{path}{query}").parse().ok()
}

/// Whether a host is this machine, whatever the network says.
fn is_loopback(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || host.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
}

/// The addresses that are of this machine. A name that says so may be given to another by a name server or the file of hosts.
fn this_machine(host: &str, mut addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, HttpError> {
    let other = addresses.first().map(SocketAddr::ip);
    addresses.retain(|address| address.ip().to_canonical().is_loopback());
    match other {
        Some(address) if addresses.is_empty() => Err(HttpError::PlainHttp { host: host.to_owned(), address }),
        _ => Ok(addresses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> Result<Endpoint, EndpointError> {
        Endpoint::new(&MaskedUrl::parse(url).unwrap(), "", PlainHttp::Loopback)
    }

    #[test]
    fn a_url_is_taken_apart() {
        let found = endpoint("https://desk:pass%20word@[::1]:8443/hook?team=risk#top").unwrap();
        assert_eq!((found.host(), found.port, found.is_secure()), ("::1", 8443, true));
        assert_eq!(
            (found.authority(), found.target().unwrap().to_string().as_str()),
            (&HeaderValue::from_static("[::1]:8443"), "/hook?team=risk")
        );
        // `printf 'desk:pass word' | base64`
        assert_eq!(found.authorization().unwrap(), "Basic ZGVzazpwYXNzIHdvcmQ=");
        assert_eq!(format!("{found:?}"), "Endpoint(https://***@[::1]:8443/hook?team=risk#***)");
        let bare = endpoint("https://example.com").unwrap();
        assert_eq!(
            (bare.host(), bare.port, bare.target().unwrap().to_string().as_str()),
            ("example.com", 443, "/")
        );
        assert_eq!(bare.authorization(), None);
    }

    #[test]
    fn a_path_goes_behind_that_of_the_url() {
        for (url, expected) in [
            ("https://example.com", "/v1/metrics"),
            ("https://example.com/", "/v1/metrics"),
            ("https://example.com/base/?tenant=desk", "/base/v1/metrics?tenant=desk"),
        ] {
            let url = MaskedUrl::parse(url).unwrap();
            let found = Endpoint::new(&url, "/v1/metrics", PlainHttp::Loopback).unwrap();
            assert_eq!(found.target().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn plain_http_goes_to_this_machine_only_unless_allowed() {
        for url in [
            "http://localhost:1/",
            "http://hook.localhost/",
            "http://127.9.9.9/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            assert!(endpoint(url).is_ok(), "{url}");
        }
        for url in [
            "http://example.com/",
            "http://localhost.example.com/",
            "http://10.0.0.1/",
            "http://127.0.0.1.example.com/",
        ] {
            assert!(matches!(endpoint(url), Err(EndpointError::PlainHttp { .. })), "{url}");
        }
        let url = MaskedUrl::parse("http://10.0.0.1/hook").unwrap();
        assert!(Endpoint::new(&url, "", PlainHttp::Anywhere).is_ok());
        assert_eq!(
            Endpoint::new(&url, "", PlainHttp::Loopback).unwrap_err().to_string(),
            "http://10.0.0.1/hook would be sent in clear: write https, or allow_plain_http = true"
        );
    }

    #[test]
    fn a_name_of_this_machine_that_leads_to_another_is_not_followed() {
        let of = |addresses: &[&str]| {
            let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
            this_machine("hook.localhost", addresses).map_err(|error| error.to_string())
        };
        assert_eq!(of(&[]), Ok(vec![]));
        assert_eq!(of(&["[::1]:80", "10.0.0.1:80"]), Ok(vec!["[::1]:80".parse().unwrap()]));
        let refused = "hook.localhost is 10.0.0.1, to which nothing is sent in clear: write https, or \
                       allow_plain_http = true";
        assert_eq!(of(&["10.0.0.1:80", "[2001:db8::1]:80"]), Err(refused.to_owned()));
    }

    #[test]
    fn what_is_no_web_address_is_refused_without_repeating_its_secret() {
        assert!(matches!(endpoint("ftp://example.com/"), Err(EndpointError::Scheme { .. })));
        for url in
            ["https://bücher.example/", "https://u:%zzMARKER@example.com/", "https://u:MARK\"ER@example.com/"]
        {
            let error = endpoint(url).unwrap_err();
            assert!(matches!(error, EndpointError::Unreadable { .. }), "{error}");
            assert!(!error.to_string().contains("MARK"), "{error}");
        }
    }
}
