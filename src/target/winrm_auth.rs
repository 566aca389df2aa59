//! How to log in over WinRM, and with which client: what the variables say, and whether it can be had.

use super::lookup::{Found, wrong};
use super::names::Property;
use super::winrm::Said;
use super::{WinrmAuth, WinrmClient};
use crate::event::{ErrorKind, HostError};

/// Whether the second client is built in.
const HAS_WINRM_RS: bool = cfg!(feature = "winrm-rs");

/// The way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) auth: WinrmAuth,
    pub(super) client: WinrmClient,
}

impl Login {
    /// What the variables say; without a word of theirs a certificate where there is one and no
    /// password, else Negotiate. (Ansible's own default, Basic, is what hosts refuse since 2008 R2.)
    pub(super) fn of(
        said: &Said<'_>,
        has_certificate: bool,
        has_password: bool,
        https: bool,
    ) -> Result<Self, HostError> {
        let transport = said.get(Property::WinrmTransport)?;
        let auth = match &transport {
            Some(found) => auth(found, has_certificate, https)?,
            None if has_certificate && !has_password => WinrmAuth::Certificate,
            None => WinrmAuth::Negotiate,
        };
        let place = transport.map_or_else(String::new, |found| {
            format!(" (`{}`, {})", found.name, found.origin)
        });
        if !https && matches!(auth, WinrmAuth::Basic | WinrmAuth::Certificate) {
            return Err(HostError::new(
                ErrorKind::Arguments,
                format!(
                    "{}{place} over HTTP would send everything in the clear: it is refused",
                    auth.name()
                ),
            )
            .hint("use HTTPS (ansible_winrm_scheme: https, port 5986), or ansible_winrm_transport: ntlm"));
        }
        if auth == WinrmAuth::Certificate && !has_certificate {
            return Err(HostError::new(
                ErrorKind::Arguments,
                format!("certificate{place}: no certificate is set"),
            )
            .hint("set ansible_winrm_cert_pem and ansible_winrm_cert_key_pem"));
        }
        let client = client(said, auth, &place)?;
        Ok(Self { auth, client })
    }
}

/// One of Ansible's names. Of several the first counts (each further try would be one more wrong
/// password on the host's count); Kerberos beside NTLM is what Negotiate does.
fn auth(found: &Found, has_certificate: bool, https: bool) -> Result<WinrmAuth, HostError> {
    let names = found
        .text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let mut auths = Vec::new();
    for name in names {
        auths.push(match name.to_ascii_lowercase().as_str() {
            "negotiate" => WinrmAuth::Negotiate,
            "ntlm" => WinrmAuth::Ntlm,
            "kerberos" => WinrmAuth::Kerberos,
            "certificate" => WinrmAuth::Certificate,
            // pywinrm's: whatever TLS carries.
            "ssl" if !https => {
                return Err(wrong(found, "HTTPS for `ssl`, or another way to log in"));
            }
            "ssl" if has_certificate => WinrmAuth::Certificate,
            "basic" | "plaintext" | "ssl" => WinrmAuth::Basic,
            "credssp" => WinrmAuth::Credssp,
            _ => {
                return Err(wrong(
                    found,
                    "negotiate, ntlm, kerberos, basic (plaintext), certificate, ssl or credssp",
                ));
            }
        });
    }
    let both = [WinrmAuth::Kerberos, WinrmAuth::Ntlm]
        .iter()
        .all(|each| auths.contains(each));
    if both && matches!(auths.first(), Some(WinrmAuth::Kerberos)) {
        return Ok(WinrmAuth::Negotiate);
    }
    auths
        .first()
        .copied()
        .ok_or_else(|| wrong(found, "a way to log in"))
}

/// Which client: the one that is named, else ours where it can.
fn client(said: &Said<'_>, auth: WinrmAuth, place: &str) -> Result<WinrmClient, HostError> {
    let found = said.get(Property::WinrmClient)?;
    let named = match &found {
        None => None,
        Some(found) => match found.text.as_str() {
            "ours" => Some(WinrmClient::Ours),
            "winrm-rs" => Some(WinrmClient::WinrmRs),
            _ => return Err(wrong(found, "ours or winrm-rs")),
        },
    };
    let not_built = |what: String| {
        HostError::new(
            ErrorKind::Unsupported,
            format!("{what}: this iomsctl is built without the client `winrm-rs`"),
        )
    };
    match (auth, named) {
        (WinrmAuth::Credssp, Some(WinrmClient::Ours)) => Err(HostError::new(
            ErrorKind::Unsupported,
            format!("credssp{place} is there with `ioms_winrm_client: winrm-rs` only"),
        )
        .hint("use negotiate, ntlm or kerberos, or the other client")),
        (WinrmAuth::Credssp, _) if !HAS_WINRM_RS => Err(not_built(format!("credssp{place}")).hint(
            "use negotiate, ntlm or kerberos; for CredSSP build with: cargo build --release --features winrm-rs",
        )),
        (WinrmAuth::Credssp, _) => Ok(WinrmClient::WinrmRs),
        (_, Some(WinrmClient::WinrmRs)) if !HAS_WINRM_RS => {
            let place = found.map_or_else(String::new, |found| found.origin);
            Err(not_built(format!("`ioms_winrm_client: winrm-rs` ({place})"))
                .hint("remove it, or build with: cargo build --release --features winrm-rs"))
        }
        (_, named) => Ok(named.unwrap_or(WinrmClient::Ours)),
    }
}

/// Messages are sealed or in TLS, always: what would have them in the clear is refused.
pub(super) fn encryption(said: &Said<'_>, https: bool, auth: WinrmAuth) -> Result<(), HostError> {
    let Some(found) = said.get(Property::WinrmEncryption)? else {
        return Ok(());
    };
    match found.text.to_ascii_lowercase().as_str() {
        "always" if matches!(auth, WinrmAuth::Basic | WinrmAuth::Certificate) => Err(wrong(
            &found,
            "auto: basic and certificate seal no messages, TLS does",
        )),
        "auto" | "always" => Ok(()),
        "never" if https => Ok(()),
        "never" => Err(HostError::new(
            ErrorKind::Arguments,
            format!(
                "`{}: never` ({}) over HTTP would send everything in the clear: it is refused",
                found.name, found.origin
            ),
        )
        .hint("remove it (messages are sealed then), or use HTTPS")),
        _ => Err(wrong(&found, "auto, always or never")),
    }
}
