//! The certificate under which hosts fetch, and by what they know it: the user's, or one for the run.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256};
use rcgen::{ExtendedKeyUsagePurpose, KeyUsagePurpose, date_time_ymd};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::NoServerSessionStorage;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::error::PullError;
use crate::base::{clock, digest};
use crate::shell::files::Pin;

/// TLS as the server speaks it, and what hosts know it by.
pub(super) struct Tls {
    pub(super) config: Arc<ServerConfig>,
    pub(super) pin: Pin,
}

impl Tls {
    /// With the certificate of these files, or one for `host` that is made now.
    pub(super) fn new(files: Option<(&Path, &Path)>, host: &str) -> Result<Self, PullError> {
        let (chain, key) = match files {
            Some((certificate, key)) => (read_chain(certificate)?, read_key(key)?),
            None => make(host)?,
        };
        let leaf = chain
            .first()
            .ok_or_else(|| PullError::Certificate("there is none".into()))?;
        let pin = Pin {
            certificate: digest::hex(&digest::of(leaf)),
            key: key_digest(leaf)?,
            pem: pem(&chain),
        };
        Ok(Self {
            config: Arc::new(config(chain, key)?),
            pin,
        })
    }
}

/// TLS 1.3, and 1.2 for old hosts. No session is kept: each host comes once.
fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, PullError> {
    let unusable = |error: tokio_rustls::rustls::Error| PullError::Certificate(error.to_string());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// A certificate that signs nothing but itself, with a key that never leaves this process.
///
/// ECDSA on P-256, not RSA: rustls has no CBC suites, and Windows 7 to 2012 R2 know GCM in TLS 1.2
/// with `ECDHE_ECDSA` only (their `ECDHE_RSA` suites are all CBC).
fn make(host: &str) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), PullError> {
    let unusable = |error: rcgen::Error| PullError::Certificate(error.to_string());
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(unusable)?;
    let mut params = CertificateParams::new(vec![host.to_owned()]).map_err(unusable)?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "iomsctl pull");
    params.distinguished_name = name;
    // Hosts that take it for an authority (wget) must not believe others that its key might sign.
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Wide, since hosts' clocks are wrong at times; it is good for as long as this process lives.
    let year = i32::from(clock::now().to_zoned(jiff::tz::TimeZone::UTC).year());
    params.not_before = date_time_ymd(year - 1, 1, 1);
    params.not_after = date_time_ymd(year + 2, 1, 1);
    let certificate = params.self_signed(&key).map_err(unusable)?;
    let der = PrivateKeyDer::try_from(key.serialize_der())
        .map_err(|error| PullError::Certificate(error.to_owned()))?;
    Ok((vec![certificate.der().clone()], der))
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, PullError> {
    let wrong = |why: String| PullError::File {
        path: path.to_owned(),
        why,
    };
    let chain = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(error.to_string()))?;
    if chain.is_empty() {
        return Err(wrong("no certificate (PEM) is in it".into()));
    }
    Ok(chain)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, PullError> {
    let wrong = |why: String| PullError::File {
        path: path.to_owned(),
        why,
    };
    let mode = std::fs::metadata(path)
        .map_err(|error| wrong(error.to_string()))?
        .permissions()
        .mode();
    if mode & 0o007 != 0 {
        return Err(wrong(
            "a private key that everybody may read (chmod 600 mends that)".into(),
        ));
    }
    PrivateKeyDer::from_pem_file(path).map_err(|error| wrong(error.to_string()))
}

/// SHA-256 of the `SubjectPublicKeyInfo` (RFC 7469, 2.4), base64.
fn key_digest(leaf: &[u8]) -> Result<String, PullError> {
    let (_, certificate) = X509Certificate::from_der(leaf)
        .map_err(|error| PullError::Certificate(error.to_string()))?;
    Ok(STANDARD.encode(digest::of(certificate.public_key().raw)))
}

/// RFC 7468.
fn pem(chain: &[CertificateDer<'_>]) -> String {
    let mut text = String::new();
    for certificate in chain {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for (at, letter) in STANDARD.encode(certificate).chars().enumerate() {
            if at > 0 && at % 64 == 0 {
                text.push('\n');
            }
            text.push(letter);
        }
        text.push_str("\n-----END CERTIFICATE-----\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use x509_parser::prelude::GeneralName;

    use super::*;

    #[test]
    fn the_certificate_made_for_a_run_is_no_authority_and_for_the_hosts_address() {
        for host in ["ops.example", "192.0.2.7", "2001:db8::1"] {
            let tls = Tls::new(None, host).unwrap();
            let pem = x509_parser::pem::parse_x509_pem(tls.pin.pem.as_bytes())
                .unwrap()
                .1;
            assert_eq!(tls.pin.certificate, digest::hex(&digest::of(&pem.contents)));
            let (_, read) = X509Certificate::from_der(&pem.contents).unwrap();
            assert!(!read.is_ca());
            assert!(read.validity().is_valid());
            let names = read.subject_alternative_name().unwrap().unwrap().value;
            let named = match &names.general_names[0] {
                GeneralName::DNSName(name) => *name == host,
                GeneralName::IPAddress(bytes) => match host.parse().unwrap() {
                    IpAddr::V4(four) => four.octets() == *bytes,
                    IpAddr::V6(six) => six.octets() == *bytes,
                },
                _ => false,
            };
            assert!(named, "{host}");
        }
    }

    #[test]
    fn the_users_certificate_is_taken_from_its_files_and_a_key_for_everybody_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["ops.example".to_owned()]).unwrap();
        let (file, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        std::fs::write(&file, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let mode =
            |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        mode(0o600);
        let tls = Tls::new(Some((&file, &key)), "ops.example").unwrap();
        assert_eq!(
            tls.pin.certificate,
            digest::hex(&digest::of(made.cert.der()))
        );
        mode(0o644);
        let error = Tls::new(Some((&file, &key)), "ops.example")
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("everybody may read"), "{error}");
        mode(0o600);
        for (certificate, key) in [
            (&key, &key),
            (&file, &file),
            (&folder.path().join("none"), &key),
        ] {
            assert!(Tls::new(Some((certificate, key)), "ops.example").is_err());
        }
    }
}
