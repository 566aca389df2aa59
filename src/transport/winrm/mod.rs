//! WinRM: WS-Management shells (MS-WSMV) over a pinned HTTP/1.1 connection. The only place that knows
//! an HTTP client, NTLM or XML of WS-Management.

use std::sync::Arc;

use async_trait::async_trait;

use super::types::{Connection, Transport};
use crate::event::{ErrorKind, HostError};
use crate::target::Target;

/// WinRM for one run.
pub struct Winrm;

#[async_trait]
impl Transport for Winrm {
    async fn connect(&self, _target: &Target) -> Result<Arc<dyn Connection>, HostError> {
        Err(HostError::new(ErrorKind::Unsupported, "WinRM is to come"))
    }
}
