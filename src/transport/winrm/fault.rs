//! What went wrong in the host's words (MS-WSMV 2.2.4.43), and what that means for us. Codes are those
//! of `wsmerror.h` and HRESULTs.

use super::hints;
use crate::event::{ErrorKind, HostError};

/// A SOAP fault with its `WSManFault`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fault {
    /// The code of `WSManFault`.
    pub code: Option<u32>,
    /// The SOAP subcode without its prefix: `TimedOut`.
    pub subcode: String,
    /// The host's own words, in one line.
    pub message: String,
}

/// What a fault means for what we do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing came within the operation's time: ask again.
    TimedOut,
    /// The shell or the command is not there any more.
    Gone,
    /// The host's limits are reached; later may be fine.
    Quota(Quota),
    /// The message was larger than the host takes, or asked for more.
    TooLarge,
    /// The user may not.
    AccessDenied,
    /// Remote shells are switched off.
    NoShells,
    /// There is no such program.
    NoProgram,
    /// There is no such folder.
    NoFolder,
    /// Anything else.
    Other,
}

/// Which of the host's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quota {
    Shells,
    Operations,
    Users,
    Commands,
    Memory,
    Throttled,
    Other,
}

impl Fault {
    pub(super) fn meaning(&self) -> Meaning {
        match self.code.unwrap_or_default() {
            // ERROR_WSMAN_OPERATION_TIMEDOUT
            2_150_858_793 => Meaning::TimedOut,
            // ERROR_WSMAN_INVALID_SELECTORS; a registry key marked for deletion: the shell's profile
            // was unloaded under it.
            2_150_858_843 | 2_147_943_418 => Meaning::Gone,
            // ERROR_WSMAN_QUOTA_*
            2_150_859_173 | 2_150_859_236 | 2_150_859_238 => Meaning::Quota(Quota::Shells),
            2_150_859_174 | 2_150_859_239 | 2_150_859_240 => Meaning::Quota(Quota::Operations),
            2_150_859_179 | 2_150_859_237 => Meaning::Quota(Quota::Users),
            2_150_859_241 => Meaning::Quota(Quota::Commands),
            2_150_859_175 | 2_150_859_176 => Meaning::Quota(Quota::Throttled),
            // ERROR_NOT_ENOUGH_MEMORY, E_OUTOFMEMORY, ERROR_COMMITMENT_LIMIT, ERROR_NOT_ENOUGH_QUOTA
            2_147_942_408 | 2_147_942_414 | 2_147_943_855 | 2_147_944_216 | 8 | 14 | 1455
            | 1816 => Meaning::Quota(Quota::Memory),
            5 | 2_147_942_405 => Meaning::AccessDenied,
            // ERROR_WSMAN_REMOTESHELLS_NOT_ALLOWED
            2_150_859_180 => Meaning::NoShells,
            2 | 3 | 2_147_942_402 | 2_147_942_403 => Meaning::NoProgram,
            // ERROR_DIRECTORY
            267 | 2_147_942_667 => Meaning::NoFolder,
            _ => match self.subcode.as_str() {
                "TimedOut" => Meaning::TimedOut,
                "QuotaLimit" => Meaning::Quota(Quota::Other),
                "EncodingLimit" => Meaning::TooLarge,
                "AccessDenied" => Meaning::AccessDenied,
                _ => Meaning::Other,
            },
        }
    }

    /// As an error of the host; `doing` says what was asked.
    pub(super) fn error(&self, place: &str, doing: &str) -> HostError {
        let (kind, hint) = match self.meaning() {
            Meaning::Quota(quota) => (ErrorKind::Quota, Some(hints::quota(quota))),
            Meaning::AccessDenied => (ErrorKind::AuthDenied, Some(hints::ACCESS_DENIED)),
            Meaning::NoShells => (ErrorKind::Unsupported, Some(hints::NO_SHELLS)),
            Meaning::NoProgram => (ErrorKind::NoSuchInterpreter, Some(hints::NO_PROGRAM)),
            Meaning::NoFolder => (ErrorKind::RemoteIo, Some(hints::NO_FOLDER)),
            Meaning::TooLarge => (ErrorKind::Quota, Some(hints::ENVELOPE)),
            Meaning::Gone => (ErrorKind::Disconnected, None),
            Meaning::TimedOut | Meaning::Other => (ErrorKind::RemoteIo, None),
        };
        let code = match self.code {
            Some(code) => format!(" (0x{code:08X})"),
            None => String::new(),
        };
        let said = match (self.message.as_str(), self.subcode.as_str()) {
            ("", "") => "it gave no reason",
            ("", subcode) => subcode,
            (message, _) => message,
        };
        let error = HostError::new(kind, format!("{place}: {doing}: {said}{code}"));
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}
