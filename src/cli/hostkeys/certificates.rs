//! The certificates of hosts behind WinRM over HTTPS.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Known;
use super::rows::{Row, Seen, State};
use crate::cli::CliError;
use crate::event::HostError;
use crate::target::WinrmTarget;
use crate::transport::winrm::{Certificates, KnownCertificate, ScannedCertificate};

/// What a host shows.
pub(super) async fn scan(
    host: &Arc<str>,
    target: &Arc<WinrmTarget>,
    known: &Known,
) -> Result<Seen, HostError> {
    if !target.options.https {
        return Ok(Seen {
            rows: vec![Row {
                note: Some("HTTP: it shows no certificate"),
                ..Row::new(host, State::None)
            }],
            kept: None,
        });
    }
    let certificate = crate::transport::winrm::scan(target).await?;
    let state = state(known, target, &certificate)?;
    Ok(Seen {
        rows: vec![row(host, &certificate, state)],
        kept: Some((kept_name(target), vec![STANDARD.encode(&certificate.der)])),
    })
}

/// Under which name what was shown is kept.
pub(super) fn kept_name(target: &WinrmTarget) -> String {
    format!("x509 {}", Certificates::name(target))
}

/// Reads what was kept.
pub(super) fn parse(kept: &str) -> Option<ScannedCertificate> {
    ScannedCertificate::read(&STANDARD.decode(kept).ok()?)
}

/// A certificate's row.
pub(super) fn row(host: &Arc<str>, certificate: &ScannedCertificate, state: State) -> Row {
    Row {
        kind: Some("x509".to_owned()),
        fingerprint: Some(certificate.fingerprint.clone()),
        subject: Some(certificate.subject.clone()),
        expires: Some(certificate.not_after),
        ..Row::new(host, state)
    }
}

/// How a certificate that was shown stands to those on record, or to the one that is pinned.
pub(super) fn state(
    known: &Known,
    target: &WinrmTarget,
    certificate: &ScannedCertificate,
) -> Result<State, HostError> {
    let digest = certificate.fingerprint.strip_prefix("SHA256:");
    let shown = digest.and_then(|digest| STANDARD.decode(format!("{digest}=")).ok());
    if let Some(pin) = &target.options.pin {
        return Ok(if shown.as_deref() == Some(pin.as_slice()) {
            State::Known
        } else {
            State::Changed
        });
    }
    let on_record = known.certificates.on_record(target)?;
    Ok(if on_record.is_empty() {
        State::New
    } else if on_record
        .iter()
        .any(|one| one.fingerprint == certificate.fingerprint)
    {
        State::Known
    } else {
        State::Changed
    })
}

/// As it will stand on record.
pub(super) fn entry(target: &WinrmTarget, certificate: &ScannedCertificate) -> KnownCertificate {
    KnownCertificate {
        name: Certificates::name(target),
        fingerprint: certificate.fingerprint.clone(),
        subject: certificate.subject.clone(),
        line: 0,
    }
}

/// What is on record for a host.
pub(super) fn on_record(
    known: &Known,
    host: &Arc<str>,
    target: &WinrmTarget,
) -> Result<Vec<Row>, CliError> {
    let found = known.certificates.on_record(target);
    let found = found.map_err(|error| CliError::new(error.message))?;
    let file = known.certificates.file();
    Ok(found
        .into_iter()
        .map(|one| Row {
            kind: Some("x509".to_owned()),
            fingerprint: Some(one.fingerprint),
            subject: Some(one.subject).filter(|subject| !subject.is_empty()),
            place: Some((file.to_owned(), one.line)),
            ..Row::new(host, State::Known)
        })
        .collect())
}

/// Takes the entries of these names off the record; says how many there were.
pub(super) fn forget(known: &Known, names: &[String]) -> Result<(PathBuf, usize), CliError> {
    let file = known.certificates.file();
    let removed = crate::transport::winrm::forget(file, names)
        .map_err(|error| CliError::new(error.message))?;
    Ok((file.to_owned(), removed))
}
