//! Secrets are not seen where they are not asked for.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bellwether_core::{
    MAX_SECRET_LEN, MaskedUrl, Secret, SecretError, SecretProvider, SecretProviderError, SecretProviders,
    SecretSource, UrlSource,
};
use proptest::prelude::*;
use zeroize::Zeroize;

/// A file of its own for a test, gone when dropped.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("bellwether-secret-{}-{name}", std::process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }

    fn source(&self) -> SecretSource {
        SecretSource::File(self.0.clone())
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The error and all its causes, as people and as programmers see them.
fn told(error: &dyn Error) -> String {
    let causes = error.source().map_or_else(String::new, told);
    format!("{error} {error:?}\n{causes}")
}

struct Vault;

impl SecretProvider for Vault {
    fn name(&self) -> &'static str {
        "vault"
    }

    fn secret(&self, key: &str) -> Result<Secret, SecretProviderError> {
        match key {
            "smtp" => Ok(Secret::new("hunter2".to_owned())),
            "nothing" => Ok(Secret::new(String::new())),
            _ => Err(SecretProviderError::new("no secret of this name")),
        }
    }
}

fn provided(key: &str) -> SecretSource {
    SecretSource::Provider { provider: "vault".into(), key: key.into() }
}

#[test]
fn a_secret_is_wiped_when_it_is_dropped() {
    struct Probe(Arc<AtomicBool>);
    impl Zeroize for Probe {
        fn zeroize(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let wiped = Arc::new(AtomicBool::new(false));
    let secret = Secret::new(Probe(Arc::clone(&wiped)));
    assert!(!wiped.load(Ordering::SeqCst));
    drop(secret);
    assert!(wiped.load(Ordering::SeqCst));
}

#[test]
fn a_file_is_the_secret_but_for_one_newline() {
    let file = TempFile::new("newline", b"hunter2\n\n");
    assert_eq!(file.source().resolve().unwrap().expose(), "hunter2\n");
    let file = TempFile::new("windows", "gr\u{fc}n\r\n".as_bytes());
    assert_eq!(file.source().resolve().unwrap().expose(), "gr\u{fc}n");
}

#[test]
fn a_file_that_gives_no_secret_is_named_and_not_repeated() {
    for (name, content, reason) in [
        ("empty", &b""[..], "is empty"),
        ("only-newline", b"\n", "is empty"),
        ("not-text", b"MARKER\xff\xfe", "is not UTF-8 from byte 6 on"),
    ] {
        let file = TempFile::new(name, content);
        let error = file.source().resolve().unwrap_err();
        assert_eq!(error.to_string(), format!("no secret: file {} {reason}", file.0.display()));
        assert!(!told(&error).contains("MARKER"));
    }
    let missing = SecretSource::File("/nowhere/at/all".into()).resolve().unwrap_err();
    assert!(matches!(missing, SecretError::Io { .. }));
    assert_eq!(missing.to_string(), "no secret: file /nowhere/at/all cannot be read");
    assert!(told(&missing).contains("No such file"), "{}", told(&missing));
}

#[test]
fn the_size_of_a_file_is_bounded() {
    let mut content = vec![b'x'; MAX_SECRET_LEN];
    content.extend(b"\r\n");
    let file = TempFile::new("largest", &content);
    assert_eq!(file.source().resolve().unwrap().expose().len(), MAX_SECRET_LEN);
    content.insert(0, b'x');
    let file = TempFile::new("too-large", &content);
    assert!(matches!(file.source().resolve(), Err(SecretError::TooLong { .. })));
    // An endless file is not read to its end.
    let endless = SecretSource::File("/dev/zero".into());
    assert!(matches!(endless.resolve(), Err(SecretError::TooLong { .. })));
}

#[test]
fn bytes_that_are_no_text_can_be_secret_too() {
    let file = TempFile::new("bytes", b"\x00\xff\x01\n");
    let key = file.source().resolve_bytes_with(&SecretProviders::none()).unwrap();
    assert_eq!(key.expose(), b"\x00\xff\x01");
    assert_eq!(format!("{key} {key:?}"), "[redacted] Secret([redacted])");
}

#[test]
fn a_variable_of_the_process_is_read() {
    // Cargo sets it for every test it runs.
    let name = SecretSource::Env("CARGO_PKG_NAME".into());
    assert_eq!(name.resolve().unwrap().expose(), "bellwether-core");
    let error = SecretSource::Env("BELLWETHER_NOT_SET_ANYWHERE".into()).resolve().unwrap_err();
    assert_eq!(error.to_string(), "no secret: environment variable BELLWETHER_NOT_SET_ANYWHERE is not set");
}

#[test]
fn a_provider_of_the_host_answers_by_name() {
    let providers = SecretProviders::none().with(Arc::new(Vault));
    assert_eq!(provided("smtp").resolve_with(&providers).unwrap().expose(), "hunter2");
    let error = provided("other").resolve_with(&providers).unwrap_err();
    assert_eq!(error.to_string(), "no secret: secret \"other\" of provider \"vault\" gave none");
    assert!(told(&error).contains("no secret of this name"));
    assert!(matches!(provided("nothing").resolve_with(&providers), Err(SecretError::Empty { .. })));
    let error = provided("smtp").resolve().unwrap_err();
    assert_eq!(error.to_string(), "no secret: the host has no provider called \"vault\"");
    assert_eq!(format!("{providers:?}"), "[\"vault\"]");
}

#[test]
fn configuration_says_where_a_secret_is_kept() {
    for (json, source) in [
        (r#"{"env":"SMTP_PASSWORD"}"#, SecretSource::Env("SMTP_PASSWORD".into())),
        (r#"{"file":"/run/secrets/x"}"#, SecretSource::File("/run/secrets/x".into())),
        (r#"{"provider":"vault","key":"smtp"}"#, provided("smtp")),
    ] {
        assert_eq!(serde_json::from_str::<SecretSource>(json).unwrap(), source);
        assert_eq!(serde_json::to_string(&source).unwrap(), json);
    }
}

#[test]
fn a_secret_that_stands_in_configuration_is_refused_and_not_repeated() {
    for json in [
        r#""MARKER""#,
        r#"["MARKER"]"#,
        "7341",
        "-7341",
        "7341.5",
        "true",
        r#"{"env":"MARKER-9"}"#,
        r#"{"env":7341}"#,
        r#"{"env":""}"#,
        r#"{"file":["MARKER"]}"#,
        r#"{"value":"MARKER"}"#,
        r#"{"env":"A","file":"MARKER"}"#,
        r#"{"provider":"MARKER"}"#,
        r#"{"key":"MARKER"}"#,
        r"{}",
        "null",
    ] {
        let error = serde_json::from_str::<SecretSource>(json).unwrap_err();
        assert!(
            !error.to_string().contains("MARKER") && !error.to_string().contains("7341"),
            "{json}: {error}"
        );
    }
    let error = serde_json::from_str::<SecretSource>("\"x\"").unwrap_err().to_string();
    assert!(
        error.starts_with("a secret does not stand in configuration: write where it is kept, { env ="),
        "{error}"
    );
}

#[test]
fn a_url_stands_in_configuration_only_without_its_password() {
    let plain: UrlSource = serde_json::from_str("\"sqlite://desk.db?mode=rwc\"").unwrap();
    assert_eq!(plain.resolve().unwrap().expose(), "sqlite://desk.db?mode=rwc");
    assert_eq!(serde_json::to_string(&plain).unwrap(), "\"sqlite://desk.db?mode=rwc\"");

    let file = TempFile::new("url", b"postgres://desk:MARKER@db/desk\n");
    let kept: UrlSource = serde_json::from_value(serde_json::json!({ "file": file.0 })).unwrap();
    let url = kept.resolve().unwrap();
    assert_eq!(url, MaskedUrl::parse("postgres://desk:MARKER@db/desk").unwrap());
    assert_eq!(url.to_string(), "postgres://desk:***@db/desk");
    assert_eq!(kept.to_string(), format!("file {}", file.0.display()));

    for json in [
        "\"postgres://desk:MARKER@db/desk\"",
        "\"https://db/?token=MARKER\"",
        "\"https:MARKER\"",
        "\"MARKER\"",
    ] {
        let error = serde_json::from_str::<UrlSource>(json).unwrap_err().to_string();
        assert!(!error.contains("MARKER"), "{error}");
    }
    let file = TempFile::new("no-url", b"MARKER");
    let error = UrlSource::Secret(file.source()).resolve().unwrap_err();
    assert_eq!(error.to_string(), format!("file {} does not hold a url", file.0.display()));
    assert!(!told(&error).contains("MARKER"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_random_secret_is_in_nothing_that_is_printed(marker in "[!-~]{8,40}") {
        let text = Secret::new(marker.clone());
        let bytes = Secret::new(marker.clone().into_bytes());
        let shown = format!(
            "{text} {text:?} {text:#?} {bytes} {bytes:?} {} {}",
            serde_json::to_string(&text).unwrap(),
            serde_json::to_string(&(1, &bytes)).unwrap(),
        );
        prop_assert!(!shown.contains(&marker));
        prop_assert_eq!(text.expose(), marker.as_str());
        prop_assert_eq!(bytes.expose(), marker.as_bytes());
    }
}

#[test]
fn an_empty_place_is_told_as_empty() {
    let error = serde_json::from_str::<SecretSource>(r#"{ "file": "" }"#).unwrap_err().to_string();
    assert!(error.contains("an empty one, expected a text that is not empty"), "{error}");
}
