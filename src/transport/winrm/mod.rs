//! WinRM: WS-Management shells (MS-WSMV) over a pinned HTTP/1.1 connection. The only place that knows
//! an HTTP client, NTLM or XML of WS-Management.
//!
//! From below: `http` (one connection), `tls` and `certificates` (who is there), `auth` (logging in),
//! `seal` (the frame of sealed messages), `wire` (a logged-in connection); beside them `soap`,
//! `request`, `response` and `fault` (what is said); above them `session` (a host's connections, and
//! what is repeated), `shell`, `command` with `input` and `pipe`, and `connect` (the transport).

mod auth;
mod authorities;
mod certificate_file;
mod certificates;
#[cfg(test)]
mod client_tests;
mod command;
mod connect;
mod fault;
mod hints;
mod http;
mod input;
mod leaf;
mod pipe;
#[cfg(test)]
mod replay_tests;
mod request;
mod response;
mod scan;
mod seal;
mod session;
mod shell;
mod soap;
#[cfg(test)]
mod testing;
mod tls;
mod tls_probe;
#[cfg(test)]
mod tls_tests;
mod unexpected;
mod untrusted;
mod verify;
mod wire;

pub use certificate_file::{KnownCertificate, append, forget};
pub use certificates::Certificates;
pub use connect::Winrm;
pub use fault::Fault;
pub use leaf::ScannedCertificate;
pub use response::{Malformed, Response, parse};
pub use scan::scan;
