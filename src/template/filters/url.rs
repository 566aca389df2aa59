//! Filters over addresses of the web.

use std::fmt::Write as _;

use super::super::args::Args;
use super::super::error::{Fail, failure};
use super::super::python;
use super::super::val::Val;
use super::{Filter, deep};

pub(super) const ALL: &[Filter] = &[
    deep("urlsplit", "value query", urlsplit),
    deep("urlencode", "value", urlencode),
    deep("urldecode", "string", |args| {
        let text = args.text(0)?.replace('+', " ");
        Ok(Val::from(unquoted(&text)))
    }),
];

fn urlsplit(args: &Args<'_>) -> Result<Val, Fail> {
    let url = args.text(0)?;
    let (rest, fragment) = url.split_once('#').unwrap_or((&url, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_lowercase(), rest),
        _ => (String::new(), rest),
    };
    let (netloc, path) = match rest.strip_prefix("//") {
        Some(behind) => behind.split_at(behind.find('/').unwrap_or(behind.len())),
        None => ("", rest),
    };
    let (login, host) = match netloc.rsplit_once('@') {
        Some((login, host)) => (Some(login), host),
        None => (None, netloc),
    };
    let (user, password) = match login.map(|login| login.split_once(':').ok_or(login)) {
        None => (None, None),
        Some(Ok((user, password))) => (Some(user), Some(password)),
        Some(Err(user)) => (Some(user), None),
    };
    let (hostname, port) = match host
        .strip_prefix('[')
        .and_then(|inner| inner.split_once(']'))
    {
        Some((address, behind)) => (address, behind.strip_prefix(':')),
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    let port = match port.filter(|port| !port.is_empty()) {
        None => Val::None,
        Some(port) => Val::Int(port.parse::<u16>().map(i128::from).map_err(|_| {
            failure(format!(
                "Port could not be cast to integer value as '{port}'"
            ))
        })?),
    };
    let maybe = |part: Option<&str>| part.map_or(Val::None, Val::str);
    let parts = [
        ("fragment", Val::str(fragment)),
        (
            "hostname",
            if hostname.is_empty() {
                Val::None
            } else {
                Val::from(hostname.to_lowercase())
            },
        ),
        ("netloc", Val::str(netloc)),
        ("password", maybe(password)),
        ("path", Val::str(path)),
        ("port", port),
        ("query", Val::str(query)),
        ("scheme", Val::from(scheme)),
        ("username", maybe(user)),
    ];
    match args.maybe_text(1)?.filter(|wanted| !wanted.is_empty()) {
        None => Ok(Val::record(parts)),
        Some(wanted) => parts
            .into_iter()
            .find(|(name, _)| *name == &*wanted)
            .map(|(_, value)| value)
            .ok_or_else(|| failure(format!("urlsplit: unknown URL component: {wanted}"))),
    }
}

fn quoted(text: &str, query: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => {
                out.push(byte as char);
            }
            b'/' if !query => out.push('/'),
            b' ' if query => out.push('+'),
            byte => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

fn unquoted(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = text
            .get(at + 1..at + 3)
            .filter(|_| *byte == b'%')
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(code) => {
                out.push(code);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn urlencode(args: &Args<'_>) -> Result<Val, Fail> {
    let value = args.input()?;
    if !value.is_mapping() && !value.is_sequence() {
        return Ok(Val::from(quoted(&python::text(value)?, false)));
    }
    let pairs = python::pairs_of(&args.cx, value)?;
    let pairs = pairs.iter().map(|(key, value)| {
        Ok(format!(
            "{}={}",
            quoted(&python::text(key)?, true),
            quoted(&python::text(value)?, true)
        ))
    });
    let pairs: Vec<String> = pairs.collect::<Result<_, Fail>>()?;
    Ok(Val::from(pairs.join("&")))
}
