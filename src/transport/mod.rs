//! How bytes get to a host and back: `exec` of one command, and `probe`; nothing else. A transport
//! knows no quoting and no scripts; what is said over it is made in `shell` and driven by `engine`.

mod departure;
mod dial;
pub mod local;
pub mod pool;
pub mod probe;
pub mod ssh;
pub mod types;
pub mod winrm;

pub use departure::Departure;
pub use pool::{Pool, Transports, raise_open_files};
pub use types::{
    Connection, Connections, ExecRequest, Exit, Input, Output, OutputEvent, Process, Pty, Transport,
};
