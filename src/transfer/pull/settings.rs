//! What pull mode is told, and whether the address that hosts are to use is one.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use hyper::Uri;

use super::error::PullError;

/// What pull mode is told (`pull.*` of the settings).
#[derive(Debug, Clone)]
pub struct PullSettings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How hosts see that: `https://controller.example:8443`.
    pub url: String,
    /// The files of a certificate (with its chain) and of its key, PEM; without them one is made for
    /// the run.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// No TLS: the address is `http://`.
    pub plain_http: bool,
}

impl PullSettings {
    /// Whether the address for hosts is one: known before any host is asked.
    pub fn check(&self) -> Result<(), PullError> {
        Base::read(&self.url, self.plain_http).map(drop)
    }
}

/// An address that was looked at: nothing is in it that could mean something to a shell, to curl's
/// configuration or to a web server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    /// `https://host:port`, without a slash at its end.
    pub(super) text: String,
    /// The name or address in it, as a certificate has it.
    pub(super) host: String,
}

impl Base {
    /// Reads `pull.url`.
    pub(super) fn read(url: &str, plain_http: bool) -> Result<Self, PullError> {
        let wrong = |why| PullError::Url {
            url: crate::base::url::without_password(url).unwrap_or_else(|| url.to_owned()),
            why,
        };
        let uri: Uri = url.parse().map_err(|_| wrong("not an address"))?;
        match (uri.scheme_str(), plain_http) {
            (Some("https"), false) | (Some("http"), true) => {}
            (Some("http"), false) => {
                return Err(wrong("http:// without TLS needs pull.plain_http = true"));
            }
            (Some("https"), true) => return Err(wrong("with pull.plain_http it is http://")),
            _ => return Err(wrong("write https://NAME:PORT")),
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || url.contains('#') {
            return Err(wrong(
                "there is no room for a path: write https://NAME:PORT",
            ));
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err(wrong("there is no login to it"));
        }
        let host = uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let named = !bare.is_empty()
            && bare.len() <= 253
            && bare
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        if !named && bare.parse::<IpAddr>().is_err() {
            return Err(wrong("no name or address of a host is in it"));
        }
        let port = match (uri.port_u16(), authority.len() > host.len()) {
            (Some(0), _) | (None, true) => return Err(wrong("not a port")),
            (Some(port), _) => format!(":{port}"),
            (None, false) => String::new(),
        };
        let scheme = if plain_http { "http" } else { "https" };
        Ok(Self {
            text: format!("{scheme}://{host}{port}"),
            host: bare.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_for_hosts_is_a_plain_one() {
        for (url, text, host) in [
            (
                "https://ops.example:8443",
                "https://ops.example:8443",
                "ops.example",
            ),
            ("https://ops.example/", "https://ops.example", "ops.example"),
            ("https://192.0.2.7:1", "https://192.0.2.7:1", "192.0.2.7"),
            (
                "https://[2001:db8::1]:8443/",
                "https://[2001:db8::1]:8443",
                "2001:db8::1",
            ),
        ] {
            let base = Base::read(url, false).unwrap();
            assert_eq!((base.text.as_str(), base.host.as_str()), (text, host));
        }
        for wrong in [
            "",
            "ops",
            "ops:8443",
            "http://ops",
            "ftp://ops",
            "https://",
            "https://:8443",
            "https://a@ops",
            "https://a:geheim@ops",
            "https://ops/x",
            "https://ops?x",
            "https://ops/#x",
            "https://o'ps",
            "https://o$ps",
            "https://ops:",
            "https://ops:0",
            "https://ops:99999",
            "https://o\"ps",
            "https://ops\n",
            "https://[fe80::1%25eth0]",
        ] {
            let error = Base::read(wrong, false).unwrap_err().to_string();
            assert!(!error.contains("geheim"), "{error}");
        }
        assert!(Base::read("http://ops:80", true).is_ok());
        assert!(Base::read("https://ops", true).is_err());
    }
}
