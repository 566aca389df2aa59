//! One PowerShell for many tasks: nothing that a task does confuses its frames.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command as Process, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::engine::Bench;
use crate::shell::conversation::Failure;
use crate::shell::files::{self as tasks, FileTask, HostPath};
use crate::shell::windows::{Carrier, Frame, Session, SessionStep, files};

/// What a task came to.
#[derive(Debug, Default)]
struct Done {
    stdout: String,
    stderr: String,
    frame: Option<Frame>,
    failed: Option<Failure>,
}

/// A session with a process behind it.
struct Live {
    session: Session,
    child: Child,
    input: Option<ChildStdin>,
    seen: Receiver<(bool, Vec<u8>)>,
    tasks: u32,
    bench: Bench,
}

impl Live {
    fn new(what: &str) -> Option<Self> {
        let bench = Bench::new(what)?;
        let session = Session::new("S0123456789012345678", Carrier::Channel);
        let command = String::from_utf8(session.opening().command.to_vec()).unwrap();
        let path = bench.dir.path().join("bin").display().to_string();
        let mut child = Process::new("/bin/sh")
            .args(["-c", &format!("exec {command}")])
            .env("PATH", format!("{path}:{}", std::env::var("PATH").unwrap()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, seen) = channel();
        let streams: [(bool, Box<dyn std::io::Read + Send>); 2] = [
            (true, Box::new(child.stdout.take().unwrap())),
            (false, Box::new(child.stderr.take().unwrap())),
        ];
        for (is_stdout, mut stream) in streams {
            let sender = sender.clone();
            std::thread::spawn(move || {
                // Small pieces: marks are cut anywhere.
                let mut buffer = [0; 7];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    let _ = sender.send((is_stdout, buffer[..count].to_vec()));
                }
            });
        }
        let mut input = child.stdin.take().unwrap();
        input.write_all(&session.begin()).unwrap();
        let mut live = Self {
            session,
            child,
            input: Some(input),
            seen,
            tasks: 0,
            bench,
        };
        while !live.step().0.ready {}
        Some(live)
    }

    /// The next thing that was seen; false at the end.
    fn step(&mut self) -> (SessionStep, bool) {
        match self.seen.recv_timeout(Duration::from_mins(1)) {
            Ok((true, bytes)) => (self.session.stdout(&bytes), true),
            Ok((false, bytes)) => (self.session.stderr(&bytes), true),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => (self.session.ended(), false),
            Err(error) => panic!("{error}"),
        }
    }

    fn begin(&mut self, script: &str) {
        self.tasks += 1;
        let mark = format!("T{:019}", self.tasks);
        let bytes = self.session.say(script, &mark).unwrap();
        self.input.as_mut().unwrap().write_all(&bytes).unwrap();
    }

    fn finish(&mut self) -> Done {
        let mut done = Done::default();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        loop {
            let (step, more) = self.step();
            out.extend_from_slice(&step.stdout);
            err.extend_from_slice(&step.stderr);
            done.frame = step.done;
            done.failed = step.failed;
            if done.frame.is_some() || !more {
                break;
            }
        }
        done.stdout = String::from_utf8_lossy(&out).into_owned();
        done.stderr = String::from_utf8_lossy(&err).into_owned();
        done
    }

    fn run(&mut self, script: &str) -> Done {
        self.begin(script);
        self.finish()
    }

