//! One shell for one program after another: what it is told, and how what it says is taken apart.
//! Pure: bytes in, bytes out; who drives it keeps the time, and gives the shell up when a program does
//! not end.
//!
//! A program runs in a subshell, so that nothing it does to itself (folder, variables, traps) is left
//! for the next one; `exit` ends the program, not the shell. Definitions that programs have in common (their
//! parts) the shell makes itself, each once. A line with the session's secret begins
//! each: whatever the one before it has left unread of its input is passed over. Its output ends with its
//! mark on both streams.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::script::{add_payload, add_text};
use crate::shell::module::{ModuleScript, Part};
use crate::shell::plan::Plan;
use crate::shell::quote::Line;
use crate::shell::{find, until};

/// How long what follows a mark on standard output may be: a number.
const TAIL_MAX: usize = 16;

/// By which exit status a program says that it has said its own end: fewer pieces on the way.
const DONE: u8 = 199;

/// The line that the constant reads and evaluates: reads programs and does them until nobody says any
/// more. `read` takes no byte of what follows a line.
pub(super) fn begin(secret: &str) -> String {
    format!(
        r#"ioms_shell_newline=$(printf '\nx'); ioms_shell_newline=${{ioms_shell_newline%x}}; ioms_shell_said={DONE}; while IFS= read -r ioms_shell_line; do case $ioms_shell_line in "{secret} "*) ;; *) continue ;; esac; ioms_shell_mark=${{ioms_shell_line#* }} ioms_shell_text= ioms_shell_end=; while IFS= read -r ioms_shell_line; do [ "$ioms_shell_line" = "${{ioms_shell_mark}}e" ] && {{ ioms_shell_end=1; break; }}; ioms_shell_text=$ioms_shell_text$ioms_shell_line$ioms_shell_newline; done; [ "$ioms_shell_end" ] || exit 1; case $ioms_shell_mark in +*) eval "$ioms_shell_text" || exit 1; continue ;; esac; (eval "$ioms_shell_text"); ioms_shell_end=$?; [ "$ioms_shell_end" = "$ioms_shell_said" ] || {{ echo "$ioms_shell_mark" >&2; echo "$ioms_shell_mark over $ioms_shell_end"; }}; done{newline}"#,
        newline = '\n'
    )
}

/// Which parts of programs a shell has been told.
#[derive(Debug, Default)]
pub struct Told(HashSet<Arc<str>>);

/// What the shell is told to do a program of `plan`: parts that are new to it first, for itself.
pub(super) fn say(plan: &Plan, module: &ModuleScript, secret: &str, told: &mut Told) -> Vec<u8> {
    let mark = &module.mark;
    // What was left unread may end within a line.
    let mut words = b"\n".to_vec();
    let parts = module.parts.iter();
    let new: Vec<&Part> = parts
        .filter(|part| told.0.insert(part.name.clone()))
        .collect();
    if !new.is_empty() {
        words.extend(format!("{secret} +{mark}\n").into_bytes());
        let texts = new.iter().map(|part| &*part.text);
        add_text(texts, &format!("+{mark}"), &mut words);
    }
    words.extend(format!("{secret} {mark}\n").into_bytes());
    if !plan.env.is_empty() {
        let mut line = Line::default();
        line.export(&plan.env);
        words.extend(line.finish().into_bytes());
    }
    add_text([&*module.text].into_iter(), mark, &mut words);
    add_payload(module, &mut words);
    words
}

/// Takes one program's output out of what a shell says.
#[derive(Debug)]
pub struct Frame {
    /// What ends standard output: a number and a newline follow it.
    end: Vec<u8>,
    /// What ends standard error.
    mark: Vec<u8>,
    stdout: Stream,
    stderr: Stream,
    status: Option<i32>,
}

/// Where one stream stands.
#[derive(Debug, Default)]
struct Stream {
    seen: BytesMut,
    /// Whether its mark came.
    ended: bool,
}

impl Frame {
    /// For the program with this mark.
    pub fn new(mark: &str) -> Self {
        Self {
            end: format!("{mark} over ").into_bytes(),
            mark: mark.as_bytes().to_vec(),
            stdout: Stream::default(),
            stderr: Stream::default(),
            status: None,
        }
    }

    /// Standard output was seen: what of it is the program's.
    pub fn stdout(&mut self, bytes: Bytes) -> Bytes {
        let said = take(&mut self.stdout, bytes, &self.end);
        let Some(tail) = self.stdout.seen.get(self.end.len()..) else {
            return said;
        };
        if self.stdout.ended && self.status.is_none() {
            let length = tail.iter().position(|byte| *byte == b'\n');
            let number = tail.get(..length.unwrap_or(0)).unwrap_or_default();
            let number = std::str::from_utf8(number)
                .ok()
                .and_then(|text| text.parse().ok());
            if length.is_some() || tail.len() > TAIL_MAX {
                // What is no number is not the shell's: whoever said it, the program is over.
                self.status = Some(number.unwrap_or(255));
            }
        }
        said
    }

    /// Standard error was seen: what of it is the program's.
    pub fn stderr(&mut self, bytes: Bytes) -> Bytes {
        take(&mut self.stderr, bytes, &self.mark)
    }

