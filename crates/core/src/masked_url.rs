//! URLs that hold passwords and tokens, and never print them.

use std::fmt;

use zeroize::Zeroizing;

use crate::secret::looks_secret;

/// What is printed in place of a hidden part.
const HIDDEN: &str = "***";

/// Longest URL, in bytes.
pub const MAX_URL_LEN: usize = 8 * 1024;

/// A URL whose secret parts are not printed: `postgres://desk:***@db:5432/bellwether?sslmode=require`.
///
/// `Display`, `Debug` and `Serialize` hide
/// - the password; with `http`, `https`, `ws` and `wss` the user too, who is often the token itself,
/// - the values of query parameters whose name says so ([`looks_secret`], `code`, `sid`, ...), a parameter without
///   `=`, and any value that is itself a URL or looks like a random token,
/// - the fragment,
/// - whatever stands before an `@` in the path (an unescaped password with a `/` in it),
/// - with `http` and its kin, segments of the path that look like a random token.
///
/// Where the whole path is the secret, as with the webhooks of chat services, say so by
/// [`path_is_secret`](Self::path_is_secret). [`expose`](Self::expose) gives the text as it was, to the one who
/// connects; it is wiped from memory when dropped, each clone by itself.
///
/// Read by its own rules and not by those of the web, which know neither the host lists of PostgreSQL nor
/// `sqlite:desk.db`. It refuses what readers disagree about: backslashes, blanks, control characters, a port that is no number.
/// No error repeats any of the text.
///
/// ```
/// use bellwether_core::MaskedUrl;
///
/// let url = MaskedUrl::parse("postgres://desk:hunter2@db/bellwether")?;
/// assert_eq!(url.to_string(), "postgres://desk:***@db/bellwether");
/// let hook = MaskedUrl::path_is_secret("https://hooks.example.com/services/T0/B0/abc")?;
/// assert_eq!(hook.to_string(), "https://hooks.example.com/***");
/// assert_eq!(hook.expose(), "https://hooks.example.com/services/T0/B0/abc");
/// # Ok::<(), bellwether_core::MaskedUrlError>(())
/// ```
#[derive(Clone)]
pub struct MaskedUrl {
    text: Zeroizing<String>,
    masked: String,
    scheme: usize,
    credentials: bool,
}

/// Why a text is not a URL. Never repeats any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MaskedUrlError {
    /// More than [`MAX_URL_LEN`] bytes.
    #[error("url has {len} bytes, more than {MAX_URL_LEN}")]
    TooLong {
        /// Bytes of the text.
        len: usize,
    },
    /// A blank, a control character or a backslash.
    #[error("url has a blank, control character or backslash at byte {offset}: write it as %20, %5C, ...")]
    Character {
        /// Bytes before it.
        offset: usize,
    },
    /// No scheme.
    #[error("url has no scheme: write e.g. https://host/path")]
    NoScheme,
    /// No `//` after a scheme that needs it.
    #[error("url has no // after its scheme: write e.g. https://host/path")]
    NoAuthority,
    /// The host is missing, or has a character that hosts do not have.
    #[error("url has no valid host: is a special character of the password not percent-encoded?")]
    Host,
    /// The port is not a number up to 65535.
    #[error(
        "url has a port that is not a number up to 65535: is a / or # of the password not percent-encoded?"
    )]
    Port,
}

impl MaskedUrl {
    /// Reads a URL of any scheme.
    pub fn parse(text: impl Into<String>) -> Result<Self, MaskedUrlError> {
        Self::read(text.into(), Tail::Parts)
    }

    /// Reads a URL that is a secret as a whole, as the webhooks of chat services: only scheme and host are printed.
    pub fn path_is_secret(text: impl Into<String>) -> Result<Self, MaskedUrlError> {
        Self::read(text.into(), Tail::Secret)
    }

