//! A line to a host that is far, slow or cut: a proxy in user space, as not every kernel can do that
//! to loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::background::Background;
use crate::error::Result;

/// The most bytes that travel as one.
const PACKET: usize = 16 * 1024;
/// The most packets under way.
const UNDER_WAY: usize = 1024;

/// What a line is like.
#[derive(Debug, Clone, Copy, Default)]
pub struct Line {
    /// How long everything takes, each way.
    pub delay: Duration,
    /// Bytes a second, each way.
    pub rate: Option<u64>,
    /// Cut a connection (with a reset) after so many bytes, both ways together.
    pub cut_after: Option<u64>,
}

/// A proxy on a port of every address 127.x.y.z, until dropped.
#[derive(Debug)]
pub struct Proxy(Background);

impl Proxy {
    /// A line to `to`.
    pub fn start(to: SocketAddr, line: Line) -> Result<Self> {
        Background::start(|listener| accept(listener, to, line)).map(Self)
    }

    /// The same on an address of the caller's.
    pub fn start_at(near: SocketAddr, to: SocketAddr, line: Line) -> Result<Self> {
        Background::start_at(near, |listener| accept(listener, to, line)).map(Self)
    }

    /// The near end.
    pub fn port(&self) -> u16 {
        self.0.port()
    }
}

async fn accept(listener: TcpListener, to: SocketAddr, line: Line) {
    while let Ok((near, peer)) = listener.accept().await {
        if peer.ip().is_loopback() {
            tokio::spawn(carry(near, to, line));
        }
    }
}

/// One connection, until both ways have ended or the line is cut.
async fn carry(mut near: TcpStream, to: SocketAddr, line: Line) {
    let Ok(mut far) = TcpStream::connect(to).await else {
        return;
    };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let carried = Arc::new(AtomicU64::new(0));
    let cut = {
        let (near_read, near_write) = near.split();
        let (far_read, far_write) = far.split();
        tokio::try_join!(
            one_way(near_read, far_write, line, &carried),
            one_way(far_read, near_write, line, &carried),
        )
        .is_err()
    };
    if cut {
        let _ = (near.set_zero_linger(), far.set_zero_linger());
    }
}

/// The connection is not there any more, or not to be any more.
struct Cut;

/// Reads and writes are apart: what is under way delays nothing behind it.
async fn one_way(
    from: ReadHalf<'_>,
    to: WriteHalf<'_>,
    line: Line,
    carried: &AtomicU64,
) -> std::result::Result<(), Cut> {
    let (sender, receiver) = mpsc::channel(UNDER_WAY);
    tokio::try_join!(
        enter(from, sender, line.delay),
        leave(to, receiver, line, carried)
    )
    .map(drop)
}

async fn enter(
    mut from: ReadHalf<'_>,
    queue: mpsc::Sender<(Instant, Bytes)>,
    delay: Duration,
) -> std::result::Result<(), Cut> {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(PACKET);
        let length = from.read_buf(&mut buffer).await.map_err(|_| Cut)?;
        let due = Instant::now() + delay;
        let packet = buffer.split().freeze();
        if queue.send((due, packet)).await.is_err() || length == 0 {
            return Ok(());
        }
    }
}

async fn leave(
    mut to: WriteHalf<'_>,
    mut queue: mpsc::Receiver<(Instant, Bytes)>,
    line: Line,
    carried: &AtomicU64,
) -> std::result::Result<(), Cut> {
    let mut free = Instant::now();
    while let Some((due, mut packet)) = queue.recv().await {
        if packet.is_empty() {
            break;
        }
        sleep_until(due.max(free)).await;
        let length = packet.len() as u64;
        let before = carried.fetch_add(length, Ordering::SeqCst);
        let left = line
            .cut_after
            .map_or(length, |end| end.saturating_sub(before));
        packet.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        to.write_all(&packet).await.map_err(|_| Cut)?;
        if left < length {
            return Err(Cut);
        }
        if let Some(rate) = line.rate {
            let takes = Duration::from_nanos(length.saturating_mul(1_000_000_000) / rate.max(1));
            free = free.max(due) + takes;
        }
    }
    to.shutdown().await.map_err(|_| Cut)
}
