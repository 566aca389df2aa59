//! The catalogue of error kinds: their stable names and what to do about each, in English. A second
//! language is one more file like this one.

use super::error::ErrorKind;

/// One kind's texts.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The stable name in documents.
    pub name: &'static str,
    /// The general next step; errors that know more bring their own.
    pub hint: Option<&'static str>,
}

const fn with(name: &'static str, hint: &'static str) -> Entry {
    Entry {
        name,
        hint: Some(hint),
    }
}

const fn bare(name: &'static str) -> Entry {
    Entry { name, hint: None }
}

/// The texts of a kind.
pub fn entry(kind: ErrorKind) -> Entry {
    match kind {
        ErrorKind::Dns => with("dns", "check the name, or set ansible_host to an address"),
        ErrorKind::Refused => with(
            "refused",
            "check that sshd or WinRM runs there and that ansible_port is right",
        ),
        ErrorKind::ConnectTimeout => with(
            "connect_timeout",
            "check that the host is up and no firewall drops the port; --connect-timeout waits longer",
        ),
        ErrorKind::Reset => with(
            "reset",
            "the host or a bastion refuses so many at once: lower --forks, or raise its limit (sshd: MaxStartups)",
        ),
        ErrorKind::HostKeyUnknown => with(
            "host_key_unknown",
            "compare and accept it with `iomsctl hostkeys scan` and `approve`, or run with --host-key accept-new",
        ),
        ErrorKind::HostKeyChanged => with(
            "host_key_changed",
            "if the host was reinstalled: `iomsctl hostkeys forget`, then `scan` and `approve`; else someone may stand between",
        ),
        ErrorKind::HostKeyRevoked => with(
            "host_key_revoked",
            "the key is marked as revoked: give the host a new one",
        ),
        ErrorKind::AuthDenied => with(
            "auth_denied",
            "check user, password and key; -vvv shows each method that was tried",
        ),
        ErrorKind::Protocol => with(
            "protocol",
            "check that the port belongs to what ansible_connection says: ssh or winrm",
        ),
        ErrorKind::Certificate => with("certificate", "add its authority or pin the certificate"),
        ErrorKind::Quota => with("quota", "lower --forks or raise the host's limits"),
        ErrorKind::BecomeDenied => with(
            "become_denied",
            "check the become password (-K) and whom the host lets become another (sudoers, on Windows administrators)",
        ),
        ErrorKind::Timeout => with("timeout", "--timeout gives it more time; 0 means no limit"),
        ErrorKind::IdleTimeout => with(
            "idle_timeout",
            "--idle-timeout gives it more time between two outputs",
        ),
        ErrorKind::Disconnected => with(
            "disconnected",
            "the command may have done part of its work: look before you run it again",
        ),
        ErrorKind::NoSuchInterpreter => with(
            "no_such_interpreter",
            "install it on the host or choose another with --shell",
        ),
        ErrorKind::RemoteIo => bare("remote_io"),
        ErrorKind::LocalIo => bare("local_io"),
        ErrorKind::NoSpace => with(
            "no_space",
            "free some space on the host, or choose another folder with --tmpdir",
        ),
        ErrorKind::VerifyMismatch => with(
            "verify_mismatch",
            "send it again; if it happens twice, check the host's disk",
        ),
        ErrorKind::Unsupported => bare("unsupported"),
        ErrorKind::Template => bare("template"),
        ErrorKind::Arguments => bare("arguments"),
        ErrorKind::Gate => with(
            "gate",
            "see why the hosts before it failed, then go on with --rerun failed",
        ),
        ErrorKind::Deadline => with(
            "deadline",
            "go on with --rerun failed, or give the run a later --deadline",
        ),
        ErrorKind::Denied => with("denied", "a deny rule of the settings forbids this command"),
        ErrorKind::Interrupted => with("interrupted", "go on with --rerun failed"),
        ErrorKind::ControllerLost => with(
            "controller_lost",
            "look at the host before you run it again",
        ),
    }
}
