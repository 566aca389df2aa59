//! The Kerberos login over HTTP: one message each way, and the host proves itself in its own.

use hyper::StatusCode;

use super::kerberos::{Exchange, NoToken, Realm};
use super::offers::Offers;
use super::{Speech, cut_off, not_offered, token_header};
use crate::base::secret::Secret;
use crate::event::{ErrorKind, HostError};
use crate::target::WinrmTarget;
use crate::transport::winrm::hints;
use crate::transport::winrm::http::Http;
use crate::transport::winrm::unexpected::unexpected;

/// Logs in, with a ticket that is asked for first.
pub(super) async fn login(
    http: &mut Http,
    target: &WinrmTarget,
    realm: &Realm,
    password: &Secret,
) -> Result<Speech, NoToken> {
    let place = format!("{}:{}", target.address, target.port);
    let mut exchange = Exchange::new(target, realm, password).map_err(final_word)?;
    let token = exchange.step(Vec::new()).await?;
    let header = token_header("Kerberos", &token).map_err(final_word)?;
    let answer = http
        .post(&[header], super::SOAP, Vec::new(), super::PATIENCE)
        .await
        .map_err(|failure| final_word(cut_off(&place, &failure)))?;
    let offers = Offers::of(&answer.headers);
    match answer.status {
        status if status.is_success() => {}
        StatusCode::UNAUTHORIZED if !offers.has("Kerberos") => {
            // It was not looked at, so it was no attempt.
            return Err(NoToken {
                error: not_offered(&place, "Kerberos", &offers),
                knows_nothing: true,
            });
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            return Err(final_word(
                HostError::new(
                    ErrorKind::AuthDenied,
                    format!("{place}: Kerberos login as {} was denied", target.user),
                )
                .hint(if target.options.https {
                    hints::KERBEROS_DENIED_TLS
                } else {
                    hints::KERBEROS_DENIED
                }),
            ));
        }
        _ => return Err(final_word(unexpected(&place, &answer))),
    }
    let Some(proof) = offers.token else {
        return Err(final_word(HostError::new(
            ErrorKind::Protocol,
            format!("{place}: the host takes the ticket and does not prove that it can read it"),
        )));
    };
    exchange
        .step(proof)
        .await
        .map_err(|no| final_word(no.error))?;
    Ok(if target.options.https {
        Speech::Open(None)
    } else {
        Speech::Sealed(Box::new(exchange.seal()))
    })
}

/// After it no other way is tried: a second attempt may lock the account.
fn final_word(error: HostError) -> NoToken {
    NoToken {
        error,
        knows_nothing: false,
    }
}
