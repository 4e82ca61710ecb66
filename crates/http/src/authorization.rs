//! Who sends.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bellwether_core::Secret;
use hyper::header::HeaderValue;

/// RFC 6750, section 2.1.
pub(crate) fn bearer(token: &Secret) -> Option<HeaderValue> {
    let token = token.expose();
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    sensitive(format!("Bearer {token}"))
}

/// RFC 7617; a user has no colon.
pub(crate) fn basic(user: &str, password: &Secret) -> Option<HeaderValue> {
    let controls = |text: &str| text.chars().any(char::is_control);
    if user.contains(':') || controls(user) || controls(password.expose()) {
        return None;
    }
    sensitive(format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose()))))
}

/// RFC 7617: user and password, which a URL holds percent-encoded.
pub(crate) fn basic_of_url(user_info: &str) -> Option<HeaderValue> {
    let mut decoded = Vec::with_capacity(user_info.len());
    let mut bytes = user_info.bytes();
    while let Some(byte) = bytes.next() {
        let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16));
        decoded.push(if byte == b'%' { (digit()? << 4 | digit()?) as u8 } else { byte });
    }
    if !user_info.contains(':') {
        decoded.push(b':');
    }
    sensitive(format!("Basic {}", STANDARD.encode(decoded)))
}

/// A header that is not printed.
pub(crate) fn sensitive(text: impl AsRef<str>) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(text.as_ref()).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_encoded_as_the_rfc_shows() {
        let secret = |text: &str| Secret::new(text.to_owned());
        // RFC 7617, section 2.
        let header = basic("Aladdin", &secret("open sesame")).unwrap();
        assert_eq!(header, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(format!("{header:?}"), "Sensitive");
        assert_eq!(basic_of_url("Aladdin:open%20sesame").unwrap(), header);
        for (user, password) in [("a:b", "c"), ("a\n", "b"), ("a", "b\r")] {
            assert!(basic(user, &secret(password)).is_none(), "{user:?} {password:?}");
        }
    }
}
