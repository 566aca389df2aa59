//! Hosts with homes of their own, and where they are to fetch from.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ioms_fleet::Sshd;
use serde_json::Value;

use crate::support::{Desk, Ran, known_hosts, only};

/// A desk and its hosts `h0`, `h1` and on, each an sshd with a home of its own.
pub(super) struct Bed {
    pub(super) desk: Desk,
    pub(super) sshd: Vec<Sshd>,
}

impl Bed {
    pub(super) fn new<const N: usize>(sshd: [Sshd; N]) -> Self {
        let hosts: Vec<String> = sshd.iter().enumerate().map(host).collect();
        Self {
            desk: Desk::with(&format!("all: {{hosts: {{{}}}}}\n", hosts.join(", "))),
            sshd: sshd.into(),
        }
    }

    /// An upload to all of them.
    pub(super) fn command(&self, door: &Door, args: &[&str]) -> Command {
        let fixed = ["--output", "json", "upload", "-g", "all"];
        let mut command = self.desk.command(&[&fixed, args].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        door.open(&mut command);
        command
    }

    #[track_caller]
    pub(super) fn json(&self, door: &Door, args: &[&str]) -> Value {
        let ran = Ran::of(self.command(door, args));
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }

    #[track_caller]
    pub(super) fn host(&self, door: &Door, args: &[&str]) -> Value {
        only(&self.json(door, args)).clone()
    }
}

/// A host of an inventory.
fn host((n, sshd): (usize, &Sshd)) -> String {
    sshd.write_known_hosts(1).unwrap();
    format!(
        "h{n}: {{ansible_host: {}, ansible_port: {}, ansible_user: {}, \
         ansible_ssh_private_key_file: {}, ansible_ssh_common_args: '{}'}}",
        sshd.address(0),
        sshd.port(),
        sshd.user(),
        sshd.key().display(),
        known_hosts(sshd),
    )
}

/// A path in a host's home.
pub(super) fn home(sshd: &Sshd, name: &str) -> PathBuf {
    sshd.home().join(name)
}

/// A host that lacks some programs.
pub(super) fn without(programs: &[&str]) -> Sshd {
    // As long as the tests run: the host's PATH.
    let bin = tempfile::tempdir().unwrap().keep();
    for folder in ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"] {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let lacks = programs.iter().any(|program| name == *program);
            if !lacks && !bin.join(&name).exists() {
                let _ = std::os::unix::fs::symlink(entry.path(), bin.join(&name));
            }
        }
    }
    let path = format!("environment=\"PATH={}\"", bin.display());
    let builder = Sshd::builder().config("PermitUserEnvironment yes");
    builder.key_options(&path).start().unwrap()
}

/// Where the program listens, and how hosts see that.
pub(super) struct Door {
    listen: SocketAddr,
    url: String,
    plain: bool,
}

impl Door {
    /// With a certificate that is made for the run.
    pub(super) fn tls() -> Self {
        // An address that no connection of the machine's goes out from.
        let free = TcpListener::bind("127.88.0.1:0").unwrap();
        let listen = free.local_addr().unwrap();
        Self {
            listen,
            url: format!("https://{listen}"),
            plain: false,
        }
    }

    pub(super) fn plain() -> Self {
        let door = Self::tls();
        Self {
            url: format!("http://{}", door.listen),
            plain: true,
            ..door
        }
    }

    /// Hosts are told an address where nobody is.
    pub(super) fn nowhere(self) -> Self {
        let nobody = Self::tls();
        self.seen_as(&nobody)
    }

    /// Hosts are told another's address.
    pub(super) fn seen_as(self, other: &Self) -> Self {
        self.seen_at(other.listen)
    }

    pub(super) fn seen_at(self, address: SocketAddr) -> Self {
        let scheme = if self.plain { "http" } else { "https" };
        Self {
            url: format!("{scheme}://{address}"),
            ..self
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.listen
    }

    pub(super) fn open(&self, command: &mut Command) {
        command.env("IOMS_PULL_LISTEN", self.listen.to_string());
        command.env("IOMS_PULL_URL", &self.url);
        if self.plain {
            command.env("IOMS_PULL_PLAIN_HTTP", "true");
        }
    }

    /// Whether nobody listens.
    pub(super) fn is_closed(&self) -> bool {
        TcpStream::connect(self.listen).is_err()
    }
}

/// All that files in a folder and below hold, with their names.
pub(super) fn all_bytes(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    files
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let bytes = std::fs::read(entry.path()).unwrap();
            (entry.into_path(), bytes)
        })
        .collect()
}
