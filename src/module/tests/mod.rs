//! Modules run in real shells here, without a connection: dash, bash and busybox.

mod archives;
mod commands;
mod copies;
mod edits;
mod fetching;
mod files;
mod looking;
mod system;
mod windows;
mod windows_files;

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use super::call::{Call, Content, Controller, FileKind, Platform, Said, Situation};
use super::error::ModuleError;
use super::library::builtin;
use crate::base::text::Charset;
use crate::base::value::{Map, Value};
use crate::shell::record::RecordReader;
use crate::shell::{ModuleScript, Payload, Piece, Source};

/// The shells that programs have to work in, as far as they are here; `sh` always is.
pub(super) const SHELLS: &[&[&str]] = &[&["/bin/sh"], &["bash", "--posix"], &["busybox", "sh"]];

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

/// Does a task in `shell` on this machine: its result as JSON.
pub(super) fn in_shell(shell: &[&str], module: &str, args: Json, mode: Mode) -> Json {
    let mark = "0123456789abcdefghij";
    let (call, script) = match prepared(Platform::Posix, module, &args, mode, &Plain, mark) {
        Ok(prepared) => prepared,
        Err(error) => return serde_json::json!({"failed": true, "msg": error.message}),
    };
    let (program, words) = shell.split_first().unwrap();
    let mut child = Command::new(program)
        .args(words)
        .args(["-c", &script.whole()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take();
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let errors = std::thread::spawn(move || {
        let mut text = Vec::new();
        stderr.read_to_end(&mut text).map(|_| text)
    });
    // A program that has no use for what it is given does not read it.
    if let (Some(payload), Some(stdin)) = (&script.payload, &mut stdin) {
        let _ = stdin.write_all(&content(payload));
    }
    if script.answers.is_none() {
        stdin = None;
    }
    let mut reader = RecordReader::new(mark, 1 << 20);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = stdout.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        reader.take(&buffer[..read]).unwrap();
        while let (Some((name, said)), Some(answers)) = (reader.question(), &script.answers) {
            for piece in answers.to(&name, &said) {
                let bytes = match piece {
                    Piece::Bytes(bytes) => bytes,
                    Piece::File { path, .. } => fs::read(path).unwrap().into(),
                };
                let _ = stdin.as_mut().unwrap().write_all(&bytes);
            }
        }
    }
    drop(stdin);
    let status = child.wait().unwrap();
    let said = Said {
        record: reader.finish(),
        exit: status.code(),
        stderr: errors.join().unwrap().unwrap().into(),
        time: None,
    };
    Value::Map(call.conclude(&said)).to_json()
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
    let mut results = SHELLS
        .iter()
        .filter(|shell| shell[0].starts_with('/') || is_there(shell[0]))
        .map(|shell| {
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
    for shell in SHELLS {
        if !shell[0].starts_with('/') && !is_there(shell[0]) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let run = |module: &str, args: Json, mode: Mode| in_shell(shell, module, args, mode);
        play(&run, folder.path());
    }
}
