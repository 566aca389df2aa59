//! What is said to a Unix host: the constant that starts every conversation, and the scripts that
//! follow it. Pure text; `conversation` says when each goes out.

use super::files;
use crate::shell::files::FileTask;
use crate::shell::module::ModuleScript;
use crate::shell::plan::{Command, Plan, Script};
use crate::shell::quote::Line;

/// The program behind every command line sent to a host. Prints a hello line (its argument, the
/// mark, its process group, and its process), reads a script of one line with the shell's own `read`, which
/// takes no byte more from a pipe, and evaluates it. It survives every login shell: single quotes
/// around it, and within it no single quote, no `!`, no backslash, no newline.
const CONSTANT: &str = r#"read -r a b c d g e 2>/dev/null </proc/$$/stat || g=$$; echo "$1 $g $$"; IFS= read -r s && eval "$s""#;

/// The command line for a login shell that begins a conversation.
pub(super) fn begin(mark: &str) -> String {
    format!("exec /bin/sh -c '{CONSTANT}' sh {mark}")
}

/// The same as words for a script: what sudo and doas run.
fn begin_words(line: &mut Line, mark: &str) {
    line.code(" /bin/sh -c ")
        .quoted(CONSTANT)
        .code(" sh ")
        .code(mark);
}

/// By what to escalate, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// The program's kind.
    pub method: Method,
    /// The user to become.
    pub user: String,
    /// Another program in its place.
    pub exe: Option<String>,
    /// Arguments in place of ours.
    pub flags: Vec<String>,
}

/// The programs that escalate on Unix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// sudo(8)
    Sudo,
    /// su(1)
    Su,
    /// doas(1)
    Doas,
}

impl Method {
    /// The program's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sudo => "sudo",
            Self::Su => "su",
            Self::Doas => "doas",
        }
    }

    /// Whether it asks for a password at a terminal only.
    pub fn needs_pty(self) -> bool {
        self != Self::Sudo
    }
}

/// The script that escalates: becomes the user and begins again with `mark`. sudo asks with
/// `prompt`, so that its question can't be mistaken.
pub(super) fn escalate(escalation: &Escalation, mark: &str, prompt: &str) -> String {
    let mut line = Line::default();
    let exe = escalation
        .exe
        .as_deref()
        .unwrap_or(escalation.method.name());
    line.code("exec ").quoted(exe);
    let flags = |line: &mut Line, ours: &str| {
        if escalation.flags.is_empty() {
            line.code(ours);
        }
        for flag in &escalation.flags {
            line.code(" ").quoted(flag);
        }
    };
    match escalation.method {
        Method::Sudo => {
            flags(&mut line, " -H");
            line.code(" -S -p ")
                .quoted(prompt)
                .code(" -u ")
                .quoted(&escalation.user)
                .code(" --");
            begin_words(&mut line, mark);
        }
        Method::Doas => {
            flags(&mut line, "");
            line.code(" -u ").quoted(&escalation.user).code(" --");
            begin_words(&mut line, mark);
        }
        Method::Su => {
            flags(&mut line, "");
            line.code(" ")
                .quoted(&escalation.user)
                .code(" -c ")
                .quoted(&begin(mark));
        }
    }
    line.finish()
}

/// On what a script stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Footing {
    /// As another user than the login's: the account's own login shell is not asked for, as accounts
    /// of services often have none.
    pub(super) escalated: bool,
    /// Its streams are a terminal, which was there for the dialogue alone: a terminal has no end of
    /// input, so that the command's is counted.
    pub(super) terminal: bool,
}

