//! Files to hosts and from them, checked: what is sent is what differs, and what arrived is read back
//! before it is put in its place. Decides and drives for one host at a time, over a [`Link`] that
//! `engine` lends; prints nothing and knows no shell's words.

mod diff;
pub mod download;
mod hashing;
mod leaving;
mod link;
mod meter;
pub mod pull;
mod pump;
mod records;
mod remote;
mod report;
mod sftp;
pub mod source;
pub mod upload;

pub use link::{Input, Link, Pulse, Sink, Trouble};
pub use meter::Meter;
pub use report::Report;

/// What is done about what differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Act {
    /// It is sent.
    #[default]
    Send,
    /// It is said what would be sent (`--check`).
    Check,
    /// It is an error (`--verify`).
    Verify,
}

/// Files from this size on move by themselves and can be resumed, in bytes.
const LARGE: u64 = 1 << 20;

/// For a file from this size on the channel it moves by is opened before it is known whether it has to
/// move, in bytes.
const EARLY: u64 = 4 << 20;

/// By SFTP moves what is worth a channel of its own, in bytes.
const BY_SFTP: u64 = 256 * 1024;

/// The name of the file that something is written to before it is whole: hidden, and known by the
/// content, so that another upload of the same finds it (contract.md).
fn part_name(name: &[u8], digest: &str) -> Vec<u8> {
    let digest = digest.get(..32).unwrap_or(digest);
    let around = 1 + ".ioms-".len() + digest.len() + ".part".len();
    let mut cut = name.len().min(255 - around);
    // At the end of a character.
    while cut < name.len() && cut > 0 && name.get(cut).is_some_and(|b| b & 0xC0 == 0x80) {
        cut -= 1;
    }
    let name = name.get(..cut).unwrap_or_default();
    [b".", name, b".ioms-", digest.as_bytes(), b".part"].concat()
}
