//! URLs print without their secrets.

use bellwether_core::{MAX_URL_LEN, MaskedUrl, MaskedUrlError};
use proptest::prelude::*;

/// URLs with a secret in them, and what is printed instead.
const SHAPES: &[(&str, &str)] = &[
    ("https://desk:MARKER@host/path", "https://***@host/path"),
    ("https://MARKER@host", "https://***@host"),
    ("https://MARKER:x-oauth-basic@github.example/a.git", "https://***@github.example/a.git"),
    (
        "postgres://desk:MARKER@db:5432/bellwether?sslmode=require",
        "postgres://desk:***@db:5432/bellwether?sslmode=require",
    ),
    (
        "postgres://desk:MARKER@db1:5432,db2:5433/x?target_session_attrs=any",
        "postgres://desk:***@db1:5432,db2:5433/x?target_session_attrs=any",
    ),
    (
        "postgresql://desk:MARKER@%2Fvar%2Frun%2Fpostgresql/x",
        "postgresql://desk:***@%2Fvar%2Frun%2Fpostgresql/x",
    ),
    ("postgres:///x?host=/tmp&user=desk&password=MARKER", "postgres:///x?host=/tmp&user=desk&password=***"),
    ("postgres://desk:a:MARKER@b@db/x", "postgres://desk:***@db/x"),
    ("postgres://desk:8/MARKER@db/x", "postgres://desk:8/***@db/x"),
    ("redis://:MARKER@cache:6379/0", "redis://:***@cache:6379/0"),
    ("amqps://MARKER@queue", "amqps://***@queue"),
    ("smtp+tls://desk:MARKER@[2001:db8::1]:587", "smtp+tls://desk:***@[2001:db8::1]:587"),
    ("https://host/hook?token=MARKER", "https://host/hook?token=***"),
    ("https://host/hook?a=1&access_token=MARKER&b=2", "https://host/hook?a=1&access_token=***&b=2"),
    ("https://host/hook?a=1;apiKey=MARKER", "https://host/hook?a=1;apiKey=***"),
    ("https://host/hook?%74oken=MARKER", "https://host/hook?%74oken=***"),
    ("https://blob.example/c?sv=2024-01-01&sig=MARKER", "https://blob.example/c?sv=2024-01-01&sig=***"),
    (
        "https://s3.example/k?X-Amz-Credential=MARKER&X-Amz-Signature=MARKER",
        "https://s3.example/k?X-Amz-Credential=***&X-Amz-Signature=***",
    ),
    ("https://fn.example/api?code=MARKER", "https://fn.example/api?code=***"),
    ("https://host/hook?MARKER", "https://host/hook?***"),
    ("https://host/?next=https://u:MARKER@other/", "https://host/?next=***"),
    ("https://host/?next=https%3A%2F%2Fu%3AMARKER%40other%2F", "https://host/?next=***"),
    ("https://host/?q=a=MARKER", "https://host/?q=***"),
    ("https://host/cb#access_token=MARKER", "https://host/cb#***"),
    ("https://host/a;jsessionid=MARKER/b", "https://host/***/b"),
    ("sqlite://desk.db?key=MARKER", "sqlite://desk.db?key=***"),
    ("sqlite:desk.db?mode=rwc&password=MARKER", "sqlite:desk.db?mode=rwc&password=***"),
    ("WSS://desk:MARKER@host:443/feed", "WSS://***@host:443/feed"),
    ("https://host/bot123456789012:MARKER/sendMessage", "https://host/***/sendMessage"),
];

/// Texts that are no URL, each with a secret in it.
const NOT_URLS: &[&str] = &[
    "MARKER",
    "desk:MARKER@db/x",
    "https:MARKER",
    "https:/MARKER",
    "https:///desk:MARKER@host",
    "https://desk:MARKER @host/",
    "https://host/MARKER\n",
    "https:\\\\desk:MARKER@host",
    "https://host\\@MARKER/",
    "postgres://desk:MARKER/x@db/x",
    "postgres://desk:MARKER#x@db/x",
    "postgres://desk:MARKER?x@db/x",
    "https://host:MARKER/",
    "https://host:99999/MARKER",
    "https://[::1/MARKER",
    "https://[MARKER]/",
    "://MARKER",
    "1http://MARKER",
    "ht tp://MARKER",
    "https://ho|st/MARKER",
    "https://ho{st}/MARKER",
    "\u{1}https://MARKER",
];

fn everything_shown(url: &MaskedUrl) -> String {
    format!("{url} {url:?} {url:#?} {} {}", url.masked(), serde_json::to_string(&url).unwrap())
}

