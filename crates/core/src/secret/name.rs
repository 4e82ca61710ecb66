//! Names that say that their value is a secret.

/// Whether a name (of a key, of a query parameter) says that its value is a secret.
///
/// The words of the name count: `api_key`, `apiKey` and `X-Api-Key` hold the word `key`, `monkey` does not.
///
/// ```
/// use bellwether_core::looks_secret;
/// assert!(looks_secret("smtp_password") && looks_secret("apiKey") && looks_secret("X-Amz-Signature"));
/// assert!(!looks_secret("monkey") && !looks_secret("sslmode"));
/// ```
pub fn looks_secret(name: &str) -> bool {
    const WITHIN: [&str; 10] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "credential",
        "signature",
        "apikey",
        "accesskey",
        "privatekey",
        "authorization",
    ];
    const WORDS: [&str; 16] = [
        "key", "keys", "token", "pass", "pwd", "pin", "sig", "sas", "auth", "jwt", "bearer", "cookie", "otp",
        "hmac", "cred", "creds",
    ];
    let squeezed: String =
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    squeezed.ends_with("token")
        || WITHIN.iter().any(|part| squeezed.contains(part))
        || words(name).any(|word| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

/// The words of `snake_case`, `kebab-case` and `camelCase` names.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphanumeric()).flat_map(|part| {
        let mut starts = vec![0];
        let mut before_lower = false;
        for (at, c) in part.char_indices() {
            if c.is_uppercase() && before_lower {
                starts.push(at);
            }
            before_lower = c.is_lowercase() || c.is_ascii_digit();
        }
        starts.push(part.len());
        starts.array_windows().filter_map(|&[from, to]| part.get(from..to)).collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_by_their_words() {
        for name in [
            "key",
            "api_key",
            "apiKey",
            "X-Api-Key",
            "APIKEY",
            "db.password",
            "PGPASSWORD",
            "sig",
            "authToken",
            "accesstoken",
        ] {
            assert!(looks_secret(name), "{name}");
        }
        for name in [
            "monkey",
            "keyboard",
            "passenger",
            "design",
            "author",
            "sslmode",
            "",
            "_",
            "spin",
            "tokens_per_second",
        ] {
            assert!(!looks_secret(name), "{name}");
        }
    }
}
