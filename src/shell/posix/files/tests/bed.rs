//! A host without a network: a shell, tools, and a home.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::super::script::begin;
use super::super::{payload, read, script};
use crate::base::digest::{self, Md5Hasher};
use crate::shell::files::{
    Algorithm, Answer, Attributes, FileFailure, FileTask, HostPath, Origin, Receive, Received, Said,
};

/// Names that hosts have seen.
pub(super) fn odd_names() -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = [
        "plain",
        "a b",
        "名字 中文.txt",
        "-n",
        "--",
        "-rf x",
        ".hidden",
        "..two",
        "line\nbreak",
        "line",
        "ends\n",
        "\nbegins",
        "quo'te",
        "dou\"ble",
        "back\\slash",
        "$(x)`y`",
        "$HOME",
        "*",
        "[a-z]?",
        "tab\t",
        "cr\rx",
        " around ",
        "!bang",
        "#5 x",
        "~",
        "%s\\n",
        "a;b&c|d",
    ]
    .iter()
    .map(|name| name.as_bytes().to_vec())
    .collect();
    names.push(vec![b'x'; 255]);
    names.push("名".repeat(85).into_bytes());
    names.push(b"\xff\xe9 no text \x80".to_vec());
    names
}

pub(super) fn md5(bytes: &[u8]) -> String {
    let mut hasher = Md5Hasher::default();
    hasher.update(bytes);
    digest::hex(&hasher.finish())
}

/// One of the hosts.
pub(super) struct Bed {
    pub(super) shell: &'static str,
    dir: tempfile::TempDir,
    path: String,
}

/// The same on every kind of host.
#[track_caller]
pub(super) fn each(test: impl Fn(&Bed)) {
    for shell in ["dash", "bash", "busybox"] {
        if !ioms_fleet::left_out("file tasks by a shell", shell) {
            test(&Bed::new(shell));
        }
    }
}

impl Bed {
    pub(super) fn new(shell: &'static str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("home")).unwrap();
        let mut bed = Self {
            shell,
            dir,
            path: "/usr/bin:/bin".to_owned(),
        };
        if shell == "busybox" {
            let tools = bed.tools();
            std::fs::create_dir(&tools).unwrap();
            let made = Command::new("busybox")
                .args(["--install", "-s"])
                .arg(&tools)
                .status()
                .unwrap();
            assert!(made.success());
            bed.path = tools.display().to_string();
        }
        bed
    }

    fn tools(&self) -> PathBuf {
        self.dir.path().join("tools")
    }

    /// Only these programs, of those it has.
    pub(super) fn only(mut self, names: &[&str]) -> Self {
        let few = self.dir.path().join("few");
        std::fs::create_dir(&few).unwrap();
        for name in names {
            let found = self
                .path
                .split(':')
                .map(|folder| Path::new(folder).join(name))
                .find(|path| path.exists());
            std::os::unix::fs::symlink(found.unwrap(), few.join(name)).unwrap();
        }
        self.path = few.display().to_string();
        self
    }

    pub(super) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// A place at home.
    pub(super) fn at(&self, name: impl AsRef<[u8]>) -> PathBuf {
        self.home().join(OsStr::from_bytes(name.as_ref()))
    }

    /// The same as the host is told it.
    pub(super) fn path(&self, name: impl AsRef<[u8]>) -> HostPath {
        HostPath::new(self.at(name).as_os_str().as_bytes())
    }

    pub(super) fn write(&self, name: impl AsRef<[u8]>, content: &[u8]) {
        std::fs::write(self.at(name), content).unwrap();
    }

    #[track_caller]
    pub(super) fn holds(&self, name: impl AsRef<[u8]>) -> Vec<u8> {
        let path = self.at(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {path:?}: {error}", self.shell))
    }

    /// All names at home, sorted.
    pub(super) fn names(&self) -> Vec<Vec<u8>> {
        names_in(&self.home())
    }

    /// Runs a task's script: the line is read by the shell's own `read`, and what follows is there
    /// for the tools.
    pub(super) fn say(&self, task: &FileTask, input: &[u8]) -> Said {
        let program = match self.shell {
            "busybox" => self.tools().join("sh"),
            other => Path::new("/bin").join(other),
        };
        let begin = begin("mark").replace("/bin/sh", program.to_str().unwrap());
        let mut child = Command::new(&program)
            .args(["-c", &begin])
            .env_clear()
            .env("HOME", self.home())
            .env("PATH", &self.path)
            .env("LC_ALL", "C.UTF-8")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let all = [
            script(task).finish().as_bytes(),
            payload(task).as_ref(),
            input,
        ]
        .concat();
        let writer = std::thread::spawn(move || {
            // It need not read all of it.
            let _ = stdin.write_all(&all);
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        let hello = output.stdout.iter().position(|b| *b == b'\n').unwrap();
        Said {
            exit: output.status.code(),
            stdout: output.stdout.get(hello + 1..).unwrap().to_vec().into(),
            stderr: output.stderr.into(),
        }
    }

    pub(super) fn feed(&self, task: &FileTask, input: &[u8]) -> Result<Answer, FileFailure> {
        read(task, &self.say(task, input))
    }

    #[track_caller]
    pub(super) fn ask(&self, task: &FileTask) -> Answer {
        let said = self.say(task, b"");
        read(task, &said).unwrap_or_else(|failure| panic!("{}: {failure:?} {said:?}", self.shell))
    }

    /// A file to be received under this name.
    pub(super) fn receive(&self, name: impl AsRef<[u8]>, content: &[u8]) -> Receive {
        Receive {
            part: self.path(".ioms-x.part"),
            target: self.path(name),
            offset: 0,
            size: content.len() as u64,
            algorithm: Algorithm::Md5,
            digest: md5(content),
            origin: Origin::Input,
            attributes: Attributes::default(),
            backup: None,
            mkdir: false,
        }
    }

    pub(super) fn send(&self, receive: &Receive, input: &[u8]) -> Result<Received, FileFailure> {
        let task = FileTask::Receive(Box::new(receive.clone()));
        match self.feed(&task, input)? {
            Answer::Received(received) => Ok(received),
            other => panic!("{other:?}"),
        }
    }
}

pub(super) fn names_in(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<Vec<u8>> = entries
        .map(|entry| entry.unwrap().file_name().as_bytes().to_vec())
        .collect();
    names.sort();
    names
}

/// A small file system of its own, until dropped. Root's business.
pub(super) struct Mount(pub(super) PathBuf);

impl Mount {
    pub(super) fn small(at: PathBuf) -> Self {
        std::fs::create_dir_all(&at).unwrap();
        let made = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k,mode=755", "ioms"])
            .arg(&at)
            .status()
            .unwrap();
        assert!(made.success());
        Self(at)
    }

    pub(super) fn read_only(&self) {
        let made = Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(&self.0)
            .status()
            .unwrap();
        assert!(made.success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
