//! How bytes get to a host and back: `exec` of one command, `probe`, and over SSH a
//! channel to the host's files; nothing else. A transport
//! knows no quoting and no scripts; what is said over it is made in `shell` and driven by `engine`.

mod departure;
mod dial;
pub mod files;
mod kept;
pub mod local;
pub mod pool;
pub mod probe;
pub mod ssh;
pub mod types;
pub mod winrm;

pub use departure::Departure;
pub use files::{FileChange, FileHandle, FileStat, Files};
pub use kept::{Holding, Kept};
pub use pool::{Pool, Transports, raise_open_files};
pub use types::{
    Connection, Connections, ExecRequest, Exit, Input, Output, OutputEvent, Process, Pty, Transport,
};