/// The script of a plan. With [`needs_report`] the first line it prints is `MARK ok FOLDER` or
/// `MARK KIND MESSAGE`.
pub(super) fn script(plan: &Plan, tmpdir: Option<&str>, mark: &str, footing: Footing) -> String {
    let mut line = Line::default();
    if footing.terminal {
        line.code("stty raw -echo 2>/dev/null; ");
    }
    if plan.tty {
        line.code("stty icanon 2>/dev/null; ");
    }
    line.export(&plan.env);
    if let Some(folder) = &plan.chdir {
        line.code("cd -- ").quoted(folder).code(" || ");
        report(
            &mut line,
            mark,
            "remote_io",
            "can't change to the folder given with --chdir",
        );
        line.code("; ");
    }
    match &plan.command {
        Command::Ping => {
            line.code(":");
        }
        Command::Module(_) => {
            if footing.terminal {
                line.code("echo ").quoted(&format!("{mark} ok ")).code("; ");
            }
            line.code(&read_module(mark));
        }
        Command::Files(task) => in_files(&mut line, task, plan, mark, footing),
        Command::Line(words) if plan.detach => {
            report_ok(&mut line, plan, mark);
            detach(&mut line, footing, |line| {
                line.code(login_shell(footing)).quoted(words);
            });
        }
        Command::Words(words) if plan.detach => {
            report_ok(&mut line, plan, mark);
            detach(&mut line, footing, |line| {
                for word in words {
                    line.quoted(word).code(" ");
                }
            });
        }
        Command::Line(words) => {
            report_ok(&mut line, plan, mark);
            if !feed(&mut line, plan, footing) {
                line.code("exec ");
            }
            line.code(login_shell(footing)).quoted(words);
        }
        Command::Words(words) => {
            report_ok(&mut line, plan, mark);
            feed(&mut line, plan, footing);
            // Not `exec`, which knows no shell built-ins such as `cd` or `ulimit`.
            for word in words {
                line.quoted(word).code(" ");
            }
        }
        Command::Script(script) => run_script(&mut line, plan, script, tmpdir, mark, footing),
    }
    line.finish()
}

/// Reads a program of many lines up to its end mark, and evaluates it. A program that was cut is not
/// begun. The shell's `read` takes no byte of what follows.
fn read_module(mark: &str) -> String {
    format!(
        r#"n=$(printf '\nx'); n=${{n%x}}; s=; e=; while IFS= read -r l; do [ "$l" = {mark}e ] && {{ e=1; break; }}; s="$s$l$n"; done; [ "$e" ] && eval "$s""#
    )
}

/// Adds a module's program as [`read_module`] reads it, and the payload that travels along.
pub(super) fn add_module(module: &ModuleScript, mark: &str, words: &mut Vec<u8>) {
    let text = module.parts.iter().map(|part| &*part.text);
    add_text(text.chain([&*module.text]), mark, words);
    add_payload(module, words);
}

/// Adds the payload that travels along with a program, if there is one.
pub(super) fn add_payload(module: &ModuleScript, words: &mut Vec<u8>) {
    let payload = module.payload.as_ref();
    if let Some(bytes) = payload.and_then(|payload| payload.travels_along()) {
        words.extend_from_slice(bytes);
    }
}

/// Adds a text of many lines up to its end mark.
pub(super) fn add_text<'a>(
    pieces: impl Iterator<Item = &'a str> + Clone,
    mark: &'a str,
    words: &mut Vec<u8>,
) {
    words.reserve(pieces.clone().map(str::len).sum::<usize>() + mark.len() + "\ne\n".len());
    for piece in pieces.chain(["\n", mark, "e\n"]) {
        words.extend_from_slice(piece.as_bytes());
    }
}

/// A task with files. A terminal has no end of input: what it reads is counted, and comes when it is
/// said that the terminal takes no byte for a signal any more.
fn in_files(line: &mut Line, task: &FileTask, plan: &Plan, mark: &str, footing: Footing) {
    let counted = footing.terminal;
    if counted {
        let size = files::payload(task).len() as u64 + plan.stdin.size();
        line.code("echo ").quoted(&format!("{mark} ok "));
        line.code(&format!("; head -c {size} | {{ "));
    }
    line.append(files::script(task));
    if counted {
        line.code("; }");
    }
}

fn login_shell(footing: Footing) -> &'static str {
    if footing.escalated {
        "/bin/sh -c "
    } else {
        r#""${SHELL:-/bin/sh}" -c "#
    }
}

