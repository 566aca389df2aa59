//! The certificate a host shows, without logging in: `hostkeys scan`.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::hints;
use super::leaf::ScannedCertificate;
use super::tls::handshake;
use super::verify::Judge;
use crate::event::{ErrorKind, HostError};
use crate::target::WinrmTarget;
use crate::transport::dial::dial;

/// A scan needs a limit even where connecting has none.
const UNLIMITED: Duration = Duration::from_mins(1);

/// Asks a host for its certificate.
pub async fn scan(target: &Arc<WinrmTarget>) -> Result<ScannedCertificate, HostError> {
    let place = format!("{}:{}", target.address, target.port);
    if !target.options.https {
        return Err(HostError::new(
            ErrorKind::Unsupported,
            format!("{place}: there are no certificates over HTTP"),
        ));
    }
    let limit = match target.options.connect_timeout {
        Duration::ZERO => UNLIMITED,
        limit => limit,
    };
    let mut hint = hints::SILENT;
    let asking = async {
        let stream = dial(&target.address, target.port, limit)
            .await
            .map_err(hints::of_dialing)?;
        hint = hints::NO_TLS_ANSWER;
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let judge = Arc::new(Judge::new(target.clone(), None, provider));
        let connected = handshake(target, stream, judge.clone(), None).await;
        match (judge.leaf(), connected) {
            // A host that wants a certificate of ours has shown its own before.
            (Some(leaf), _) => ScannedCertificate::read(&leaf).ok_or_else(|| {
                HostError::new(
                    ErrorKind::Certificate,
                    format!("{place} shows a certificate that can't be read"),
                )
            }),
            (None, Err(error)) => Err(error),
            (None, Ok(_)) => Err(HostError::new(
                ErrorKind::Certificate,
                format!("{place} shows no certificate"),
            )),
        }
    };
    match timeout(limit, asking).await {
        Ok(scanned) => scanned,
        Err(_) => Err(HostError::new(
            ErrorKind::ConnectTimeout,
            format!("{place}: no answer within {} s", limit.as_secs()),
        )
        .hint(hint)),
    }
}
