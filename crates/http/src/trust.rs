//! Whose certificates are believed.
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// Makes connections secure.
pub(crate) type Tls = TlsConnector;

/// Largest file of certificates, in bytes.
const MAX_CA_FILE: u64 = 1 << 20;

/// Why no server could be believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The file cannot be read.
    #[error("certificates in {path} cannot be read: {error}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Something in the file is no certificate of an authority in PEM, or there is none.
    #[error("{path} holds no certificates in PEM: {reason}", path = path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The machine has no certificates of authorities, and the configuration names none.
    #[error("no certificate authorities: install ca-certificates, or name a file by ca_file")]
    NoAuthorities,
    /// The TLS library refuses its settings.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// Believes the authorities of the machine and those of `ca_file`. Blocks while it reads their certificates.
///
/// Uses ring, explicitly: neither is a provider installed for the whole process, nor is one that the host installed used.
pub(crate) fn tls(ca_file: Option<&Path>) -> Result<Tls, TrustError> {
    let mut roots = RootCertStore::empty();
    // A certificate that cannot be read only means one authority less.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        for certificate in read(path)? {
            roots.add(certificate).map_err(|error| unusable(path, error.to_string()))?;
        }
    }
    if roots.is_empty() {
        return Err(TrustError::NoAuthorities);
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Tls::from(Arc::new(config)))
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let mut pem = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_CA_FILE + 1).read_to_end(&mut pem))
        .map_err(|error| TrustError::Io { path: path.into(), error })?;
    if pem.len() as u64 > MAX_CA_FILE {
        return Err(unusable(path, format!("it has more than {MAX_CA_FILE} bytes")));
    }
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(path, error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable(path, "there is no BEGIN CERTIFICATE".to_owned()));
    }
    Ok(certificates)
}

fn unusable(path: &Path, reason: String) -> TrustError {
    TrustError::Certificates { path: path.into(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        assert!(matches!(tls(Some(&path)), Err(TrustError::Io { .. })));
        for (text, reason) in [
            ("", "there is no BEGIN CERTIFICATE"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "invalid peer certificate"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "section end"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = tls(Some(&path)).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("ca.pem"), "{error}");
        }
    }
}
