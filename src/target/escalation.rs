//! As whom the work is done: `become` and its variables, on Unix and on Windows. Knows no transport.

use super::lookup::{Found, boolean, get_of, secret, wrong};
use super::names::{Property, is_of_another_method};
use super::resolve::Resolver;
use super::{Become, BecomeMethod, Variables};
use crate::event::{ErrorKind, HostError};

/// Where nobody says to whom, on Windows: what services and scheduled tasks run as, and the one account
/// that needs no password. (Ansible's runas makes the user say it.)
const SYSTEM: &str = "SYSTEM";

impl Resolver {
    /// The escalation, where it is wanted.
    pub(super) fn escalation(
        &self,
        vars: &dyn Variables,
        windows: bool,
    ) -> Result<Option<Become>, HostError> {
        let wanted = self.pick(vars, Property::Become, "--become", |flags| {
            flags.r#become.then(|| "true".to_owned())
        })?;
        let Some(wanted) = wanted else {
            return Ok(None);
        };
        if !boolean(&wanted)? {
            return Ok(None);
        }
        let method = self.method(vars, &wanted, windows)?;
        let meant = |name: &str| !is_of_another_method(name, method.name());
        // A settings file is of all hosts: what it says of Unix is not meant for Windows.
        let of_unix = |found: &Found| windows && found.is_setting() && found.text == "root";
        let user = self
            .pick_of(
                vars,
                Property::BecomeUser,
                "--become-user",
                |flags| flags.become_user.clone(),
                meant,
            )?
            .filter(|found| !of_unix(found));
        let password = secret(vars, Property::BecomePassword, meant)?;
        let flags = get_of(vars, Property::BecomeFlags, meant)?
            .map(|found| {
                super::ssh_config::words(&found.text).map_err(|message| wrong(&found, &message))
            })
            .transpose()?;
        let default_user = if windows { SYSTEM } else { "root" };
        Ok(Some(Become {
            method,
            user: user.map_or_else(|| default_user.to_owned(), |found| found.text),
            password: password.or_else(|| self.flags.become_password.clone()),
            exe: get_of(vars, Property::BecomeExe, meant)?.map(|found| found.text),
            flags: flags.unwrap_or_default(),
        }))
    }

    fn method(
        &self,
        vars: &dyn Variables,
        wanted: &Found,
        windows: bool,
    ) -> Result<BecomeMethod, HostError> {
        let said = self
            .pick(vars, Property::BecomeMethod, "--become-method", |flags| {
                flags.become_method.clone()
            })?
            .filter(|found| !(windows && found.is_setting()));
        let Some(said) = said else {
            return Ok(match wanted.name {
                _ if windows => BecomeMethod::Runas,
                "ansible_su" => BecomeMethod::Su,
                _ => BecomeMethod::Sudo,
            });
        };
        let name = said.text.as_str();
        let method = match name.strip_prefix("ansible.builtin.").unwrap_or(name) {
            "sudo" => BecomeMethod::Sudo,
            "su" => BecomeMethod::Su,
            "doas" | "community.general.doas" => BecomeMethod::Doas,
            "runas" => BecomeMethod::Runas,
            other => {
                return Err(HostError::new(
                    ErrorKind::Unsupported,
                    format!(
                        "the become method `{other}` is not supported: write sudo, su, doas or runas"
                    ),
                ));
            }
        };
        if windows && method != BecomeMethod::Runas {
            return Err(HostError::new(
                ErrorKind::Arguments,
                format!(
                    "Windows has no {} ({}): its become method is runas",
                    method.name(),
                    said.place()
                ),
            )
            .hint("set ansible_become_method: runas for the Windows hosts"));
        }
        Ok(method)
    }
}
