//! Signed messages: a sender signs time and body, a receiver checks both.
//!
//! A signed message has two headers, [`TIMESTAMP_HEADER`] with the time in seconds since 1970 and [`SIGNATURE_HEADER`] with
//! `v1=` and the hexadecimal HMAC-SHA256 (RFC 2104, FIPS 180-4) of the timestamp, a full stop, and the body as it is on the wire.
//! While a key is replaced by another one there are two signatures, separated by a comma; a receiver needs to know one of the keys.
//!
//! A receiver checks [`verify`] before it reads the body, and should remember the `idempotencyKey` of the *body* (the header
//! of that name is not signed) for as long as [`WINDOW`]: a message that was listened to can be sent again within it.
//!
//! ```
//! use bellwether_channels::signature::{SignatureError, SigningKey, sign, verify};
//! use bellwether_core::Secret;
//! use chrono::{DateTime, TimeDelta};
//!
//! let key = || SigningKey::new(&Secret::new(b"a key of at least 16 bytes".to_vec()));
//! let sent = DateTime::UNIX_EPOCH;
//! let header = sign(&[key()?], sent, b"{}");
//!
//! let received = sent + TimeDelta::seconds(2);
//! verify(&[key()?], "0", &header, b"{}", received)?;
//! assert_eq!(verify(&[key()?], "0", &header, b"{ }", received), Err(SignatureError::Mismatch));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
use std::fmt::{self, Write as _};
use std::time::Duration;

use bellwether_core::Secret;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Header with the time of a signed message.
pub const TIMESTAMP_HEADER: &str = "X-Bellwether-Timestamp";

/// Header with the signatures of a message.
pub const SIGNATURE_HEADER: &str = "X-Bellwether-Signature";

/// How far the clocks of sender and receiver may be apart, and how long a message may take: 300 s.
pub const WINDOW: Duration = Duration::from_mins(5);

/// Most signatures of a header that are looked at.
const MAX_SIGNATURES: usize = 8;

/// Name of the way of signing.
const SCHEME: &str = "v1";

/// A key to sign with, or to check with. Never printed, wiped when dropped.
pub struct SigningKey(Hmac<Sha256>);

/// A key is too short to be safe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("signing key of {len} bytes is shorter than {min}: make one with e.g. `openssl rand -hex 32`", min = SigningKey::MIN_LEN)]
pub struct SigningKeyError {
    /// Its length in bytes.
    pub len: usize,
}

impl SigningKey {
    /// Least length of a key, in bytes.
    pub const MIN_LEN: usize = 16;

    /// Takes a key of at least [`MIN_LEN`](Self::MIN_LEN) bytes. Its bytes are used as they are, and not decoded.
    pub fn new(secret: &Secret<Vec<u8>>) -> Result<Self, SigningKeyError> {
        let key = secret.expose();
        let short = SigningKeyError { len: key.len() };
        if key.len() < Self::MIN_LEN {
            return Err(short);
        }
        keyed(key).map(Self).ok_or(short)
    }

    /// The code over timestamp and body, not yet finished.
    fn code(&self, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut code = self.0.clone();
        code.update(timestamp.as_bytes());
        code.update(b".");
        code.update(body);
        code
    }
}

/// HMAC-SHA256 takes keys of every length, so this always gives one.
fn keyed(key: &[u8]) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(key).ok()
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

/// Why a message must not be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The timestamp is not a number of seconds.
    #[error("the timestamp of the message is not a number of seconds since 1970")]
    Timestamp,
    /// The timestamp is further from now than [`WINDOW`].
    #[error("the message was signed {seconds} s ago by its timestamp, which is not within {window} s", window = WINDOW.as_secs())]
    OutsideWindow {
        /// How long ago; negative if it comes from the future.
        seconds: i64,
    },
    /// There is no signature that this version knows.
    #[error("the message has no signature of the form {SCHEME}=<64 hexadecimal digits>")]
    Missing,
    /// No signature is that of any of the keys.
    #[error("no signature of the message fits any of the keys")]
    Mismatch,
}

/// The value of [`TIMESTAMP_HEADER`].
pub fn timestamp(at: DateTime<Utc>) -> String {
    at.timestamp().to_string()
}

/// The value of [`SIGNATURE_HEADER`]: one signature for each key. O(keys x body).
pub fn sign(keys: &[SigningKey], at: DateTime<Utc>, body: &[u8]) -> String {
    let timestamp = timestamp(at);
    let mut header = String::new();
    for key in keys {
        if !header.is_empty() {
            header.push(',');
        }
        header.push_str(SCHEME);
        header.push('=');
        for byte in key.code(&timestamp, body).finalize().into_bytes() {
            // Writing to a `String` cannot fail.
            let _ = write!(header, "{byte:02x}");
        }
    }
    header
}

/// Checks the headers of a message that was received at `now` against its body, as it was on the wire.
///
/// One signature by one of the keys is enough. The comparison takes the same time wherever a wrong signature differs. At most 8
/// signatures are looked at; those of other schemes are passed over.
pub fn verify(
    keys: &[SigningKey],
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(), SignatureError> {
    let signed_at = timestamp
        .parse()
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or(SignatureError::Timestamp)?;
    let age: TimeDelta = now - signed_at;
    if age.abs().to_std().is_ok_and(|age| age > WINDOW) {
        return Err(SignatureError::OutsideWindow { seconds: age.num_seconds() });
    }
    let signatures: Vec<[u8; 32]> = signature.split(',').filter_map(parse).take(MAX_SIGNATURES).collect();
    if signatures.is_empty() {
        return Err(SignatureError::Missing);
    }
    let mut fits = false;
    for key in keys {
        let code = key.code(timestamp, body);
        for signature in &signatures {
            fits |= code.clone().verify_slice(signature).is_ok();
        }
    }
    if fits { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// Reads `v1=<64 hexadecimal digits>`.
fn parse(signature: &str) -> Option<[u8; 32]> {
    let digits = signature.trim().strip_prefix(SCHEME)?.strip_prefix('=')?;
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().as_chunks::<2>().0) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        *byte = (high? << 4 | low?) as u8;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
        let mut code = keyed(key).unwrap();
        code.update(data);
        code.finalize().into_bytes().into()
    }

    /// RFC 4231, section 4: test cases 1 to 4, 6 and 7 for HMAC-SHA-256 (case 5 is about truncated output).
    #[test]
    fn the_vectors_of_rfc_4231_hold() {
        let long = b"This is a test using a larger than block-size key and a larger than block-size data. \
            The key needs to be hashed before being used by the HMAC algorithm.";
        let counted: Vec<u8> = (1..=25).collect();
        let cases: [(&[u8], &[u8], &str); 6] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (&counted, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (&[0xaa; 131], long, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
        ];
        for (key, data, expected) in cases {
            assert_eq!(Some(hmac(key, data)), parse(&format!("v1={expected}")));
        }
    }

    #[test]
    fn only_whole_signatures_of_this_scheme_are_read() {
        let digits = "0f".repeat(32);
        assert_eq!(parse(&format!(" v1={digits}")), Some([15; 32]));
        assert_eq!(parse(&format!("v1={}", digits.to_uppercase())), Some([15; 32]));
        for wrong in [
            format!("v2={digits}"),
            format!("v1={digits}0"),
            "v1=".to_owned(),
            digits.clone(),
            format!("v1={}", "+f".repeat(32)),
            format!("v1={}", "é".repeat(32)),
        ] {
            assert_eq!(parse(&wrong), None, "{wrong}");
        }
    }
}
