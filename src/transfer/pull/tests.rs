//! What the server hands out and to whom, and that clients who mean harm get nothing and hold up nobody.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::guest::Limits;
use super::handout::{Handout, Pace};
use super::*;
use crate::base::chunks::Chunks;
use crate::base::digest;

/// Bytes in memory; `lost` says where the source turns out to be shorter.
pub(super) struct Memory {
    bytes: Bytes,
    lost: Option<u64>,
}

pub(super) fn memory(size: usize) -> Arc<Memory> {
    let bytes = (0..size)
        .map(|at| (at * 7 + at / 251).to_le_bytes()[0])
        .collect();
    Arc::new(Memory { bytes, lost: None })
}

impl Memory {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

struct Rest(Bytes);

#[async_trait]
impl Chunks for Rest {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        let piece = self.0.split_to(self.0.len().min(32 << 10));
        Ok(Some(piece).filter(|piece| !piece.is_empty()))
    }
}

impl Handout for Memory {
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }
    fn sha256(&self) -> String {
        digest::hex(&digest::of(&self.bytes))
    }
    fn chunks(&self, offset: u64) -> Box<dyn Chunks> {
        let end = self.lost.unwrap_or(self.size());
        let at = |offset: u64| usize::try_from(offset).unwrap();
        Box::new(Rest(self.bytes.slice(at(offset)..at(end))))
    }
}

/// So many pieces a second.
pub(super) struct Slow(pub(super) Duration);

#[async_trait]
impl Pace for Slow {
    async fn take(&self, _bytes: u64) {
        sleep(self.0).await;
    }
}

pub(super) fn wanted(content: Arc<Memory>) -> Wanted {
    Wanted {
        content,
        host: "web1".into(),
        client: None,
        lifetime: Duration::from_mins(1),
        pace: None,
        progress: None,
    }
}

pub(super) fn settings(plain_http: bool) -> PullSettings {
    // Hosts are told a port before it is known: a free one is looked for.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = free.local_addr().unwrap();
    let scheme = if plain_http { "http" } else { "https" };
    PullSettings {
        listen,
        url: format!("{scheme}://{listen}"),
        certificate: None,
        plain_http,
    }
}

fn small() -> Limits {
    Limits {
        strangers: 4,
        patience: Duration::from_secs(2),
        hurried: Duration::from_millis(200),
        idle: Duration::from_millis(500),
    }
}

fn server() -> Arc<PullServer> {
    PullServer::start_with(&settings(true), small()).unwrap()
}

fn path(offer: &Offer) -> String {
    let url = offer.pull.url.expose();
    format!("/{}", url.rsplit('/').next().unwrap())
}

/// Sends this, and says what comes until the end: head and body.
async fn say(server: &PullServer, text: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    // A server that has said no may close before all is written.
    let _ = stream.write_all(text.as_bytes()).await;
    let mut came = Vec::new();
    // As real clients do, it leaves when it has what was announced.
    while !complete(&came, text.starts_with("HEAD")) {
        let mut buffer = vec![0; 16 << 10];
        let read = timeout(Duration::from_secs(20), stream.read(&mut buffer)).await;
        match read.expect("the connection ends") {
            Ok(some @ 1..) => came.extend_from_slice(&buffer[..some]),
            _ => break,
        }
    }
    let cut = came.windows(4).position(|four| four == b"\r\n\r\n");
    let cut = cut.map_or(came.len(), |at| at + 4);
    let body = came.split_off(cut);
    (String::from_utf8_lossy(&came).into_owned(), body)
}

fn complete(came: &[u8], head_only: bool) -> bool {
    let Some(cut) = came.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&came[..cut]);
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    head_only || came.len() - cut - 4 >= length
}

async fn get(server: &PullServer, path: &str, more: &str) -> (String, Vec<u8>) {
    say(
        server,
        &format!("GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n"),
    )
    .await
}

fn code(head: &str) -> &str {
    head.get(9..12).unwrap_or(head)
}

#[tokio::test]
async fn an_offer_is_fetched_whole_once_and_then_gone() {
    let server = server();
    let content = memory(300_000);
    let told = Arc::new(AtomicU64::new(0));
    let mut wanted = wanted(content.clone());
    let counter = told.clone();
    wanted.progress = Some(Arc::new(move |bytes| {
        counter.fetch_add(bytes, Ordering::Relaxed);
    }));
    let offer = server.offer(wanted).unwrap();
    assert!(!offer.contacted());
    let head = say(
        &server,
        &format!("HEAD {} HTTP/1.1\r\nHost: x\r\n\r\n", path(&offer)),
    )
    .await;
    assert!(head.0.contains("content-length: 300000\r\n"), "{}", head.0);
    assert_eq!((head.1.len(), offer.fetched()), (0, false));
    let (head, body) = get(&server, &path(&offer), "").await;
    assert_eq!((code(&head), &body[..]), ("200", content.bytes()));
    assert!(head.contains("cache-control: no-store"), "{head}");
    until(|| offer.fetched()).await;
    assert_eq!(
        (offer.sent(), told.load(Ordering::Relaxed)),
        (300_000, 300_000)
    );
    assert_eq!(code(&get(&server, &path(&offer), "").await.0), "404");
    assert_eq!(offer.pull.sha256, content.sha256());
}

