//! Hosts, files to send, and a place on the hosts for them.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use ioms_fleet::Sshd;
use ioms_fleet::failing::{Line, Proxy};
use serde_json::Value;

use crate::support::{Lab, Ran, only};

/// A lab, a folder of the controller's with sources, and one of the hosts' to put them to.
pub struct Bed {
    pub lab: Lab,
    there: tempfile::TempDir,
    /// Arguments of every upload.
    extra: Vec<String>,
}

impl Bed {
    /// With one host.
    pub fn new() -> Self {
        Self::of(Lab::new(1))
    }

    pub fn of(lab: Lab) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let there = tempfile::tempdir().unwrap();
        // Other accounts of the hosts put files there, too.
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(there.path(), open).unwrap();
        Self {
            lab,
            there,
            extra: Vec::new(),
        }
    }

    /// One host behind a line like this.
    pub fn behind(line: Line) -> (Self, Proxy) {
        Self::behind_of(Sshd::start().unwrap(), line)
    }

    /// The same with an sshd of the caller's.
    pub fn behind_of(sshd: Sshd, line: Line) -> (Self, Proxy) {
        let to = format!("{}:{}", sshd.address(0), sshd.port());
        let proxy = Proxy::start(to.parse().unwrap(), line).unwrap();
        let (address, key) = (sshd.address(0), sshd.host_key());
        let mut bed = Self::of(Lab::on(sshd, 1, 0));
        let known = bed.lab.sshd.dir().join("known_hosts");
        let mut hosts = std::fs::read_to_string(&known).unwrap();
        let line = format!("[{address}]:{} {key}\n", proxy.port());
        hosts.push_str(&line);
        std::fs::write(known, hosts).unwrap();
        bed.extra = vec!["-e".to_owned(), format!("ansible_port={}", proxy.port())];
        (bed, proxy)
    }

    /// A path on the hosts.
    pub fn there(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.there.path().join(name.as_ref())
    }

    /// The same as an argument.
    pub fn dest(&self, name: &str) -> String {
        format!("{}/{name}", self.there.path().display())
    }

    /// A source of the working folder.
    pub fn source(&self, name: &str, content: impl AsRef<[u8]>) {
        self.lab.desk.file(name, content);
    }

    pub fn command(&self, args: &[&str]) -> Vec<String> {
        let fixed = ["upload", "-g", "all"];
        let fixed = fixed.iter().map(|arg| (*arg).to_owned());
        let args = args.iter().map(|arg| (*arg).to_owned());
        fixed.chain(self.extra.clone()).chain(args).collect()
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.lab.run(&self.command(args))
    }

    /// The only host of the document.
    pub fn host(&self, args: &[&str]) -> Value {
        only(&self.lab.json(&self.command(args))).clone()
    }

    /// An upload that is to come out as this; its files as `ACTION NAME`.
    #[track_caller]
    pub fn files(&self, outcome: &str, args: &[&str]) -> Vec<String> {
        let host = self.host(args);
        assert_eq!(host["outcome"], outcome, "{host}");
        files(&host)
    }

    /// An upload that fails: kind and message.
    #[track_caller]
    pub fn error(&self, args: &[&str]) -> (String, String) {
        let host = self.host(args);
        assert_eq!(host["outcome"], "failed", "{host}");
        let text = |field: &str| host["error"][field].as_str().unwrap_or_default().to_owned();
        (text("kind"), text("message"))
    }

    /// All names in the hosts' folder and below, sorted, of links with where they lead.
    pub fn names(&self) -> Vec<String> {
        names(self.there.path())
    }

    #[track_caller]
    pub fn holds(&self, name: &str) -> Vec<u8> {
        let path = self.there(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// How many commands the hosts were given so far.
    pub fn commands(&self) -> usize {
        self.lab
            .sshd
            .log()
            .matches("Starting session: command")
            .count()
    }
}

/// `ACTION NAME` of a host's files, sorted.
pub fn files(host: &Value) -> Vec<String> {
    let files = host["files"].as_array().cloned().unwrap_or_default();
    let mut files: Vec<String> = files
        .iter()
        .map(|file| {
            let target = file["target"].as_str().unwrap();
            let name = target.rsplit('/').next().unwrap();
            format!("{} {name}", file["action"].as_str().unwrap())
        })
        .collect();
    files.sort();
    files
}

/// All names in a folder and below, sorted, of links with where they lead.
pub fn names(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = walkdir::WalkDir::new(folder)
        .min_depth(1)
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry
                .path()
                .strip_prefix(folder)
                .unwrap()
                .display()
                .to_string();
            match std::fs::read_link(entry.path()) {
                Ok(to) => format!("{name} -> {}", to.display()),
                Err(_) => name,
            }
        })
        .collect();
    names.sort();
    names
}

/// Bytes that compress badly and differ everywhere.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A line of so many bytes a second.
pub fn slow(rate: u64) -> Line {
    Line {
        delay: Duration::ZERO,
        rate: Some(rate),
        cut_after: None,
    }
}
