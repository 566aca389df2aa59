//! From a target to a logged-in connection, and the connection as the rest of the program sees it.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::auth::possible;
use super::certificates::Certificates;
use super::command::start;
use super::session::Session;
use super::shell::Shells;
use super::wire::Wire;
use crate::event::{ErrorKind, HostError, Timings};
use crate::target::{Target, Via};
#[cfg(feature = "winrm-rs")]
use crate::target::{WinrmAuth, WinrmClient};
use crate::transport::types::{Connection, ExecRequest, Process, Transport};
use crate::transport::{Departure, Kept};

/// WinRM for one run.
pub struct Winrm {
    certificates: Arc<Certificates>,
}

impl Winrm {
    /// With the certificates of the run.
    pub fn new(certificates: Arc<Certificates>) -> Self {
        Self { certificates }
    }

    /// The certificates of the run, with what was learnt and what was not looked at.
    pub fn certificates(&self) -> &Arc<Certificates> {
        &self.certificates
    }
}

#[async_trait]
impl Transport for Winrm {
    async fn connect(&self, target: &Target) -> Result<Arc<dyn Connection>, HostError> {
        let Via::Winrm(target) = &target.via else {
            return Err(HostError::new(
                ErrorKind::Arguments,
                "not a host behind WinRM",
            ));
        };
        #[cfg(feature = "winrm-rs")]
        if target.options.client == WinrmClient::WinrmRs
            || target.options.auth == WinrmAuth::Credssp
        {
            return super::winrm_rs::connect(&self.certificates, target).await;
        }
        possible(target)?;
        let (wire, timings) = Wire::open(&self.certificates, target).await?;
        let session = Session::new(target.clone(), self.certificates.clone(), wire);
        Ok(Arc::new(WinrmConnection {
            kept: Kept::default(),
            shells: Arc::new(Shells::new(session)),
            timings,
        }))
    }
}

/// A host that we are logged in to.
struct WinrmConnection {
    kept: Kept,
    shells: Arc<Shells>,
    timings: Timings,
}

impl Drop for WinrmConnection {
    fn drop(&mut self) {
        if !self.shells.session.is_closed() {
            self.shells.close_later();
        }
    }
}

/// Calls a command off when nobody waits for its start any more.
struct Waiting(Departure);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.call_off();
    }
}

#[async_trait]
impl Connection for WinrmConnection {
    async fn exec(&self, request: ExecRequest) -> Result<Process, HostError> {
        if self.is_closed() {
            return Err(HostError::new(
                ErrorKind::Reset,
                "the connection was closed before the command was started",
            ));
        }
        let _waiting = Waiting(request.departure.clone());
        // In a task of its own: who gives up waiting must not leave a shell behind. What is started
        // then is ended again, as nobody takes it.
        let (tell, told) = oneshot::channel();
        let starting = start(self.shells.clone(), request);
        self.shells.see_to(async move {
            let _ = tell.send(starting.await);
        });
        match told.await {
            Ok(started) => started,
            Err(_) => Err(HostError::new(
                ErrorKind::Disconnected,
                "starting the command was given up; it may have been started",
            )),
        }
    }

    fn kept(&self) -> &Kept {
        &self.kept
    }

    fn timings(&self) -> Timings {
        self.timings
    }

    /// A lost connection is made again when it is needed: only goodbye closes.
    fn is_closed(&self) -> bool {
        self.shells.session.is_closed()
    }

    async fn close(&self) {
        self.shells.close().await;
    }
}
