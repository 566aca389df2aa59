//! The hook in the TLS handshake: asks [`Certificates`] about what one host shows, keeps what was shown
//! and what was said, and has the host prove in any case that the certificate is its own.

use std::sync::{Arc, Mutex};

use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::certificates::{Certificates, Shown};
use crate::event::HostError;
use crate::target::WinrmTarget;

/// Judges one host.
#[derive(Debug)]
pub(super) struct Judge {
    target: Arc<WinrmTarget>,
    /// None: take whatever comes, to show it.
    certificates: Option<Arc<Certificates>>,
    provider: Arc<CryptoProvider>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    leaf: Option<Vec<u8>>,
    refused: Option<HostError>,
}

impl Judge {
    pub(super) fn new(
        target: Arc<WinrmTarget>,
        certificates: Option<Arc<Certificates>>,
        provider: Arc<CryptoProvider>,
    ) -> Self {
        Self {
            target,
            certificates,
            provider,
            seen: Mutex::default(),
        }
    }

    pub(super) fn provider(&self) -> &Arc<CryptoProvider> {
        &self.provider
    }

    /// The host's own certificate, once it was shown.
    pub(super) fn leaf(&self) -> Option<Vec<u8>> {
        self.seen.lock().ok().and_then(|seen| seen.leaf.clone())
    }

    /// Why it was refused.
    pub(super) fn refused(&self) -> Option<HostError> {
        self.seen.lock().ok().and_then(|seen| seen.refused.clone())
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Shown {
            leaf: end_entity,
            others: intermediates,
            ocsp: ocsp_response,
            now,
        };
        let verdict = match &self.certificates {
            Some(certificates) => certificates.judge(&self.target, server_name, &shown),
            None => Ok(()),
        };
        let Ok(mut seen) = self.seen.lock() else {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        };
        seen.leaf = Some(end_entity.to_vec());
        match verdict {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(error) => {
                seen.refused = Some(error);
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
