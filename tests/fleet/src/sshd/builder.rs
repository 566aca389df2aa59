//! How an sshd is brought up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::Sshd;
use super::config::{AUTHORIZED_KEYS, Config, USER_AUTHORITY, host_key};
use crate::error::{Error, Result, Tried};
use crate::failing;
use crate::folder::{self, Folder};
use crate::hosts;
use crate::keys;
use crate::known_hosts::KnownHosts;
use crate::process::{self, Server};

/// Hosts named in the hosts' certificate: OpenSSH takes 256 at most.
const CERTIFIED_HOSTS: usize = 200;

/// The program that serves files beside sshd, which can begin in any folder.
const SFTP_SERVER: &str = "/usr/lib/openssh/sftp-server";

/// How often another port is tried when somebody takes it before sshd does.
const TRIES: usize = 5;

/// Settings of an [`Sshd`].
#[derive(Debug, Clone)]
#[must_use]
pub struct SshdBuilder {
    extra: String,
    key_options: String,
    host_keys: Vec<String>,
    max_startups: String,
    sftp: Option<String>,
    chroot: bool,
    user_authority: bool,
    host_certificate: bool,
    homes: usize,
    folder: Option<PathBuf>,
}

impl Default for SshdBuilder {
    fn default() -> Self {
        Self {
            extra: String::new(),
            key_options: String::new(),
            host_keys: vec!["ed25519".to_owned()],
            max_startups: "1000".to_owned(),
            sftp: Some("internal-sftp".to_owned()),
            chroot: false,
            user_authority: false,
            host_certificate: false,
            homes: 0,
            folder: None,
        }
    }
}

impl SshdBuilder {
    /// Lines for `sshd_config`, which win over the usual ones.
    pub fn config(mut self, lines: &str) -> Self {
        self.extra.push_str(lines);
        self.extra.push('\n');
        self
    }

    /// Options before the authorized key: `command="...",restrict`.
    pub fn key_options(mut self, options: &str) -> Self {
        options.clone_into(&mut self.key_options);
        self
    }

    /// The kinds of the host's keys: ed25519, ecdsa, rsa.
    pub fn host_keys(mut self, kinds: &[&str]) -> Self {
        self.host_keys = kinds.iter().map(|&kind| kind.to_owned()).collect();
        self
    }

    /// `MaxStartups`, as `10:30:60`.
    pub fn max_startups(mut self, value: &str) -> Self {
        value.clone_into(&mut self.max_startups);
        self
    }

    /// The program that serves files: a path with arguments, or `internal-sftp`, as is usual.
    pub fn sftp_server(mut self, program: &str) -> Self {
        self.sftp = Some(program.to_owned());
        self
    }

    /// Serves no files.
    pub fn without_sftp(mut self) -> Self {
        self.sftp = None;
        self
    }

    /// Serves files and runs no commands; `/` is [`Sshd::chroot`], where only the folder `files` can
    /// be written. Needs root.
    pub fn only_sftp(mut self) -> Self {
        self.chroot = true;
        self
    }

    /// Trusts an authority for users' keys: see [`Sshd::sign_user`].
    pub fn user_authority(mut self) -> Self {
        self.user_authority = true;
        self
    }

    /// Shows a certificate in place of the bare host key; the file of known hosts names the authority.
    pub fn host_certificate(mut self) -> Self {
        self.host_certificate = true;
        self
    }

    /// Gives each of the first `n` hosts a home of its own, where what it starts and its SFTP begin:
    /// what goes to several hosts does not meet. It is `homes/ADDRESS` in the server's folder.
    pub fn homes(mut self, n: usize) -> Self {
        self.homes = n;
        if n > 0 {
            self.sftp = Some(format!("cd && exec {SFTP_SERVER}"));
        }
        self
    }

