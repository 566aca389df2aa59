//! Why a certificate is not believed, for people: unknown, out of date, for another name, too weak.

use tokio_rustls::rustls::{CertificateError, Error};

use super::hints;
use super::leaf::ScannedCertificate;
use crate::event::{ErrorKind, HostError};

/// The library's verdict in our words.
pub(super) fn explain(place: &str, leaf: &[u8], why: &Error) -> HostError {
    let seen = ScannedCertificate::read(leaf);
    let of = match &seen {
        Some(seen) => format!(
            "{place} shows the certificate {} of {}, issued by {}",
            seen.fingerprint, seen.subject, seen.issuer
        ),
        None => format!("{place} shows a certificate that can't be read"),
    };
    let until = |seen: &Option<ScannedCertificate>| {
        seen.as_ref()
            .map(|seen| (seen.not_before.to_string(), seen.not_after.to_string()))
            .unwrap_or_default()
    };
    let (why, hint) = match why {
        Error::InvalidCertificate(why) => match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                (format!("it expired on {}", until(&seen).1), hints::EXPIRED)
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
                format!("it is not valid before {}", until(&seen).0),
                hints::EXPIRED,
            ),
            CertificateError::NotValidForNameContext {
                expected,
                presented,
            } => (
                format!(
                    "it is for {}, not for {}",
                    names(presented, seen.as_ref()),
                    expected.to_str()
                ),
                hints::WRONG_NAME,
            ),
            CertificateError::NotValidForName => {
                ("it is for another name".to_owned(), hints::WRONG_NAME)
            }
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => (
                "its signature is of a kind that is not accepted".to_owned(),
                hints::WEAK_CERTIFICATE,
            ),
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => (
                "it is not one for servers".to_owned(),
                hints::UNKNOWN_CERTIFICATE,
            ),
            CertificateError::Revoked => ("it is revoked".to_owned(), hints::EXPIRED),
            _ if seen
                .as_ref()
                .is_some_and(|seen| seen.subject == seen.issuer) =>
            {
                (
                    "it vouches for itself, and is not on record".to_owned(),
                    hints::UNKNOWN_CERTIFICATE,
                )
            }
            CertificateError::UnknownIssuer => (
                "nobody who is trusted vouches for it, and it is not on record".to_owned(),
                hints::UNKNOWN_CERTIFICATE,
            ),
            other => (
                format!("it is not accepted ({other})"),
                hints::UNKNOWN_CERTIFICATE,
            ),
        },
        other => (
            format!("it is not accepted ({other})"),
            hints::UNKNOWN_CERTIFICATE,
        ),
    };
    HostError::new(ErrorKind::Certificate, format!("{of}: {why}")).hint(hint)
}

/// Names as rustls shows them, `DnsName("x")`, made readable; some certificates have none but the
/// subject's, which is no name of a host any more (RFC 6125).
fn names(presented: &[String], seen: Option<&ScannedCertificate>) -> String {
    if presented.is_empty() {
        return match seen {
            Some(seen) => format!("no name but its subject's ({})", seen.subject),
            None => "no name".to_owned(),
        };
    }
    let plain = |name: &String| {
        name.split_once('(')
            .map_or(name.as_str(), |(_, name)| name)
            .trim_matches(|c| matches!(c, '(' | ')' | '"'))
            .to_owned()
    };
    presented
        .iter()
        .take(8)
        .map(plain)
        .collect::<Vec<_>>()
        .join(", ")
}
