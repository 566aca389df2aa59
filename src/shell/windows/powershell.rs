//! What is said to PowerShell: the short constant that is its command line, and programs as lines of
//! ASCII on its standard input, whatever its version, its code page and its language mode's mood.
//! Pure text; `dialogue` says when each line goes out.
//!
//! `-Command -` makes the host read statements from standard input, a line each, by
//! `[Console]::In`; a statement may read the lines after it by the same reader. So the first line
//! ([`LOADER`]) takes a program from the second, and the program what it needs from those behind.
//! (With `-EncodedCommand` Windows PowerShell reads standard input itself; with `-InputFormat None`
//! not every version starts.)

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Carrier;
use crate::shell::conversation::Opening;

/// The arguments of every PowerShell that is started.
const ARGUMENTS: &str =
    "-NoProfile -NonInteractive -ExecutionPolicy Bypass -OutputFormat Text -Command -";

/// Takes the next line for a program and runs it in the host's own scope.
pub(super) const LOADER: &str = ". ([scriptblock]::Create([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([Console]::In.ReadLine()))))";

/// The command line: over WinRM for `CreateProcess`, over a channel for the account's default
/// shell, be it `cmd.exe`, PowerShell or another.
pub(super) fn command(carrier: Carrier) -> String {
    match carrier {
        Carrier::Winrm => format!("powershell.exe {ARGUMENTS}"),
        Carrier::Channel => format!("powershell {ARGUMENTS}"),
    }
}

/// What begins every conversation with it.
pub(super) fn opening(carrier: Carrier) -> Opening {
    Opening {
        command: command(carrier).into_bytes().into(),
        bare: carrier == Carrier::Winrm,
        ..Opening::default()
    }
}

/// The same through `cmd.exe`, which lets WMI's own tool start `line` where there is no PowerShell
/// (Windows 2008). None where that tool would read the line otherwise: it has quotes and commas of
/// its own, and `cmd.exe` comes before it.
pub(super) fn or_wmic(carrier: Carrier, line: &str, mark: &str) -> Option<Opening> {
    let plain = |c: char| c.is_ascii_alphanumeric() || " _-./\\:=+@#$~[]{}".contains(c);
    if !line.chars().all(plain) || line.len() > 7000 {
        return None;
    }
    let powershell = command(carrier);
    Some(Opening {
        command: format!(
            "if exist \"%SystemRoot%\\System32\\WindowsPowerShell\\v1.0\\powershell.exe\" ({powershell}) \
             else (echo {mark}>&2&echo {mark} 0 0 0&echo {mark} ok&wmic process call create \"cmd.exe /d /c {line}\")"
        )
        .into_bytes()
        .into(),
        ..Opening::default()
    })
}

/// A part of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part(&'static str, &'static str);

macro_rules! parts {
    ($($name:ident = $file:literal),* $(,)?) => {
        $(pub(super) const $name: Part = Part($file, include_str!(concat!("ps/", $file)));)*
        /// All parts.
        const PARTS: &[Part] = &[$($name),*];
    };
}

parts! {
    BASE = "base.ps1",
    EXIT = "exit.ps1",
    FOLDER = "folder.ps1",
    PREPARE = "prepare.ps1",
    INPUT = "input.ps1",
    CHILD = "child.ps1",
    CMDLINE = "cmdline.ps1",
    WORDS = "words.ps1",
    TEXT = "text.ps1",
    LINE = "line.ps1",
    SCRIPT = "script.ps1",
    ENDING = "ending.ps1",
    TASK = "task.ps1",
    RUNAS = "runas.ps1",
    DETACH = "detach.ps1",
    DETACH_RUN = "detach-run.ps1",
    SESSION = "session.ps1",
    FILES = "files.ps1",
    FILES_STAT = "files-stat.ps1",
    FILES_WALK = "files-walk.ps1",
    FILES_PULL = "files-pull.ps1",
    FILES_RECEIVE = "files-receive.ps1",
    FILES_UNPACK = "files-unpack.ps1",
    FILES_SEND = "files-send.ps1",
    FILES_ADJUST = "files-adjust.ps1",
}

/// Every text that PowerShell is given, with a name for it: for the test that holds all of them to
/// PowerShell 3.0.
pub fn texts() -> Vec<(&'static str, String)> {
    let parts = PARTS.iter().map(|part| (part.0, part.1.to_owned()));
    let inner = DETACH
        .1
        .split("@'\n")
        .nth(1)
        .and_then(|rest| rest.split("\n'@").next())
        .map(|text| ("detach.ps1, its child", text.to_owned()));
    parts
        .chain(inner)
        .chain([("the loader", LOADER.to_owned())])
        .collect()
}

/// How to start what is to outlive a session, for programs that are not of this room.
pub fn detaching() -> &'static str {
    DETACH.1
}

/// A program with what is said to it.
#[derive(Clone)]
pub(super) struct Program {
    parts: Vec<Part>,
    said: Vec<(&'static str, String)>,
}

impl Program {
    /// A program that says hello with `mark`.
    pub(super) fn new(mark: &str) -> Self {
        Self {
            parts: vec![BASE],
            said: vec![("mark", mark.to_owned())],
        }
    }

    /// With these parts next, each once.
    pub(super) fn parts(&mut self, parts: &[Part]) -> &mut Self {
        for part in parts {
            if !self.parts.contains(part) {
                self.parts.push(*part);
            }
        }
        self
    }

    /// Says a value to it; names may come again.
    pub(super) fn say(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        self.said.push((name, value.into()));
        self
    }

    /// The lines: the loader, the program, what is said.
    pub(super) fn lines(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            text.push_str(part.1);
        }
        format!("{LOADER}\n{}\n{}\n", STANDARD.encode(text), self.line())
    }

    /// The same for a session that runs already and has said hello: the text of one task. The session's
    /// own table stays as it is.
    pub(super) fn in_session(&self) -> String {
        let mut text = format!(
            "$Ioms = $Ioms.Clone()\n$Ioms.Said = @{{}}\n\
             $Ioms.In = New-Object IO.StringReader '{}'\nIomsListen\n",
            self.line()
        );
        for part in self.parts.iter().filter(|part| **part != BASE) {
            text.push_str(part.1);
        }
        text
    }

    /// What is said to it. (All of it is ASCII, without quotes.)
    fn line(&self) -> String {
        let said: Vec<String> = self
            .said
            .iter()
            .map(|(name, value)| format!("{name}:{}", STANDARD.encode(value)))
            .collect();
        said.join(",")
    }
}

/// A line that holds one secret.
pub(super) fn secret_line(secret: &str) -> String {
    format!("{}\n", STANDARD.encode(secret))
}

/// PowerShell's arguments for a text that is the command itself.
pub(super) fn encoded(text: &str) -> String {
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    format!(
        "-NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand {}",
        STANDARD.encode(utf16)
    )
}
