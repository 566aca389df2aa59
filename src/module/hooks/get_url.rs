//! `get_url`: the request, and how the content is to be checked.

use super::super::call::{Call, Controller};
use super::super::error::ModuleError;
use super::super::http::{Follow, Request, headers};
use super::Hook;
use crate::base::value::Value;

pub(super) struct GetUrl;

impl Hook for GetUrl {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        let url = call.text("url").unwrap_or_default().to_owned();
        let checksum = call.text("checksum").unwrap_or_default().to_owned();
        if !checksum.is_empty() {
            let Some((algorithm, sum)) = checksum.split_once(':') else {
                return Err(ModuleError::of(
                    "checksum",
                    "The checksum parameter has to be in format <algorithm>:<checksum>",
                ));
            };
            let sum = if sum.contains("://") {
                sum.to_owned()
            } else {
                let letters = sum.chars().filter(char::is_ascii_alphanumeric);
                letters.collect::<String>().to_lowercase()
            };
            if !sum.contains("://") && !sum.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(ModuleError::of(
                    "checksum",
                    "The checksum format is invalid",
                ));
            }
            if !["md5", "sha1", "sha224", "sha256", "sha384", "sha512"].contains(&algorithm) {
                return Err(ModuleError::of(
                    "checksum",
                    format!("no such algorithm: {algorithm}"),
                ));
            }
            call.extra
                .insert("algorithm".into(), Value::Unsafe(algorithm.into()));
            call.extra.insert("sum".into(), Value::Unsafe(sum.into()));
        }
        call.known
            .insert("url".into(), Value::Unsafe(masked(&url).into()));
        let timeout = match call.params.get("timeout") {
            Some(Value::Int(seconds)) => *seconds,
            _ => 10,
        };
        Request {
            url: &url,
            method: "GET",
            headers: headers(&call.params),
            follow: Follow::All,
            timeout,
            body: false,
        }
        .say(call)
    }
}

/// A URL without the password that it may hold.
pub(super) fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (server, path) = rest.split_at(end);
    match server
        .rsplit_once('@')
        .and_then(|(who, host)| Some((who.split_once(':')?.0, host)))
    {
        Some((user, host)) => format!("{scheme}://{user}:********@{host}{path}"),
        None => url.to_owned(),
    }
}
