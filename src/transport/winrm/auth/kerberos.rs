//! Kerberos (RFC 4120, RFC 4121), with the crate `sspi`: a ticket for the host's HTTP service, the
//! exchange with the host, and the seal that comes of it.
//!
//! The login is not tied to a TLS connection: of channel bindings the crate makes two bytes where
//! MS-KILE (3.2.5.8) has four, which MIT's acceptor refuses. The host proves itself by its ticket.

use sspi::generator::GeneratorState;
use sspi::{
    AuthIdentityBuffers, BufferType, ClientRequestFlags, CredentialsBuffers, DataRepresentation,
    Kerberos, KerberosConfig, SecurityBuffer, Sspi as _, SspiImpl as _,
};

use super::super::seal::Sealing;
use super::{kdc, security};
use crate::base::secret::Secret;
use crate::event::{ErrorKind, HostError};
use crate::target::WinrmTarget;

/// Who logs in, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Realm {
    /// The user's name in it.
    user: String,
    /// Its name, in capitals.
    name: String,
    /// Its key distribution centre, as a URL.
    kdc: String,
}

impl Realm {
    /// The realm of a user, if one is known, and where its key distribution centre is known too.
    pub(super) fn of(target: &WinrmTarget) -> Result<Self, HostError> {
        let options = &target.options.kerberos;
        let (user, realm) = match (target.user.split_once('@'), &options.realm) {
            (Some((user, _)), Some(realm)) => (user, realm.as_str()),
            (Some((user, realm)), None) => (user, realm),
            (None, Some(realm)) => {
                let user = target.user.rsplit('\\').next().unwrap_or_default();
                (user, realm.as_str())
            }
            (None, None) => {
                return Err(HostError::new(
                    ErrorKind::Arguments,
                    format!("Kerberos needs a realm, and `{}` names none", target.user),
                )
                .hint("write the user as user@REALM, or set ansible_winrm_realm"));
            }
        };
        let realm = realm.to_uppercase();
        let kdc = match &options.kdc {
            Some(kdc) if kdc.contains("://") => kdc.clone(),
            Some(kdc) => format!("tcp://{kdc}"),
            None => sspi::detect_kdc_url(&realm).map(String::from).ok_or_else(|| {
                HostError::new(
                    ErrorKind::Arguments,
                    format!("no key distribution centre of {realm} is known"),
                )
                .hint("set ansible_winrm_kdc, or name it in /etc/krb5.conf ([realms]); DNS is not asked")
            })?,
        };
        Ok(Self {
            user: user.to_owned(),
            name: realm,
            kdc,
        })
    }
}

/// One exchange with a host.
pub(super) struct Exchange {
    kerberos: Kerberos,
    credentials: Option<CredentialsBuffers>,
    /// The host's service.
    service: String,
    place: String,
}

/// Why there is no token.
#[derive(Debug)]
pub(super) struct NoToken {
    pub(super) error: HostError,
    /// Kerberos has no answer here, and another way may be tried; else it has said no.
    pub(super) knows_nothing: bool,
}

impl Exchange {
    pub(super) fn new(
        target: &WinrmTarget,
        realm: &Realm,
        password: &Secret,
    ) -> Result<Self, HostError> {
        let options = &target.options.kerberos;
        let config = KerberosConfig::new_with_kdc_url(&realm.kdc, "ioms".to_owned());
        let kerberos = Kerberos::new_client_from_config(config)
            .map_err(|error| HostError::new(ErrorKind::Protocol, error.description))?;
        let class = options.service.as_deref().unwrap_or("HTTP");
        let host = options.hostname.as_deref().unwrap_or(&target.address);
        let identity = AuthIdentityBuffers::from_utf8(&realm.user, &realm.name, password.expose());
        Ok(Self {
            kerberos,
            credentials: Some(CredentialsBuffers::AuthIdentity(identity)),
            service: format!("{class}/{host}"),
            place: format!("{}:{}", target.address, target.port),
        })
    }

    /// The next message of ours: the first asks for tickets; `token` is what the host has said.
    pub(super) async fn step(&mut self, token: Vec<u8>) -> Result<Vec<u8>, NoToken> {
        let mut input = [SecurityBuffer::new(token, BufferType::Token)];
        let mut output = [SecurityBuffer::new(Vec::new(), BufferType::Token)];
        let done = {
            let mut builder = self
                .kerberos
                .initialize_security_context()
                .with_credentials_handle(&mut self.credentials)
                .with_context_requirements(
                    ClientRequestFlags::MUTUAL_AUTH
                        | ClientRequestFlags::CONFIDENTIALITY
                        | ClientRequestFlags::INTEGRITY
                        | ClientRequestFlags::SEQUENCE_DETECT
                        | ClientRequestFlags::REPLAY_DETECT,
                )
                .with_target_data_representation(DataRepresentation::Native)
                .with_target_name(&self.service)
                .with_input(&mut input)
                .with_output(&mut output);
            let started = self.kerberos.initialize_security_context_impl(&mut builder);
            let mut step = started.map_err(|error| refused(&self.place, &self.service, &error))?;
            let mut state = step.start();
            loop {
                match state {
                    GeneratorState::Completed(done) => break done,
                    GeneratorState::Suspended(request) => {
                        let answer = kdc::ask(&request).await.map_err(|error| NoToken {
                            error,
                            knows_nothing: true,
                        })?;
                        state = step.resume(Ok(answer));
                    }
                }
            }
        };
        done.map_err(|error| refused(&self.place, &self.service, &error))?;
        let [SecurityBuffer { buffer, .. }] = output;
        Ok(buffer)
    }

