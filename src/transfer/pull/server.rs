//! The server: listens, does TLS, and lets each connection ask once.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener as Bound};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::answer::answer;
use super::certificate::Tls;
use super::error::PullError;
use super::farewell::Open;
use super::guest::{Guest, Limits};
use super::offer::{Offer, Table, Wanted};
use super::settings::{Base, PullSettings};
use super::watched::Watched;
use crate::shell::files::Pin;

/// How long a request's line and headers may be together.
const HEAD: usize = 8 << 10;

/// How many headers it may have.
const HEADERS: usize = 64;

/// What a connection gathers before it is written.
const BUFFER: usize = 64 << 10;

/// How long after the system had no place for a connection the next one is tried.
const BREATH: Duration = Duration::from_millis(100);

/// Hands files out to hosts for as long as it is kept.
pub struct PullServer {
    table: Arc<Table>,
    base: Base,
    pin: Option<Pin>,
    address: SocketAddr,
    _stop: DropGuard,
}

impl std::fmt::Debug for PullServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without what is on offer.
        f.debug_struct("PullServer").finish_non_exhaustive()
    }
}

impl PullServer {
    /// Begins to listen. To be called within a Tokio runtime.
    pub fn start(settings: &PullSettings) -> Result<Arc<Self>, PullError> {
        Self::start_with(settings, Limits::default())
    }

    pub(super) fn start_with(
        settings: &PullSettings,
        limits: Limits,
    ) -> Result<Arc<Self>, PullError> {
        let base = Base::read(&settings.url, settings.plain_http)?;
        let files = settings.certificate.as_ref();
        let files = files.map(|(certificate, key)| (certificate.as_path(), key.as_path()));
        let tls = if settings.plain_http {
            None
        } else {
            Some(Tls::new(files, &base.host)?)
        };
        let (listener, address) = listen(settings.listen).map_err(|source| PullError::Listen {
            address: settings.listen,
            source,
        })?;
        let stop = CancellationToken::new();
        let table = Arc::new(Table::default());
        let house = Arc::new(House {
            table: table.clone(),
            tls: tls
                .as_ref()
                .map(|tls| TlsAcceptor::from(tls.config.clone())),
            limits,
            places: Arc::new(Semaphore::new(limits.strangers)),
            stop: stop.clone(),
        });
        tokio::spawn(receive(listener, house));
        tracing::info!(%address, url = base.text, tls = tls.is_some(), "hosts can fetch from here");
        Ok(Arc::new(Self {
            table,
            base,
            pin: tls.map(|tls| tls.pin),
            address,
            _stop: stop.drop_guard(),
        }))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Offers content to a host until it was fetched whole, its time is over or the offer is dropped.
    pub fn offer(&self, wanted: Wanted) -> Result<Offer, PullError> {
        let (mut offer, token) = self.table.add(wanted)?;
        offer.pull.url = format!("{}/{token}", self.base.text).into();
        offer.pull.pin.clone_from(&self.pin);
        Ok(offer)
    }
}

fn listen(address: SocketAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let bound = Bound::bind(address)?;
    bound.set_nonblocking(true)?;
    let address = bound.local_addr()?;
    Ok((TcpListener::from_std(bound)?, address))
}

/// What connections share.
struct House {
    table: Arc<Table>,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    places: Arc<Semaphore>,
    stop: CancellationToken,
}

/// Takes connections as long as there are places for strangers; those beyond wait in the kernel.
async fn receive(listener: TcpListener, house: Arc<House>) {
    let receiving = async {
        while let Ok(place) = house.places.clone().acquire_owned().await {
            match listener.accept().await {
                Ok((stream, client)) => {
                    let guest = Arc::new(Guest::new(client.ip(), place));
                    tokio::spawn(attend(house.clone(), stream, guest));
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection was not taken");
                    sleep(BREATH).await;
                }
            }
        }
    };
    tokio::select! {
        () = receiving => {}
        () = house.stop.cancelled() => {}
    }
}

async fn attend(house: Arc<House>, stream: TcpStream, guest: Arc<Guest>) {
    let ended = tokio::select! {
        ended = serve(&house, stream, &guest) => ended,
        () = guest.outstays(&house.limits, &house.places) => Err("out of time, or revoked".into()),
        () = house.stop.cancelled() => Err("the run ends".into()),
    };
    if let Err(why) = &ended {
        tracing::debug!(client = %guest.client, why, "a connection was cut off");
    }
    guest.leave(ended.is_ok());
}

async fn serve(house: &House, stream: TcpStream, guest: &Arc<Guest>) -> Result<(), String> {
    // What is to be written is written in large pieces; waiting for more gains nothing.
    let _ = stream.set_nodelay(true);
    let stream = Watched::new(stream, house.limits.idle);
    match &house.tls {
        None => talk(house, stream, guest).await,
        Some(tls) => {
            let accepted = tls.accept(stream).await;
            let stream = accepted.map_err(|error| format!("TLS: {error}"))?;
            talk(house, stream, guest).await
        }
    }
}

/// One request, one answer: a host comes for one thing.
async fn talk(
    house: &House,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    guest: &Arc<Guest>,
) -> Result<(), String> {
    let service = service_fn(|request| {
        let response = answer(&house.table, guest, &request);
        async move { Ok::<_, Infallible>(response) }
    });
    let mut connection = http1::Builder::new()
        .keep_alive(false)
        // A guest's time is watched in its own way.
        .header_read_timeout(None)
        .max_buf_size(BUFFER)
        .max_header_size(HEAD)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(Open(stream)), service);
    let ended = (&mut connection).await;
    ended.map_err(|error| error.to_string())?;
    let mut stream = connection.into_parts().io.into_inner();
    if !guest.is_known() {
        return stream.shutdown().await.map_err(|error| error.to_string());
    }
    if stream.farewell(house.limits.idle).await {
        Ok(())
    } else {
        Err("not all that was written has arrived".into())
    }
}
