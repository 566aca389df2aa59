//! TCP to a host, by whichever of its addresses answers. It knows no protocol; what a failure means is
//! said by the transport that asked.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::event::{ErrorKind, HostError};

/// For each address but the last where connecting has no limit.
const UNLIMITED: Duration = Duration::from_secs(15);

/// A connection. The caller keeps the limit for all of it.
pub(super) async fn dial(
    address: &str,
    port: u16,
    limit: Duration,
) -> Result<TcpStream, HostError> {
    let began = Instant::now();
    let addresses: Vec<SocketAddr> = match address.parse::<IpAddr>() {
        // Asking the resolver for a literal would cost a thread each.
        Ok(literal) => vec![SocketAddr::new(literal, port)],
        Err(_) => tokio::net::lookup_host((address, port))
            .await
            .map_err(|error| HostError::new(ErrorKind::Dns, format!("{address}: {error}")))?
            .collect(),
    };
    let left = (!limit.is_zero()).then(|| limit.saturating_sub(began.elapsed()));
    match any(&addresses, left).await {
        Ok(stream) => {
            let _ = stream.set_nodelay(true);
            // A peer that is gone without a word is noticed in the end, whatever else is set.
            let _ = rustix::net::sockopt::set_socket_keepalive(&stream, true);
            Ok(stream)
        }
        Err(Some((address, error))) => Err(io_error(&address.to_string(), &error)),
        Err(None) => Err(HostError::new(
            ErrorKind::Dns,
            format!("{address} has no address"),
        )),
    }
}

/// An error of the operating system while connecting.
pub(super) fn io_error(place: &str, error: &io::Error) -> HostError {
    let kind = match error.kind() {
        io::ErrorKind::ConnectionRefused => ErrorKind::Refused,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => ErrorKind::Reset,
        io::ErrorKind::TimedOut
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable => ErrorKind::ConnectTimeout,
        _ => match error.raw_os_error() {
            Some(_) => ErrorKind::LocalIo,
            None => ErrorKind::Protocol,
        },
    };
    HostError::new(kind, format!("{place}: {error}"))
}

/// The first address that takes the connection; each but the last gets its share of the time, so
/// that one which swallows packets (IPv6 without a way) doesn't hide the others.
async fn any(
    addresses: &[SocketAddr],
    limit: Option<Duration>,
) -> Result<TcpStream, Option<(SocketAddr, io::Error)>> {
    let began = Instant::now();
    let mut failed = None;
    let mut others = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in addresses {
        others -= 1;
        let connecting = TcpStream::connect(address);
        let result = if others == 0 {
            connecting.await
        } else {
            let share = limit.map_or(UNLIMITED, |limit| {
                limit.saturating_sub(began.elapsed()) / (others + 1)
            });
            timeout(share, connecting)
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        };
        match result {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = Some((*address, error)),
        }
    }
    Err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_swallows_packets_does_not_hide_the_next() {
        let hole = ioms_fleet::failing::black_hole().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        let hole = SocketAddr::new(good.ip(), hole.port());
        let stream = any(&[hole, good], Some(Duration::from_secs(2))).await;
        assert_eq!(stream.unwrap().peer_addr().unwrap(), good);
        let stream = any(&[good, hole], Some(Duration::from_secs(2))).await;
        assert_eq!(stream.unwrap().peer_addr().unwrap(), good);
        assert!(any(&[], None).await.unwrap_err().is_none());
    }
}
