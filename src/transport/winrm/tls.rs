//! TLS to a WinRM listener: the handshake, and what went wrong in it. Who is believed is decided by
//! [`Certificates`]. Always rustls with ring: no other provider is to be picked up by chance.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::{ClientConfig, Resumption};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{AlertDescription, Error};

use super::authorities::Identity;
use super::certificates::Certificates;
use super::hints;
use super::leaf::end_point;
use super::tls_probe;
use super::verify::Judge;
use crate::event::{ErrorKind, HostError};
use crate::target::WinrmTarget;
use crate::transport::dial::io_error;

/// A connection whose other end is known.
pub(super) struct Secured {
    pub(super) stream: TlsStream<TcpStream>,
    /// What ties a login to it (`tls-server-end-point:` and a hash).
    pub(super) binding: Vec<u8>,
}

/// The handshake, with the host's certificate judged.
pub(super) async fn secure(
    certificates: &Arc<Certificates>,
    target: &Arc<WinrmTarget>,
    stream: TcpStream,
) -> Result<Secured, HostError> {
    let identity = certificates.identity(target)?;
    let judge = Judge::new(
        target.clone(),
        Some(certificates.clone()),
        certificates.provider().clone(),
    );
    let (stream, leaf) = handshake(target, stream, Arc::new(judge), identity).await?;
    Ok(Secured {
        stream,
        binding: end_point(&leaf),
    })
}

/// The handshake, whoever judges. Also what the host showed.
pub(super) async fn handshake(
    target: &Arc<WinrmTarget>,
    stream: TcpStream,
    judge: Arc<Judge>,
    identity: Option<Identity>,
) -> Result<(TlsStream<TcpStream>, Vec<u8>), HostError> {
    let place = format!("{}:{}", target.address, target.port);
    let name = target.options.tls_name.as_ref().unwrap_or(&target.address);
    let name = ServerName::try_from(name.clone()).map_err(|_| {
        HostError::new(
            ErrorKind::Arguments,
            format!("`{name}` is no name that a certificate can be for"),
        )
    })?;
    let config = config(judge.clone(), identity)?;
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    match connecting.await {
        Ok(stream) => {
            let leaf = judge.leaf().unwrap_or_default();
            Ok((stream, leaf))
        }
        Err(error) => Err(match judge.refused() {
            Some(refused) => refused,
            None => explain(target, &place, &error).await,
        }),
    }
}

fn config(judge: Arc<Judge>, identity: Option<Identity>) -> Result<ClientConfig, HostError> {
    let broken =
        |error: Error| HostError::new(ErrorKind::LocalIo, format!("TLS can't be set up: {error}"));
    let provider: Arc<CryptoProvider> = judge.provider().clone();
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(broken)?
        .dangerous()
        .with_custom_certificate_verifier(judge);
    let mut config = match identity {
        Some(identity) => builder.with_client_cert_resolver(identity),
        None => builder.with_no_client_auth(),
    };
    // A session taken up again shows no certificate: there would be nothing to judge.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// What went wrong before anybody was judged.
async fn explain(target: &WinrmTarget, place: &str, error: &io::Error) -> HostError {
    let cause = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>());
    match cause {
        Some(Error::AlertReceived(
            alert @ (AlertDescription::HandshakeFailure
            | AlertDescription::ProtocolVersion
            | AlertDescription::InsufficientSecurity),
        )) => no_common(place, &format!("the host says {alert:?}")),
        Some(Error::PeerIncompatible(why)) => no_common(place, &format!("{why:?}")),
        Some(Error::AlertReceived(alert)) => HostError::new(
            ErrorKind::Protocol,
            format!("{place}: the host refuses TLS: {alert:?}"),
        )
        .hint(if target.options.client_certificate.is_some() {
            hints::CERTIFICATE_DENIED
        } else {
            hints::NOT_TLS
        }),
        Some(Error::InvalidMessage(_)) => HostError::new(
            ErrorKind::Protocol,
            format!("{place}: what answers there does not speak TLS"),
        )
        .hint(hints::NOT_TLS),
        Some(Error::InvalidCertificate(why)) => HostError::new(
            ErrorKind::Certificate,
            format!("{place}: the host could not prove that the certificate is its own ({why})"),
        )
        .hint(hints::WEAK_CERTIFICATE),
        Some(other) => HostError::new(ErrorKind::Protocol, format!("{place}: TLS: {other}")),
        // Windows' way of saying that there is no common suite is to hang up; so is being too busy.
        None => hung_up(target, place, error).await,
    }
}

/// Windows' way of saying that there is no common suite is to hang up; so is being too busy.
async fn hung_up(target: &WinrmTarget, place: &str, error: &io::Error) -> HostError {
    if let Some(version) = tls_probe::old_tls(target).await {
        return no_common(
            place,
            &format!("the host speaks {version} at most, or old suites only"),
        );
    }
    let error = io_error(place, error);
    HostError {
        message: format!("{}, in the TLS handshake", error.message),
        ..error
    }
    .hint(hints::RESET)
}

fn no_common(place: &str, why: &str) -> HostError {
    HostError::new(
        ErrorKind::Protocol,
        format!("{place}: no common TLS version or cipher suite: {why}"),
    )
    .hint(hints::NO_COMMON_TLS)
}
