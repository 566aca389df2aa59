//! A request as configuration of the tools that make it on a host: what is secret stands in a text that
//! they read, never among their arguments.

use std::fmt::Write as _;

use super::call::Call;
use super::error::ModuleError;
use crate::base::value::{Map, Value};

/// A request.
pub(super) struct Request<'a> {
    pub(super) url: &'a str,
    pub(super) method: &'a str,
    pub(super) headers: Vec<(String, String)>,
    pub(super) follow: Follow,
    pub(super) timeout: i64,
    /// Whether a body goes along.
    pub(super) body: bool,
}

/// Which redirections are followed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Follow {
    No,
    All,
    /// As Python's urllib does: no POST is repeated.
    Urllib,
}

impl Request<'_> {
    /// Sets the variables of `posix/http.sh`.
    pub(super) fn say(&self, call: &mut Call) -> Result<(), ModuleError> {
        for (name, value) in &self.headers {
            if format!("{name}{value}").contains(['\r', '\n']) {
                return Err(ModuleError::of(
                    "headers",
                    format!("header `{name}` holds a newline"),
                ));
            }
        }
        // Each becomes a line of a configuration.
        for name in [
            "method",
            "url_username",
            "url_password",
            "http_agent",
            "client_cert",
            "client_key",
            "ca_path",
            "unix_socket",
        ] {
            if call
                .text(name)
                .is_some_and(|text| text.contains(['\r', '\n']))
            {
                return Err(ModuleError::of(name, format!("{name} holds a newline")));
            }
        }
        if let Some(Value::List(ciphers)) = call.params.get("ciphers")
            && (ciphers.iter().filter_map(Value::as_str)).any(|text| text.contains(['\r', '\n']))
        {
            return Err(ModuleError::of("ciphers", "ciphers holds a newline"));
        }
        if self.url.contains(['\r', '\n', ' ']) {
            return Err(ModuleError::of("url", "a URL has no blanks or newlines"));
        }
        let plain = self.method == "GET"
            && self.follow != Follow::No
            && self.headers.is_empty()
            && !self.body
            && !self.url.contains('@');
        let plain = plain && call.text("url_username").is_none();
        let curl = self.curl(&call.params);
        let wget = self.wget(&call.params);
        let mut put = |name: &str, value: &str| {
            call.extra.insert(name.into(), Value::Unsafe(value.into()));
        };
        put("curl", &curl);
        put("wget", &wget);
        put("url", self.url);
        put("method", self.method);
        let follow = match self.follow {
            Follow::No => "",
            Follow::All => "all",
            Follow::Urllib => "urllib2",
        };
        put("follow", follow);
        put("plain", if plain { "1" } else { "" });
        Ok(())
    }

    fn curl(&self, params: &Map) -> String {
        let text = |name: &str| params.get(name).and_then(Value::as_str);
        let no = |name: &str| params.get(name) == Some(&Value::Bool(false));
        let yes = |name: &str| params.get(name) == Some(&Value::Bool(true));
        let mut made = String::from("silent\nshow-error\ngloboff\n");
        let mut set = |name: &str, value: &str| {
            let _ = writeln!(made, "{name} = \"{}\"", quoted(value));
        };
        for (name, value) in &self.headers {
            let header = if value.is_empty() {
                format!("{name};")
            } else {
                format!("{name}: {value}")
            };
            set("header", &header);
        }
        if let Some(user) = text("url_username") {
            set(
                "user",
                &format!("{user}:{}", text("url_password").unwrap_or_default()),
            );
        }
        set(
            "user-agent",
            text("http_agent").unwrap_or("ansible-httpget"),
        );
        // The time between two pieces, not of the whole, as Ansible counts.
        for name in ["connect-timeout", "speed-time"] {
            set(name, &self.timeout.to_string());
        }
        set("speed-limit", "1");
        for (name, option) in [
            ("client_cert", "cert"),
            ("client_key", "key"),
            ("ca_path", "cacert"),
            ("unix_socket", "unix-socket"),
        ] {
            if let Some(path) = text(name) {
                set(option, path);
            }
        }
        if let Some(Value::List(ciphers)) = params.get("ciphers") {
            let ciphers: Vec<&str> = ciphers.iter().filter_map(Value::as_str).collect();
            set("ciphers", &ciphers.join(":"));
        }
        if no("use_proxy") {
            set("noproxy", "*");
        }
        for (option, wanted) in [
            ("insecure", no("validate_certs")),
            ("netrc-optional", !no("use_netrc")),
            ("compressed", !no("decompress")),
            ("negotiate", yes("use_gssapi")),
        ] {
            if wanted {
                made.push_str(option);
                made.push('\n');
            }
        }
        made
    }

    fn wget(&self, params: &Map) -> String {
        let text = |name: &str| params.get(name).and_then(Value::as_str);
        let no = |name: &str| params.get(name) == Some(&Value::Bool(false));
        let mut made = String::new();
        let mut set = |name: &str, value: &str| _ = writeln!(made, "{name} = {value}");
        for (name, value) in &self.headers {
            set("header", &format!("{name}: {value}"));
        }
        if let Some(user) = text("url_username") {
            set("http_user", user);
            set("http_password", text("url_password").unwrap_or_default());
            set("auth_no_challenge", "on");
        }
        set(
            "user_agent",
            text("http_agent").unwrap_or("ansible-httpget"),
        );
        set("timeout", &self.timeout.to_string());
        set("tries", "1");
        set("max_redirect", "0");
        for (name, option) in [
            ("client_cert", "certificate"),
            ("client_key", "private_key"),
            ("ca_path", "ca_certificate"),
        ] {
            if let Some(path) = text(name) {
                set(option, path);
            }
        }
        if no("use_proxy") {
            set("use_proxy", "off");
        }
        if no("use_netrc") {
            set("netrc", "off");
        }
        if no("validate_certs") {
            set("check_certificate", "off");
        }
        made
    }
}

/// A value within quotes, as curl's configuration has it.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\t', "\\t")
}

/// The headers that a task gives.
pub(super) fn headers(params: &Map) -> Vec<(String, String)> {
    match params.get("headers") {
        Some(Value::Map(map)) => map
            .iter()
            .map(|(name, value)| (name.to_string(), super::args::display(value)))
            .collect(),
        _ => Vec::new(),
    }
}

/// The last answer's headers, of all that were read: names in lower case.
pub(super) fn answer_headers(text: &str) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if line.starts_with("HTTP/") {
            headers.clear();
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim().to_lowercase(), value.trim().to_owned()));
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_holds_what_is_asked_for() {
        let mut params = Map::new();
        params.insert("url_username".into(), Value::string("me"));
        params.insert("url_password".into(), Value::string("a\"b\\"));
        params.insert("validate_certs".into(), Value::Bool(false));
        let request = Request {
            url: "https://h/x",
            method: "PUT",
            headers: vec![("X-A".into(), "b c".into())],
            follow: Follow::All,
            timeout: 7,
            body: true,
        };
        let curl = request.curl(&params);
        for line in [
            "header = \"X-A: b c\"",
            r#"user = "me:a\"b\\""#,
            "insecure",
            "connect-timeout = \"7\"",
        ] {
            assert!(curl.lines().any(|each| each == line), "{line} in {curl}");
        }
        let wget = request.wget(&params);
        assert!(wget.contains("http_password = a\"b\\\n") && wget.contains("header = X-A: b c\n"));
    }

    #[test]
    fn the_last_answer_counts() {
        let text = "HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\n";
        assert_eq!(
            answer_headers(text),
            [("content-type".to_owned(), "a/b".to_owned())]
        );
    }
}
