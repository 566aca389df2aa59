//! Servers of our own: threads that serve a port until dropped. They may be started and dropped
//! within other people's runtimes.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::error::{Result, Tried};

/// A port of every address 127.x.y.z, and the threads that serve it.
#[derive(Debug)]
pub(crate) struct Background {
    port: u16,
    runtime: Option<Runtime>,
}

impl Background {
    /// On a free port; `serve` makes of a listener what serves it.
    pub(crate) fn start<F>(serve: impl FnOnce(TcpListener) -> F) -> Result<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::start_at((Ipv4Addr::UNSPECIFIED, 0).into(), serve)
    }

    /// The same on an address of the caller's.
    pub(crate) fn start_at<F>(
        address: SocketAddr,
        serve: impl FnOnce(TcpListener) -> F,
    ) -> Result<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .build()
            .tried("threads")?;
        let listener = std::net::TcpListener::bind(address).tried("bind")?;
        listener.set_nonblocking(true).tried("bind")?;
        let port = listener.local_addr().tried("bind")?.port();
        {
            let _inside = runtime.enter();
            let listener = TcpListener::from_std(listener).tried("bind")?;
            runtime.spawn(serve(listener));
        }
        Ok(Self {
            port,
            runtime: Some(runtime),
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