async fn until(true_at_last: impl Fn() -> bool) {
    let begun = Instant::now();
    while !true_at_last() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "it never comes true"
        );
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_broke_off_can_be_gone_on_with_and_nothing_else_be_picked() {
    let server = server();
    let content = memory(300_000);
    let offer = server.offer(wanted(content.clone())).unwrap();
    let path = path(&offer);
    // Broken off: read a little and leave.
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.read_exact(&mut [0; 1000]).await.unwrap();
    drop(stream);
    for other in [
        "bytes=1-5",
        "bytes=-5",
        "bytes=1-,9-",
        "bytes=300000-",
        "lines=1-",
    ] {
        let range = format!("Range: {other}\r\n");
        let mut answered = get(&server, &path, &range).await.0;
        while code(&answered) == "409" {
            answered = get(&server, &path, &range).await.0;
        }
        assert_eq!(code(&answered), "416", "{other}");
    }
    let (head, body) = get(&server, &path, "Range: bytes=299000-\r\n").await;
    assert!(
        head.contains("content-range: bytes 299000-299999/300000\r\n"),
        "{head}"
    );
    assert_eq!(
        (code(&head), &body[..]),
        ("206", &content.bytes()[299_000..])
    );
    until(|| offer.fetched()).await;
}

#[tokio::test]
async fn an_offer_has_one_connection_at_a_time_and_ends_when_it_is_dropped() {
    let server = server();
    let mut slow = wanted(memory(40 << 20));
    slow.pace = Some(Arc::new(Slow(Duration::from_millis(5))));
    let offer = server.offer(slow).unwrap();
    let path = path(&offer);
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.read_exact(&mut [0; 1000]).await.unwrap();
    assert_eq!(code(&get(&server, &path, "").await.0), "409");
    drop(offer);
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(5), stream.read_to_end(&mut rest))
        .await
        .unwrap();
    assert!(rest.len() < 39 << 20, "{}", rest.len());
    assert_eq!(code(&get(&server, &path, "").await.0), "404");
}

#[tokio::test]
async fn nothing_is_handed_out_too_late_or_to_another_address() {
    let server = server();
    let mut late = wanted(memory(10));
    late.lifetime = Duration::ZERO;
    let mut elsewhere = wanted(memory(10));
    elsewhere.client = Some("192.0.2.1".parse().unwrap());
    for refused in [late, elsewhere] {
        let offer = server.offer(refused).unwrap();
        assert_eq!(code(&get(&server, &path(&offer), "").await.0), "404");
        assert!(!offer.contacted());
    }
    let mut here = wanted(memory(10));
    here.client = Some("::ffff:127.0.0.1".parse::<IpAddr>().unwrap());
    let offer = server.offer(here).unwrap();
    assert_eq!(get(&server, &path(&offer), "").await.1.len(), 10);
}

#[tokio::test]
async fn a_source_that_became_shorter_is_not_taken_for_whole() {
    let server = server();
    let mut content = memory(300_000);
    Arc::get_mut(&mut content).unwrap().lost = Some(100_000);
    let offer = server.offer(wanted(content)).unwrap();
    let (head, body) = get(&server, &path(&offer), "").await;
    assert!(head.contains("content-length: 300000\r\n"));
    assert!(body.len() <= 100_000);
    assert!(!offer.fetched());
}

#[tokio::test]
async fn an_empty_file_is_handed_out_too() {
    let server = server();
    let offer = server.offer(wanted(memory(0))).unwrap();
    let (head, body) = get(&server, &path(&offer), "").await;
    assert_eq!((code(&head), body.len()), ("200", 0));
    until(|| offer.fetched()).await;
}

