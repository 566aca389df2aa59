//! A second look at a host that hangs up on our TLS greeting: would it speak the TLS of 2008? One
//! greeting by hand, its answer's version, nothing more; no data ever goes over it.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::target::WinrmTarget;
use crate::transport::dial::dial;

/// How long the look may take.
const LIMIT: Duration = Duration::from_secs(5);

/// The suites of stock 2008 to 2012 R2 that nobody else should use: RSA and ECDHE-RSA with AES-CBC,
/// and 3DES (RFC 5246, A.5; RFC 8422, 6).
const SUITES: [u16; 9] = [
    0xc014, 0xc013, 0xc028, 0xc027, 0x003d, 0x003c, 0x0035, 0x002f, 0x000a,
];

/// The TLS version that a host answers to an old greeting, if it does.
pub(super) async fn old_tls(target: &WinrmTarget) -> Option<&'static str> {
    timeout(LIMIT, ask(target)).await.ok().flatten()
}

async fn ask(target: &WinrmTarget) -> Option<&'static str> {
    let mut stream = dial(&target.address, target.port, LIMIT).await.ok()?;
    stream.write_all(&greeting()).await.ok()?;
    // A record's head, the handshake's head, and the version in the host's greeting.
    let mut answer = [0; 11];
    stream.read_exact(&mut answer).await.ok()?;
    version(&answer)
}

/// A `ClientHello` for TLS 1.2 and older (RFC 5246, 7.4.1.2).
fn greeting() -> Vec<u8> {
    let mut extensions: Vec<u8> = Vec::new();
    // supported_groups: P-256, P-384; ec_point_formats: uncompressed.
    extensions.extend([0, 10, 0, 6, 0, 4, 0, 23, 0, 24]);
    extensions.extend([0, 11, 0, 2, 1, 0]);
    // signature_algorithms: RSA and ECDSA with SHA-256 and SHA-1.
    extensions.extend([0, 13, 0, 10, 0, 8, 4, 1, 4, 3, 2, 1, 2, 3]);
    let mut hello: Vec<u8> = vec![3, 3];
    hello.extend(rand::random::<[u8; 32]>());
    hello.push(0);
    hello.extend(length(SUITES.len() * 2));
    for suite in SUITES {
        hello.extend(suite.to_be_bytes());
    }
    hello.extend([1, 0]);
    hello.extend(length(extensions.len()));
    hello.extend(extensions);
    let mut record = vec![22, 3, 1];
    record.extend(length(hello.len() + 4));
    record.extend([1, 0]);
    record.extend(length(hello.len()));
    record.extend(hello);
    record
}

fn length(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

/// The version of a `ServerHello`.
fn version(answer: &[u8; 11]) -> Option<&'static str> {
    match answer {
        [22, _, _, _, _, 2, _, _, _, 3, 1] => Some("TLS 1.0"),
        [22, _, _, _, _, 2, _, _, _, 3, 2] => Some("TLS 1.1"),
        [22, _, _, _, _, 2, _, _, _, 3, 3] => Some("TLS 1.2"),
        [22, _, _, _, _, 2, _, _, _, 3, 0] => Some("SSL 3"),
        _ => None,
    }
}
