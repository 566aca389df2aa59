//! What a host is asked of its files and told to do with them: one small language for every kind of
//! host. `posix::files` and `windows::files` say it in their shell's words and read what comes back;
//! `transfer::sftp` does it by SFTP where a host has no shell for us. Pure data; it decides nothing.

mod answer;
mod path;
mod task;

pub use answer::{Account, Answer, FileFailure, Found, Kind, NAMES_MAX, Received, Said};
pub use path::HostPath;
pub use task::{
    Algorithm, Asked, Attributes, FileTask, Origin, Pack, Pin, Place, Pull, Receive, Send, Unpack,
    Walk,
};
