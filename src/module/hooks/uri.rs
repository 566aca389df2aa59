//! uri: a request with a body, and its answer as a result.

use super::super::body;
use super::super::call::{Call, Controller, FileKind, Said};
use super::super::error::ModuleError;
use super::super::http::{Follow, Request, answer_headers, headers};
use super::Hook;
use super::get_url::masked;
use crate::base::text;
use crate::base::value::{Map, Value};

pub(super) struct Uri;

impl Hook for Uri {
    fn prepare(&self, call: &mut Call, controller: &dyn Controller) -> Result<(), ModuleError> {
        let url = call.text("url").unwrap_or_default().to_owned();
        let method = call.text("method").unwrap_or("GET").to_uppercase();
        if !method.bytes().all(|b| b.is_ascii_uppercase()) || method.is_empty() {
            return Err(ModuleError::of(
                "method",
                "Parameter 'method' needs to be a single word in uppercase, like GET or POST.",
            ));
        }
        let mut headers = headers(&call.params);
        if let Some(content) = call.params.shift_remove("body") {
            let format = call.text("body_format").unwrap_or("raw").to_owned();
            let (bytes, kind) = body::encode(&content, &format, controller)?;
            if let Some(kind) = kind
                && !headers
                    .iter()
                    .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            {
                headers.push(("Content-Type".to_owned(), kind));
            }
            call.send_bytes(bytes);
        } else if let (Some(src), false) = (call.text("src"), call.flag("remote_src")) {
            let found = controller.file(FileKind::Files, src)?;
            match found.opened {
                Some(bytes) => call.send_bytes(bytes),
                None => call.send_file(&found.path)?,
            }
        }
        let follow = match call.text("follow_redirects") {
            Some("all" | "yes" | "true" | "True") => Follow::All,
            Some("none" | "no" | "false" | "False") => Follow::No,
            Some("urllib2") if method == "POST" => Follow::Urllib,
            _ if matches!(method.as_str(), "GET" | "HEAD") => Follow::All,
            _ => Follow::No,
        };
        let timeout = match call.params.get("timeout") {
            Some(Value::Int(seconds)) => *seconds,
            _ => 30,
        };
        Request {
            url: &url,
            method: &method,
            headers,
            follow,
            timeout,
            body: call.payload.is_some() || call.params.contains_key("src"),
        }
        .say(call)
    }

    fn conclude(&self, call: &Call, said: &Said, result: &mut Map) {
        let Some(status) = result.get("status").cloned() else {
            return;
        };
        let field = |name: &str| {
            let bytes = said.record.field(name).cloned().unwrap_or_default();
            text::decode(&bytes, text::Charset::UTF_8).text.into_owned()
        };
        let headers = answer_headers(&field("ioms/head"));
        let mut cookies = Map::new();
        for (name, value) in &headers {
            if name == "set-cookie" {
                let pair = value.split(';').next().unwrap_or_default();
                if let Some((name, value)) = pair.split_once('=') {
                    cookies.insert(name.trim().into(), Value::Unsafe(value.trim().into()));
                }
            }
            let name = name.replace('-', "_");
            result
                .entry(name.into())
                .or_insert_with(|| Value::Unsafe(value.as_str().into()));
        }
        let pairs: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
            .collect();
        result.insert(
            "cookies_string".into(),
            Value::Unsafe(pairs.join("; ").into()),
        );
        result.insert("cookies".into(), Value::Map(cookies));
        let asked = masked(call.text("url").unwrap_or_default());
        let url = result
            .get("url")
            .and_then(Value::as_str)
            .map(masked)
            .unwrap_or_default();
        let redirected = url.trim_end_matches('/') != asked.trim_end_matches('/');
        result.insert("redirected".into(), Value::Bool(redirected));
        let location = result.get("location").and_then(Value::as_str);
        if let Some(location) = location.map(|location| absolute(&url, location)) {
            result.insert("location".into(), Value::Unsafe(location.into()));
        }
        result.insert("url".into(), Value::Unsafe(url.into()));
        if said.record.field("ioms/content").is_some() {
            let content = field("ioms/content");
            let kind = result
                .get("content_type")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if (kind.contains("json") || kind.contains("javascript"))
                && let Ok(json) = serde_json::from_str(&content)
            {
                result.insert("json".into(), Value::from_json(&json));
            }
            if call.flag("return_content") {
                result.insert("content".into(), Value::Unsafe(content.into()));
            }
        }
        let wanted = match call.params.get("status_code") {
            Some(Value::List(wanted)) => wanted.clone(),
            _ => vec![Value::Int(200)],
        };
        if !wanted.contains(&status) && !result.contains_key("failed") {
            let message = result
                .get("msg")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let message = format!(
                "Status code was {} and not {}: {message}",
                crate::base::python::python(&status),
                crate::base::python::python(&Value::List(wanted))
            );
            result.insert("failed".into(), Value::Bool(true));
            result.insert("msg".into(), Value::Unsafe(message.into()));
        }
    }
}
/// Where a redirection from `url` leads to.
fn absolute(url: &str, location: &str) -> String {
    let page = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = page.split_once("://") else {
        return location.to_owned();
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    if location.contains("://") {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{host}{location}")
    } else if folder.is_empty() {
        format!("{scheme}://{host}/{location}")
    } else {
        format!("{scheme}://{host}/{folder}/{location}")
    }
}

#[cfg(test)]
mod tests {
    use super::absolute;

    #[test]
    fn a_redirection_leads_to_a_whole_url() {
        for (url, location, whole) in [
            ("http://h:1/a/b?c=/d", "/x", "http://h:1/x"),
            ("http://h/a/b", "x?y", "http://h/a/x?y"),
            ("http://h", "x", "http://h/x"),
            ("https://h/a", "//i/x", "https://i/x"),
            ("http://h/a", "https://i/x", "https://i/x"),
        ] {
            assert_eq!(absolute(url, location), whole);
        }
    }
}
