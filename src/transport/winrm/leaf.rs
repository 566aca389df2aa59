//! What a host's certificate says of itself: names, dates, fingerprint, and the hash that ties a login
//! to a TLS connection. Whether it is to be believed is decided elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::signature_algorithm::RsaSsaPssParams;

/// A certificate as people want to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedCertificate {
    /// `SHA256:...`, base64 without padding, as ssh shows keys; of the whole certificate.
    pub fingerprint: String,
    /// Whom it is for.
    pub subject: String,
    /// Who says so.
    pub issuer: String,
    /// From when.
    pub not_before: jiff::Timestamp,
    /// Until when.
    pub not_after: jiff::Timestamp,
    /// Itself.
    pub der: Vec<u8>,
}

impl ScannedCertificate {
    /// Reads a certificate.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let time = |time: x509_parser::time::ASN1Time| {
            jiff::Timestamp::from_second(time.timestamp()).unwrap_or_default()
        };
        Some(Self {
            fingerprint: fingerprint(der),
            subject: short(&certificate.subject().to_string()),
            issuer: short(&certificate.issuer().to_string()),
            not_before: time(certificate.validity().not_before),
            not_after: time(certificate.validity().not_after),
            der: der.to_vec(),
        })
    }
}

/// A name of somebody else's, made fit for a message.
fn short(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .take(200)
        .collect()
}

/// `SHA256:...` of a certificate.
pub(super) fn fingerprint(der: &[u8]) -> String {
    show(&Sha256::digest(der))
}

/// `SHA256:...` of a digest.
pub(super) fn show(digest: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(digest))
}

/// `tls-server-end-point` (RFC 5929, 4.1): the certificate under the hash of its own signature, or
/// SHA-256 where that is MD5 or SHA-1, or none is named.
pub(super) fn end_point(der: &[u8]) -> Vec<u8> {
    let mut binding = b"tls-server-end-point:".to_vec();
    match hash_of_signature(der) {
        Hash::Sha224 => binding.extend_from_slice(&Sha224::digest(der)),
        Hash::Sha256 => binding.extend_from_slice(&Sha256::digest(der)),
        Hash::Sha384 => binding.extend_from_slice(&Sha384::digest(der)),
        Hash::Sha512 => binding.extend_from_slice(&Sha512::digest(der)),
    }
    binding
}

enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// RFC 4055, RFC 5758 for the numbers.
fn hash_of_signature(der: &[u8]) -> Hash {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return Hash::Sha256;
    };
    let algorithm = &certificate.signature_algorithm;
    let mut name = algorithm.algorithm.to_id_string();
    // RSASSA-PSS says its hash in a parameter.
    if name == "1.2.840.113549.1.1.10"
        && let Some(Ok(parameters)) = algorithm.parameters.as_ref().map(RsaSsaPssParams::try_from)
    {
        name = parameters.hash_algorithm_oid().to_id_string();
    }
    match name.as_str() {
        "1.2.840.113549.1.1.14" | "1.2.840.10045.4.3.1" | "2.16.840.1.101.3.4.2.4" => Hash::Sha224,
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" | "2.16.840.1.101.3.4.2.2" => Hash::Sha384,
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" | "2.16.840.1.101.3.4.2.3" => Hash::Sha512,
        _ => Hash::Sha256,
    }
}
