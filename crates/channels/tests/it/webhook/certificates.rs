//! Whom a webhook believes.
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bellwether_alerts::{AlertChannel, SendError};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;

use super::webhook;
use crate::notifications::{deliver, drawdowns};
use crate::server::{Hook as _, Json as _, Reply, Server};

/// An authority of the test's own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let lines: Vec<_> = STANDARD.encode(certificate.der()).into_bytes();
        let lines: Vec<_> = lines.chunks(64).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect();
        let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
        fs::write(folder.path().join("ca.pem"), pem).unwrap();
        Self { issuer: Issuer::new(params, key), folder }
    }

    /// The file that says that it is believed.
    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A server that it vouches for.
    async fn server(&self, host: &str, adjust: impl FnOnce(&mut CertificateParams)) -> Server {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        adjust(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Server::start_tls([Reply::status(200)], config).await
    }
}

#[tokio::test]
async fn a_server_of_an_authority_of_our_own_is_believed() {
    let authority = Authority::new();
    let mut server = authority.server("localhost", |_| {}).await;
    let mut config = server.config();
    config.ca_file = Some(authority.file());
    deliver(&webhook(config), &drawdowns()).await;
    assert_eq!(server.request().await.json()["receiver"], "desk");
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_refused_for_good() {
    let (authority, other) = (Authority::new(), Authority::new());
    let mut server = authority.server("localhost", |_| {}).await;
    let mut config = server.config();
    config.ca_file = Some(other.file());
    let error = webhook(config).send(&drawdowns()).await.unwrap_err();
    assert!(matches!(error, SendError::Permanent { .. }), "{error}");
    assert!(error.to_string().contains("the certificate of localhost is refused: "), "{error}");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_server_of_another_name_is_refused_for_good() {
    let authority = Authority::new();
    let server = authority.server("other.example.com", |_| {}).await;
    let mut config = server.config();
    config.ca_file = Some(authority.file());
    let error = webhook(config).send(&drawdowns()).await.unwrap_err();
    assert!(matches!(error, SendError::Permanent { .. }), "{error}");
    assert!(error.to_string().contains("not valid for name \"localhost\""), "{error}");
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_refused_for_good() {
    let authority = Authority::new();
    let expire = |params: &mut CertificateParams| {
        (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    };
    let server = authority.server("localhost", expire).await;
    let mut config = server.config();
    config.ca_file = Some(authority.file());
    let error = webhook(config).send(&drawdowns()).await.unwrap_err();
    assert!(matches!(error, SendError::Permanent { .. }), "{error}");
    assert!(error.to_string().contains("expired"), "{error}");
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_tried_again() {
    let authority = Authority::new();
    let plain = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let server = authority.server("localhost", |_| {}).await;
    let mut config = server.config();
    let url = format!("https://localhost:{}/hook", plain.local_addr().unwrap().port());
    config.url = bellwether_core::UrlSource::Plain(bellwether_core::MaskedUrl::parse(url).unwrap());
    let hook = webhook(config);
    let message = drawdowns();
    let (sent, ()) = tokio::join!(hook.send(&message), async {
        use tokio::io::AsyncWriteExt as _;
        let (mut stream, _) = plain.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let error = sent.unwrap_err();
    assert!(matches!(error, SendError::Retry { .. }), "{error}");
}

#[test]
fn no_provider_is_installed_for_the_process() {
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}
