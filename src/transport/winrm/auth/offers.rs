//! What a host offers in `WWW-Authenticate` (RFC 9110, 11.6.1; RFC 4559): ways of logging in, and the
//! token that one of them goes on with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{HeaderMap, WWW_AUTHENTICATE};

/// How many offers are looked at.
const MOST: usize = 16;

/// What was offered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Offers {
    /// Names of ways, in order.
    schemes: Vec<String>,
    /// The token that came with one of them.
    pub(super) token: Option<Vec<u8>>,
}

impl Offers {
    /// Reads an answer's head.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut offers = Self::default();
        for value in headers.get_all(WWW_AUTHENTICATE).iter().take(MOST) {
            for challenge in challenges(value.as_bytes()) {
                offers.add(&challenge);
            }
        }
        offers
    }

    fn add(&mut self, challenge: &str) {
        let (scheme, rest) = challenge
            .split_once(char::is_whitespace)
            .unwrap_or((challenge, ""));
        // `realm="x"` after a comma belongs to the way before it.
        if scheme.is_empty() || scheme.contains('=') || self.schemes.len() >= MOST {
            return;
        }
        self.schemes.push(scheme.chars().take(40).collect());
        if is_spnego(scheme)
            && let Ok(token) = STANDARD.decode(rest.trim())
            && !token.is_empty()
        {
            self.token = Some(token);
        }
    }

    /// Whether a way is among them.
    pub(super) fn has(&self, scheme: &str) -> bool {
        self.schemes
            .iter()
            .any(|offered| offered.eq_ignore_ascii_case(scheme))
    }

    /// All of them, for a message.
    pub(super) fn show(&self) -> String {
        if self.schemes.is_empty() {
            return "nothing".to_owned();
        }
        let mut schemes: Vec<&str> = self.schemes.iter().map(String::as_str).collect();
        schemes.dedup();
        schemes.join(", ")
    }
}

fn is_spnego(scheme: &str) -> bool {
    ["Negotiate", "NTLM", "Kerberos"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(scheme))
}

/// The parts between commas, but for those in quotes.
fn challenges(value: &[u8]) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in String::from_utf8_lossy(value).chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts
        .into_iter()
        .map(|part| part.trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn offers(values: &[&str]) -> Offers {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(value).unwrap());
        }
        Offers::of(&headers)
    }

    #[test]
    fn offers_are_read_from_one_header_or_many() {
        for given in [
            &[
                "Negotiate",
                "Basic realm=\"WSMAN, or so\", charset=\"UTF-8\"",
                "CredSSP",
            ][..],
            &["Negotiate, Basic realm=\"WSMAN, or so\", charset=\"UTF-8\", CredSSP"][..],
        ] {
            let offers = offers(given);
            assert_eq!(offers.show(), "Negotiate, Basic, CredSSP");
            assert!(offers.has("negotiate") && !offers.has("NTLM"));
            assert_eq!(offers.token, None);
        }
    }

    #[test]
    fn a_token_is_read_and_one_that_is_no_base64_is_none() {
        assert_eq!(
            offers(&["Negotiate TlRMTQ=="]).token,
            Some(b"NTLM".to_vec())
        );
        assert_eq!(offers(&["NTLM TlRMTQ=="]).token, Some(b"NTLM".to_vec()));
        assert_eq!(offers(&["Negotiate %%%"]).token, None);
        assert_eq!(offers(&["Basic TlRMTQ=="]).token, None);
        assert_eq!(offers(&[]).show(), "nothing");
    }
}
