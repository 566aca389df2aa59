//! What the hosts of a system fleet are made of: a Debian that is made once and kept.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result, Tried};
use crate::tree::md5_of;
use crate::{folder, process};

const SCRIPT: &str = include_str!("base.sh");

/// Names the folder where bases are kept, if they shall not lie in `target/`.
const PLACE: &str = "IOMS_TEST_BASE";

/// What a system host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Base {
    /// systemd, dbus, sshd, cron, sudo, apt with its lists; no Python
    #[default]
    Plain,
    /// The same with python3 and python3-apt, for Ansible
    Oracle,
}

impl Base {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Oracle => "oracle",
        }
    }

    /// The folders that lie over each other, the highest first; made where they aren't there.
    pub(super) fn layers(self) -> Result<Vec<PathBuf>> {
        // What they are made of is in their folder's name.
        let kept = place().join(md5_of(SCRIPT));
        fs::create_dir_all(&kept).tried(kept.to_string_lossy())?;
        // Tests run in processes of their own: one makes it, the others wait.
        let lock = File::create(kept.join("lock")).tried("the bases' lock")?;
        lock.lock().tried("the bases' lock")?;
        let plain = kept.join(Self::Plain.name());
        make(Self::Plain, &plain, &[])?;
        if self == Self::Plain {
            return Ok(vec![plain]);
        }
        let own = kept.join(self.name());
        make(self, &own, &[&plain])?;
        Ok(vec![own, plain])
    }
}

/// Where bases are kept, and hosts that have no other folder.
pub(super) fn place() -> PathBuf {
    std::env::var_os(PLACE).map_or_else(|| folder::target().join("ioms-base"), PathBuf::from)
}

/// Makes a base under another name first, so that one that is there is whole.
fn make(base: Base, folder: &Path, below: &[&Path]) -> Result<()> {
    if folder.exists() {
        return Ok(());
    }
    for program in ["debootstrap", "systemd-nspawn"] {
        process::find(program)?;
    }
    let unfinished = folder.with_extension("unfinished");
    let _ = fs::remove_dir_all(&unfinished);
    let log = folder.with_extension("log");
    let out = File::create(&log).tried(log.to_string_lossy())?;
    let status = Command::new("/bin/sh")
        .args(["-c", SCRIPT, "base.sh", base.name()])
        .arg(&unfinished)
        .args(below)
        .stdin(Stdio::null())
        .stdout(out.try_clone().tried("a log")?)
        .stderr(out)
        .status()
        .tried("base.sh")?;
    if status.success() {
        return fs::rename(&unfinished, folder).tried(folder.to_string_lossy());
    }
    let said = fs::read_to_string(&log).unwrap_or_default();
    let last: Vec<&str> = said.lines().rev().take(20).collect();
    Err(Error::Failed {
        program: format!("base.sh {} (its log: {})", base.name(), log.display()),
        said: last.into_iter().rev().collect::<Vec<_>>().join("\n"),
    })
}
