//! Modules run in real shells here, without a connection: dash, bash, busybox and mksh.

mod archives;
mod commands;
mod copies;
mod edits;
mod fetching;
mod files;
mod looking;
mod shell;
mod system;
mod windows;
mod windows_files;

use std::path::Path;

use serde_json::Value as Json;

use self::shell::Shell;
use super::call::{Call, Content, Controller, FileKind, Platform, Situation};
use super::error::ModuleError;
use super::library::builtin;
use crate::base::text::Charset;
use crate::base::value::{Map, Value};
use crate::shell::{ModuleScript, Payload, Source};

/// The shells that programs have to work in, as far as they are here; `sh` always is.
const SHELLS: &[&[&str]] = &[
    &["/bin/sh"],
    &["bash", "--posix"],
    &["busybox", "sh"],
    &["mksh"],
];

/// Those that are here.
pub(super) fn shells() -> impl Iterator<Item = &'static [&'static str]> {
    let shells = SHELLS.iter().copied();
    shells.filter(|shell| shell[0].starts_with('/') || is_there(shell[0]))
}

/// A controller whose files are where they are said to be, and whose templates are plain texts.
struct Plain;

impl Controller for Plain {
    fn file(&self, _kind: FileKind, name: &str) -> Result<Content, ModuleError> {
        Ok(Content {
            path: name.into(),
            folder: Path::new(name).is_dir(),
            opened: None,
        })
    }

    fn render(&self, text: &str, _path: &Path, options: &Map) -> Result<String, ModuleError> {
        let newline = options.get("newline_sequence").and_then(Value::as_str);
        let text = text.replace('\n', newline.unwrap_or("\n"));
        Ok(text.replace("{{ name }}", "rendered"))
    }
}

/// A task's way of being done.
#[derive(Clone, Copy, Default)]
pub(super) struct Mode {
    pub(super) check: bool,
    pub(super) diff: bool,
}

/// Does a task in `shell` on this machine: its result as JSON. The shell is told it as hosts are, after another
/// task.
pub(super) fn in_shell(shell: &[&str], module: &str, args: Json, mode: Mode) -> Json {
    let mark = "0123456789abcdefghij";
    let (call, script) = match prepared(Platform::Posix, module, &args, mode, &Plain, mark) {
        Ok(prepared) => prepared,
        Err(error) => return serde_json::json!({"failed": true, "msg": error.message}),
    };
    let mut shell = Shell::start(shell);
    shell.run(script_before());
    Value::Map(call.conclude(&shell.run(script))).to_json()
}

/// The program of a task that comes before all others: what many lean on is among its parts.
fn script_before() -> ModuleScript {
    let args = serde_json::json!({"path": "/", "state": "directory"});
    let mode = Mode {
        check: true,
        diff: false,
    };
    let mark = "abcdefghij0123456789";
    let prepared = prepared(Platform::Posix, "file", &args, mode, &Plain, mark);
    prepared.unwrap().1
}

/// A task's call and program.
fn prepared(
    platform: Platform,
    module: &str,
    args: &Json,
    mode: Mode,
    controller: &dyn Controller,
    mark: &str,
) -> Result<(Call, ModuleScript), ModuleError> {
    let module = builtin(module).unwrap();
    let Value::Map(args) = Value::from_json(args) else {
        panic!("arguments are a mapping");
    };
    let situation = Situation {
        platform,
        check: mode.check,
        diff: mode.diff,
        charset: Charset::UTF_8,
    };
    let mut call = Call::new(&module, &args, situation)?;
    let script = call.prepare(controller, mark)?;
    Ok((call, script))
}

/// What a payload holds.
fn content(payload: &Payload) -> Vec<u8> {
    match &payload.source {
        Source::Bytes(bytes) => bytes.to_vec(),
        Source::File(path) => std::fs::read(path).unwrap(),
    }
}

/// Does a task in every shell there is; their results must be the same.
pub(super) fn apply(module: &str, args: &Json) -> Json {
    let mut results = shells().map(|shell| {
        (
            shell,
            in_shell(shell, module, args.clone(), Mode::default()),
        )
    });
    let (_, first) = results.next().unwrap();
    for (shell, other) in results {
        assert_eq!(first, other, "{shell:?}");
    }
    first
}

fn is_there(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).exists())
    })
}

/// Does a task in each shell, in a fresh folder each: `play` gets the shell and the folder.
pub(super) fn everywhere(play: impl Fn(&dyn Fn(&str, Json, Mode) -> Json, &Path)) {
    for shell in shells() {
        let folder = tempfile::tempdir().unwrap();
        let run = |module: &str, args: Json, mode: Mode| in_shell(shell, module, args, mode);
        play(&run, folder.path());
    }
}

/// As [`everywhere`], but never as root, who may write in any folder.
pub(super) fn everywhere_unprivileged(play: impl Fn(&dyn Fn(&str, Json, Mode) -> Json, &Path)) {
    if !rustix::process::geteuid().is_root() {
        return everywhere(play);
    }
    let nobody = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ];
    for shell in SHELLS.iter().filter(|shell| is_there(shell[0])) {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::chown(folder.path(), Some(65534), Some(65534)).unwrap();
        let shell = [&nobody, *shell].concat();
        let run = |module: &str, args: Json, mode: Mode| in_shell(&shell, module, args, mode);
        play(&run, folder.path());
    }
}
