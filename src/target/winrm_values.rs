//! Values of WinRM variables, read: fingerprints, modes, times. Knows no host.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::HostKeyMode;
use super::lookup::{Found, wrong};
use crate::event::HostError;

/// The SHA-256 of a certificate: `SHA256:` and base64 as `hostkeys` prints it, or 64 hexadecimal
/// digits, with or without colons, as `openssl x509 -fingerprint -sha256` prints it.
pub(super) fn fingerprint(found: &Found) -> Result<[u8; 32], HostError> {
    let text = found.text.trim();
    let text = text.rsplit_once('=').map_or(text, |(before, after)| {
        // `sha256 Fingerprint=AB:CD...`; base64 has its own `=` at the end.
        if after.is_empty() || before.starts_with("SHA256:") {
            text
        } else {
            after
        }
    });
    let bytes = match text.strip_prefix("SHA256:") {
        Some(rest) => STANDARD_NO_PAD
            .decode(rest)
            .or_else(|_| STANDARD.decode(rest))
            .ok(),
        None => hexadecimal(text),
    };
    bytes
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .ok_or_else(|| {
            wrong(
                found,
                "the SHA-256 of a certificate, as SHA256:BASE64 or as 64 hexadecimal digits",
            )
        })
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !matches!(c, ':' | ' '))
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(high << 4 | low),
            _ => None,
        })
        .collect()
}

/// `validate`, `ignore`, yes and no, and the words of `--host-key`.
pub(super) fn mode(found: &Found) -> Option<HostKeyMode> {
    match found.text.to_ascii_lowercase().as_str() {
        "validate" | "strict" | "true" | "yes" | "on" | "1" => Some(HostKeyMode::Strict),
        "accept-new" => Some(HostKeyMode::AcceptNew),
        "ignore" | "off" | "false" | "no" | "0" => Some(HostKeyMode::Off),
        _ => None,
    }
}

/// Seconds, whole or not, or a duration as everywhere.
pub(super) fn seconds(found: &Found) -> Result<Duration, HostError> {
    if let Ok(number) = found.text.parse::<f64>()
        && let Ok(time) = Duration::try_from_secs_f64(number)
    {
        return Ok(time);
    }
    crate::base::quantity::duration(&found.text).map_err(|_| wrong(found, "seconds"))
}
