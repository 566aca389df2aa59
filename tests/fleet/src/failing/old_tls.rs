//! A real TLS server that speaks no version after 1.0, as a stock Windows of 2008 does.

use std::process::{Command, Stdio};

use crate::error::Result;
use crate::folder::Folder;
use crate::process::{self, Server};

/// The server; ends when dropped.
#[derive(Debug)]
pub struct OldTls {
    port: u16,
    _server: Server,
    _folder: Folder,
}

impl OldTls {
    /// Its port, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// TLS 1.0 and nothing newer.
pub fn old_tls() -> Result<OldTls> {
    let folder = Folder::new(None)?;
    let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
    let (key, certificate) = (key.to_string_lossy(), certificate.to_string_lossy());
    process::run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=old",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ],
    )?;
    let port = process::free_port()?;
    let mut command = Command::new(process::find("openssl")?);
    command
        .args(["s_server", "-quiet", "-tls1", "-cipher", "ALL:@SECLEVEL=0"])
        .args(["-accept", &format!("127.0.0.1:{port}")])
        .args(["-key", &key, "-cert", &certificate])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut server = Server::start(&mut command)?;
    process::wait_until(|| {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() || !server.is_running()
    });
    Ok(OldTls {
        port,
        _server: server,
        _folder: folder,
    })
}
