//! Which files of settings there are, and whether they can be trusted.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::load::Environment;

/// No file of settings is larger, in bytes.
const FILE_MAX: u64 = 4 << 20;

/// A file that was read.
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// Found upward from the working folder: it came with somebody's project.
    pub(super) upward: bool,
    /// Whether only its owner can read it.
    pub(super) private: bool,
}

/// Reads a file if it is there; refuses it when others could have written it.
pub(super) fn read(path: &Path, uid: u32, upward: bool) -> Result<Option<Source>, ConfigError> {
    let fail = |error: &std::io::Error| ConfigError::Read {
        path: path.to_owned(),
        why: error.to_string(),
    };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(&error)),
    };
    let untrusted = |why: String| ConfigError::Untrusted {
        path: path.to_owned(),
        why,
    };
    if metadata.uid() != uid && metadata.uid() != 0 {
        return Err(untrusted(format!(
            "belongs to another user ({})",
            metadata.uid()
        )));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(untrusted(
            "others may write to it (chmod go-w mends that)".to_owned(),
        ));
    }
    if metadata.len() > FILE_MAX {
        return Err(ConfigError::Read {
            path: path.to_owned(),
            why: "is larger than 4 MiB".into(),
        });
    }
    Ok(Some(Source {
        path: path.to_owned(),
        text: std::fs::read_to_string(path).map_err(|error| fail(&error))?,
        upward,
        private: metadata.mode() & 0o077 == 0,
    }))
}

/// The `ioms.toml` files there may be, the weakest first, each with whether it is found upward.
pub(super) fn candidates(env: &Environment) -> Vec<(PathBuf, bool)> {
    let own = [
        env.etc.join("ioms/ioms.toml"),
        env.config_home().join("ioms/ioms.toml"),
    ];
    let upward = env
        .cwd
        .ancestors()
        .map(|folder| folder.join("ioms.toml"))
        .find(|path| path.is_file());
    let upward = upward.filter(|path| !own.contains(path));
    let mut found = own.map(|path| (path, false)).to_vec();
    found.extend(upward.map(|path| (path, true)));
    found
}

/// Ansible's file, as Ansible finds it: the first there is, and whether it came with a project.
pub(super) fn ansible_cfg(env: &Environment) -> Option<(PathBuf, bool)> {
    let named = env.get("ANSIBLE_CONFIG").map(PathBuf::from);
    let named = named.map(|path| {
        if path.is_dir() {
            path.join("ansible.cfg")
        } else {
            path
        }
    });
    let here = env.cwd.join("ansible.cfg");
    let system = env.etc.join("ansible/ansible.cfg");
    let upward = here != system;
    let places = [
        named.map(|path| (path, false)),
        Some((here, upward)),
        Some((env.home.join(".ansible.cfg"), false)),
        Some((system, false)),
    ];
    places
        .into_iter()
        .flatten()
        .find(|(path, _)| path.is_file())
}
