//! Modules run in a session of PowerShell's own engine here, which passes for versions 3.0, 5.1 and
//! itself: what needs no Windows. The rest is run under Wine (tests/it/windows).

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ioms_fleet::windows::{Need, lacks};
use serde_json::{Value as Json, json};

use super::{Mode, Plain, content, prepared};
use crate::base::value::Value;
use crate::module::call::{Platform, Said};
use crate::module::powershell::texts;
use crate::shell::record::RecordReader;
use crate::shell::windows::{Carrier, Session, SessionStep};

/// A Windows host's session, without a host.
pub(super) struct Host {
    session: Session,
    child: Child,
    input: Option<ChildStdin>,
    seen: Receiver<(bool, Vec<u8>)>,
    tasks: u32,
    pub(super) dir: tempfile::TempDir,
}

/// Does a test on hosts of several versions, where there is an engine.
pub(super) fn on_each(what: &str, test: impl Fn(&mut Host)) {
    if lacks(what, &[Need::PowershellOfTests]) {
        return;
    }
    for version in ["3.0", "5.1", ""] {
        test(&mut Host::start(version));
    }
}

impl Host {
    fn start(version: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let session = Session::new("S0123456789012345678", Carrier::Channel);
        let mut command = Command::new(std::env::var_os("IOMS_PWSH").unwrap());
        command.args([
            "-NoProfile",
            "-NonInteractive",
            "-OutputFormat",
            "Text",
            "-Command",
            "-",
        ]);
        if !version.is_empty() {
            command.env("IOMS_PWSH_AS", version);
        }
        let mut child = command
            .env("IOMS_TEST_DIR", dir.path())
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
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    let _ = sender.send((is_stdout, buffer[..count].to_vec()));
                }
            });
        }
        let mut input = child.stdin.take().unwrap();
        input.write_all(&session.begin()).unwrap();
        let mut host = Self {
            session,
            child,
            input: Some(input),
            seen,
            tasks: 0,
            dir,
        };
        while !host.step().ready {}
        host
    }

    fn step(&mut self) -> SessionStep {
        match self.seen.recv_timeout(Duration::from_mins(1)) {
            Ok((true, bytes)) => self.session.stdout(&bytes),
            Ok((false, bytes)) => self.session.stderr(&bytes),
            Err(error) => panic!("{error}: {:?}", self.session.ended()),
        }
    }

    /// A path in the host's folder.
    pub(super) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// Does a task: its result.
    pub(super) fn apply(&mut self, module: &str, args: Json) -> Json {
        self.with(module, args, Mode::default())
    }

    pub(super) fn with(&mut self, module: &str, args: Json, mode: Mode) -> Json {
        self.tasks += 1;
        let mark = format!("R{:019}", self.tasks);
        let (call, script) = match prepared(Platform::Windows, module, &args, mode, &Plain, &mark) {
            Ok(prepared) => prepared,
            Err(error) => return json!({"failed": true, "msg": error.message}),
        };
        let lines = self
            .session
            .say(&script.text, &format!("T{:019}", self.tasks));
        let input = self.input.as_mut().unwrap();
        input.write_all(&lines.unwrap()).unwrap();
        let mut reader = RecordReader::new(&mark, 1 << 20);
        let mut stderr = Vec::new();
        let mut payload = script.payload.as_ref();
        let exit = loop {
            let step = self.step();
            reader.take(&step.stdout).unwrap();
            stderr.extend_from_slice(&step.stderr);
            if reader.needs_payload()
                && let Some(payload) = payload.take()
            {
                let mut lines: Vec<String> = content(payload)
                    .chunks(48 * 1024)
                    .map(|piece| STANDARD.encode(piece))
                    .collect();
                lines.push(".\n".to_owned());
                let lines = lines.join("\n");
                self.input
                    .as_mut()
                    .unwrap()
                    .write_all(lines.as_bytes())
                    .unwrap();
            }
            if let Some(frame) = step.done {
                break frame.exit;
            }
        };
        let said = Said {
            record: reader.finish(),
            exit: Some(exit),
            stderr: stderr.into(),
            time: None,
        };
        Value::Map(call.conclude(&said)).to_json()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn every_text_is_powershell_3() {
    if lacks(
        "modules' PowerShell texts held to 3.0",
        &[Need::PowershellOfTests],
    ) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut check = Command::new(std::env::var_os("IOMS_PWSH").unwrap());
    check.args(["-Check", "-Compat", "3.0", "-Windows7"]);
    let texts = texts();
    assert!(texts.len() > 4, "{}", texts.len());
    for (name, text) in texts {
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        check.arg(file);
    }
    let checked = check.output().unwrap();
    let said = [checked.stdout, checked.stderr].concat();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&said)
    );
}

