//! One pinned HTTP/1.1 connection: NTLM and Kerberos belong to a connection, so each request must
//! take exactly this one. It knows when an answer failed: before its first byte, or in its middle.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use http_body_util::{BodyExt as _, Collected, Full, Limited};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout};

/// How long an answer's body may be: sixteen times the largest envelope that Windows allows by default.
const LARGEST: usize = 8 << 20;

/// How long an answer that has begun may be silent.
const SILENCE: Duration = Duration::from_secs(30);

/// How long the body of an answer that is not WinRM's is waited for.
const STRANGE: Duration = Duration::from_secs(1);

/// How long one request may take in all, however lively: nothing waits for ever.
const LONGEST: Duration = Duration::from_mins(15);

/// An answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why there is none, by what the host can have seen.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was sent: the connection was closed before.
    NotSent,
    /// It may have been sent; no byte came back.
    NoAnswer(String),
    /// The answer broke off.
    Cut(String),
    /// The answer can't be right.
    Bad(String),
}

impl Failure {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::NotSent => "the connection was closed",
            Self::NoAnswer(text) | Self::Cut(text) | Self::Bad(text) => text,
        }
    }
}

/// What moves the bytes.
type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The connection. It moves while a request is waited for, and not in a task of its own: handing each
/// request over to one and back costs more than all the rest of HTTP.
pub(super) struct Http {
    sender: SendRequest<Full<Bytes>>,
    /// None: it is closed.
    driver: Option<Driver>,
    read: Arc<AtomicU64>,
    written: Arc<AtomicU64>,
    host: HeaderValue,
    path: String,
}

impl Http {
    /// Over a stream that is open already. `host` and `path` are those of the service.
    pub(super) async fn open(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        host: HeaderValue,
        path: String,
    ) -> Result<Self, Failure> {
        let read = Arc::<AtomicU64>::default();
        let written = Arc::<AtomicU64>::default();
        let stream = Counted {
            inner: stream,
            read: read.clone(),
            written: written.clone(),
        };
        let (sender, connection) = Builder::new()
            .max_buf_size(256 * 1024)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Failure::NoAnswer(text(&error)))?;
        // How it ends is told to whoever has sent something.
        let driver = Box::pin(connection.map(|_| ()));
        Ok(Self {
            sender,
            driver: Some(driver),
            read,
            written,
            host,
            path,
        })
    }

    /// Whether it is closed, by the host too.
    pub(super) fn is_closed(&mut self) -> bool {
        if let Some(driver) = &mut self.driver
            && driver.as_mut().now_or_never().is_some()
        {
            self.driver = None;
        }
        self.driver.is_none() || self.sender.is_closed()
    }

    /// One request and its answer. `patience` is how long the host may take to begin.
    pub(super) async fn post(
        &mut self,
        headers: &[(hyper::header::HeaderName, HeaderValue)],
        content_type: HeaderValue,
        body: Vec<u8>,
        patience: Duration,
    ) -> Result<Answer, Failure> {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.parse().map_err(|_| Failure::NotSent)?;
        let map = request.headers_mut();
        map.insert(HOST, self.host.clone());
        map.insert(USER_AGENT, HeaderValue::from_static("ioms"));
        map.insert(CONTENT_TYPE, content_type);
        for (name, value) in headers {
            map.insert(name, value.clone());
        }
        if self.is_closed() {
            return Err(Failure::NotSent);
        }
        let before = self.read.load(Ordering::Relaxed);
        let read = self.read.clone();
        let (written, sent_before) = (self.written.clone(), self.written.load(Ordering::Relaxed));
        let Self { sender, driver, .. } = self;
        let sending = async {
            if sender.ready().await.is_err() {
                return Err(Failure::NotSent);
            }
            let answer = sender
                .try_send_request(request)
                .await
                .map_err(|mut error| match error.take_message() {
                    Some(_) => Failure::NotSent,
                    // The connection took no byte of it.
                    None if written.load(Ordering::Relaxed) == sent_before => Failure::NotSent,
                    None => failure(error.error(), &read, before),
                })?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, LARGEST).collect();
            // What is no answer of WinRM's is told by its status; its body may have no end.
            let body = if matches!(head.status.as_u16(), 200 | 401 | 500) {
                body.await
            } else {
                timeout(STRANGE, body)
                    .await
                    .unwrap_or_else(|_| Ok(Collected::default()))
            };
            let body = body
                .map_err(|error| match error.downcast::<hyper::Error>() {
                    Ok(error) => Failure::Cut(text(&error)),
                    Err(_) => Failure::Bad(format!("its answer is longer than {LARGEST} bytes")),
                })?
                .to_bytes();
            Ok(Answer {
                status: head.status,
                headers: head.headers,
                body,
            })
        };
        patiently(&read, before, patience, driven(driver, sending)).await
    }
}

/// Does the work, and moves the bytes that it waits for.
async fn driven<T>(driver: &mut Option<Driver>, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    std::future::poll_fn(|context| {
        loop {
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            match driver {
                Some(moving) => match moving.as_mut().poll(context) {
                    // Whoever waits hears of it.
                    Poll::Ready(()) => *driver = None,
                    Poll::Pending => return work.as_mut().poll(context),
                },
                None => return Poll::Pending,
            }
        }
    })
    .await
}

fn failure(error: &hyper::Error, read: &AtomicU64, before: u64) -> Failure {
    if error.is_parse() {
        Failure::Bad(format!("it does not speak HTTP: {}", text(error)))
    } else if read.load(Ordering::Relaxed) == before {
        Failure::NoAnswer(text(error))
    } else {
        Failure::Cut(text(error))
    }
}

/// Waits as long as there is hope: until the first byte for `patience`, then as long as bytes come.
async fn patiently(
    read: &AtomicU64,
    before: u64,
    patience: Duration,
    work: impl Future<Output = Result<Answer, Failure>>,
) -> Result<Answer, Failure> {
    tokio::pin!(work);
    let began = Instant::now();
    let mut seen = before;
    loop {
        let wait = if seen == before { patience } else { SILENCE };
        if let Ok(done) = timeout(wait, &mut work).await {
            return done;
        }
        let now = read.load(Ordering::Relaxed);
        if now == before {
            return Err(Failure::NoAnswer(format!(
                "no answer within {} s",
                patience.as_secs()
            )));
        }
        if now == seen || began.elapsed() > LONGEST {
            return Err(Failure::Cut("its answer does not go on".to_owned()));
        }
        seen = now;
    }
}

/// hyper says the least; what it was caused by says more.
fn text(error: &hyper::Error) -> String {
    use std::error::Error as _;
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// A stream that knows how many bytes came, and how many it took.
struct Counted<S> {
    inner: S,
    read: Arc<AtomicU64>,
    written: Arc<AtomicU64>,
}

impl<S> Counted<S> {
    fn wrote(&self, polled: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(count)) = polled {
            self.written.fetch_add(*count as u64, Ordering::Relaxed);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        let came = buffer.filled().len() - before;
        if came > 0 {
            self.read.fetch_add(came as u64, Ordering::Relaxed);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.wrote(&polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(context, bytes);
        self.wrote(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
