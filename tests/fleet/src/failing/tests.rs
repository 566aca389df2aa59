//! Against plain sockets.

use std::io::{ErrorKind, Read as _};
use std::net::SocketAddr;
use std::time::Instant;

use super::*;

const SOON: Duration = Duration::from_millis(500);

fn connect(port: u16) -> std::io::Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::new(127, 10, 0, 9), port));
    let stream = TcpStream::connect_timeout(&address, SOON)?;
    stream.set_read_timeout(Some(SOON))?;
    Ok(stream)
}

#[test]
fn each_fails_in_its_own_way() {
    let host = refused().unwrap();
    let error = connect(host.port()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);

    let host = silent().unwrap();
    let error = connect(host.port()).unwrap().read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);

    let host = garbage().unwrap();
    let mut first = [0; 4];
    connect(host.port())
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    assert_eq!(&first, b"HTTP");

    let host = black_hole().unwrap();
    let error = connect(host.port()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

/// A server that says `length` bytes to everybody.
fn talker(length: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(&vec![b'x'; length]);
        }
    });
    address
}

fn read_all(port: u16) -> (std::io::Result<usize>, Vec<u8>, Duration) {
    let mut heard = Vec::new();
    let began = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let end = stream.read_to_end(&mut heard);
    (end, heard, began.elapsed())
}

#[test]
fn a_long_line_is_late_and_not_slow() {
    let line = Line {
        delay: Duration::from_millis(200),
        ..Line::default()
    };
    let proxy = Proxy::start(talker(4 << 20), line).unwrap();
    let (end, _, took) = read_all(proxy.port());
    assert_eq!(end.unwrap(), 4 << 20);
    assert!(took >= line.delay && took < 10 * line.delay, "{took:?}");
}

#[test]
fn a_thin_line_is_slow() {
    let line = Line {
        rate: Some(1 << 20),
        ..Line::default()
    };
    let proxy = Proxy::start(talker(512 << 10), line).unwrap();
    let (end, _, took) = read_all(proxy.port());
    assert_eq!(end.unwrap(), 512 << 10);
    assert!(took > Duration::from_millis(400), "{took:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn a_cut_line_is_reset_after_so_many_bytes() {
    let line = Line {
        cut_after: Some(100_000),
        ..Line::default()
    };
    let proxy = Proxy::start(talker(1 << 20), line).unwrap();
    let (end, heard, _) = read_all(proxy.port());
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(heard.len() <= 100_000);
}
