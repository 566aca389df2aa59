//! Talking to a key distribution centre (RFC 4120, 7.2.2): one question and its answer over TCP. What is
//! asked is made by the crate `sspi`, which never connects by itself here.

use std::time::Duration;

use sspi::{NetworkProtocol, NetworkRequest};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::event::{ErrorKind, HostError};
use crate::transport::dial::dial;

/// How long one answer may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How long it may be: tickets of users in hundreds of groups have 64 KiB.
const LARGEST: usize = 1 << 20;

/// Asks. The length stands before question and answer alike.
pub(super) async fn ask(request: &NetworkRequest) -> Result<Vec<u8>, HostError> {
    let host = request.url.host_str().unwrap_or_default();
    let host = host.trim_matches(['[', ']']);
    let port = request.url.port().unwrap_or(88);
    let of = |error: HostError| {
        HostError {
            message: format!(
                "the key distribution centre {host}:{port}: {}",
                error.message
            ),
            ..error
        }
        .hint("is it up, and does it listen on TCP? set ansible_winrm_kdc, or mend /etc/krb5.conf")
    };
    if request.protocol != NetworkProtocol::Tcp {
        return Err(HostError::new(
            ErrorKind::Unsupported,
            format!(
                "key distribution centres are asked over TCP, not by {}",
                request.url.scheme()
            ),
        )
        .hint("set ansible_winrm_kdc to tcp://HOST:88"));
    }
    let asking = async {
        let mut stream = dial(host, port, LIMIT).await?;
        exchange(&mut stream, &request.data).await.map_err(|error| {
            HostError::new(
                ErrorKind::Reset,
                format!("the connection was lost: {error}"),
            )
        })
    };
    match timeout(LIMIT, asking).await {
        Ok(answer) => answer.map_err(of),
        Err(_) => Err(of(HostError::new(
            ErrorKind::ConnectTimeout,
            format!("no answer within {} s", LIMIT.as_secs()),
        ))),
    }
}

async fn exchange(stream: &mut tokio::net::TcpStream, question: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(question).await?;
    let length = stream.read_u32().await?;
    let size = usize::try_from(length).unwrap_or(usize::MAX);
    if size > LARGEST {
        return Err(std::io::Error::other("its answer is too long"));
    }
    let mut answer = length.to_be_bytes().to_vec();
    answer.resize(4 + size, 0);
    let (_, body) = answer.split_at_mut(4);
    stream.read_exact(body).await?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A centre that hears one question and says this.
    async fn centre(answer: &'static [u8]) -> NetworkRequest {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut question = [0; 7];
            stream.read_exact(&mut question).await.unwrap();
            assert_eq!(&question, b"\0\0\0\x03who");
            let _ = stream.write_all(answer).await;
        });
        request(&format!("tcp://127.0.0.1:{port}"), NetworkProtocol::Tcp)
    }

    fn request(url: &str, protocol: NetworkProtocol) -> NetworkRequest {
        NetworkRequest {
            protocol,
            url: url.parse().unwrap(),
            data: b"\0\0\0\x03who".to_vec(),
        }
    }

    #[tokio::test]
    async fn an_answer_is_as_long_as_it_says_and_not_too_long() {
        let asked = ask(&centre(b"\0\0\0\x02me").await).await;
        assert_eq!(asked.unwrap(), b"\0\0\0\x02me");
        for broken in [b"\0\0\0\x09me".as_slice(), b"\xff\xff\xff\xffme", b""] {
            let error = ask(&centre(broken).await).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Reset);
            assert!(
                error
                    .message
                    .contains("the key distribution centre 127.0.0.1:")
            );
        }
        let error = ask(&request("udp://127.0.0.1", NetworkProtocol::Udp)).await;
        assert_eq!(error.unwrap_err().kind, ErrorKind::Unsupported);
    }
}
