//! One logged-in connection: a request goes out sealed or within TLS, and what comes back is an envelope
//! or an error that says how far things got. One request at a time, in order: seals count.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use tokio::time::{Instant, timeout};

use super::auth::{SOAP, Speech, login};
use super::certificates::Certificates;
use super::hints;
use super::http::{Answer, Failure, Http};
use super::response::{Response, parse};
use super::seal::{content_type, frame, is_sealed, unseal};
use super::tls::secure;
use super::unexpected::{is_soap, unexpected};
use crate::event::{ErrorKind, HostError, Timings};
use crate::target::WinrmTarget;
use crate::transport::dial::dial;

/// How much longer than the operation's own time an answer may be waited for.
const MARGIN: Duration = Duration::from_secs(30);

/// A connection.
pub(super) struct Wire {
    http: Http,
    speech: Speech,
    place: String,
}

/// How far a request got that brought no envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The host did not take it.
    NotTaken,
    /// The host may have taken it, and said nothing.
    NoAnswer,
    /// The host answered, and the answer broke off.
    Cut,
    /// The host answered something that is no answer.
    Answered,
}

/// Why a request brought no envelope.
#[derive(Debug, Clone)]
pub(super) struct CallError {
    pub(super) stage: Stage,
    pub(super) error: HostError,
}

impl Wire {
    /// Connects, checks who is there and logs in, within the target's time.
    pub(super) async fn open(
        certificates: &Arc<Certificates>,
        target: &Arc<WinrmTarget>,
    ) -> Result<(Self, Timings), HostError> {
        let limit = target.options.connect_timeout;
        let mut stage = "connecting";
        let opening = Self::connect(certificates, target, &mut stage);
        if limit.is_zero() {
            return opening.await;
        }
        match timeout(limit, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(HostError::new(
                ErrorKind::ConnectTimeout,
                format!(
                    "{}:{}: no answer within {} while {stage}",
                    target.address,
                    target.port,
                    crate::base::quantity::show_duration(limit)
                ),
            )
            .hint(hints::SILENT)),
        }
    }

    async fn connect(
        certificates: &Arc<Certificates>,
        target: &Arc<WinrmTarget>,
        stage: &mut &str,
    ) -> Result<(Self, Timings), HostError> {
        let began = Instant::now();
        let options = &target.options;
        let stream = dial(&target.address, target.port, options.connect_timeout)
            .await
            .map_err(hints::of_dialing)?;
        let host = HeaderValue::from_str(&authority(target)).map_err(|_| {
            HostError::new(
                ErrorKind::Arguments,
                format!("`{}` is no host's name", target.address),
            )
        })?;
        let (http, binding) = if options.https {
            *stage = "waiting for its TLS";
            let secured = Box::pin(secure(certificates, target, stream)).await?;
            let http = Http::open(secured.stream, host, options.path.clone()).await;
            (http, Some(secured.binding))
        } else {
            (Http::open(stream, host, options.path.clone()).await, None)
        };
        let mut http = http.map_err(|failure| {
            HostError::new(
                ErrorKind::Reset,
                format!("{}:{}: {}", target.address, target.port, failure.text()),
            )
        })?;
        let connected = Instant::now();
        *stage = "logging in";
        let speech = login(&mut http, target, binding).await?;
        if let Speech::Sealed(seal) = &speech
            && !seal.proves_the_host()
        {
            certificates.not_proven(&format!("{}:{}", target.address, target.port));
        }
        let timings = Timings {
            connect: connected - began,
            auth: connected.elapsed(),
        };
        let wire = Self {
            http,
            speech,
            place: format!("{}:{}", target.address, target.port),
        };
        Ok((wire, timings))
    }

    /// Whether it is known to be closed.
    pub(super) fn is_closed(&mut self) -> bool {
        self.http.is_closed()
    }

