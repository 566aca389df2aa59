//! The first steps of the way to a host, each on its own and timed by whoever asks: its addresses, a
//! connection, its first words. For `doctor`; a transport goes the whole way by itself.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::dial::io_error;
use crate::event::{ErrorKind, HostError};

/// No greeting is longer (RFC 4253, 4.2: 255 bytes, lines before it not counted).
const GREETING_MAX: u64 = 4096;

/// The addresses of a name. An address is its own.
pub async fn addresses(name: &str, port: u16) -> Result<Vec<SocketAddr>, HostError> {
    if let Ok(literal) = name.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(literal, port)]);
    }
    let dns = |what: String| HostError::new(ErrorKind::Dns, format!("{name}: {what}"));
    let found: Vec<SocketAddr> = tokio::net::lookup_host((name, port))
        .await
        .map_err(|error| dns(error.to_string()))?
        .collect();
    if found.is_empty() {
        return Err(dns("no address".to_owned()));
    }
    Ok(found)
}

/// A connection to the first address that takes one, each within the limit.
pub async fn knock(addresses: &[SocketAddr], limit: Duration) -> Result<TcpStream, HostError> {
    let mut failed = HostError::new(ErrorKind::Dns, "no address");
    for address in addresses {
        match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failed = io_error(&address.to_string(), &error),
            Err(_) => {
                failed = HostError::new(
                    ErrorKind::ConnectTimeout,
                    format!("{address}: no answer within {} s", limit.as_secs()),
                );
            }
        }
    }
    Err(failed)
}

/// What an SSH server says first: `SSH-2.0-OpenSSH_9.2p1`. `Err`: what was said instead.
pub async fn greeting(stream: TcpStream, limit: Duration) -> Result<String, HostError> {
    let mut heard = Vec::new();
    let mut stream = stream.take(GREETING_MAX);
    let reading = async {
        let mut chunk = [0; 512];
        loop {
            match stream.read(&mut chunk).await {
                Ok(0) | Err(_) => return,
                Ok(count) => heard.extend(chunk.iter().take(count)),
            }
            let whole = |line: &[u8]| line.starts_with(b"SSH-") && line.ends_with(b"\n");
            if heard.split_inclusive(|byte| *byte == b'\n').any(whole) {
                return;
            }
        }
    };
    let silent = timeout(limit, reading).await.is_err();
    let text = String::from_utf8_lossy(&heard);
    let clean = |line: &str| -> String {
        line.trim_end()
            .chars()
            .filter(|c| !c.is_control())
            .take(100)
            .collect()
    };
    if let Some(line) = text.lines().find(|line| line.starts_with("SSH-")) {
        return Ok(clean(line));
    }
    Err(match text.lines().next() {
        Some(line) => HostError::new(
            ErrorKind::Protocol,
            format!("no SSH server: it said `{}`", clean(line)),
        ),
        None if silent => HostError::new(ErrorKind::ConnectTimeout, "it says nothing"),
        None => HostError::new(ErrorKind::Reset, "it hung up without a word"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn heard(words: &'static [u8]) -> Result<String, ErrorKind> {
        use tokio::io::AsyncWriteExt as _;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let speaking = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for byte in words {
                stream.write_all(&[*byte]).await.unwrap();
            }
        });
        let limit = Duration::from_secs(5);
        let stream = knock(&[address], limit).await.unwrap();
        let said = greeting(stream, limit).await.map_err(|error| error.kind);
        speaking.await.unwrap();
        said
    }

    #[tokio::test]
    async fn a_greeting_is_heard_whatever_stands_before_it() {
        let good = Ok("SSH-2.0-OpenSSH_9.2p1".to_owned());
        assert_eq!(heard(b"SSH-2.0-OpenSSH_9.2p1\r\n").await, good);
        assert_eq!(heard(b"hello\r\nSSH-2.0-OpenSSH_9.2p1\r\n").await, good);
        assert_eq!(heard(b"HTTP/1.1 400\r\n").await, Err(ErrorKind::Protocol));
        assert_eq!(heard(b"").await, Err(ErrorKind::Reset));
    }

    #[tokio::test]
    async fn names_and_ports_that_lead_nowhere_are_told_apart() {
        let nowhere = addresses("surely.not.there.invalid", 22).await;
        assert_eq!(nowhere.unwrap_err().kind, ErrorKind::Dns);
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = closed.local_addr().unwrap();
        drop(closed);
        let refused = knock(&[address], Duration::from_secs(5)).await;
        assert_eq!(refused.unwrap_err().kind, ErrorKind::Refused);
        let hole = ioms_fleet::failing::black_hole().unwrap();
        let hole = SocketAddr::new(address.ip(), hole.port());
        let silent = knock(&[hole], Duration::from_millis(200)).await;
        assert_eq!(silent.unwrap_err().kind, ErrorKind::ConnectTimeout);
    }
}
