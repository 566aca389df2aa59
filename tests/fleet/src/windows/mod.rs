//! Windows hosts: the WinRM server of `tests/winrm`, at every address 127.7.x.y, that runs commands
//! with `/bin/sh` or in Wine.

mod builder;
mod certificates;
mod control;
mod journal;
mod kdc;
mod needs;
mod prefix;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::Signal;

pub use builder::WindowsBuilder;
pub use certificates::Certificate;
pub use control::{Fault, State};
pub use journal::{Body, Request};
pub use kdc::Kdc;
pub use needs::{Need, lacks};
pub use prefix::Language;

use crate::error::Result;
use crate::folder::{self, Folder};
use crate::process::{self, Server};
use certificates::Certificates;
use prefix::Prefix;

/// How commands run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// With `/bin/sh`: fast, with `PowerShell`'s engine for Linux and a few programs by Windows' names.
    Sh,
    /// With Wine's `cmd.exe`: real Windows programs, `PowerShell`'s engine for Windows.
    Wine(Language),
}

/// A running server. Killed when dropped, with everything that was started through it.
#[derive(Debug)]
pub struct Windows {
    folder: Folder,
    http: u16,
    https: u16,
    users: Vec<(String, String)>,
    certificates: Certificates,
    /// In the environment of everything that is started through it.
    mark: String,
    server: Mutex<Option<Server>>,
    /// Dropped last: no process may still live in it.
    prefix: Option<Prefix>,
}

impl Windows {
    /// One with the usual settings: tier [`Tier::Sh`], HTTP, HTTPS with a certificate of [`Self::ca`].
    pub fn start() -> Result<Self> {
        Self::builder().start()
    }

    /// One with settings of the caller's.
    pub fn builder() -> WindowsBuilder {
        WindowsBuilder::default()
    }

    /// The address of host `n`, counted from 0: 127.7.0.1, ...
    #[allow(clippy::unused_self, reason = "reads better as windows.address(3)")]
    pub fn address(&self, n: usize) -> String {
        address(n)
    }

    /// The port of HTTP on every address.
    pub fn http(&self) -> u16 {
        self.http
    }

    /// The port of HTTPS on every address.
    pub fn https(&self) -> u16 {
        self.https
    }

    /// Who logs in: `Administrator`.
    pub fn user(&self) -> &str {
        self.users.first().map_or("", |(name, _)| name)
    }

    /// The password, with a space, a colon-free sign and a Chinese character.
    pub fn password(&self) -> &str {
        self.users.first().map_or("", |(_, password)| password)
    }

    /// The authority to trust (PEM), which signed the host's certificate unless that was asked for
    /// otherwise.
    pub fn ca(&self) -> &Path {
        &self.certificates.ca
    }

    /// The host's certificate (PEM).
    pub fn certificate(&self) -> &Path {
        &self.certificates.host
    }

    /// The SHA-256 of the host's certificate, in lower case hexadecimal digits.
    pub fn fingerprint(&self) -> &str {
        &self.certificates.fingerprint
    }

    /// A certificate of [`Self::user`] and its key (PEM).
    pub fn client_certificate(&self) -> (&Path, &Path) {
        (&self.certificates.client, &self.certificates.client_key)
    }

    /// A certificate that is mapped to no account, and its key.
    pub fn stranger_certificate(&self) -> (&Path, &Path) {
        (&self.certificates.stranger, &self.certificates.stranger_key)
    }

    /// The folder with the server's files.
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// Drive C of the Wine tier.
    pub fn drive_c(&self) -> Option<PathBuf> {
        self.prefix.as_ref().map(Prefix::drive_c)
    }

    /// The server's process.
    pub fn pid(&self) -> Option<u32> {
        self.server().as_ref().map(Server::id)
    }

    /// Writes an inventory of `n` hosts `win01`, ... in Ansible's YAML format. `vars`: further
    /// variables of all, lines `name: value`, which win over the usual ones: HTTPS, NTLM,
    /// [`Self::ca`].
    pub fn write_inventory(&self, n: usize, path: &Path, vars: &str) -> Result<()> {
        folder::write(path, &self.inventory(n, vars))
    }

    /// The same as text.
    pub fn inventory(&self, n: usize, vars: &str) -> String {
        let given = |name: &str| {
            vars.lines().any(|line| {
                line.split(':')
                    .next()
                    .is_some_and(|word| word.trim() == name)
            })
        };
        let mut text = "all:\n  vars:\n".to_owned();
        let usual = [
            ("ansible_connection", "winrm".to_owned()),
            ("ansible_port", self.https.to_string()),
            ("ansible_user", quoted(self.user())),
            ("ansible_password", quoted(self.password())),
            ("ansible_winrm_transport", "ntlm".to_owned()),
            (
                "ansible_winrm_ca_trust_path",
                quoted(&self.ca().to_string_lossy()),
            ),
        ];
        for (name, value) in usual.iter().filter(|(name, _)| !given(name)) {
            let _ = writeln!(text, "    {name}: {value}");
        }
        for line in vars.lines().filter(|line| !line.trim().is_empty()) {
            let _ = writeln!(text, "    {}", line.trim());
        }
        text.push_str("  hosts:\n");
        let width = n.to_string().len().max(2);
        for i in 0..n {
            let _ = writeln!(
                text,
                "    win{:0width$}: {{ansible_host: {}}}",
                i + 1,
                address(i)
            );
        }
        text
    }

    /// Variables for [`Self::write_inventory`]: sealed messages over HTTP.
    pub fn over_http(&self) -> String {
        format!("ansible_port: {}\nansible_winrm_scheme: http\n", self.http)
    }

    /// What the server said on its standard error: nothing, if all is well.
    pub fn said(&self) -> String {
        fs::read_to_string(self.folder.join("err")).unwrap_or_default()
    }

    /// Ends it and everything that was started through it.
    pub fn kill(&self) {
        let Some(mut server) = self.server().take() else {
            return;
        };
        if server.signal(Signal::TERM).is_ok() {
            process::wait_until(|| !server.is_running());
        }
        process::kill_offspring(&mut server, &self.mark);
    }

    fn server(&self) -> MutexGuard<'_, Option<Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Windows {
    fn drop(&mut self) {
        self.kill();
    }
}

/// 127.7.0.1, 127.7.0.2, ...
fn address(n: usize) -> String {
    format!("127.7.{}.{}", n / 254, n % 254 + 1)
}

/// A YAML text.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
