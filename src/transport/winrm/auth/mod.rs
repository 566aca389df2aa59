//! Logging in over HTTP, on one connection: NTLM, Kerberos, Basic, a client certificate. What comes of it says how
//! this connection is spoken on from then on: sealed, or open within TLS.

mod by_kerberos;
mod kdc;
mod kerberos;
mod ntlm;
mod offers;
mod security;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};

use self::kerberos::Realm;
use self::offers::Offers;
use super::hints;
use super::http::{Answer, Failure, Http};
use super::request::{Common, Operation};
use super::seal::Sealing;
use super::unexpected::unexpected;
use crate::base::secret::Secret;
use crate::event::{ErrorKind, HostError};
use crate::target::{WinrmAuth, WinrmClient, WinrmTarget};

/// The type of a message that is not sealed.
pub(super) const SOAP: HeaderValue = HeaderValue::from_static("application/soap+xml;charset=UTF-8");

/// The limit for connecting is kept outside; this is for when there is none.
const PATIENCE: Duration = Duration::from_mins(1);

/// How a connection is spoken on.
pub(super) enum Speech {
    /// Every message is sealed.
    Sealed(Box<dyn Sealing>),
    /// TLS is the seal. With what each request says of who we are, where that is needed.
    Open(Option<HeaderValue>),
}

/// What can be known before connecting: no password ever goes where it should not.
pub(super) fn possible(target: &WinrmTarget) -> Result<(), HostError> {
    let options = &target.options;
    let refuse = |kind, message: String, hint: &str| Err(HostError::new(kind, message).hint(hint));
    if options.client == WinrmClient::WinrmRs {
        return refuse(
            ErrorKind::Unsupported,
            "the client winrm-rs is not built in".to_owned(),
            hints::WINRM_RS,
        );
    }
    match options.auth {
        WinrmAuth::Credssp => refuse(
            ErrorKind::Unsupported,
            "CredSSP is not spoken by the built-in WinRM client".to_owned(),
            hints::CREDSSP,
        ),
        _ => complete(target),
    }
}

/// Whether there is what a login needs, and a way to say it that nobody can read.
pub(super) fn complete(target: &WinrmTarget) -> Result<(), HostError> {
    let options = &target.options;
    let refuse = |kind, message: String, hint: &str| Err(HostError::new(kind, message).hint(hint));
    match options.auth {
        WinrmAuth::Basic | WinrmAuth::Certificate | WinrmAuth::Credssp if !options.https => refuse(
            ErrorKind::Arguments,
            format!(
                "{} over HTTP would be readable on the way",
                options.auth.name()
            ),
            hints::NEEDS_TLS,
        ),
        WinrmAuth::Certificate if options.client_certificate.is_none() => refuse(
            ErrorKind::Arguments,
            "no certificate to log in with was named".to_owned(),
            "set ansible_winrm_cert_pem and ansible_winrm_cert_key_pem",
        ),
        WinrmAuth::Certificate => Ok(()),
        // The crate has its ticket, or gets one.
        WinrmAuth::Kerberos if options.client == WinrmClient::WinrmRs => Ok(()),
        WinrmAuth::Negotiate
        | WinrmAuth::Ntlm
        | WinrmAuth::Basic
        | WinrmAuth::Kerberos
        | WinrmAuth::Credssp => {
            if target.user.is_empty() {
                return refuse(
                    ErrorKind::Arguments,
                    "no user to log in as was named".to_owned(),
                    "set ansible_user, or give -u",
                );
            }
            if target.password.is_none() {
                return refuse(
                    ErrorKind::AuthDenied,
                    format!("no password of {} is known", target.user),
                    "set ansible_password in a vault, or let it be asked for with -k",
                );
            }
            if options.auth == WinrmAuth::Kerberos {
                Realm::of(target)?;
            }
            Ok(())
        }
    }
}

/// Logs in. `binding` is that of the TLS connection below.
pub(super) async fn login(
    http: &mut Http,
    target: &WinrmTarget,
    binding: Option<Vec<u8>>,
) -> Result<Speech, HostError> {
    possible(target)?;
    let secret = target.password.clone().unwrap_or_default();
    match target.options.auth {
        WinrmAuth::Basic => {
            let value = basic(&target.user, &secret)?;
            identify(http, target, value).await
        }
        WinrmAuth::Certificate => identify(http, target, MUTUAL).await,
        way => {
            // Asked for by nobody, Kerberos needs all that it needs to be known.
            if let Some(realm) = match way {
                WinrmAuth::Kerberos => Some(Realm::of(target)?),
                WinrmAuth::Negotiate => Realm::of(target).ok(),
                _ => None,
            } {
                let kerberos = by_kerberos::login(http, target, &realm, &secret);
                match Box::pin(kerberos).await {
                    Ok(speech) => return Ok(speech),
                    Err(no) if way == WinrmAuth::Kerberos || !no.knows_nothing => {
                        return Err(no.error);
                    }
                    Err(no) => tracing::debug!(error = %no.error, "no Kerberos, so NTLM"),
                }
            }
            let mut login = NtlmLogin {
                place: format!("{}:{}", target.address, target.port),
                http,
                target,
                secret,
                binding: binding.filter(|_| target.options.channel_binding),
            };
            login.run().await
        }
    }
}

/// A token as a header; it is worth a password to who can guess.
fn token_header(scheme: &str, token: &[u8]) -> Result<(HeaderName, HeaderValue), HostError> {
    let value = format!("{scheme} {}", STANDARD.encode(token));
    let mut value = HeaderValue::from_str(&value)
        .map_err(|_| HostError::new(ErrorKind::Protocol, "a token that can't be sent"))?;
    value.set_sensitive(true);
    Ok((AUTHORIZATION, value))
}