/// Starts a command and lets go of it: in a session of its own, its streams nowhere, so that neither
/// the end of the channel nor of a terminal reaches it. Its process is said.
fn detach(line: &mut Line, footing: Footing, command: impl FnOnce(&mut Line)) {
    if footing.terminal {
        // It may go away before the command has left it.
        line.code("trap '' HUP; ");
    }
    line.code("s=$(command -v setsid || command -v nohup); $s ");
    command(line);
    line.code(" </dev/null >/dev/null 2>&1 & echo $!");
}

/// Gives a command on a terminal its own standard input; whether that makes it part of a pipeline.
fn feed(line: &mut Line, plan: &Plan, footing: Footing) -> bool {
    if !footing.terminal {
        return false;
    }
    if plan.stdin.is_empty() {
        line.code("exec </dev/null; ");
        return false;
    }
    line.code(&format!("head -c {} | ", plan.stdin.size()));
    true
}

/// Whether the script of `plan` says how its preparations went before the command begins.
pub(super) fn needs_report(plan: &Plan) -> bool {
    plan.tty || plan.chdir.is_some() || matches!(plan.command, Command::Script(_))
}

/// Whether nothing may be sent after the script before its report.
pub(super) fn waits_for_report(plan: &Plan, footing: Footing) -> bool {
    footing.terminal && matches!(plan.command, Command::Files(_) | Command::Module(_))
}

fn report(line: &mut Line, mark: &str, kind: &str, message: &str) {
    line.code("{ echo ")
        .quoted(&format!("{mark} {kind} {message}"))
        .code("; exit 1; }");
}

fn report_ok(line: &mut Line, plan: &Plan, mark: &str) {
    if needs_report(plan) {
        line.code("echo ").quoted(&format!("{mark} ok ")).code("; ");
    }
}