    fn read(text: String, tail: Tail) -> Result<Self, MaskedUrlError> {
        let text = Zeroizing::new(text);
        if text.len() > MAX_URL_LEN {
            return Err(MaskedUrlError::TooLong { len: text.len() });
        }
        if let Some(offset) = text.find(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(MaskedUrlError::Character { offset });
        }
        let (scheme, rest) = text.split_once(':').ok_or(MaskedUrlError::NoScheme)?;
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            return Err(MaskedUrlError::NoScheme);
        }
        let lower = scheme.to_ascii_lowercase();
        let kind = match lower.as_str() {
            "http" | "https" | "ws" | "wss" => Kind::Web,
            "sqlite" | "file" => Kind::File,
            _ => Kind::Server,
        };
        let mut mask = Mask::default();
        mask.show(scheme);
        mask.show(":");
        let rest = match rest.strip_prefix("//") {
            Some(rest) => {
                mask.show("//");
                mask.authority(rest, kind)?
            }
            None if kind == Kind::File => rest,
            None => return Err(MaskedUrlError::NoAuthority),
        };
        mask.tail(rest, kind, tail);
        let (scheme, Mask { masked, credentials }) = (scheme.len(), mask);
        Ok(Self { text, masked, scheme, credentials })
    }

    /// The whole URL as it was written, for the one who connects.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The scheme, as it was written: `postgres`.
    pub fn scheme(&self) -> &str {
        self.text.get(..self.scheme).unwrap_or_default()
    }

    /// The URL without its secret parts, as `Display` prints it.
    pub fn masked(&self) -> &str {
        &self.masked
    }

    /// Whether a password, or a query parameter that is called as secrets are, is part of it.
    ///
    /// Such a URL does not belong into a configuration file; see [`UrlSource`](crate::UrlSource).
    pub fn has_credentials(&self) -> bool {
        self.credentials
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Web,
    File,
    Server,
}

#[derive(Clone, Copy)]
enum Tail {
    Parts,
    Secret,
}

/// Writes the masked text while it goes through the URL from left to right.
#[derive(Default)]
struct Mask {
    masked: String,
    credentials: bool,
}

impl Mask {
    fn show(&mut self, part: &str) {
        self.masked.push_str(part);
    }

    fn hide(&mut self, part: &str) {
        if !part.is_empty() {
            self.masked.push_str(HIDDEN);
        }
    }

    fn hide_credentials(&mut self, part: &str) {
        self.credentials |= !part.is_empty();
        self.hide(part);
    }

    /// User, password, hosts; gives what follows them.
    fn authority<'a>(&mut self, rest: &'a str, kind: Kind) -> Result<&'a str, MaskedUrlError> {
        let (authority, tail) = split_before(rest, &['/', '?', '#']);
        let hosts = match authority.rsplit_once('@') {
            Some((user_info, hosts)) => {
                match user_info.split_once(':') {
                    _ if kind == Kind::Web => self.hide_credentials(user_info),
                    Some((user, password)) => {
                        self.show(user);
                        self.show(":");
                        self.hide_credentials(password);
                    }
                    None => self.hide(user_info),
                }
                self.show("@");
                hosts
            }
            None => authority,
        };
        if kind == Kind::Web || hosts.contains('[') {
            check_host(hosts, kind)?;
        } else {
            hosts.split(',').try_for_each(|host| check_host(host, kind))?;
        }
        self.show(hosts);
        Ok(tail)
    }

    /// Path, query, fragment.
    fn tail(&mut self, rest: &str, kind: Kind, tail: Tail) {
        if matches!(tail, Tail::Secret) {
            let (slash, rest) =
                rest.split_at_checked(usize::from(rest.starts_with('/'))).unwrap_or(("", rest));
            self.show(slash);
            return self.hide_credentials(rest);
        }
        let (rest, fragment) = split_before(rest, &['#']);
        let (path, query) = split_before(rest, &['?']);
        self.path(path, kind);
        if let Some(query) = query.strip_prefix('?') {
            self.show("?");
            for (i, pairs) in query.split('&').enumerate() {
                self.show(if i > 0 { "&" } else { "" });
                for (i, pair) in pairs.split(';').enumerate() {
                    self.show(if i > 0 { ";" } else { "" });
                    self.parameter(pair);
                }
            }
        }
        if let Some(fragment) = fragment.strip_prefix('#') {
            self.show("#");
            self.hide(fragment);
        }
    }

    fn path(&mut self, path: &str, kind: Kind) {
        let path = match path.rsplit_once('@') {
            Some((before, after)) => {
                let slash = usize::from(before.starts_with('/'));
                let (slash, before) = before.split_at_checked(slash).unwrap_or(("", before));
                self.show(slash);
                self.hide(before);
                self.show("@");
                after
            }
            None => path,
        };
        for (i, segment) in path.split('/').enumerate() {
            self.show(if i > 0 { "/" } else { "" });
            if kind == Kind::Web && (segment.contains('=') || looks_random(segment)) {
                self.hide(segment);
            } else {
                self.show(segment);
            }
        }
    }

    fn parameter(&mut self, pair: &str) {
        // Names that are secret in a URL, but everyday words in a configuration.
        const IN_URLS: [&str; 4] = ["code", "sid", "session", "hash"];
        let Some((name, value)) = pair.split_once('=') else {
            return self.hide(pair);
        };
        let plain_name = decoded(name);
        if plain_name.contains(['@', ':', '/']) {
            return self.hide(pair);
        }
        self.show(name);
        self.show("=");
        if looks_secret(&plain_name) || IN_URLS.iter().any(|known| plain_name.eq_ignore_ascii_case(known)) {
            self.hide_credentials(value);
        } else if is_plain(value) {
            self.show(value);
        } else {
            self.hide(value);
        }
    }
}

