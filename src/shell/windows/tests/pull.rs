//! Files that a host fetches over HTTP(S), from a server in this process.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use sha2::Digest as _;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::files::{Host, hex, names, receive, received};
use crate::base::secret::Secret;
use crate::shell::files::{Answer, FileFailure, Origin, Pin, Pull, Received};

/// What a server does with each request in turn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// Answers, ranges too.
    Well,
    /// Answers whole.
    Whole,
    /// Breaks off after so many bytes.
    Breaks(usize),
    /// Says that there is no such thing.
    Not,
}

struct Server {
    port: u16,
    /// The certificate's SHA-256.
    pin: String,
    /// The ranges that were asked for.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(content: Vec<u8>, https: bool, doing: Vec<Doing>) -> Self {
        let made = rcgen::generate_simple_self_signed(["controller".to_owned()]).unwrap();
        let pin = hex(&sha2::Sha256::digest(made.cert.der()));
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let seen = asked.clone();
        std::thread::spawn(move || {
            let mut doing = doing.into_iter();
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let serve = |stream: &mut dyn Stream, doing: &mut dyn Iterator<Item = Doing>| {
                    serve(stream, &content, doing, &seen)
                };
                // A client that does not like the certificate hangs up.
                let _ = if https {
                    let session = ServerConnection::new(config.clone()).unwrap();
                    let mut stream = StreamOwned::new(session, stream);
                    let served = serve(&mut stream, &mut doing);
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                    served
                } else {
                    let mut stream: TcpStream = stream;
                    serve(&mut stream, &mut doing)
                };
            }
        });
        Self { port, pin, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn pull(&self, https: bool, content: &[u8]) -> Pull {
        let scheme = if https { "https" } else { "http" };
        Pull {
            url: Secret::new(format!("{scheme}://127.0.0.1:{}/f/token", self.port)),
            pin: https.then(|| Pin {
                certificate: self.pin.clone(),
                key: String::new(),
                pem: String::new(),
            }),
            sha256: hex(&sha2::Sha256::digest(content)),
        }
    }
}

trait Stream: std::io::Read + Write {}
impl<S: std::io::Read + Write> Stream for S {}

fn serve(
    stream: &mut dyn Stream,
    content: &[u8],
    doing: &mut dyn Iterator<Item = Doing>,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let range = head
        .lines()
        .find_map(|line| line.strip_prefix("Range: bytes="))
        .unwrap_or_default();
    asked.lock().unwrap().push(range.to_owned());
    let doing = doing.next().unwrap_or(Doing::Well);
    let from: usize = match doing {
        Doing::Whole => 0,
        _ => range.trim_end_matches('-').parse().unwrap_or(0),
    };
    let body = &content[from..];
    let status = match (doing, from) {
        (Doing::Not, _) => {
            return stream
                .write_all(b"HTTP/1.1 404 Gone\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
        (_, 0) => "200 OK",
        _ => "206 Partial Content",
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    let until = match doing {
        Doing::Breaks(until) => until,
        _ => body.len(),
    };
    stream.write_all(&body[..until])?;
    stream.flush()
}

fn content() -> Vec<u8> {
    (0..=255).cycle().take(700_001).collect()
}

#[test]
fn a_file_is_fetched_from_the_pinned_server_and_from_no_other() {
    let Some(host) = Host::new("files fetched by PowerShell") else {
        return;
    };
    let bytes = content();
    let server = Server::start(bytes.clone(), true, Vec::new());
    let target = host.folder().join("大 文件.zip");
    let mut task = receive(&target, &bytes);
    task.origin = Origin::Pull(Box::new(server.pull(true, &bytes)));
    let answer = host.does(&received(&task), b"");
    assert_eq!(answer, Ok(Answer::Received(Received::Placed)));
    assert_eq!(std::fs::read(&target).unwrap(), bytes);
    assert_eq!(names(&host.folder()), ["大 文件.zip"]);

    let mut pull = server.pull(true, &bytes);
    pull.pin.as_mut().unwrap().certificate = hex(&sha2::Sha256::digest(b"another"));
    task.origin = Origin::Pull(Box::new(pull));
    let answer = host.does(&received(&task), b"");
    assert!(
        matches!(&answer, Err(FileFailure::NoTool(why)) if !why.contains("token")),
        "{answer:?}"
    );
    assert_eq!(
        server.asked().len(),
        1,
        "the address went to the right one only"
    );
    assert_eq!(names(&host.folder()), ["大 文件.zip"]);
}

#[test]
fn a_fetch_that_breaks_off_goes_on_where_it_was() {
    let Some(host) = Host::new("fetches by PowerShell that break") else {
        return;
    };
    let bytes = content();
    let doing = vec![Doing::Breaks(300_000), Doing::Well, Doing::Whole];
    let server = Server::start(bytes.clone(), false, doing);
    let target = host.folder().join("x");
    let mut task = receive(&target, &bytes);
    task.origin = Origin::Pull(Box::new(server.pull(false, &bytes)));
    let answer = host.does(&received(&task), b"");
    let Ok(Answer::Received(Received::Short { size })) = answer else {
        panic!("{answer:?}");
    };
    assert!(size <= 300_000);
    task.offset = size;
    let answer = host.does(&received(&task), b"");
    assert_eq!(answer, Ok(Answer::Received(Received::Placed)));
    assert_eq!(std::fs::read(&target).unwrap(), bytes);
    // A server that knows no ranges.
    std::fs::write(task.part.as_str().unwrap(), &bytes[..1000]).unwrap();
    task.offset = 1000;
    let answer = host.does(&received(&task), b"");
    assert_eq!(answer, Ok(Answer::Received(Received::Placed)));
    let from = if size == 0 {
        String::new()
    } else {
        format!("{size}-")
    };
    assert_eq!(server.asked(), [String::new(), from, "1000-".to_owned()]);
}

#[test]
fn what_is_not_what_was_promised_is_removed_and_what_can_not_be_fetched_is_said() {
    let Some(host) = Host::new("fetches by PowerShell that fail") else {
        return;
    };
    let bytes = content();
    let server = Server::start(bytes.clone(), false, vec![Doing::Well, Doing::Not]);
    let mut task = receive(&host.folder().join("x"), &bytes);
    let mut pull = server.pull(false, &bytes);
    pull.sha256 = hex(&sha2::Sha256::digest(b"other"));
    task.origin = Origin::Pull(Box::new(pull));
    let answer = host.does(&received(&task), b"");
    assert!(
        matches!(&answer, Ok(Answer::Received(Received::Mismatch { digest })) if *digest == hex(&sha2::Sha256::digest(&bytes))),
        "{answer:?}"
    );
    let answer = host.does(&received(&task), b"");
    assert!(
        matches!(&answer, Err(FileFailure::NoTool(why)) if why.contains("404") && !why.contains("token")),
        "{answer:?}"
    );
    assert_eq!(names(&host.folder()), [""; 0]);
}
