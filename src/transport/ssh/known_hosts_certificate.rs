//! Hosts that show a certificate: whether an authority on record vouches for them.

use russh::keys::{Certificate, PublicKey};

use super::known_hosts::{KnownHosts, Names, fingerprint};
use crate::base::clock;
use crate::event::{ErrorKind, HostError};
use crate::target::SshTarget;

/// A host's certificate (OpenSSH's PROTOCOL.certkeys): signed by an authority for this name, for a
/// host, for now.
pub(super) fn check_certificate(
    known: &KnownHosts,
    target: &SshTarget,
    names: &Names,
    certificate: &Certificate,
) -> Result<(), HostError> {
    let name = names.kept.as_str();
    let refuse = |kind, why: String| {
        Err(HostError::new(
            kind,
            format!("{name} shows a certificate {why}"),
        ))
    };
    let authority = PublicKey::from(certificate.signature_key().clone());
    let own = PublicKey::from(certificate.public_key().clone());
    if known.is_revoked(name, &authority) || known.is_revoked(name, &own) {
        return refuse(
            ErrorKind::HostKeyRevoked,
            "whose key or authority is revoked".into(),
        );
    }
    // As ssh does: an authority for the name without its port vouches for all ports.
    if !names.all().any(|name| known.trusts(&authority, name)) {
        return refuse(
            ErrorKind::HostKeyUnknown,
            format!(
                "of an authority that is not trusted for it: {}",
                fingerprint(&authority)
            ),
        );
    }
    if certificate.cert_type() != russh::keys::ssh_key::certificate::CertType::Host {
        return refuse(
            ErrorKind::HostKeyUnknown,
            "for a user, not for a host".into(),
        );
    }
    let now = u64::try_from(clock::now().as_second()).unwrap_or_default();
    if certificate.verify_signature().is_err() {
        return refuse(ErrorKind::HostKeyUnknown, "whose signature is wrong".into());
    }
    if now < certificate.valid_after() || now >= certificate.valid_before() {
        return refuse(
            ErrorKind::HostKeyUnknown,
            "that is not valid now: check both clocks".into(),
        );
    }
    let wanted = target
        .host_key_alias
        .as_deref()
        .unwrap_or(&target.address)
        .to_lowercase();
    let principals = certificate.valid_principals();
    if principals.is_empty()
        || !principals
            .iter()
            .any(|principal| principal.to_lowercase() == wanted)
    {
        return refuse(
            ErrorKind::HostKeyUnknown,
            format!("for {}, not for {wanted}", principals.join(",")),
        );
    }
    Ok(())
}
