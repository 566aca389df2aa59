//! The authorities a run trusts (the system's, or those of a file or folder), and the certificates it
//! logs in with: PEM, read from disk. The judgement on a host is made elsewhere.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::client::{WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{CertificateError, Error, RootCertStore};

use super::certificates::Shown;
use super::leaf::ScannedCertificate;
use crate::event::{ErrorKind, HostError};

/// A certificate to log in with, with its key.
pub(super) type Identity = Arc<SingleCertAndKey>;

/// Who may vouch for a host.
#[derive(Debug)]
pub(super) struct Authorities {
    /// None where there is no authority at all.
    verifier: Option<Arc<WebPkiServerVerifier>>,
    /// Certificates that were named by the user: one that a host shows itself is good as well, as
    /// with OpenSSL; the verifier alone takes no authority for a host.
    named: HashSet<Vec<u8>>,
}

impl Authorities {
    /// Those of a file or folder, or the system's.
    pub(super) fn load(
        ca: Option<&Path>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, HostError> {
        let certificates = match ca {
            Some(ca) => named(ca)?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        let mut roots = RootCertStore::empty();
        let (_, refused) = roots.add_parsable_certificates(certificates.iter().cloned());
        if refused > 0 {
            tracing::debug!(refused, "authorities that can't be used");
        }
        let verifier = if roots.is_empty() {
            None
        } else {
            let built =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                    .build();
            Some(built.map_err(|error| {
                HostError::new(ErrorKind::LocalIo, format!("authorities: {error}"))
            })?)
        };
        let named = match ca {
            Some(_) => certificates.iter().map(|one| one.to_vec()).collect(),
            None => HashSet::new(),
        };
        Ok(Self { verifier, named })
    }

    /// Who checks chains up to them.
    pub(super) fn verifier(&self) -> Option<&dyn ServerCertVerifier> {
        self.verifier
            .as_deref()
            .map(|verifier| verifier as &dyn ServerCertVerifier)
    }

    /// Whether the user named this very certificate.
    pub(super) fn holds(&self, leaf: &[u8]) -> bool {
        self.named.contains(leaf)
    }
}

/// A certificate that needs nobody to vouch for it: its name and its dates are still to be right.
pub(super) fn check_alone(server: &ServerName<'_>, shown: &Shown<'_>) -> Result<(), Error> {
    let broken = || Error::from(CertificateError::BadEncoding);
    let read = ScannedCertificate::read(shown.leaf).ok_or_else(broken)?;
    let now = i64::try_from(shown.now.as_secs()).map_err(|_| broken())?;
    let at = |time: jiff::Timestamp| {
        let seconds = u64::try_from(time.as_second()).unwrap_or_default();
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds))
    };
    if now > read.not_after.as_second() {
        return Err(CertificateError::ExpiredContext {
            time: shown.now,
            not_after: at(read.not_after),
        }
        .into());
    }
    if now < read.not_before.as_second() {
        return Err(CertificateError::NotValidYetContext {
            time: shown.now,
            not_before: at(read.not_before),
        }
        .into());
    }
    verify_server_name(&ParsedCertificate::try_from(shown.leaf)?, server)
}

/// All certificates of a PEM file, or of the files of a folder.
fn named(ca: &Path) -> Result<Vec<CertificateDer<'static>>, HostError> {
    let unusable = |path: &Path, why: &dyn std::fmt::Display| {
        HostError::new(
            ErrorKind::LocalIo,
            format!("authorities of {}: {why}", path.display()),
        )
        .hint("ansible_winrm_ca_trust_path names a file or a folder of certificates in PEM")
    };
    let mut found = Vec::new();
    if ca.is_dir() {
        let entries = std::fs::read_dir(ca).map_err(|error| unusable(ca, &error))?;
        for entry in entries.flatten() {
            // Other files lie in such folders too.
            if let Ok(bytes) = std::fs::read(entry.path()) {
                found.extend(CertificateDer::pem_slice_iter(&bytes).flatten());
            }
        }
    } else {
        let bytes = std::fs::read(ca).map_err(|error| unusable(ca, &error))?;
        for certificate in CertificateDer::pem_slice_iter(&bytes) {
            found.push(certificate.map_err(|error| unusable(ca, &error))?);
        }
    }
    if found.is_empty() {
        return Err(unusable(ca, &"no certificate is in there"));
    }
    Ok(found)
}

/// A certificate and its key, to log in with.
pub(super) fn identity(
    certificate: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<Identity, HostError> {
    let unusable = |path: &Path, why: &dyn std::fmt::Display| {
        HostError::new(ErrorKind::LocalIo, format!("{}: {why}", path.display())).hint(
            "ansible_winrm_cert_pem and ansible_winrm_cert_key_pem name a certificate and its key in PEM, the key without a passphrase",
        )
    };
    let bytes = std::fs::read(certificate).map_err(|error| unusable(certificate, &error))?;
    let chain = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unusable(certificate, &error))?;
    if chain.is_empty() {
        return Err(unusable(certificate, &"no certificate is in there"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
    let signing = provider
        .key_provider
        .load_private_key(secret)
        .map_err(|error| unusable(key, &error))?;
    let pair = CertifiedKey::new(chain, signing);
    if matches!(pair.keys_match(), Err(Error::InconsistentKeys(_))) {
        return Err(unusable(key, &"it is not the key of the certificate"));
    }
    Ok(Arc::new(SingleCertAndKey::from(pair)))
}
