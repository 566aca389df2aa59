//! What a request is answered: the content of the offer that its token stands for, whole or from a
//! place on; to everybody else, that there is nothing.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::try_unfold;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap,
    RANGE,
};
use hyper::http::response::Builder;
use hyper::{Method, Request, Response, StatusCode};

use super::guest::Guest;
use super::offer::{Closed, Entry, Table};
use crate::base::chunks::Chunks;

/// A piece of content after another, or nothing.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Answers.
pub(super) fn answer(
    table: &Arc<Table>,
    guest: &Guest,
    request: &Request<Incoming>,
) -> Response<Body> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return bare(status(StatusCode::METHOD_NOT_ALLOWED).header(ALLOW, "GET, HEAD"));
    }
    // The token is the whole path: there is nothing else, and nothing below.
    let uri = request.uri();
    let (Some(token), None) = (uri.path().strip_prefix('/'), uri.query()) else {
        return bare(status(StatusCode::NOT_FOUND));
    };
    let lease = match table.open(token, guest.client) {
        Ok(lease) => lease,
        Err(Closed::Unknown) => {
            tracing::debug!(client = %guest.client, "asked for what is not on offer");
            return bare(status(StatusCode::NOT_FOUND));
        }
        Err(Closed::Busy) => return bare(status(StatusCode::CONFLICT)),
    };
    let entry = lease.entry.clone();
    guest.welcome(lease);
    let response = hand_out(&entry, request.method(), request.headers());
    tracing::debug!(
        host = entry.wanted.host,
        offer = entry.label(),
        client = %guest.client,
        status = response.status().as_u16(),
        "handed out"
    );
    response
}

fn hand_out(entry: &Arc<Entry>, method: &Method, headers: &HeaderMap) -> Response<Body> {
    let size = entry.wanted.content.size();
    if method == Method::HEAD {
        return bare(whole(size));
    }
    let Some(range) = headers.get(RANGE) else {
        return send(whole(size), entry, 0);
    };
    match range.to_str().ok().and_then(from) {
        Some(offset) if offset < size => {
            let response = status(StatusCode::PARTIAL_CONTENT)
                .header(CONTENT_LENGTH, size - offset)
                .header(CONTENT_RANGE, format!("bytes {offset}-{}/{size}", size - 1));
            send(content(response), entry, offset)
        }
        _ => bare(
            status(StatusCode::RANGE_NOT_SATISFIABLE)
                .header(CONTENT_RANGE, format!("bytes */{size}")),
        ),
    }
}

/// `bytes=N-`, the one form of a range (RFC 9110, 14.1.2) that goes on with what broke off.
fn from(range: &str) -> Option<u64> {
    let digits = range.strip_prefix("bytes=")?.strip_suffix('-')?;
    digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| digits.parse().ok())
        .flatten()
}

fn status(status: StatusCode) -> Builder {
    Response::builder()
        .status(status)
        .header(CACHE_CONTROL, "no-store")
}

fn content(response: Builder) -> Builder {
    response
        .header(CONTENT_TYPE, "application/octet-stream")
        .header(ACCEPT_RANGES, "bytes")
}

fn whole(size: u64) -> Builder {
    content(status(StatusCode::OK)).header(CONTENT_LENGTH, size)
}

fn bare(response: Builder) -> Response<Body> {
    finish(response, Empty::new().map_err(never).boxed_unsync())
}

fn finish(response: Builder, body: Body) -> Response<Body> {
    response.body(body).unwrap_or_else(|_| {
        let mut response = Response::new(Empty::new().map_err(never).boxed_unsync());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

fn never(never: Infallible) -> io::Error {
    match never {}
}

/// Content on its way. Only what the connection takes is read.
struct Going {
    chunks: Box<dyn Chunks>,
    left: u64,
    entry: Arc<Entry>,
}

fn send(response: Builder, entry: &Arc<Entry>, offset: u64) -> Response<Body> {
    let left = entry.wanted.content.size() - offset;
    if left == 0 {
        entry.reach_end();
    }
    let going = Going {
        chunks: entry.wanted.content.chunks(offset),
        left,
        entry: entry.clone(),
    };
    finish(
        response,
        StreamBody::new(try_unfold(going, next)).boxed_unsync(),
    )
}

async fn next(mut going: Going) -> io::Result<Option<(Frame<Bytes>, Going)>> {
    if going.left == 0 {
        return Ok(None);
    }
    let Some(mut piece) = going.chunks.next().await? else {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the source has become shorter",
        ));
    };
    piece.truncate(usize::try_from(going.left).unwrap_or(usize::MAX));
    let bytes = piece.len() as u64;
    if let Some(pace) = &going.entry.wanted.pace {
        pace.take(bytes).await;
    }
    going.left -= bytes;
    going.entry.count(bytes);
    if going.left == 0 {
        going.entry.reach_end();
    }
    Ok(Some((Frame::data(piece), going)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_a_range_that_goes_on_to_the_end_is_understood() {
        assert_eq!(super::from("bytes=0-"), Some(0));
        assert_eq!(super::from("bytes=18446744073709551615-"), Some(u64::MAX));
        for other in [
            "bytes=-",
            "bytes=-5",
            "bytes=1-2",
            "bytes=1-,3-",
            "bytes=+1-",
            "items=1-",
            "1-",
            "",
            "bytes=18446744073709551616-",
            "bytes= 1-",
        ] {
            assert_eq!(super::from(other), None, "{other}");
        }
    }
}