#[test]
fn no_text_needs_what_powershell_2_lacks() {
    for (name, text) in texts() {
        let newer = crate::shell::windows::newer_than_2(&text);
        assert_eq!(newer.into_iter().next(), None, "{name}");
    }
}

#[test]
fn values_of_any_kind_reach_a_script_and_come_back() {
    on_each("values of modules in PowerShell", |host| {
        let text = "it's \"quoted\" $x `n %PATH% 中文 \u{1f600}\r\nline ‘2’";
        let result = host.apply("ping", json!({"data": text}));
        assert_eq!(result, json!({"ping": text, "changed": false}));
        let failed = host.apply("ping", json!({"data": "crash"}));
        assert_eq!(
            (&failed["failed"], &failed["msg"]),
            (&json!(true), &json!("boom"))
        );
        let good = host.apply("win_ping", json!({}));
        assert_eq!(good["ping"], "pong");
    });
}

#[test]
fn a_command_gets_its_line_as_it_is_written() {
    on_each("command in PowerShell", |host| {
        let said = host.apply(
            "win_command",
            json!({"cmd": "/bin/sh -c \"echo out; echo err >&2; exit 3\""}),
        );
        assert_eq!(
            (
                &said["rc"],
                &said["stdout"],
                &said["stderr"],
                &said["failed"],
                &said["changed"]
            ),
            (
                &json!(3),
                &json!("out"),
                &json!("err"),
                &json!(true),
                &json!(true)
            ),
            "{said}"
        );
        let argv = json!({"argv": ["/usr/bin/printf", "%s|", "a b", "q\"q", "tail\\", "中"]});
        assert_eq!(host.apply("command", argv)["stdout"], "a b|q\"q|tail\\|中|");
        let given = json!({"cmd": "/bin/cat", "stdin": "文"});
        assert_eq!(host.apply("command", given)["stdout"], "文");
        let nowhere = host.apply("command", json!({"cmd": "no-such-program x"}));
        assert_eq!(
            (&nowhere["rc"], &nowhere["failed"]),
            (&json!(2), &json!(true))
        );
        let there = host.path("");
        let left = host.apply("command", json!({"cmd": "/bin/false", "creates": there}));
        assert_eq!(
            (&left["skipped"], &left["changed"]),
            (&json!(true), &json!(false)),
            "{left}"
        );
        let check = Mode {
            check: true,
            ..Mode::default()
        };
        let checked = host.with("command", json!({"cmd": "/bin/false"}), check);
        assert_eq!(
            (&checked["skipped"], &checked["changed"]),
            (&json!(true), &json!(true))
        );
    });
}

#[test]
fn a_line_is_the_shells_own() {
    on_each("shell in PowerShell", |host| {
        let dir = host.path("");
        let said = host.apply(
            "win_shell",
            json!({"cmd": "$a = 'x'; \"$a 中\"; (Get-Location).Path; /bin/sh -c 'echo native; echo err >&2; exit 4'", "chdir": dir}),
        );
        let dir = dir.trim_end_matches('/');
        assert_eq!(said["stdout"], format!("x 中\n{dir}\nnative"), "{said}");
        assert_eq!((&said["rc"], &said["stderr"]), (&json!(4), &json!("err")));
        let exit = host.apply("shell", json!({"cmd": "'a'; exit 7; 'b'"}));
        assert_eq!((&exit["rc"], &exit["stdout"]), (&json!(7), &json!("a")));
        let thrown = host.apply("shell", json!({"cmd": "'a'; throw 'broken'"}));
        assert_eq!(
            (&thrown["rc"], &thrown["failed"]),
            (&json!(1), &json!(true))
        );
        assert!(
            thrown["stderr"].as_str().unwrap().contains("broken"),
            "{thrown}"
        );
        let goes_on = host.apply("shell", json!({"cmd": "nosuch; 'after'"}));
        assert_eq!(
            (&goes_on["rc"], &goes_on["stdout"]),
            (&json!(0), &json!("after")),
            "{goes_on}"
        );
        let fine = host.apply("shell", json!({"cmd": "$null = 1"}));
        assert_eq!((&fine["rc"], &fine["stdout"]), (&json!(0), &json!("")));
        let given = host.apply(
            "shell",
            json!({"cmd": "$input | ForEach-Object { \"<$_>\" }; exit 5", "stdin": "line"}),
        );
        assert_eq!(
            (&given["rc"], &given["stdout"]),
            (&json!(5), &json!("<line>")),
            "{given}"
        );
    });
}
