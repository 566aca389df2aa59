//! What goes wrong with files, in the words of the closed list of kinds.

use super::wire::{self, Garbled, Status};
use crate::event::{ErrorKind, HostError};

/// The most characters of a host's words that an error repeats.
const WORDS: usize = 300;

/// The server's no, of a path.
pub(super) fn refused(path: &[u8], status: &Status) -> HostError {
    let path = String::from_utf8_lossy(path);
    let words = said(&status.words);
    let what = match status.code {
        wire::NO_SUCH_FILE => "no such file",
        wire::PERMISSION_DENIED => "permission denied",
        wire::UNSUPPORTED => "the host's SFTP server can't do this",
        NO_SPACE => "no space left",
        QUOTA => "over the quota",
        code if words.is_empty() => {
            return HostError::new(
                ErrorKind::RemoteIo,
                format!("{path}: the SFTP server said status {code}"),
            );
        }
        _ => &words,
    };
    let kind = if is_full(status.code, &words) {
        ErrorKind::NoSpace
    } else {
        ErrorKind::RemoteIo
    };
    HostError::new(kind, format!("{path}: {what}"))
}

/// Of later drafts; some servers send them to everybody.
const NO_SPACE: u32 = 14;
const QUOTA: u32 = 15;

fn is_full(code: u32, words: &str) -> bool {
    let words = words.to_lowercase();
    matches!(code, NO_SPACE | QUOTA)
        || ["no space", "not enough space", "disk full", "quota"]
            .iter()
            .any(|full| words.contains(full))
}

/// A host's words, fit to be shown.
pub(super) fn said(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(WORDS)
        .collect();
    text
}

impl From<Garbled> for HostError {
    fn from(error: Garbled) -> Self {
        Self::new(ErrorKind::Protocol, error.to_string())
    }
}

/// What the end of the channel was like.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// Whether the host closed it, rather than the connection being gone.
    pub(super) closed: bool,
    /// The server's exit status.
    pub(super) status: Option<u32>,
    /// What it said on standard error, or in place of a message.
    pub(super) said: Vec<u8>,
    /// Whether that was in place of a message.
    pub(super) nonsense: bool,
}

impl Ending {
    /// Keeps what it says, as much as an error repeats.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        let room = WORDS.saturating_sub(self.said.len());
        self.said
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// What that means for all who wait for an answer. `begun`: the server had introduced itself.
    pub(super) fn error(&self, begun: bool) -> HostError {
        let words = said(&self.said);
        let words = match words.as_str() {
            "" => String::new(),
            words => format!(": {words}"),
        };
        if !self.closed && !self.nonsense {
            return HostError::new(
                ErrorKind::Disconnected,
                "the connection was lost while files were worked on",
            );
        }
        let status = self
            .status
            .map_or_else(String::new, |status| format!(" (status {status})"));
        match (begun, self.nonsense) {
            (true, true) => HostError::new(
                ErrorKind::Protocol,
                format!("the host's SFTP server says what is no SFTP{words}"),
            ),
            (true, false) => HostError::new(
                ErrorKind::Disconnected,
                format!("the host's SFTP server ended{status}{words}"),
            ),
            (false, true) => HostError::new(
                ErrorKind::Unsupported,
                format!("what the host starts as SFTP server says something else{words}"),
            )
            .hint("is there a ForceCommand, or does the shell's start-up file print something?"),
            (false, false) => HostError::new(
                ErrorKind::Unsupported,
                format!("the host's SFTP server ended at once{status}{words}"),
            )
            .hint("see `Subsystem sftp` in its sshd_config, and whether the account may use it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no(code: u32, words: &'static str) -> HostError {
        let words = words.as_bytes().into();
        refused("/a b".as_bytes(), &Status { code, words })
    }

    #[test]
    fn a_servers_no_names_the_path_and_the_reason() {
        let error = no(2, "No such file");
        assert_eq!(error.kind, ErrorKind::RemoteIo);
        assert_eq!(error.message, "/a b: no such file");
        assert_eq!(
            no(3, "Permission denied").message,
            "/a b: permission denied"
        );
        assert_eq!(no(4, "Fail\x1b[2Jure").message, "/a b: Fail [2Jure");
        assert_eq!(no(4, "").message, "/a b: the SFTP server said status 4");
    }

    #[test]
    fn a_full_disk_is_known_where_the_server_says_so() {
        for (code, words) in [
            (4, "No space left on device"),
            (4, "Disk quota exceeded"),
            (14, ""),
            (15, ""),
        ] {
            assert_eq!(no(code, words).kind, ErrorKind::NoSpace, "{code} {words}");
        }
    }
}
