//! A shell of this machine that is told modules' programs as one of a host is: one after another.

use std::fs;
use std::io::{Read, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, mpsc};

use bytes::Bytes;

use super::content;
use crate::module::Said;
use crate::shell::record::RecordReader;
use crate::shell::{
    Conversation as _, Frame, HostShell, ModuleScript, Piece, Plan, PosixConversation, Told,
};

/// What comes from it.
enum Heard {
    Stdout(Bytes),
    Stderr(Bytes),
}

/// The shell.
pub(super) struct Shell {
    child: Child,
    stdin: Option<ChildStdin>,
    heard: mpsc::Receiver<Heard>,
    told: Told,
    begun: bool,
}

impl Shell {
    const SECRET: &str = "klmnopqrst0123456789";

    pub(super) fn start(shell: &[&str]) -> Self {
        let (program, words) = shell.split_first().unwrap();
        let mut child = Command::new(program)
            .args(words)
            .args(["-c", r#"IFS= read -r s && eval "$s""#])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (said, heard) = mpsc::channel();
        listen(child.stdout.take().unwrap(), Heard::Stdout, said.clone());
        listen(child.stderr.take().unwrap(), Heard::Stderr, said);
        Self {
            stdin: child.stdin.take(),
            child,
            heard,
            told: Told::default(),
            begun: false,
        }
    }

    /// What is said to it for a program.
    fn words(&mut self, script: &Arc<ModuleScript>) -> Bytes {
        let plan = Plan::module(script.clone(), Vec::new());
        let (secret, told) = (Self::SECRET, &mut self.told);
        let conversation = if std::mem::replace(&mut self.begun, true) {
            let shell = HostShell {
                group: self.child.id(),
                process: None,
            };
            PosixConversation::within(&plan, script, None, secret, told, shell)
        } else {
            PosixConversation::beginning(&plan, script, None, secret, told, "hello")
        };
        conversation.opening()
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub(super) fn run(&mut self, script: ModuleScript) -> Said {
        let script = Arc::new(script);
        let words = self.words(&script);
        self.write(&words);
        let mut frame = Frame::new(&script.mark);
        let mut reader = RecordReader::new(&script.mark, 1 << 20);
        let mut errors = Vec::new();
        let payload = script.payload.as_ref();
        let mut payload = payload.filter(|payload| payload.travels_along().is_none());
        while !frame.is_over() {
            let Ok(heard) = self.heard.recv() else {
                panic!("the shell is gone: {}", String::from_utf8_lossy(&errors));
            };
            match heard {
                Heard::Stdout(bytes) => reader.take(&frame.stdout(bytes)).unwrap(),
                Heard::Stderr(bytes) => errors.extend_from_slice(&frame.stderr(bytes)),
            }
            if reader.needs_payload()
                && let Some(payload) = payload.take()
            {
                self.write(&content(payload));
            }
            while let (Some((name, said)), Some(answers)) = (reader.question(), &script.answers) {
                for piece in answers.to(&name, &said) {
                    match piece {
                        Piece::Bytes(bytes) => self.write(&bytes),
                        Piece::File { path, .. } => self.write(&fs::read(path).unwrap()),
                    }
                }
            }
        }
        Said {
            record: reader.finish(),
            exit: frame.status(),
            stderr: errors.into(),
            time: None,
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.wait();
    }
}

/// Passes on what comes from a shell.
fn listen(
    mut pipe: impl Read + Send + 'static,
    stream: fn(Bytes) -> Heard,
    said: mpsc::Sender<Heard>,
) {
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(read @ 1..) = pipe.read(&mut buffer) {
            if said
                .send(stream(Bytes::copy_from_slice(&buffer[..read])))
                .is_err()
            {
                break;
            }
        }
    });
}
