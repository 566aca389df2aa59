//! From a host's variables to its [`WinrmTarget`]: the variables of Ansible's plugins `winrm` and
//! `psrp` with their meaning there. Opens no connection; what can't work is said here, before one is
//! tried.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::lookup::{Found, boolean, get_of, secret, wrong};
use super::names::Property;
use super::plain::check_host;
use super::resolve::{Flags, Resolver, intern, mode_name};
use super::winrm_auth::{Login, encryption};
use super::winrm_names::is_of_plugin;
use super::winrm_values::{fingerprint, mode, seconds};
use super::{HostKeyMode, KerberosOptions, Variables, WinrmAuth, WinrmOptions, WinrmTarget};
use crate::event::{ErrorKind, HostError};

const HTTP_PORT: u16 = 5985;
const HTTPS_PORT: u16 = 5986;

/// As pywinrm and pypsrp have it: under the 60 s that Windows allows (`MaxTimeoutms`).
const OPERATION_TIMEOUT: Duration = Duration::from_secs(20);

/// Which plugin's variables are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `ansible_winrm_*`.
    Winrm,
    /// `ansible_psrp_*`.
    Psrp,
}

impl Dialect {
    fn plugin(self) -> &'static str {
        match self {
            Self::Winrm => "winrm",
            Self::Psrp => "psrp",
        }
    }
}

/// A host's variables, those of the other plugin left out.
pub(super) struct Said<'a> {
    vars: &'a dyn Variables,
    dialect: Dialect,
}

impl Said<'_> {
    pub(super) fn get(&self, property: Property) -> Result<Option<Found>, HostError> {
        get_of(self.vars, property, |name| {
            is_of_plugin(name, self.dialect.plugin())
        })
    }

    fn text(&self, property: Property) -> Result<Option<String>, HostError> {
        Ok(self.get(property)?.map(|found| found.text))
    }
}

impl Resolver {
    /// The target behind WinRM.
    pub(super) fn winrm(
        &self,
        host: &Arc<str>,
        vars: &dyn Variables,
        dialect: Dialect,
    ) -> Result<Arc<WinrmTarget>, HostError> {
        let said = Said { vars, dialect };
        if dialect == Dialect::Psrp {
            self.remark("psrp", || {
                "connection psrp is read as winrm: ansible_psrp_* as the equal ansible_winrm_*"
                    .to_owned()
            });
        }
        refuse_what_is_not_there(&said)?;
        let address = said.text(Property::WinrmAddress)?;
        let address = address.unwrap_or_else(|| host.to_string());
        let address = plain_address(&address)?;
        let (https, port) = scheme_and_port(&said)?;
        let user = self.winrm_pick(&said, Property::WinrmUser, "--user", |flags| {
            flags.user.clone()
        })?;
        let password = secret(vars, Property::WinrmPassword, |name| {
            is_of_plugin(name, dialect.plugin())
        })?
        .or_else(|| self.flags.password.clone());
        let client_certificate = self.client_certificate(&said)?;
        let login = Login::of(
            &said,
            client_certificate.is_some(),
            password.is_some(),
            https,
        )?;
        encryption(&said, https, login.auth)?;
        let user = user.map(|found| found.text).unwrap_or_default();
        check_winrm_user(&user)?;
        let target = WinrmTarget {
            address,
            port,
            user,
            password,
            options: intern(
                &self.winrm_options,
                self.winrm_options(&said, https, login, client_certificate)?,
            ),
        };
        if self.needs_login {
            target.check_login()?;
        }
        Ok(Arc::new(target))
    }

    fn winrm_pick(
        &self,
        said: &Said<'_>,
        property: Property,
        name: &'static str,
        flag: impl Fn(&Flags) -> Option<String>,
    ) -> Result<Option<Found>, HostError> {
        self.pick_of(said.vars, property, name, flag, |name| {
            is_of_plugin(name, said.dialect.plugin())
        })
    }

    fn winrm_options(
        &self,
        said: &Said<'_>,
        https: bool,
        login: Login,
        client_certificate: Option<(PathBuf, PathBuf)>,
    ) -> Result<WinrmOptions, HostError> {
        let (host_key, ca) = self.trust(said)?;
        let yes = |property| said.get(property)?.map(|found| boolean(&found)).transpose();
        Ok(WinrmOptions {
            https,
            path: path(said)?,
            auth: login.auth,
            client: login.client,
            host_key,
            ca,
            pin: said
                .get(Property::WinrmPin)?
                .map(|found| fingerprint(&found))
                .transpose()?,
            tls_name: said.text(Property::WinrmTlsName)?,
            client_certificate: client_certificate.filter(|_| login.auth == WinrmAuth::Certificate),
            channel_binding: yes(Property::WinrmChannelBinding)?.unwrap_or(true),
            kerberos: self.kerberos(said, login.auth)?,
            connect_timeout: self.winrm_connect_timeout(said)?,
            operation_timeout: operation_timeout(said)?,
        })
    }