/// Splits before the first of `stops`.
fn split_before<'a>(text: &'a str, stops: &[char]) -> (&'a str, &'a str) {
    let end = text.find(stops).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn check_host(host: &str, kind: Kind) -> Result<(), MaskedUrlError> {
    let (name, port) = if let Some(address) = host.strip_prefix('[') {
        let (address, port) = address.split_once(']').ok_or(MaskedUrlError::Host)?;
        if !address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.%".contains(&byte)) {
            return Err(MaskedUrlError::Host);
        }
        (address, port.strip_prefix(':').or(port.is_empty().then_some("")).ok_or(MaskedUrlError::Port)?)
    } else {
        let (name, port) = host.split_once(':').unwrap_or((host, ""));
        if name
            .contains(['[', ']', '<', '>', '^', '|', '"', '{', '}', '`', '=', '$', '!', '*', '(', ')', '&'])
            || (kind == Kind::Web && name.contains([',', '%', ';', '\'', '+', '~']))
        {
            return Err(MaskedUrlError::Host);
        }
        (name, port)
    };
    if name.is_empty() && (kind == Kind::Web || !port.is_empty()) {
        return Err(MaskedUrlError::Host);
    }
    let is_port =
        port.is_empty() || (port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok());
    if is_port { Ok(()) } else { Err(MaskedUrlError::Port) }
}

/// Letters and digits mixed, 20 or more: a token, not a word that somebody chose.
fn looks_random(part: &str) -> bool {
    part.len() >= 20
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@".contains(&byte))
        && part.bytes().any(|byte| byte.is_ascii_digit())
        && part.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// A value that says what it is: no URL, no list of parameters, no token.
fn is_plain(value: &str) -> bool {
    let plain = decoded(value);
    !looks_random(value)
        && !plain.contains("//")
        && plain.chars().all(|c| c.is_alphanumeric() || "-_.,:/+ *~".contains(c))
}

/// The text with its `%XX` decoded; bytes that are then not UTF-8 become U+FFFD.
fn decoded(text: &str) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
        if let (b'%', [high, low, after @ ..]) = (first, after)
            && let (Some(high), Some(low)) = (hex(high), hex(low))
        {
            bytes.push(high << 4 | low);
            rest = after;
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())
}

impl fmt::Display for MaskedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.masked)
    }
}

impl fmt::Debug for MaskedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MaskedUrl({})", self.masked)
    }
}

impl PartialEq for MaskedUrl {
    /// By the whole text.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for MaskedUrl {}

impl std::str::FromStr for MaskedUrl {
    type Err = MaskedUrlError;
    fn from_str(text: &str) -> Result<Self, MaskedUrlError> {
        Self::parse(text)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for MaskedUrl {
    /// The masked text.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.masked)
    }
}
