//! TCP to a host behind SSH.

use tokio::net::TcpStream;

use crate::event::HostError;
use crate::target::SshTarget;
use crate::transport::dial::dial;

/// A connection. The caller keeps the limit for all of it.
pub(super) async fn tcp(target: &SshTarget) -> Result<TcpStream, HostError> {
    dial(&target.address, target.port, target.options.connect_timeout).await
}
