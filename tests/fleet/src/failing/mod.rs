//! Hosts that fail: each on a port of its own, at every address 127.x.y.z, until dropped.

mod old_tls;
mod proxy;
#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType, bind, listen, socket};

pub use old_tls::{OldTls, old_tls};
pub use proxy::{Line, Proxy};

use crate::error::{Result, Tried};

/// A host that fails.
#[derive(Debug)]
pub struct Host {
    port: u16,
    // What is below is held, not read.
    _socket: Option<OwnedFd>,
    _unaccepted: Vec<TcpStream>,
    _greeter: Option<Greeter>,
}

impl Host {
    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Nothing listens, and nobody else can listen there in the meantime.
pub fn refused() -> Result<Host> {
    let (socket, port) = bound()?;
    Ok(Host {
        port,
        _socket: Some(socket),
        _unaccepted: Vec::new(),
        _greeter: None,
    })
}

/// Accepts and says nothing.
pub fn silent() -> Result<Host> {
    greeting(b"")
}

/// Accepts and says what no SSH server says.
pub fn garbage() -> Result<Host> {
    greeting(b"HTTP/1.1 400 Bad Request\r\nServer: nonsense\r\n\r\n")
}

/// Never answers the first packet: its queue of connections is full.
pub fn black_hole() -> Result<Host> {
    const WAIT: Duration = Duration::from_millis(200);
    let (socket, port) = bound()?;
    listen(&socket, 0).tried("listen")?;
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port).into();
    let connect = || TcpStream::connect_timeout(&address, WAIT).ok();
    Ok(Host {
        port,
        _unaccepted: std::iter::from_fn(connect).take(8).collect(),
        _socket: Some(socket),
        _greeter: None,
    })
}

/// A socket bound to a free port of every address.
fn bound() -> Result<(OwnedFd, u16)> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).tried("socket")?;
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)).tried("bind")?;
    let address = rustix::net::getsockname(&socket).tried("getsockname")?;
    let address = SocketAddrV4::try_from(address).tried("getsockname")?;
    Ok((socket, address.port()))
}

fn greeting(words: &'static [u8]) -> Result<Host> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).tried("bind")?;
    let port = listener.local_addr().tried("bind")?.port();
    Ok(Host {
        port,
        _socket: None,
        _unaccepted: Vec::new(),
        _greeter: Some(Greeter::start(listener, port, words)),
    })
}

/// A thread that accepts, greets and keeps.
#[derive(Debug)]
struct Greeter {
    port: u16,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Greeter {
    fn start(listener: TcpListener, port: u16, words: &'static [u8]) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let end = ended.clone();
        let thread = thread::spawn(move || {
            let mut kept = Vec::new();
            while let Ok((mut stream, peer)) = listener.accept() {
                if end.load(Ordering::SeqCst) {
                    break;
                }
                // To a client of HTTP an answer before its question is a lost connection.
                let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
                if !words.is_empty() {
                    let _ = stream.peek(&mut [0]);
                }
                if peer.ip().is_loopback() && stream.write_all(words).is_ok() {
                    kept.push(stream);
                }
            }
        });
        Self {
            port,
            ended,
            thread: Some(thread),
        }
    }
}

impl Drop for Greeter {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes it up.
        let woken = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}
