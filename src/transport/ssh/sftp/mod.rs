//! SFTP version 3 (draft-ietf-secsh-filexfer-02, with OpenSSH's additions: its file PROTOCOL) on a
//! channel of a connection. Written out here rather than taken from a crate: handles and names are
//! bytes and no text, what is written is not copied, and no time-out or limit but the caller's holds.

mod asking;
mod errors;
mod files;
mod packets;
mod wire;

#[cfg(test)]
mod tests;

pub(super) use files::open;