    /// One request and its answer, a fault too. After an error the connection is of no use any more.
    pub(super) async fn call(
        &mut self,
        envelope: String,
        message_id: &str,
        timeout: Duration,
    ) -> Result<Response, CallError> {
        let answered = |error| CallError {
            stage: Stage::Answered,
            error,
        };
        let mut headers = Vec::new();
        let (kind, body) = match &mut self.speech {
            Speech::Sealed(seal) => {
                let kind = HeaderValue::from_str(&content_type(seal.protocol())).unwrap_or(SOAP);
                (kind, frame(&mut **seal, envelope).map_err(answered)?)
            }
            Speech::Open(who) => {
                if let Some(who) = who {
                    headers.push((AUTHORIZATION, who.clone()));
                }
                (SOAP, envelope.into_bytes())
            }
        };
        let answer = self
            .http
            .post(&headers, kind, body, timeout + MARGIN)
            .await
            .map_err(|failure| self.failed(&failure))?;
        let body = self.open_answer(answer)?;
        let response = parse(&body).map_err(|why| {
            answered(HostError::new(
                ErrorKind::Protocol,
                format!("{}: its answer can't be read: {why}", self.place),
            ))
        })?;
        match &response.relates_to {
            Some(of) if !of.is_empty() && !of.eq_ignore_ascii_case(message_id) => {
                Err(answered(HostError::new(
                    ErrorKind::Protocol,
                    format!("{}: it answers another request than ours", self.place),
                )))
            }
            _ => Ok(response),
        }
    }

    fn failed(&self, failure: &Failure) -> CallError {
        let (stage, kind) = match failure {
            Failure::NotSent => (Stage::NotTaken, ErrorKind::Reset),
            Failure::NoAnswer(_) => (Stage::NoAnswer, ErrorKind::Reset),
            Failure::Cut(_) => (Stage::Cut, ErrorKind::Reset),
            Failure::Bad(_) => (Stage::Answered, ErrorKind::Protocol),
        };
        CallError {
            stage,
            error: HostError::new(kind, format!("{}: {}", self.place, failure.text())),
        }
    }

    /// The envelope of an answer. Where we seal, only what is sealed is believed.
    fn open_answer(&mut self, answer: Answer) -> Result<Vec<u8>, CallError> {
        let answered = |error| CallError {
            stage: Stage::Answered,
            error,
        };
        let kind = answer
            .headers
            .get(CONTENT_TYPE)
            .map_or(&b""[..], HeaderValue::as_bytes);
        if answer.status == StatusCode::UNAUTHORIZED {
            // Nothing is done for those who are not logged in.
            return Err(CallError {
                stage: Stage::NotTaken,
                error: HostError::new(
                    ErrorKind::Reset,
                    format!("{}: the host wants a new login", self.place),
                ),
            });
        }
        match &mut self.speech {
            Speech::Sealed(seal) => {
                if is_sealed(&String::from_utf8_lossy(kind)) {
                    return unseal(&mut **seal, &answer.body, &self.place).map_err(answered);
                }
                if answer.status == StatusCode::OK {
                    return Err(answered(
                        HostError::new(
                            ErrorKind::Protocol,
                            format!("{}: it answers without a seal", self.place),
                        )
                        .hint(hints::NOT_SEALED),
                    ));
                }
                // Of an open error nothing but its number is taken.
                let bare = Answer {
                    status: answer.status,
                    headers: hyper::HeaderMap::new(),
                    body: bytes::Bytes::new(),
                };
                Err(answered(unexpected(&self.place, &bare)))
            }
            Speech::Open(_) => {
                let may_be = matches!(
                    answer.status,
                    StatusCode::OK | StatusCode::INTERNAL_SERVER_ERROR | StatusCode::BAD_REQUEST
                );
                if may_be && is_soap(kind) && !answer.body.is_empty() {
                    return Ok(answer.body.into());
                }
                Err(answered(unexpected(&self.place, &answer)))
            }
        }
    }
}

/// Name and port, as they stand in a URL.
pub(super) fn authority(target: &WinrmTarget) -> String {
    if target.address.contains(':') {
        format!("[{}]:{}", target.address, target.port)
    } else {
        format!("{}:{}", target.address, target.port)
    }
}
