//! What `lookup('url')` fetches: the controller's one way into the web.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio_rustls::rustls::crypto::ring;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Error, http};

use crate::template::WebRequest;

/// No answer is larger, in bytes.
const ANSWER_MAX: u64 = 64 << 20;
/// However slowly it comes, it comes within this time.
const WHOLE: Duration = Duration::from_mins(5);

/// Fetches it; waited for.
pub(super) fn fetch(wanted: &WebRequest) -> Result<Vec<u8>, String> {
    let url = &wanted.url;
    let mut request = agent(wanted).get(url);
    for (name, value) in &wanted.headers {
        request = request.header(name, value.expose());
    }
    if let Some((user, password)) = &wanted.login {
        let login = STANDARD.encode(format!("{user}:{}", password.expose()));
        request = request.header("Authorization", format!("Basic {login}"));
    }
    let mut answer = request.call().map_err(|error| said(url, &error))?;
    if !answer.status().is_success() {
        return Err(refused(url, answer.status()));
    }
    let body = answer.body_mut().with_config().limit(ANSWER_MAX);
    body.read_to_vec().map_err(|error| said(url, &error))
}

fn agent(wanted: &WebRequest) -> Agent {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(wanted.timeout))
        .timeout_per_read(Some(wanted.timeout))
        .timeout_global(Some(WHOLE.max(wanted.timeout)))
        .user_agent(&wanted.agent);
    if wanted.url.starts_with("https:") || wanted.follow {
        config = config.tls_config(tls(wanted.verify));
    }
    if !wanted.follow {
        config = config.max_redirects(0).max_redirects_will_error(false);
    }
    if !wanted.proxy {
        config = config.proxy(None);
    }
    config.build().into()
}

/// The authorities of this machine vouch, as for Ansible.
fn tls(verify: bool) -> TlsConfig {
    let roots = if verify {
        let found = rustls_native_certs::load_native_certs().certs;
        found
            .iter()
            .map(|root| Certificate::from_der(root).to_owned())
            .collect()
    } else {
        Vec::new()
    };
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .disable_verification(!verify)
        .build()
}

fn refused(url: &str, status: http::StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or("Unknown");
    format!(
        "Received HTTP error for {url}: HTTP Error {}: {reason}",
        status.as_u16()
    )
}

fn said(url: &str, error: &Error) -> String {
    match error {
        Error::StatusCode(code) => match http::StatusCode::from_u16(*code) {
            Ok(status) => refused(url, status),
            Err(_) => format!("Received HTTP error for {url}: {code}"),
        },
        Error::Tls(_) | Error::Rustls(_) => {
            format!("Error validating the server's certificate for {url}: {error}")
        }
        other => format!("Failed lookup url for {url}: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    use super::*;
    use crate::base::secret::Secret;

    /// A server that answers once each, and says what it was asked.
    fn asked(answers: &'static [&'static str], change: impl Fn(&mut WebRequest)) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/a", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let mut heard = String::new();
            for answer in answers {
                let (stream, _) = listener.accept().unwrap();
                let lines = BufReader::new(&stream).lines().map(Result::unwrap);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let told = head.iter().filter(|line| {
                    let name = line.split(':').next().unwrap_or_default();
                    ["x-a", "authorization"].contains(&&*name.to_ascii_lowercase())
                });
                let told: Vec<&str> = told.map(String::as_str).collect();
                let _ = writeln!(heard, "{} {}", head[0], told.join(" "));
                (&stream).write_all(answer.as_bytes()).unwrap();
            }
            heard
        });
        let mut wanted = WebRequest {
            url: url.clone(),
            headers: vec![("X-A".into(), Secret::new("b"))],
            login: Some(("u".into(), Secret::new("p"))),
            timeout: Duration::from_secs(10),
            follow: true,
            verify: true,
            proxy: false,
            agent: "test".into(),
        };
        change(&mut wanted);
        let said = match fetch(&wanted) {
            Ok(bytes) => String::from_utf8(bytes).unwrap(),
            Err(why) => why.replace(&url, "URL"),
        };
        format!("{}{said}", server.join().unwrap())
    }

    #[test]
    fn it_sends_what_it_is_told_and_gives_the_body_or_the_servers_no() {
        let fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
        let said = asked(Box::leak(Box::new([fine])), |_| {});
        insta::assert_snapshot!(said.to_ascii_lowercase(), @r"
        get /a http/1.1 x-a: b authorization: basic dtpw
        hi
        ");
        let none = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let said = asked(Box::leak(Box::new([none])), |_| {});
        assert!(said.ends_with("Received HTTP error for URL: HTTP Error 404: Not Found"));
    }

    #[test]
    fn what_lets_in_is_not_shown() {
        let wanted = WebRequest {
            url: "http://h/".into(),
            headers: vec![("Authorization".into(), Secret::new("Bearer hunter2"))],
            login: Some(("u".into(), Secret::new("hunter3"))),
            timeout: Duration::ZERO,
            follow: true,
            verify: true,
            proxy: false,
            agent: "test".into(),
        };
        let shown = format!("{wanted:?}");
        assert!(
            shown.contains("Authorization") && !shown.contains("hunter"),
            "{shown}"
        );
    }

    #[test]
    fn it_goes_where_the_server_says_unless_it_is_not_to() {
        const AWAY: &str =
            "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        const FINE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
        let said = asked(&[AWAY, FINE], |_| {});
        assert!(said.contains("GET /b ") && said.ends_with("hi"), "{said}");
        let said = asked(&[AWAY], |wanted| wanted.follow = false);
        assert!(said.ends_with("HTTP Error 302: Found"), "{said}");
    }
}
