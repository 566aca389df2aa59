//! A net 127.40.SLOT.0 that is ours alone while we live, and what others who had it left behind.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, Result, Tried};
use crate::process;

const LOCKS: &str = "/run/ioms-fleet";

/// A number that no other fleet of this machine has; free again when we end, however we end.
#[derive(Debug)]
pub(super) struct Slot {
    number: u8,
    /// Locked. Holds the folder that must go when its fleet is gone.
    file: File,
}

impl Slot {
    /// Takes a free one, and tidies what fleets left that could not do it themselves.
    pub(super) fn take() -> Result<Self> {
        fs::create_dir_all(LOCKS).tried(LOCKS)?;
        let mut taken = None;
        for number in 1..=254 {
            let path = Path::new(LOCKS).join(number.to_string());
            if taken.is_some() && !path.exists() {
                continue;
            }
            let file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .tried(path.to_string_lossy())?;
            if file.try_lock().is_err() {
                continue;
            }
            let mut slot = Self { number, file };
            slot.tidy()?;
            taken = taken.or(Some(slot));
        }
        taken.ok_or_else(|| Error::NotReady {
            what: "a system fleet".to_owned(),
            said: "all 254 nets 127.40.N.0 are taken".to_owned(),
        })
    }

    pub(super) fn number(&self) -> u8 {
        self.number
    }

    /// The control group of host `n`.
    pub(super) fn group(&self, n: usize) -> String {
        format!("{}-{n}", self.groups())
    }

    fn groups(&self) -> String {
        format!("ioms-fleet-{}", self.number)
    }

    /// The folder that is removed when the fleet is gone.
    pub(super) fn leaves(&mut self, folder: &Path) -> Result<()> {
        self.note(&folder.to_string_lossy())
    }

    /// Removes what is left of a fleet whose processes have ended.
    pub(super) fn tidy(&mut self) -> Result<()> {
        let mut folder = String::new();
        self.file.rewind().tried(LOCKS)?;
        self.file.read_to_string(&mut folder).tried(LOCKS)?;
        if !folder.is_empty() {
            let _ = fs::remove_dir_all(&folder);
            self.note("")?;
        }
        self.remove_groups();
        Ok(())
    }

    fn note(&mut self, text: &str) -> Result<()> {
        self.file.set_len(0).tried(LOCKS)?;
        self.file.rewind().tried(LOCKS)?;
        self.file.write_all(text.as_bytes()).tried(LOCKS)
    }

    fn remove_groups(&self) {
        let prefix = format!("{}-", self.groups());
        for top in ["", "systemd", "unified"] {
            let top = Path::new("/sys/fs/cgroup").join(top);
            let entries = fs::read_dir(&top).into_iter().flatten().flatten();
            for entry in entries {
                if entry.file_name().to_string_lossy().starts_with(&prefix) {
                    remove_group(entry.path());
                }
            }
        }
    }
}

/// A control group goes by rmdir(2), after those in it, and after what still runs there: hosts outlive
/// their `boot.sh` where nobody was left to switch them off.
fn remove_group(group: PathBuf) {
    let left = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    for id in left
        .lines()
        .filter_map(|id| Pid::from_raw(id.parse().ok()?))
    {
        let _ = kill_process(id, Signal::KILL);
    }
    let entries = fs::read_dir(&group).into_iter().flatten().flatten();
    for entry in entries {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_group(entry.path());
        }
    }
    process::wait_until(|| fs::remove_dir(&group).is_ok() || !is_populated(&group));
}

/// Whether processes of it are still ending.
fn is_populated(group: &Path) -> bool {
    fs::read_to_string(group.join("cgroup.procs")).is_ok_and(|left| !left.is_empty())
}