    /// What to do with certificates, and whom to believe.
    fn trust(&self, said: &Said<'_>) -> Result<(HostKeyMode, Option<PathBuf>), HostError> {
        let authority = said
            .text(Property::WinrmCa)?
            // pywinrm's word for "as always".
            .filter(|path| path != "legacy_requests");
        let found =
            self.winrm_pick(said, Property::WinrmCertValidation, "--host-key", |flags| {
                flags.host_key.map(mode_name)
            })?;
        // Of the settings only what was said of certificates too.
        let found = found.filter(|found| !found.is_setting());
        let (mode, authority) = match found {
            None => (
                self.defaults.certificates.unwrap_or(HostKeyMode::Strict),
                authority,
            ),
            Some(found) => match mode(&found) {
                Some(mode) => (mode, authority),
                // pypsrp takes a path in its place.
                None if found.name == "ansible_psrp_cert_validation" => {
                    (HostKeyMode::Strict, authority.or(Some(found.text)))
                }
                None => {
                    return Err(wrong(
                        &found,
                        "validate or ignore (strict, accept-new, off)",
                    ));
                }
            },
        };
        let authority = authority.map(|path| self.config.local().expand_home(&path));
        Ok((mode, authority))
    }

    fn client_certificate(&self, said: &Said<'_>) -> Result<Option<(PathBuf, PathBuf)>, HostError> {
        let file = |text: String| self.config.local().expand_home(&text);
        let certificate = said.get(Property::WinrmCertificate)?;
        let key = said.get(Property::WinrmCertificateKey)?;
        match (certificate, key) {
            (None, None) => Ok(None),
            // A PEM file may hold both.
            (Some(certificate), None) => {
                let both = file(certificate.text);
                Ok(Some((both.clone(), both)))
            }
            (Some(certificate), Some(key)) => Ok(Some((file(certificate.text), file(key.text)))),
            (None, Some(key)) => Err(HostError::new(
                ErrorKind::Arguments,
                format!("`{}` ({}) is set, but no certificate", key.name, key.origin),
            )
            .hint("set ansible_winrm_cert_pem to the certificate's file")),
        }
    }

    fn kerberos(&self, said: &Said<'_>, auth: WinrmAuth) -> Result<KerberosOptions, HostError> {
        if let Some(found) = said.get(Property::WinrmDelegation)?
            && boolean(&found)?
        {
            self.remark("delegation", || {
                format!(
                    "`{}` ({}) is not obeyed: tickets are not handed on, so hosts can't log in to a third one",
                    found.name, found.origin
                )
            });
        }
        if let Some(found) = said.get(Property::WinrmKinitMode)? {
            match found.text.as_str() {
                "manual" if auth == WinrmAuth::Kerberos => {
                    self.remark("kinit", || {
                        format!(
                            "`{}: manual` ({}) is not obeyed: tickets are fetched with user and password, not taken from a cache",
                            found.name, found.origin
                        )
                    });
                }
                "managed" | "manual" => {}
                _ => return Err(wrong(&found, "managed or manual")),
            }
        }
        Ok(KerberosOptions {
            realm: said.text(Property::WinrmRealm)?,
            kdc: said.text(Property::WinrmKdc)?,
            service: said.text(Property::WinrmService)?,
            hostname: said.text(Property::WinrmHostname)?,
        })
    }

    fn winrm_connect_timeout(&self, said: &Said<'_>) -> Result<Duration, HostError> {
        let timeout = |flags: &Flags| flags.connect_timeout.map(|time| time.as_secs().to_string());
        let found = self.winrm_pick(
            said,
            Property::WinrmConnectTimeout,
            "--connect-timeout",
            timeout,
        )?;
        match found {
            Some(found) => seconds(&found),
            None => Ok(self.defaults.connect_timeout),
        }
    }
}

