//! A host with files of its own, and a folder that gets them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use ioms_fleet::Sshd;
use serde_json::Value;

use crate::support::{Lab, Ran, only};

/// One host `web01`, its files in `there`, what is fetched in `got/web01`.
pub(super) struct Bed {
    pub(super) lab: Lab,
    pub(super) there: tempfile::TempDir,
}

/// What is at a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Thing {
    Folder,
    File(String),
    Link(PathBuf),
}

impl Bed {
    pub(super) fn new() -> Self {
        Self::on(Sshd::start().unwrap())
    }

    pub(super) fn on(sshd: Sshd) -> Self {
        Self::with(Lab::one(sshd, "ioms_x: 1"))
    }

    pub(super) fn with(lab: Lab) -> Self {
        let there = tempfile::tempdir().unwrap();
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(there.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { lab, there }
    }

    /// A path on the host.
    pub(super) fn at(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.there.path().join(name.as_ref())
    }

    /// A file on the host, its folders too.
    pub(super) fn put(&self, name: impl AsRef<OsStr>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A path on the host as an argument.
    pub(super) fn source(&self, name: &str) -> String {
        format!("{}/{name}", self.there.path().display())
    }

    /// The folder that gets the hosts' folders.
    pub(super) fn dest(&self) -> PathBuf {
        self.lab.desk.dir.path().join("got")
    }

    /// What came from web01.
    pub(super) fn got(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.dest().join("web01").join(name.as_ref())
    }

    /// `download`, what it says.
    pub(super) fn run(&self, args: &[&str]) -> Ran {
        let mut all = vec!["download", "-g", "all"];
        all.extend(args);
        self.lab.run(&all)
    }

    /// `download SRC got` with more arguments; the host of the document.
    pub(super) fn fetch(&self, source: &str, more: &[&str]) -> Value {
        let mut all = vec!["download", "-g", "all", source, "got"];
        all.extend(more);
        only(&self.lab.json(&all)).clone()
    }

    /// The same of something among this host's files; ends well.
    #[track_caller]
    pub(super) fn fetched(&self, source: &str, more: &[&str]) -> Value {
        let host = self.fetch(&self.source(source), more);
        assert!(host["error"].is_null(), "{host}");
        host
    }
}

/// What became of a host's files: `action source-name`.
pub(super) fn actions(host: &Value) -> Vec<String> {
    let files = host["files"].as_array().unwrap();
    let mut all: Vec<String> = files
        .iter()
        .map(|file| {
            let path = match file["source"].as_str().unwrap() {
                "" => file["target"].as_str().unwrap(),
                source => source,
            };
            let name = path.rsplit('/').next().unwrap();
            format!("{} {name}", file["action"].as_str().unwrap())
        })
        .collect();
    all.sort();
    all
}

/// How many bytes moved.
pub(super) fn bytes(host: &Value) -> u64 {
    let files = host["files"].as_array().unwrap();
    files
        .iter()
        .map(|file| file["bytes"].as_u64().unwrap())
        .sum()
}

/// Everything below a folder; of contents the digest.
pub(super) fn tree(folder: &Path) -> BTreeMap<Vec<u8>, Thing> {
    let mut things = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder).min_depth(1) {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(folder).unwrap();
        let kind = entry.file_type();
        let thing = if kind.is_dir() {
            Thing::Folder
        } else if kind.is_symlink() {
            Thing::Link(std::fs::read_link(entry.path()).unwrap())
        } else {
            Thing::File(md5(&std::fs::read(entry.path()).unwrap()))
        };
        things.insert(name.as_os_str().as_bytes().to_vec(), thing);
    }
    things
}

/// The same with the sizes of what there is, for people.
#[track_caller]
pub(super) fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (tree(one), tree(other));
    for (name, thing) in &one {
        let shown = String::from_utf8_lossy(name);
        assert_eq!(Some(thing), other.get(name), "{shown}");
    }
    assert_eq!(one.len(), other.len(), "{:?}", other.keys());
}

pub(super) fn md5(bytes: &[u8]) -> String {
    use md5::Digest as _;
    let digest = md5::Md5::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes that nothing compresses, the same each time.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
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