/// Takes the script's body from standard input into a private folder, runs it, and removes the
/// folder however it ends. The folder's name is the mark, which nobody can guess.
fn run_script(
    line: &mut Line,
    plan: &Plan,
    script: &Script,
    tmpdir: Option<&str>,
    mark: &str,
    footing: Footing,
) {
    match tmpdir {
        Some(folder) => {
            line.code("d=");
            match folder
                .strip_prefix('~')
                .filter(|rest| rest.is_empty() || rest.starts_with('/'))
            {
                Some(rest) => line.code(r#""$HOME""#).quoted(rest),
                None => line.quoted(folder),
            };
            line.code("/ioms-")
                .code(mark)
                .code(r#"; mkdir -p "${d%/*}" 2>/dev/null; "#)
        }
        None => line
            .code(r#"d="${TMPDIR:-/tmp}/ioms-"#)
            .code(mark)
            .code("\"; "),
    };
    let interpreter = interpreter(script);
    if let Some(program) = interpreter.first() {
        let program = match (program.as_str(), interpreter.get(1)) {
            ("/usr/bin/env", Some(name)) if !name.starts_with('-') => name,
            _ => program,
        };
        line.code("command -v ")
            .quoted(program)
            .code(" >/dev/null 2>&1 || ");
        report(
            line,
            mark,
            "no_such_interpreter",
            &format!("no {program} on the host"),
        );
        line.code("; ");
    }
    line.code(r#"umask 077; mkdir "$d" 2>/dev/null || "#);
    report(
        line,
        mark,
        "remote_io",
        "can't make a private folder for the script; --tmpdir names another place",
    );
    line.code(r#"; trap 'rm -rf "$d"' EXIT; trap 'exit 143' TERM; trap 'exit 130' INT; trap 'exit 129' HUP; "#);
    line.code("f=\"$d\"/").quoted(&script.name).code("; ");
    // Nothing after the body: read to the end. Else byte by byte, as nothing may be read ahead.
    if plan.stdin.is_empty() && !footing.terminal {
        line.code(r#"cat >"$f" 2>/dev/null"#);
    } else {
        line.code(&format!(
            r#"dd ibs=1 obs=65536 count={} of="$f" 2>/dev/null"#,
            script.body.len()
        ));
    }
    line.code(" || ");
    report(
        line,
        mark,
        "no_space",
        "can't write the script into its folder",
    );
    line.code("; chmod 700 \"$f\"; echo ")
        .quoted(&format!("{mark} ok "))
        .code("\"$d\"; ");
    feed(line, plan, footing);
    for word in &interpreter {
        line.quoted(word).code(" ");
    }
    line.code("\"$f\"");
    for argument in &script.args {
        line.code(" ").quoted(argument);
    }
    line.code("; exit $?");
}

/// What runs a script: its first line's interpreter and argument, else its ending's, else `/bin/sh`.
fn interpreter(script: &Script) -> Vec<String> {
    let first = script
        .body
        .split(|b| *b == b'\n')
        .next()
        .unwrap_or_default();
    if let Some(rest) = first.strip_prefix(b"#!") {
        let rest = String::from_utf8_lossy(rest);
        let rest = rest.trim();
        let words: Vec<String> = rest
            .splitn(2, [' ', '\t'])
            .map(|word| word.trim().to_owned())
            .collect();
        if !rest.is_empty() {
            return words;
        }
    }
    let ending = script
        .name
        .rsplit_once('.')
        .map_or("", |(_, ending)| ending);
    let program = match ending {
        "py" => "python3",
        "pl" => "perl",
        "rb" => "ruby",
        "bash" => "bash",
        "ps1" => "pwsh",
        _ => "/bin/sh",
    };
    vec![program.to_owned()]
}

/// The script that ends the shell `process` and all that it is now waiting for, not what earlier programs
/// of it have left running: that is no child of its any more. Else as [`kill`], which also serves where
/// `ps` or `awk` can't tell.
pub(super) fn kill_tree(process: u32, group: u32, mark: &str) -> String {
    let mut line = Line::default();
    line.code(&format!(
        r#"t() {{ {{ ps -A -o pid= -o ppid= 2>/dev/null || ps -o pid,ppid 2>/dev/null; }} | awk -v r={process} '{{ p[$1] = $2 }} END {{ for (i in p) {{ j = i; while (j != r && (j in p)) j = p[j]; if (j == r) printf "%s ", i }} }}' 2>/dev/null; }}; "#
    ));
    line.code(
        "t=$(t); l() { for p in $t; do kill -0 $p 2>/dev/null && return 0; done; return 1; }; ",
    );
    line.code(&format!(
        "if [ -z \"$t\" ]; then {}; else kill -TERM $t 2>/dev/null; i=0; while l && [ $i -lt 20 ]; do \
         sleep 0.1 2>/dev/null || sleep 1; i=$((i+1)); done; kill -KILL $t 2>/dev/null && sleep 0.1 2>/dev/null; \
         if l; then echo {mark} left; else echo {mark} gone; fi; fi",
        kill(group, None, mark).trim_end(),
    ));
    line.finish()
}

/// The script that ends process group `group`: TERM, two seconds, KILL; then removes `folder`. It
/// prints `MARK left` when something is still there, else `MARK gone`. Whether there is, `ps` says
/// where it can: a signal says no such thing of other users' processes.
pub(super) fn kill(group: u32, folder: Option<&str>, mark: &str) -> String {
    let mut line = Line::default();
    line.code(&format!(
        r#"l() {{ p=$(ps -A -o pgid= -o stat= 2>/dev/null); if [ -n "$p" ]; then echo "$p" | grep -q "^ *{group} [^Z]*$"; else kill -0 -{group} 2>/dev/null; fi; }}; "#
    ));
    line.code(&format!(
        "kill -TERM -{group} 2>/dev/null; i=0; while l && [ $i -lt 20 ]; do \
         sleep 0.1 2>/dev/null || sleep 1; i=$((i+1)); done; kill -KILL -{group} 2>/dev/null && sleep 0.1 2>/dev/null; "
    ));
    if let Some(folder) = folder {
        line.code("rm -rf -- ").quoted(folder).code("; ");
    }
    line.code(&format!(
        "if l; then echo {mark} left; else echo {mark} gone; fi"
    ));
    line.finish()
}