#[test]
fn the_secret_parts_of_a_url_are_masked() {
    for (text, masked) in SHAPES {
        let text = text.replace("MARKER", "hunter2");
        let url = MaskedUrl::parse(text.as_str()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(url.to_string(), *masked, "{text}");
        assert_eq!(url.expose(), text);
    }
}

#[test]
fn a_url_without_secrets_is_shown_whole() {
    for text in [
        "https://host",
        "https://host:8443/",
        "http://127.0.0.1:9090/api/v1/query?query=up&step=15s",
        "https://hooks.example.com/a/b.json",
        "postgres://db/bellwether?application_name=bellwether&connect_timeout=10",
        "sqlite:///var/lib/bellwether/desk.db?mode=rwc",
        "sqlite::memory:",
        "sqlite:desk.db",
        "file:///tmp/alerts.jsonl",
        "https://b\u{fc}cher.example/",
    ] {
        let url = MaskedUrl::parse(text).unwrap();
        assert_eq!(url.to_string(), text);
        assert!(!url.has_credentials(), "{text}");
    }
}

#[test]
fn credentials_are_told_from_what_only_looks_random() {
    assert!(MaskedUrl::parse("https://host/?token=x").unwrap().has_credentials());
    assert!(MaskedUrl::parse("https://user@host/").unwrap().has_credentials());
    assert!(!MaskedUrl::parse("https://ntfy.example/desk-alerts-2024-primary").unwrap().has_credentials());
    assert!(!MaskedUrl::parse("postgres://desk@db/x").unwrap().has_credentials());
    assert!(!MaskedUrl::parse("postgres://desk:@db/x").unwrap().has_credentials());
    assert_eq!(MaskedUrl::parse("POSTGRES://db/x").unwrap().scheme(), "POSTGRES");
}

#[test]
fn where_the_path_is_the_secret_only_scheme_and_host_are_shown() {
    let text = "https://user:pw@hooks.example.com:443/services/T0/B0/abcdefghij?x=1#y";
    let url = MaskedUrl::path_is_secret(text).unwrap();
    assert_eq!(url.to_string(), "https://***@hooks.example.com:443/***");
    assert!(url.has_credentials());
    let url = MaskedUrl::path_is_secret("https://host?abcdefghij").unwrap();
    assert_eq!(url.to_string(), "https://host***");
    assert_eq!(MaskedUrl::path_is_secret("https://host/").unwrap().to_string(), "https://host/");
}

#[test]
fn what_is_not_a_url_is_refused_with_a_reason() {
    for (text, error) in [
        ("", MaskedUrlError::NoScheme),
        ("host/path", MaskedUrlError::NoScheme),
        ("localhost:5432/x", MaskedUrlError::NoAuthority),
        ("https://", MaskedUrlError::Host),
        ("https://:80/", MaskedUrlError::Host),
        ("https://a,b/", MaskedUrlError::Host),
        ("https://host:/x y", MaskedUrlError::Character { offset: 15 }),
        ("https://host\\@other/", MaskedUrlError::Character { offset: 12 }),
        ("https://host:65536", MaskedUrlError::Port),
        ("https://host:+1", MaskedUrlError::Port),
        ("https://[::1]x", MaskedUrlError::Port),
    ] {
        assert_eq!(MaskedUrl::parse(text), Err(error), "{text}");
    }
    let long = format!("https://host/{}", "x".repeat(MAX_URL_LEN));
    assert_eq!(MaskedUrl::parse(long.as_str()), Err(MaskedUrlError::TooLong { len: long.len() }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_random_secret_is_in_nothing_that_is_printed(marker in "[A-Za-z][A-Za-z0-9._~!$'()*+-]{7,30}") {
        for (text, _) in SHAPES {
            let url = MaskedUrl::parse(text.replace("MARKER", &marker)).unwrap();
            let shown = everything_shown(&url);
            prop_assert!(!shown.contains(&marker), "{}", shown);
            let whole = MaskedUrl::path_is_secret(text.replace("MARKER", &marker)).unwrap();
            prop_assert!(!everything_shown(&whole).contains(&marker));
        }
        for text in NOT_URLS {
            let text = text.replace("MARKER", &marker);
            for read in [MaskedUrl::parse(text.as_str()), MaskedUrl::path_is_secret(text.as_str())] {
                let error = read.unwrap_err();
                let shown = format!("{error} {error:?}");
                prop_assert!(!shown.contains(&marker), "{}: {}", text, shown);
            }
        }
    }

    #[test]
    fn host_and_credentials_are_those_that_a_browser_would_see(
        text in "(https?|wss?)://([a-c1:/?#%;,&=!._-]{0,8}(@|:|/|\\?|#|host|\\[::1\\])?){0,5}",
    ) {
        let (Ok(ours), Ok(theirs)) = (MaskedUrl::parse(text.as_str()), url::Url::parse(&text)) else {
            return Ok(());
        };
        let shown = ours.to_string();
        let authority = shown.split("//").nth(1).unwrap_or_default();
        let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
        let (user_info, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        // Numbers as a host are rewritten as an address by browsers.
        if let Some(url::Host::Domain(domain)) = theirs.host() {
            prop_assert_eq!(host.split(':').next(), Some(domain), "{} shows {}", text, shown);
        }
        let has_user_info = !theirs.username().is_empty() || theirs.password().is_some_and(|text| !text.is_empty());
        prop_assert!(!has_user_info || (user_info == "***" && ours.has_credentials()), "{} shows {}", text, shown);
    }
}