#[tokio::test]
async fn without_a_token_there_is_nothing_but_404() {
    let server = server();
    let offer = server.offer(wanted(memory(10))).unwrap();
    let token = path(&offer);
    let (short, doubled) = (token[..40].to_owned(), format!("/{token}"));
    let (below, asked, lower) = (
        format!("{token}/"),
        format!("{token}?x"),
        token.to_lowercase(),
    );
    for path in [
        "/",
        "/index.html",
        "/../../../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/etc/passwd",
        "//etc/passwd",
        &short,
        &doubled,
        &below,
        &asked,
        &lower,
        "/%00",
    ] {
        let (head, body) = get(&server, path, "").await;
        assert_eq!((code(&head), body.len()), ("404", 0), "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
        let (head, _) = say(
            &server,
            &format!("{method} {token} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
        )
        .await;
        assert_eq!(code(&head), "405", "{method}");
    }
    assert!(!offer.contacted());
}

#[tokio::test]
async fn garbage_and_endless_requests_are_cut_off() {
    let server = server();
    let offer = server.offer(wanted(memory(10))).unwrap();
    let long = "a".repeat(1 << 20);
    let many = "H: x\r\n".repeat(5000);
    for (text, expected) in [
        (format!("GET /{long} HTTP/1.1\r\n\r\n"), "4"),
        (format!("GET / HTTP/1.1\r\nX: {long}\r\n\r\n"), "4"),
        (format!("GET / HTTP/1.1\r\n{many}\r\n"), "4"),
        ("\u{16}\u{3}\u{1}\0\0\0\0\r\n\r\n".to_owned(), "4"),
        ("GET http://[:/ HTTP/1.1\r\n\r\n".to_owned(), "4"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), ""),
        ("\0".repeat(100_000), ""),
    ] {
        let (head, body) = say(&server, &text).await;
        // What was not read makes the kernel take back even the answer.
        assert!(
            head.is_empty() || code(&head).starts_with(expected),
            "{head}"
        );
        assert!(body.is_empty());
    }
    assert_eq!(get(&server, &path(&offer), "").await.1.len(), 10);
}

#[tokio::test]
async fn those_who_say_nothing_or_little_hold_up_nobody() {
    for plain in [true, false] {
        let server = PullServer::start_with(&settings(plain), small()).unwrap();
        let mut held = Vec::new();
        for n in 0..40 {
            let mut stream = TcpStream::connect(server.address()).await.unwrap();
            if n % 2 == 0 {
                let _ = stream.write_all(b"GET / HTTP/1.1\r\nX-").await;
            }
            held.push(stream);
        }
        let begun = Instant::now();
        let offer = server.offer(wanted(memory(10))).unwrap();
        if plain {
            assert_eq!(get(&server, &path(&offer), "").await.1.len(), 10);
        }
        for stream in &mut held {
            let mut rest = Vec::new();
            let ended = timeout(Duration::from_secs(15), stream.read_to_end(&mut rest)).await;
            assert!(ended.is_ok(), "a connection is kept for ever");
        }
        assert!(begun.elapsed() < Duration::from_secs(15));
    }
}

#[tokio::test]
async fn a_host_that_takes_nothing_is_cut_off_and_others_go_on() {
    let server = server();
    let content = memory(24 << 20);
    let stuck = server.offer(wanted(content.clone())).unwrap();
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", path(&stuck));
    stream.write_all(request.as_bytes()).await.unwrap();
    // As many hosts as strangers have places, and more: known guests take none of them.
    let mut stuck_too = Vec::new();
    for _ in 0..6 {
        let offer = server.offer(wanted(content.clone())).unwrap();
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        let request = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", path(&offer));
        stream.write_all(request.as_bytes()).await.unwrap();
        until(|| offer.contacted()).await;
        stuck_too.push((offer, stream));
    }
    let offer = server.offer(wanted(memory(300_000))).unwrap();
    assert_eq!(get(&server, &path(&offer), "").await.1.len(), 300_000);
    until(|| stuck.sent() > 0).await;
    sleep(Duration::from_secs(2)).await;
    let handed = stuck.sent();
    assert!(
        handed < 20 << 20,
        "read ahead without being asked: {handed}"
    );
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(5), stream.read_to_end(&mut rest))
        .await
        .unwrap();
    assert!(rest.len() < 24 << 20);
    assert!(!stuck.fetched());
}

#[tokio::test]
async fn tokens_are_long_all_different_and_shown_nowhere() {
    let server = server();
    let offers: Vec<Offer> = (0..100)
        .map(|_| server.offer(wanted(memory(1))).unwrap())
        .collect();
    let mut tokens: Vec<String> = offers.iter().map(path).collect();
    assert!(tokens.iter().all(|token| token.len() == 44));
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 100);
    let shown = format!("{:?}", offers[0].pull);
    assert!(!shown.contains(&path(&offers[0])[1..]), "{shown}");
}

#[tokio::test]
async fn the_server_ends_with_the_run() {
    let server = server();
    let address = server.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    drop(server);
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(5), stream.read_to_end(&mut rest))
        .await
        .unwrap();
    let begun = Instant::now();
    while TcpStream::connect(address).await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(5), "it still listens");
        sleep(Duration::from_millis(20)).await;
    }
}