    /// Uses this folder rather than a temporary one, and leaves it.
    pub fn folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.folder = Some(path.into());
        self
    }

    /// Brings it up and waits until it answers.
    pub fn start(mut self) -> Result<Sshd> {
        let folder = Folder::new(self.folder.as_deref())?;
        if rustix::process::geteuid().is_root() {
            // sshd insists; a package's unit would make it.
            fs::create_dir_all("/run/sshd").tried("/run/sshd")?;
        }
        let home = folder.join("home");
        fs::create_dir_all(&home).tried(home.to_string_lossy())?;
        folder::permit(&home, 0o1777)?;
        let homes = self.make_homes(&folder)?;
        let key = self.client_key(&folder)?;
        let host_keys = self.make_host_keys(&folder)?;
        let authority = self.make_authorities(&folder)?;
        let first_key = host_keys.first().map_or("", |(_, line)| line.as_str());
        let chroot = self.chroot.then(chroot).transpose()?;
        if let Some(folder) = &chroot {
            let lines = format!(
                "ForceCommand internal-sftp\nChrootDirectory {}\n",
                folder.path().display()
            );
            self.extra.insert_str(0, &lines);
        }
        let user = process::run("id", &["-un"])?.trim().to_owned();
        let down = failing::refused()?;
        let mark = format!("{:x}", rand::random::<u64>());
        let mut tries = 0;
        let (port, server) = loop {
            tries += 1;
            let port = process::free_port()?;
            match self.serve(&folder, port, &mark, &homes) {
                Ok(server) => break (port, server),
                Err(error) if tries == TRIES => return Err(error),
                Err(error @ (Error::NoProgram(_) | Error::Failed { .. })) => return Err(error),
                Err(_) => {}
            }
        };
        Ok(Sshd {
            known_hosts: KnownHosts::new(
                folder.join("known_hosts"),
                port,
                first_key,
                authority.as_deref(),
            ),
            folder,
            port,
            user,
            key,
            host_keys,
            mark,
            server: Mutex::new(Some(server)),
            chroot,
            down,
        })
    }

    /// The hosts that have a home of their own, by address.
    fn make_homes(&self, folder: &Folder) -> Result<Vec<(String, PathBuf)>> {
        let make = |n| {
            let home = folder.join(&format!("homes/{}", hosts::address(n)));
            fs::create_dir_all(&home).tried(home.to_string_lossy())?;
            Ok((hosts::address(n), home))
        };
        (0..self.homes).map(make).collect()
    }

    fn client_key(&self, folder: &Folder) -> Result<PathBuf> {
        let key = folder.join("key");
        keys::generate(&key, &[])?;
        let line = format!("{} {}\n", self.key_options, keys::public_line(&key)?);
        let authorized = folder.join(AUTHORIZED_KEYS);
        folder::write(&authorized, line.trim_start())?;
        folder::permit(&authorized, 0o644)?;
        Ok(key)
    }

    fn make_host_keys(&self, folder: &Folder) -> Result<Vec<(String, String)>> {
        let make = |kind: &String| {
            let path = folder.join(&host_key(kind));
            // Small but for its size good RSA: it is quicker to make.
            let size: &[&str] = if kind == "rsa" { &["-b", "2048"] } else { &[] };
            keys::generate(&path, &[&["-t", kind.as_str()], size].concat())?;
            Ok((kind.clone(), keys::public_line(&path)?))
        };
        self.host_keys.iter().map(make).collect()
    }

    /// Makes the authorities that are asked for; the public key of the hosts'.
    fn make_authorities(&self, folder: &Folder) -> Result<Option<String>> {
        if self.user_authority {
            keys::generate(&folder.join(USER_AUTHORITY), &[])?;
        }
        if !self.host_certificate {
            return Ok(None);
        }
        let authority = folder.join("host_ca");
        keys::generate(&authority, &[])?;
        let names: Vec<String> = (0..CERTIFIED_HOSTS).map(hosts::address).collect();
        for kind in &self.host_keys {
            let key = folder.join(&host_key(kind));
            keys::sign(&authority, &key, &["-h", "-n", &names.join(",")])?;
        }
        keys::public_line(&authority).map(Some)
    }

    /// Starts sshd on `port` and waits for it.
    fn serve(
        &self,
        folder: &Folder,
        port: u16,
        mark: &str,
        homes: &[(String, PathBuf)],
    ) -> Result<Server> {
        let program = process::find("sshd")?;
        let path = folder.join("sshd_config");
        let log = folder.join("log");
        let mut config = Config {
            folder,
            port,
            host_keys: &self.host_keys,
            host_certificate: self.host_certificate,
            user_authority: self.user_authority,
            max_startups: &self.max_startups,
            sftp: self.sftp.as_deref(),
            mark,
            homes,
            extra: &self.extra,
            penalties: true,
        };
        loop {
            folder::write(&path, &config.text())?;
            let check = Command::new(&program)
                .arg("-t")
                .arg("-f")
                .arg(&path)
                .output();
            let check = check.tried("sshd -t")?;
            let said = String::from_utf8_lossy(&check.stderr).into_owned();
            match check.status.success() {
                true => break,
                false if config.penalties && said.contains("PerSourcePenalties") => {
                    config.penalties = false;
                }
                false => {
                    let program = "sshd -t".to_owned();
                    return Err(Error::Failed { program, said });
                }
            }
        }
        let _ = fs::remove_file(&log);
        let mut server = Server::start(
            Command::new(&program)
                .arg("-D")
                .arg("-f")
                .arg(&path)
                .arg("-E")
                .arg(&log)
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )?;
        // Not whether somebody answers at the port: that may be who took it from us.
        let listens = || fs::read_to_string(&log).is_ok_and(|log| log.contains("Server listening"));
        process::wait_until(|| !server.is_running() || listens());
        if server.is_running() && process::says(port, b"SSH-") {
            return Ok(server);
        }
        Err(Error::NotReady {
            what: format!("sshd on port {port}"),
            said: fs::read_to_string(&log).unwrap_or_default(),
        })
    }
}

/// A folder that sshd takes as the root of a session: neither it nor one above it may be writable by
/// others, as those for temporary files are.
fn chroot() -> Result<Folder> {
    let folder = Folder::temporary_in(Path::new("/run"))?;
    let files = folder.join("files");
    fs::create_dir(&files).tried(files.to_string_lossy())?;
    folder::permit(&files, 0o1777)?;
    Ok(folder)
}
