//! What the crate's errors mean for a host.

use std::error::Error as _;
use std::fmt::Write as _;

use ::winrm_rs::{SoapError, WinrmError};

use super::super::fault::Fault;
use super::super::hints;
use crate::event::{ErrorKind, HostError};
use crate::target::{WinrmAuth, WinrmTarget};

/// What was being done. What comes of an error depends on whether something may have been begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    SettingUp,
    LoggingIn,
    Starting,
    Running,
    Ending,
}

impl Doing {
    fn name(self) -> &'static str {
        match self {
            Self::SettingUp => "setting up winrm-rs",
            Self::LoggingIn => "opening a shell",
            Self::Starting => "starting the command",
            Self::Running => "asking for output",
            Self::Ending => "closing the shell",
        }
    }
}

/// An error of the crate as one of the host.
pub(super) fn explain(target: &WinrmTarget, doing: Doing, error: &WinrmError) -> HostError {
    let place = format!("{}:{}", target.address, target.port);
    if let WinrmError::Soap(SoapError::Fault { code, reason }) = error {
        let subcode = code.rsplit([':', '/']).next().unwrap_or_default();
        let fault = Fault {
            code: None,
            subcode: subcode.to_owned(),
            message: reason.clone(),
        };
        return begun(doing, fault.error(&place, doing.name()));
    }
    let message = format!("{place}: {}: {}", doing.name(), said(error));
    let denied = |hint| HostError::new(ErrorKind::AuthDenied, message.clone()).hint(hint);
    let other = |kind, hint: &str| HostError::new(kind, message.clone()).hint(hint);
    let error = match error {
        _ if doing == Doing::SettingUp => other(ErrorKind::Arguments, hints::OURS_CAN),
        WinrmError::AuthFailed(why) if why.contains("no CredSSP token") => {
            denied(hints::CREDSSP_OFF.to_owned())
        }
        WinrmError::AuthFailed(why) if is_denial(why) => denied(of_denial(target)),
        WinrmError::AuthFailed(why) if why.contains("pinned certificate") => {
            other(ErrorKind::Certificate, hints::CHANGED_MEANWHILE)
        }
        WinrmError::CredSsp(_) => denied(of_denial(target)),
        WinrmError::Timeout(_) => other(ErrorKind::ConnectTimeout, hints::SILENT),
        WinrmError::Http(why) if why.is_timeout() => {
            other(ErrorKind::ConnectTimeout, hints::SILENT)
        }
        WinrmError::Http(why) if why.is_connect() => other(ErrorKind::Refused, hints::REFUSED),
        WinrmError::Http(_) if target.options.auth == WinrmAuth::Certificate => {
            other(ErrorKind::Protocol, hints::CERTIFICATE_DENIED)
        }
        WinrmError::Http(_) => other(ErrorKind::Reset, hints::RESET),
        _ => other(ErrorKind::Protocol, hints::SAID_BY_WINRM_RS),
    };
    begun(doing, error)
}

/// Once the command is on its way, whatever happens leaves it in doubt; only what the host itself says
/// of it is certain.
fn begun(doing: Doing, error: HostError) -> HostError {
    match (doing, error.kind) {
        (
            Doing::Starting,
            ErrorKind::NoSuchInterpreter | ErrorKind::RemoteIo | ErrorKind::Quota,
        ) => error,
        (Doing::Starting, _) => {
            HostError::new(ErrorKind::Disconnected, error.message).hint(hints::MAY_HAVE_STARTED)
        }
        (Doing::Running, _) => HostError::new(ErrorKind::Disconnected, error.message),
        _ => error,
    }
}

/// The crate has one error for every answer that is no good; a denial among them is told by its words.
fn is_denial(why: &str) -> bool {
    !why.starts_with("expected 401")
        && ["401", "403", "rejected", "Kerberos init", "CredSSP"]
            .iter()
            .any(|word| why.contains(word))
}

fn of_denial(target: &WinrmTarget) -> String {
    let hint = match target.options.auth {
        WinrmAuth::Basic => hints::BASIC_DENIED,
        WinrmAuth::Certificate => hints::CERTIFICATE_DENIED,
        WinrmAuth::Kerberos => return format!("{}; {}", hints::NO_TICKET, hints::KERBEROS_DENIED),
        WinrmAuth::Negotiate | WinrmAuth::Ntlm | WinrmAuth::Credssp => {
            let denied = if target.options.https {
                hints::LOGIN_DENIED_TLS
            } else {
                hints::LOGIN_DENIED
            };
            return format!("{denied}; {}", hints::LOST_BY_WINRM_RS);
        }
    };
    hint.to_owned()
}

/// The error with what is behind it.
fn said(error: &WinrmError) -> String {
    let mut text = error.to_string();
    let mut cause = match error {
        WinrmError::Http(error) => error.source(),
        _ => None,
    };
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