impl WinrmTarget {
    /// Whether there is all that logging in takes. (Looking at a host's certificate takes nothing.)
    pub fn check_login(&self) -> Result<(), HostError> {
        let auth = self.options.auth;
        if auth == WinrmAuth::Certificate {
            return Ok(());
        }
        let missing = |what: &str, hint: &str| {
            HostError::new(
                ErrorKind::Arguments,
                format!("WinRM ({}) needs a {what}, and none is set", auth.name()),
            )
            .hint(hint)
        };
        if self.user.is_empty() {
            return Err(missing(
                "user",
                "set ansible_user for the host, or give --user",
            ));
        }
        if self
            .password
            .as_ref()
            .is_none_or(|password| password.expose().is_empty())
        {
            return Err(missing(
                "password",
                "set ansible_password in a vault, or let -k ask for it",
            ));
        }
        Ok(())
    }
}

/// What the variables ask for and nobody here can do; to go on without it would be something else.
fn refuse_what_is_not_there(said: &Said<'_>) -> Result<(), HostError> {
    if let Some(found) = said.get(Property::WinrmProxy)? {
        return Err(HostError::new(
            ErrorKind::Unsupported,
            format!(
                "`{}` ({}): WinRM through a proxy is not there",
                found.name, found.origin
            ),
        )
        .hint("reach the host directly, or by SSH through a bastion (ProxyJump)"));
    }
    if let Some(found) = said.get(Property::WinrmConfiguration)?
        && !found.text.eq_ignore_ascii_case("Microsoft.PowerShell")
    {
        return Err(HostError::new(
            ErrorKind::Unsupported,
            format!(
                "`{}: {}` ({}): only the default configuration is there, no restricted endpoint",
                found.name, found.text, found.origin
            ),
        )
        .hint("remove it, and log in as a user who may use the default one"));
    }
    Ok(())
}

/// As Ansible has it: HTTP by the scheme or by port 5985, else HTTPS.
fn scheme_and_port(said: &Said<'_>) -> Result<(bool, u16), HostError> {
    let port = said
        .get(Property::WinrmPort)?
        .map(|found| {
            let number = found.text.parse::<std::num::NonZeroU16>();
            number.map_err(|_| wrong(&found, "a port"))
        })
        .transpose()?
        .map(std::num::NonZeroU16::get);
    let https = match said.get(Property::WinrmScheme)? {
        None => port != Some(HTTP_PORT),
        Some(found) if found.text.eq_ignore_ascii_case("http") => false,
        Some(found) if found.text.eq_ignore_ascii_case("https") => true,
        Some(found) => return Err(wrong(&found, "http or https")),
    };
    let usual = if https { HTTPS_PORT } else { HTTP_PORT };
    Ok((https, port.unwrap_or(usual)))
}

fn path(said: &Said<'_>) -> Result<String, HostError> {
    let Some(found) = said.get(Property::WinrmPath)? else {
        return Ok("/wsman".to_owned());
    };
    let good = |c: char| c.is_ascii_alphanumeric() || "/-._~?=&%:".contains(c);
    if !found.text.chars().all(good) {
        return Err(wrong(&found, "the path of a URL, like /wsman"));
    }
    Ok(format!("/{}", found.text.trim_start_matches('/')))
}

fn operation_timeout(said: &Said<'_>) -> Result<Duration, HostError> {
    let operation = said.get(Property::WinrmOperationTimeout)?;
    let time = match &operation {
        None => OPERATION_TIMEOUT,
        Some(found) => seconds(found)?,
    };
    if let Some(found) = &operation
        && time.is_zero()
    {
        return Err(wrong(found, "more than 0 seconds"));
    }
    // Ours follows from the other; only the contradiction is worth a word, as in pywinrm.
    if let Some(read) = said.get(Property::WinrmReadTimeout)?
        && seconds(&read)? <= time
        && operation.is_some()
    {
        return Err(wrong(&read, "more than the operation's time"));
    }
    Ok(time)
}

/// The address as the URL and the certificate have it: no brackets, nothing that ends a host's name.
fn plain_address(text: &str) -> Result<String, HostError> {
    let text = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    check_host(text)?;
    if let Some(c) = text.chars().find(|c| "/?#@[]".contains(*c)) {
        return Err(HostError::new(
            ErrorKind::Arguments,
            format!("the host name `{text}` holds `{c}`: it is no name and no address"),
        )
        .hint("correct it: ansible_host is the name alone, without scheme, port and path"));
    }
    Ok(text.to_owned())
}

fn check_winrm_user(text: &str) -> Result<(), HostError> {
    if text.chars().any(char::is_control) {
        return Err(HostError::new(
            ErrorKind::Arguments,
            format!(
                "the user `{}` holds a control character",
                text.escape_debug()
            ),
        )
        .hint("correct it: no user is like that"));
    }
    Ok(())
}
