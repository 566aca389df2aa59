//! Drives conversations against PowerShell's engine as `engine` does over a transport, without one.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use bytes::Bytes;
use ioms_fleet::windows::{Need, lacks};

use crate::shell::conversation::{Conversation, Failure, InputCoding, Step};
use crate::shell::plan::{Command, Plan, Stdin};
use crate::shell::windows::{Carrier, Situation, WindowsShell, conversation};

/// What a conversation came to.
#[derive(Debug, Default)]
pub(super) struct Came {
    pub(super) stdout: String,
    /// The same as it came.
    pub(super) bytes: Vec<u8>,
    pub(super) stderr: String,
    pub(super) exit: Option<i32>,
    pub(super) failed: Option<Failure>,
    pub(super) codepage: Option<u16>,
}

/// A folder with `powershell` in it, for children and for `PATH`.
pub(super) struct Bench {
    pub(super) dir: tempfile::TempDir,
    before: Vec<String>,
}

impl Bench {
    /// None where there is no engine, which is said.
    pub(super) fn new(what: &str) -> Option<Self> {
        if lacks(what, &[Need::Powershell]) {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let bin = dir.path().join("bin");
        std::fs::create_dir_all(dir.path().join("tmp")).unwrap();
        std::fs::create_dir(&bin).unwrap();
        let pwsh = std::env::var_os("IOMS_PWSH").unwrap();
        for name in ["powershell", "powershell.exe"] {
            std::os::unix::fs::symlink(&pwsh, bin.join(name)).unwrap();
        }
        Some(Self {
            dir,
            before: Vec::new(),
        })
    }

    /// With PowerShell that runs before every conversation, as a profile would.
    pub(super) fn with_profile(mut self, text: &str) -> Self {
        let file = self.dir.path().join("profile.ps1");
        std::fs::write(&file, text).unwrap();
        self.before.push(format!(". '{}'\n", file.display()));
        self
    }

    /// The folder for private folders.
    pub(super) fn tmp(&self) -> &Path {
        Box::leak(self.dir.path().join("tmp").into_boxed_path())
    }

    pub(super) fn situation(&self) -> Situation<'_> {
        Situation {
            shell: WindowsShell::Powershell,
            carrier: Carrier::Channel,
            runas: None,
            tmpdir: self.tmp().to_str(),
        }
    }

    /// Asserts that no private folder is left.
    #[track_caller]
    pub(super) fn is_clean(&self) {
        let left: Vec<_> = std::fs::read_dir(self.tmp()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }

    pub(super) fn line(&self, line: &str) -> Came {
        self.run(&plan(Command::Line(line.to_owned())))
    }

    pub(super) fn run(&self, plan: &Plan) -> Came {
        self.converse(plan, &self.situation())
    }

    pub(super) fn converse(&self, plan: &Plan, situation: &Situation<'_>) -> Came {
        let mut conversation = conversation(plan, situation, MARK).unwrap();
        self.drive(&mut *conversation, &plan.stdin, None)
    }

    pub(super) fn start(&self, conversation: &dyn Conversation) -> Child {
        let command = String::from_utf8(conversation.begin().command.to_vec()).unwrap();
        let path = format!(
            "{}:{}",
            self.dir.path().join("bin").display(),
            std::env::var("PATH").unwrap()
        );
        let mut child = Process::new("/bin/sh")
            .args(["-c", &format!("exec {command}")])
            .env("PATH", path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.as_mut().unwrap();
        for line in &self.before {
            input.write_all(line.as_bytes()).unwrap();
        }
        // Where nothing reads it, the shell says why.
        let _ = input.write_all(&conversation.opening());
        child
    }

    /// To its end, or until `enough` says so of what was seen; then it is ended on the host.
    pub(super) fn drive(
        &self,
        conversation: &mut dyn Conversation,
        stdin: &Stdin,
        enough: Option<&str>,
    ) -> Came {
        let mut child = self.start(conversation);
        let (sender, seen) = mpsc::channel();
        let streams: [(bool, Box<dyn std::io::Read + Send>); 2] = [
            (true, Box::new(child.stdout.take().unwrap())),
            (false, Box::new(child.stderr.take().unwrap())),
        ];
        for (is_stdout, mut stream) in streams {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut buffer = [0; 8192];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    let _ = sender.send((is_stdout, buffer[..count].to_vec()));
                }
            });
        }
        drop(sender);
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut came = Came::default();
        let until = Instant::now() + Duration::from_secs(100);
        while let Ok((is_stdout, bytes)) =
            seen.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            let step: Step = if is_stdout {
                conversation.stdout(Bytes::from(bytes))
            } else {
                conversation.stderr(Bytes::from(bytes))
            };
            stdout.extend_from_slice(&step.stdout);
            stderr.extend_from_slice(&step.stderr);
            if let Some(input) = child.stdin.as_mut() {
                input.write_all(&step.write).unwrap();
            }
            if step.failed.is_some() {
                came.failed = step.failed;
                break;
            }
            if step.started
                && let Some(input) = child.stdin.take()
            {
                let fed = input_of(conversation, stdin);
                std::thread::spawn(move || {
                    let mut input = input;
                    let _ = input.write_all(&fed);
                });
            }
            let text = String::from_utf8_lossy(&stdout);
            if enough.is_some_and(|enough| text.contains(enough)) {
                let mut ending = conversation.ending("E0123456789012345678").unwrap();
                let ended = self.drive(&mut *ending, &Stdin::Empty, None);
                assert!(ending.says_gone(ended.stdout.as_bytes()), "{ended:?}");
            }
        }
        assert!(Instant::now() < until, "it does not end");
        came.exit = child.wait().unwrap().code();
        came.failed = came.failed.or(conversation.ended());
        came.codepage = conversation.codepage();
        came.stdout = String::from_utf8_lossy(&stdout).into_owned();
        came.bytes = stdout;
        came.stderr = String::from_utf8_lossy(&stderr).into_owned();
        came
    }
}

/// A mark as the engine makes them.
pub(super) const MARK: &str = "M0123456789012345678";

fn input_of(conversation: &dyn Conversation, stdin: &Stdin) -> Vec<u8> {
    let payload = conversation.payload();
    let given = match stdin {
        Stdin::Bytes(bytes) => bytes.clone(),
        _ => Bytes::new(),
    };
    if conversation.input_coding() == InputCoding::Raw {
        return [payload, given].concat();
    }
    let mut lines = String::new();
    for part in [payload, given] {
        for piece in part.chunks(48 * 1024) {
            lines += &base64::engine::general_purpose::STANDARD.encode(piece);
            lines.push('\n');
        }
    }
    (lines + ".\n").into_bytes()
}

pub(super) fn plan(command: Command) -> Plan {
    Plan {
        command,
        env: Vec::new(),
        chdir: None,
        tty: false,
        stdin: Stdin::Empty,
        detach: false,
    }
}

pub(super) fn words(words: &[&str]) -> Command {
    Command::Words(words.iter().map(|word| (*word).to_owned()).collect())
}