    #[track_caller]
    fn gives(&mut self, script: &str, exit: i32, stdout: &str) -> String {
        let done = self.run(script);
        assert_eq!(
            (done.stdout.as_str(), done.frame),
            (stdout, Some(Frame { exit })),
            "{script}: {done:?}"
        );
        done.stderr
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn tasks_end_with_their_status_and_the_session_goes_on() {
    let Some(mut live) = Live::new("statuses in a PowerShell session") else {
        return;
    };
    live.gives("'fine 中文'", 0, "fine 中文\n");
    live.gives("'a'; exit 7; 'b'", 7, "a\n");
    live.gives("function f { exit 3 }; f", 3, "");
    assert!(
        live.gives("'a'; throw 'broken 坏'", 1, "a\n")
            .contains("broken 坏")
    );
    assert!(live.gives("'unclosed", 1, "").contains("terminator"));
    live.gives("/bin/sh -c 'exit 9'", 9, "");
    live.gives("$ErrorActionPreference = 'Stop'; nosuch; 'b'", 1, "");
    live.gives("", 0, "");
    live.gives("return 5", 0, "5\n");
    live.gives("'still here'", 0, "still here\n");
}

#[test]
fn native_output_and_what_looks_like_a_mark_belong_to_the_task() {
    let Some(mut live) = Live::new("output in a PowerShell session") else {
        return;
    };
    let stderr = live.gives("/bin/sh -c 'printf out; printf err >&2'", 0, "out");
    assert_eq!(stderr, "err");
    let past = "T0000000000000000001 0\nT0000000000000000001\nS0123456789012345678 ok\n";
    let line = format!("[Console]::Out.Write('{past}'); [Console]::Error.Write('{past}')");
    assert_eq!(live.gives(&line, 0, past), past);
    live.gives("[Console]::Out.Write('T00000000000')", 0, "T00000000000");
    live.gives("[Console]::Write('no line end')", 0, "no line end");
    live.gives("[Console]::SetOut([IO.TextWriter]::Null); 'lost'", 0, "");
    live.gives(
        "1..3000 | ForEach-Object { 'line ' + $_ } | Select-Object -Last 1",
        0,
        "line 3000\n",
    );
    let long = live.run("'x' * 2000000");
    assert_eq!(long.stdout.trim().len(), 2_000_000);
}

#[test]
fn a_task_reads_nothing_and_its_children_neither() {
    let Some(mut live) = Live::new("input in a PowerShell session") else {
        return;
    };
    live.gives(
        "[Console]::In.ReadToEnd().Length; [Console]::In.ReadLine() -eq $null",
        0,
        "0\nTrue\n",
    );
    live.gives("/bin/cat; 'after'", 0, "after\n");
    live.gives("/bin/sh -c 'read x || echo eof'", 0, "eof\n");
    let asked = live.run("Read-Host 'name'");
    assert_ne!(asked.frame, None, "{asked:?}");
    live.gives("'after'", 0, "after\n");
}

#[test]
fn a_task_finds_the_session_as_it_was() {
    let Some(mut live) = Live::new("the state of a PowerShell session") else {
        return;
    };
    live.gives(
        "Set-Location /; $env:IOMS_X = 'x'; $env:PATH = ''; $x = 1; function g { 'g' }; \
         $ErrorActionPreference = 'Stop'; Set-StrictMode -Version 2; nosuch",
        1,
        "",
    );
    live.gives(
        "[string]$env:IOMS_X + $x + $ErrorActionPreference + $error.Count",
        0,
        "Continue0\n",
    );
    live.gives("(Get-Location).Path -eq '/'; [bool]$env:PATH; [bool](Get-Command g -ErrorAction SilentlyContinue)", 0, "False\nTrue\nFalse\n");
}

#[test]
fn a_script_of_a_megabyte_is_a_task_like_any_other() {
    let Some(mut live) = Live::new("large scripts in a PowerShell session") else {
        return;
    };
    let script = format!("$x = '{}'\n$x.Length", "中".repeat(400_000));
    live.gives(&script, 0, "400000\n");
}

#[test]
fn a_process_that_dies_ends_the_session_with_what_was_said() {
    let Some(mut live) = Live::new("a PowerShell session that dies") else {
        return;
    };
    let done = live.run("'last words'; [Environment]::Exit(3)");
    assert_eq!((done.stdout.as_str(), done.frame), ("last words\n", None));
    assert!(matches!(done.failed, Some(Failure::Remote(_))), "{done:?}");
    assert_eq!(
        live.session.say("'x'", "U"),
        None,
        "a new one has to be begun"
    );
}

#[test]
fn a_task_without_end_is_ended_by_its_process() {
    let Some(mut live) = Live::new("an endless task in a PowerShell session") else {
        return;
    };
    live.begin("'begun'; while ($true) { }");
    while live.step().0.stdout.is_empty() {}
    assert_eq!(live.session.process(), Some(live.child.id()));
    live.child.kill().unwrap();
    assert!(matches!(live.finish().failed, Some(Failure::Remote(_))));
}

#[test]
fn nothing_is_taken_for_a_session() {
    let mut session = Session::new("S0123456789012345678", Carrier::Winrm);
    assert!(!session.stdout(b"banner\r\nS0123456789012345678\r\n").ready);
    session.stderr(b"'powershell.exe' is not recognized\r\n");
    assert_eq!(session.say("x", "T"), None);
    assert!(
        matches!(session.ended().failed, Some(Failure::Unsupported(why)) if why.contains("not recognized"))
    );
    let mut session = Session::new("S0123456789012345678", Carrier::Winrm);
    assert!(
        session
            .stdout("x".repeat(70_000).as_bytes())
            .failed
            .is_some(),
        "endless noise"
    );
}

#[test]
fn files_are_sent_among_other_tasks() {
    let Some(mut live) = Live::new("files that a session sends") else {
        return;
    };
    let file = live.bench.dir.path().join("a 'file'");
    std::fs::write(&file, "one\r\ntwo").unwrap();
    let send = |path: &std::path::Path, offset| {
        let path = HostPath::from(path.to_str().unwrap());
        let task = FileTask::Send(tasks::Send { path, offset });
        files::in_session(&task, "F0123456789012345678").unwrap()
    };
    live.gives(&send(&file, 0), 0, "one\r\ntwo");
    live.gives("'between'", 0, "between\n");
    live.gives(&send(&file, 5), 0, "two");
    let stderr = live.gives(&send(&file.with_extension("gone"), 0), 82, "");
    assert!(stderr.contains("it is not there"), "{stderr}");
    live.gives("\"[$($Ioms.At)] $($Ioms.Said.Keys)\"", 0, "[] mark\n");
}
