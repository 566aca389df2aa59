//! What sshd is told.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::folder::Folder;
use crate::process::MARK;

pub(super) const AUTHORIZED_KEYS: &str = "authorized_keys";
pub(super) const USER_AUTHORITY: &str = "user_ca";

/// What a configuration is made of.
pub(super) struct Config<'a> {
    pub(super) folder: &'a Folder,
    pub(super) port: u16,
    pub(super) host_keys: &'a [String],
    pub(super) host_certificate: bool,
    pub(super) user_authority: bool,
    pub(super) max_startups: &'a str,
    /// The program that serves files, if there is one.
    pub(super) sftp: Option<&'a str>,
    pub(super) mark: &'a str,
    /// The hosts that have a home of their own, by address.
    pub(super) homes: &'a [(String, PathBuf)],
    pub(super) extra: &'a str,
    /// Whether this sshd knows `PerSourcePenalties`: all our hosts' clients have one address.
    pub(super) penalties: bool,
}

impl Config<'_> {
    pub(super) fn text(&self) -> String {
        let file = |name: &str| self.folder.join(name).display().to_string();
        // The first value of a setting wins, and a Match block ends with the file.
        let matches = self
            .extra
            .lines()
            .position(|line| line.trim_start().to_ascii_lowercase().starts_with("match "));
        let lines: Vec<&str> = self.extra.lines().collect();
        let (global, matches) = lines.split_at(matches.unwrap_or(lines.len()));
        let mut text = format!(
            "{}
Port {}
ListenAddress 0.0.0.0
AllowUsers *@127.0.0.0/8
AuthorizedKeysFile {}
PermitRootLogin yes
PidFile none
StrictModes no
UsePAM no
UseDNS no
PrintMotd no
LogLevel VERBOSE
MaxStartups {}
MaxSessions 100
",
            global.join("\n"),
            self.port,
            file(AUTHORIZED_KEYS),
            self.max_startups,
        );
        // Of a setting the first value wins, so that it can't be said for all and then for some.
        let home = |home: &str| format!("SetEnv HOME={home} {MARK}={}\n", self.mark);
        if self.homes.is_empty() {
            text.push_str(&home(&file("home")));
        }
        if let Some(program) = self.sftp {
            let _ = writeln!(text, "Subsystem sftp {program}");
        }
        for kind in self.host_keys {
            let key = host_key(kind);
            let _ = writeln!(text, "HostKey {}", file(&key));
            if self.host_certificate {
                let _ = writeln!(text, "HostCertificate {}-cert.pub", file(&key));
            }
        }
        if self.user_authority {
            let _ = writeln!(text, "TrustedUserCAKeys {}.pub", file(USER_AUTHORITY));
        }
        if self.penalties {
            text.push_str("PerSourcePenalties no\n");
        }
        for (address, folder) in self.homes {
            let set = home(&folder.display().to_string());
            let _ = write!(text, "Match LocalAddress {address}\n{set}");
        }
        text.push_str(&matches.join("\n"));
        text.push('\n');
        text
    }
}

/// The file of the host key of a kind.
pub(super) fn host_key(kind: &str) -> String {
    format!("host_{kind}")
}