    /// The exchange is over: what it has made.
    pub(super) fn seal(self) -> Seal {
        Seal {
            kerberos: self.kerberos,
            place: self.place,
            next: None,
        }
    }
}

fn refused(place: &str, service: &str, error: &sspi::Error) -> NoToken {
    use sspi::ErrorKind as Of;
    let knows_nothing = matches!(
        error.error_type,
        Of::NoAuthenticatingAuthority | Of::UnknownCredentials | Of::OperationNotSupported
    );
    // What comes after it is ASN.1 for programmers.
    let said = error.description.split(". Additional error").next();
    let error = HostError::new(
        ErrorKind::AuthDenied,
        format!(
            "{place}: Kerberos ({service}): {}",
            said.unwrap_or_default()
        ),
    )
    .hint(super::super::hints::KERBEROS_DENIED);
    NoToken {
        error,
        knows_nothing,
    }
}

/// Seals what goes over a connection (RFC 4121, 4.2; MS-KILE 3.4.5.4.1).
pub(super) struct Seal {
    kerberos: Kerberos,
    place: String,
    /// The number that the host's next message must have; the first says where it begins.
    next: Option<u64>,
}

/// The head of a sealed message (RFC 4121, 4.2.6.2).
const HEAD: usize = 16;
/// By how much Windows and MIT turn what comes after it round, where the filler is none.
const ROTATION: usize = 28;

impl Seal {
    /// The number of a sealed message, where its lengths can be right.
    fn number(sealed: &[u8]) -> Option<u64> {
        let head = sealed.first_chunk::<HEAD>()?;
        let [5, 4, _, _, filler_high, filler_low, _, _, number @ ..] = head else {
            return None;
        };
        let filler = usize::from(u16::from_be_bytes([*filler_high, *filler_low]));
        let long_enough = sealed.len() >= HEAD * 2 + ROTATION + filler;
        long_enough.then(|| u64::from_be_bytes(*number))
    }
}

impl Sealing for Seal {
    fn protocol(&self) -> &'static str {
        "application/HTTP-Kerberos-session-encrypted"
    }

    fn proves_the_host(&self) -> bool {
        true
    }

    fn seal(&mut self, message: &mut Vec<u8>) -> Result<Vec<u8>, HostError> {
        let sizes = self.kerberos.query_context_sizes();
        sizes
            .and_then(|sizes| {
                let length = usize::try_from(sizes.security_trailer).unwrap_or_default();
                security::seal(&mut self.kerberos, length, message)
            })
            .map_err(|error| security::unsealed(&self.place, &error))
    }

    fn open(&mut self, signature: &mut [u8], message: &mut Vec<u8>) -> Result<(), HostError> {
        let changed = |why: &str| security::changed(&self.place, why);
        let whole = [&*signature, message.as_slice()].concat();
        let number = Self::number(&whole).ok_or_else(|| changed("it is too short"))?;
        if self.next.is_some_and(|next| next != number) {
            return Err(changed("it is not the next one"));
        }
        security::open(&mut self.kerberos, signature, message)
            .map_err(|error| changed(&error.description))?;
        self.next = Some(number.wrapping_add(1));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::target::{KerberosOptions, WinrmOptions};
    use crate::transport::winrm::testing;

    fn target(user: &str, realm: Option<&str>, kdc: Option<&str>) -> WinrmTarget {
        WinrmTarget {
            address: "win1".to_owned(),
            port: 5985,
            user: user.to_owned(),
            password: None,
            options: Arc::new(WinrmOptions {
                kerberos: KerberosOptions {
                    realm: realm.map(str::to_owned),
                    kdc: kdc.map(str::to_owned),
                    ..KerberosOptions::default()
                },
                ..testing::options()
            }),
        }
    }

    #[test]
    fn the_realm_is_the_users_or_the_one_that_is_set() {
        let kdc = Some("10.0.0.1");
        let realm = |user, set| {
            let realm = Realm::of(&target(user, set, kdc)).unwrap();
            (realm.user, realm.name, realm.kdc)
        };
        let url = "tcp://10.0.0.1".to_owned();
        let expected = ("ops".to_owned(), "CORP.EXAMPLE".to_owned(), url);
        assert_eq!(realm("ops@corp.example", None), expected);
        assert_eq!(realm("ops", Some("CORP.EXAMPLE")), expected);
        assert_eq!(realm("CORP\\ops", Some("corp.example")), expected);
        assert_eq!(realm("ops@short", Some("corp.example")), expected);
        let error = Realm::of(&target("ops", None, kdc)).unwrap_err();
        assert!(error.hint.unwrap().contains("user@REALM"));
        let error = Realm::of(&target("ops@no.such.realm.test", None, None)).unwrap_err();
        assert!(error.hint.unwrap().contains("ansible_winrm_kdc"));
    }

    #[test]
    fn a_sealed_message_whose_lengths_cannot_be_right_is_not_looked_into() {
        let mut sealed = vec![5, 4, 3, 0xff, 0, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0, 9];
        sealed.resize(60, 0);
        assert_eq!(Seal::number(&sealed), Some(9));
        assert_eq!(Seal::number(&sealed[..59]), None);
        sealed[4] = 1;
        assert_eq!(Seal::number(&sealed), None);
        assert_eq!(Seal::number(b""), None);
    }

    proptest! {
        #[test]
        fn no_answer_of_a_host_makes_the_exchange_panic(
            token in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let target = target("ops@corp.example", None, Some("127.0.0.1:1"));
            let realm = Realm::of(&target).unwrap();
            let mut exchange = Exchange::new(&target, &realm, &Secret::new("x")).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { prop_assert!(exchange.step(token).await.is_err()); Ok(()) })?;
        }
    }
}