    /// The program's exit status, once all of its standard output was seen.
    pub fn status(&self) -> Option<i32> {
        self.status
    }

    /// Whether all of both streams was seen, so that the shell is free.
    pub fn is_over(&self) -> bool {
        self.status.is_some() && self.stderr.ended
    }
}

/// What belongs to the program of `bytes`; `seen` holds the rest, from the mark on.
fn take(stream: &mut Stream, bytes: Bytes, mark: &[u8]) -> Bytes {
    if stream.ended {
        // No more is of interest than what may be left of the end.
        let room = (mark.len() + TAIL_MAX + 2).saturating_sub(stream.seen.len());
        let rest = bytes.get(..room).unwrap_or(&bytes);
        stream.seen.extend_from_slice(rest);
        return Bytes::new();
    }
    // Most comes whole, mark and all.
    let said = if stream.seen.is_empty() {
        let length = until(&bytes, mark);
        stream
            .seen
            .extend_from_slice(bytes.get(length..).unwrap_or_default());
        bytes.slice(..length)
    } else {
        stream.seen.extend_from_slice(&bytes);
        let length = until(&stream.seen, mark);
        stream.seen.split_to(length).freeze()
    };
    stream.ended = find(&stream.seen, mark) == Some(0);
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(frame: &mut Frame, pieces: &[&[u8]]) -> String {
        let said = pieces
            .iter()
            .map(|piece| frame.stdout(Bytes::copy_from_slice(piece)));
        String::from_utf8(said.collect::<Vec<_>>().concat()).unwrap()
    }

    #[test]
    fn a_program_ends_with_its_mark_on_both_streams_at_any_border() {
        let said = b"a\nM ov\nM over 3\n";
        for border in 0..said.len() {
            let (one, two) = said.split_at(border);
            let mut frame = Frame::new("M");
            assert_eq!(
                both(&mut frame, &[one, two]),
                "a\nM ov\n",
                "cut at {border}"
            );
            assert!(frame.status() == Some(3) && !frame.is_over());
            assert_eq!(frame.stderr(Bytes::from_static(b"oh")), "oh");
            assert_eq!(frame.stderr(Bytes::from_static(b"M\n")), "");
            assert!(frame.is_over());
        }
    }

    #[test]
    fn a_shell_is_told_each_part_once() {
        let part = |name: &str| Part {
            name: name.into(),
            text: format!("{name}() {{ echo \"{name} $1 $LANGUAGE\"; }}\n").into(),
        };
        let program = |mark: &str, names: &[&str]| ModuleScript {
            parts: names.iter().copied().map(part).collect(),
            text: names.iter().fold(String::new(), |text, name| {
                text + name + " " + mark + "; " + name + "() { :; }\n"
            }),
            mark: mark.to_owned(),
            payload: None,
            answers: None,
            shares: true,
        };
        let mut told = Told::default();
        let mut say = |mark: &str, names: &[&str], env: &[(&str, &str)]| {
            let script = Arc::new(program(mark, names));
            let env = env
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            say(
                &Plan::module(script.clone(), env.collect()),
                &script,
                "S",
                &mut told,
            )
        };
        let said = [
            begin("S").into_bytes(),
            say("M1", &["greet"], &[("LANGUAGE", "zh")]),
            say("M2", &["greet", "part"], &[]),
            say("M3", &["part", "greet"], &[]),
        ];
        let lines = String::from_utf8(said.concat()).unwrap();
        assert_eq!(lines.matches("greet() { echo").count(), 1, "{lines}");
        let shell = std::process::Command::new("/bin/sh")
            .args(["-c", r#"IFS= read -r s && eval "$s""#])
            .env_remove("LANGUAGE")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn();
        let mut shell = shell.unwrap();
        let mut stdin = shell.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, lines.as_bytes()).unwrap();
        drop(stdin);
        let output = shell.wait_with_output().unwrap();
        // What a program makes of them itself, it makes for itself.
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            "greet M1 zh\nM1 over 0\ngreet M2 \npart M2 \nM2 over 0\npart M3 \ngreet M3 \nM3 over 0\n"
        );
    }

    #[test]
    fn what_others_say_after_the_end_is_nobodys() {
        let mut frame = Frame::new("M");
        assert_eq!(
            both(&mut frame, &[b"M over 0\nstray", b"more\nM over 1\n"]),
            ""
        );
        assert_eq!(frame.stderr(Bytes::from_static(b"M\nstray")), "");
        frame.stdout(vec![b'x'; 1 << 20].into());
        frame.stderr(vec![b'x'; 1 << 20].into());
        assert!(frame.status() == Some(0) && frame.is_over());
        assert!(frame.stdout.seen.len() + frame.stderr.seen.len() < 100);
    }

    #[test]
    fn an_end_that_is_none_ends_it_all_the_same() {
        let mut frame = Frame::new("M");
        both(&mut frame, &[b"M over and over and over again"]);
        frame.stderr(Bytes::from_static(b"M\n"));
        assert_eq!(frame.status(), Some(255));
    }
}