/// Says that the certificate of the TLS connection is who we are (MS-WSMV 2.2.1).
const MUTUAL: HeaderValue =
    HeaderValue::from_static("http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual");

fn basic(user: &str, password: &Secret) -> Result<HeaderValue, HostError> {
    let pair = Secret::new(format!("{user}:{}", password.expose()));
    let value = Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())));
    let mut value = HeaderValue::from_str(value.expose())
        .map_err(|_| HostError::new(ErrorKind::Arguments, "the user can't be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A first request to show that the login is good: these ways have no handshake of their own.
async fn identify(
    http: &mut Http,
    target: &WinrmTarget,
    authorization: HeaderValue,
) -> Result<Speech, HostError> {
    let place = format!("{}:{}", target.address, target.port);
    let common = Common {
        to: "",
        timeout: PATIENCE,
        max_envelope: 0,
    };
    let body = Operation::Identify.render(&common, "").into_bytes();
    let headers = [(AUTHORIZATION, authorization.clone())];
    let certificate = target.options.auth == WinrmAuth::Certificate;
    let answer = http
        .post(&headers, SOAP, body, PATIENCE)
        .await
        .map_err(|failure| {
            let error = cut_off(&place, &failure);
            if certificate {
                error.hint(hints::CERTIFICATE_DENIED)
            } else {
                error
            }
        })?;
    match answer.status {
        StatusCode::OK => Ok(Speech::Open(Some(authorization))),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let offers = Offers::of(&answer.headers);
            let name = target.options.auth.name();
            if !certificate && !offers.has("Basic") {
                return Err(not_offered(&place, name, &offers).hint(hints::BASIC_OFF));
            }
            Err(HostError::new(
                ErrorKind::AuthDenied,
                format!("{place}: {name} login as {} was denied", target.user),
            )
            .hint(if certificate {
                hints::CERTIFICATE_DENIED
            } else {
                hints::BASIC_DENIED
            }))
        }
        _ => Err(unexpected(&place, &answer)),
    }
}

struct NtlmLogin<'a> {
    http: &'a mut Http,
    target: &'a WinrmTarget,
    place: String,
    secret: Secret,
    binding: Option<Vec<u8>>,
}

impl NtlmLogin<'_> {
    async fn run(&mut self) -> Result<Speech, HostError> {
        let mut scheme = "Negotiate";
        let mut exchange = self.exchange();
        let mut answer = self.post(scheme, &exchange.step(Vec::new())?).await?;
        let mut offers = Offers::of(&answer.headers);
        if offers.token.is_none() && offers.has("NTLM") && !offers.has("Negotiate") {
            scheme = "NTLM";
            exchange = self.exchange();
            answer = self.post(scheme, &exchange.step(Vec::new())?).await?;
            offers = Offers::of(&answer.headers);
        }
        if answer.status != StatusCode::UNAUTHORIZED {
            return Err(unexpected(&self.place, &answer));
        }
        let Some(challenge) = offers.token.take() else {
            return Err(if offers.has("Negotiate") || offers.has("NTLM") {
                HostError::new(
                    ErrorKind::AuthDenied,
                    format!("{}: the host refuses NTLM", self.place),
                )
                .hint(hints::NTLM_REFUSED)
            } else {
                not_offered(&self.place, "Negotiate or NTLM", &offers)
            });
        };
        let answer = self.post(scheme, &exchange.step(challenge)?).await?;
        match answer.status {
            status if status.is_success() => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(self.denied()),
            _ => return Err(unexpected(&self.place, &answer)),
        }
        Ok(if self.target.options.https {
            Speech::Open(None)
        } else {
            Speech::Sealed(Box::new(exchange.seal()))
        })
    }

    fn exchange(&self) -> ntlm::Exchange {
        ntlm::Exchange::new(
            &self.target.user,
            &self.secret,
            self.binding.as_deref(),
            &self.place,
        )
    }

    /// A message without a body: Windows takes none before the login is done.
    async fn post(&mut self, scheme: &str, token: &[u8]) -> Result<Answer, HostError> {
        let header = token_header(scheme, token)?;
        self.http
            .post(&[header], SOAP, Vec::new(), PATIENCE)
            .await
            .map_err(|failure| cut_off(&self.place, &failure))
    }

    fn denied(&self) -> HostError {
        let options = &self.target.options;
        HostError::new(
            ErrorKind::AuthDenied,
            format!(
                "{}: NTLM login as {} was denied",
                self.place, self.target.user
            ),
        )
        .hint(match (options.https, options.channel_binding) {
            (false, _) => hints::LOGIN_DENIED,
            (true, true) => hints::LOGIN_DENIED_TLS,
            (true, false) => hints::LOGIN_DENIED_UNBOUND,
        })
    }
}

fn not_offered(place: &str, wanted: &str, offers: &Offers) -> HostError {
    HostError::new(
        ErrorKind::AuthDenied,
        format!("{place}: the host does not offer {wanted}, but {}", offers.show()),
    )
    .hint("choose one that it offers with ansible_winrm_transport, or switch yours on: `winrm get winrm/config/service/auth` on the host")
}

/// The connection failed before we were in.
fn cut_off(place: &str, failure: &Failure) -> HostError {
    match failure {
        Failure::Bad(why) => {
            HostError::new(ErrorKind::Protocol, format!("{place}: {why}")).hint(hints::NOT_WSMAN)
        }
        _ => HostError::new(
            ErrorKind::Reset,
            format!(
                "{place}: the connection was lost while logging in: {}",
                failure.text()
            ),
        )
        .hint(hints::RESET),
    }
}
