//! The two programs, each in a folder and a home of its own, with everything else alike.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Ran, read};

/// Who plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Ansible,
    Iomsctl,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Ansible => "ansible",
            Self::Iomsctl => "iomsctl",
        }
    }
}

/// A program with a copy of the playbooks.
pub struct Side {
    pub program: Program,
    pub folder: PathBuf,
    desk: PathBuf,
}

impl Side {
    pub fn new(program: Program, desk: &Path, playbooks: &Path) -> Self {
        // As many letters before it, so that lengths of paths are the same, and the same last part.
        let folder = desk.join(program.name()).join("playbooks");
        copy(playbooks, &folder);
        fs::create_dir_all(folder.join("out")).unwrap();
        let home = desk.join(format!("{}.home", program.name()));
        fs::create_dir_all(home.join(".ssh")).unwrap();
        let desk = desk.to_owned();
        Self {
            program,
            folder,
            desk,
        }
    }

    /// The inventory's path, in the folder.
    pub fn inventory(&self, path: &str) {
        fs::write(self.file("inventory"), path).unwrap();
    }

    /// A file that playbooks read with `lookup('file', ...)`.
    pub fn secret(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    /// Plays; the exit status and what came to standard output. The rest is kept for the reader of a
    /// failure.
    pub fn play(&self, playbook: &str, args: &[String]) -> (i32, String) {
        let mut command = match self.program {
            Program::Ansible => {
                let mut command = ansible("ansible-playbook");
                command.envs([
                    ("ANSIBLE_STDOUT_CALLBACK", "ansible.posix.json"),
                    ("ANSIBLE_PIPELINING", "1"),
                    ("ANSIBLE_SHOW_CUSTOM_STATS", "1"),
                ]);
                // Its wrapper asks the password file for a home, what waits for it the environment.
                command.env(
                    "ANSIBLE_ASYNC_DIR",
                    self.file("home").join(".ansible_async"),
                );
                command
            }
            Program::Iomsctl => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_iomsctl"));
                command.env_clear().args(["play", "--output", "json"]);
                command.env("IOMS_DATA_DIR", self.file("data"));
                command.env("PATH", PATH);
                command
            }
        };
        command
            .arg(playbook)
            .args(["-i", &read(self.file("inventory"))])
            .args(args)
            .env("HOME", self.file("home"))
            .env("LC_ALL", "C.UTF-8")
            .env("FROM_THE_CONTROLLER", "one word")
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        let ran = Ran::of(command);
        fs::write(self.file("stdout"), &ran.stdout).unwrap();
        fs::write(self.file("stderr"), &ran.stderr).unwrap();
        let home = self.file("home");
        (
            ran.status,
            ran.stdout.replace(&*home.to_string_lossy(), "HOME"),
        )
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.desk.join(format!("{}.{ending}", self.program.name()))
    }
}

/// A program of Ansible's.
pub fn ansible(program: &str) -> Command {
    let folder = ioms_fleet::ansible().unwrap().join("bin");
    let mut command = Command::new(folder.join(program));
    command
        .env_clear()
        .env("PATH", format!("{}:{PATH}", folder.display()))
        .env("ANSIBLE_NOCOLOR", "1");
    command
}

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
