//! From a plan to a program for PowerShell: which parts it has and what they are told. Pure.

use bytes::Bytes;

use super::powershell::{self, Part, Program};
use super::{WindowsShell, cmd, files, quote, script};
use crate::shell::conversation::Failure;
use crate::shell::plan::{Command, Plan, Script};

/// What PowerShell is told for a plan.
pub(super) struct Task {
    /// The program.
    pub(super) program: Program,
    /// What follows on standard input before the user's own.
    pub(super) payload: Bytes,
    /// Whether anything follows.
    pub(super) coded: bool,
    /// Whether it says how its preparations went.
    pub(super) reports: bool,
    /// Whether it makes a folder on the host.
    pub(super) folder: bool,
}

/// Where a session stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Footing<'a> {
    /// In whose words the user's line is.
    pub(super) shell: WindowsShell,
    /// The folder for scripts.
    pub(super) tmpdir: Option<&'a str>,
    /// In a folder that is private already.
    pub(super) nested: bool,
    /// Whether standard input reaches PowerShell as it is sent, and no sooner than it is asked for:
    /// another shell before it may read it by lines.
    pub(super) raw: bool,
}

/// The program for a plan, as the session's own user.
pub(super) fn task(plan: &Plan, footing: Footing<'_>, mark: &str) -> Result<Task, Failure> {
    if plan.tty {
        return Err(Failure::Unsupported(
            "PowerShell is given no terminal: leave --tty away".to_owned(),
        ));
    }
    if let (Command::Files(task), false) = (&plan.command, plan.detach) {
        return files::task(task, footing, mark);
    }
    let fed = !plan.stdin.is_empty();
    let mut task = Task {
        program: Program::new(mark),
        payload: Bytes::new(),
        coded: fed,
        reports: true,
        folder: false,
    };
    if matches!(plan.command, Command::Ping) {
        task.reports = false;
        task.coded = false;
        task.program.parts(&[powershell::EXIT]);
        return Ok(task);
    }
    set_up(&mut task.program, plan, footing);
    if fed {
        task.program.say("fed", "1");
    }
    if plan.detach {
        detached(&mut task.program, plan, footing.shell)?;
        return Ok(task);
    }
    match (&plan.command, footing.shell) {
        (Command::Ping | Command::Files(_), _) => {}
        (Command::Module(module), _) => {
            task.folder = fed;
            let parts = [powershell::INPUT, powershell::CHILD];
            task.program.parts(&parts);
            line_of_powershell(&mut task.program, &module.text, fed);
        }
        (Command::Script(script), _) => scripted(&mut task, script, fed)?,
        (command, WindowsShell::Cmd) => {
            task.program
                .parts(&[powershell::INPUT, powershell::CHILD, powershell::CMDLINE])
                .say("line", cmd_line(command)?);
        }
        (Command::Line(line), WindowsShell::Powershell) => {
            task.folder = fed;
            line_of_powershell(&mut task.program, line, fed);
        }
        (Command::Words(words), WindowsShell::Powershell) => {
            task.folder = fed;
            task.program
                .parts(&[powershell::INPUT, powershell::CHILD, powershell::WORDS]);
            if let Some((program, rest)) = words.split_first() {
                task.program
                    .say("program", program)
                    .say("argline", quote::arguments(rest));
                // A line break is no matter unless it is a batch file.
                if let Ok(line) = quote::cmd_arguments(rest) {
                    task.program.say("cmdline", line);
                }
            }
            line_of_powershell(&mut task.program, &call(words), fed);
        }
    }
    Ok(task)
}

fn set_up(program: &mut Program, plan: &Plan, footing: Footing<'_>) {
    program.parts(&[powershell::FOLDER, powershell::PREPARE]);
    if let Some(folder) = footing.tmpdir {
        program.say("tmpdir", folder);
    }
    if footing.nested {
        program.say("nested", "1");
    }
    if let Some(folder) = &plan.chdir {
        program.say("chdir", folder);
    }
    for (name, value) in &plan.env {
        program.say("env", format!("{name}={value}"));
    }
}

fn scripted(task: &mut Task, script: &Script, fed: bool) -> Result<(), Failure> {
    let parts: &[Part] = &[
        powershell::INPUT,
        powershell::CHILD,
        powershell::TEXT,
        powershell::SCRIPT,
        powershell::LINE,
    ];
    task.program.parts(parts);
    script::say(&mut task.program, script)?;
    task.payload = script.body.clone();
    task.coded = fed || !script.body.is_empty();
    task.folder = true;
    Ok(())
}

fn line_of_powershell(program: &mut Program, line: &str, fed: bool) {
    if fed {
        program.parts(&[powershell::INPUT]);
    }
    program
        .parts(&[powershell::TEXT, powershell::LINE])
        .say("line", line);
}

/// The call of a command of PowerShell's own.
fn call(words: &[String]) -> String {
    words
        .split_first()
        .map(|(name, rest)| {
            format!(
                "& {} {}",
                quote::powershell_text(name),
                quote::powershell_arguments(rest)
            )
        })
        .unwrap_or_default()
}

fn cmd_line(command: &Command) -> Result<String, Failure> {
    let line = cmd::line(command)?;
    if line.contains(['\n', '\r']) || line.encode_utf16().count() > 8000 {
        return Err(Failure::Unsupported(
            "cmd.exe takes one line of at most 8191 characters: make it a script, or use --shell powershell"
                .to_owned(),
        ));
    }
    Ok(line)
}

/// What is started to live on: a program and the line behind its name.
fn detached(program: &mut Program, plan: &Plan, shell: WindowsShell) -> Result<(), Failure> {
    if !plan.stdin.is_empty() {
        return Err(Failure::Unsupported(
            "what is let go of reads nothing: --detach goes without --stdin".to_owned(),
        ));
    }
    let cmd = |line: String| ("cmd.exe".to_owned(), format!("/d /s /c \"{line}\""));
    let is_batch = |name: &str| {
        let ending = name.rsplit('.').next().unwrap_or_default();
        ending.eq_ignore_ascii_case("bat") || ending.eq_ignore_ascii_case("cmd")
    };
    let (file, line) = match (&plan.command, shell) {
        (Command::Words(words), _)
            if words.first().is_some_and(|name| {
                !is_batch(name) && (shell == WindowsShell::Powershell || !cmd::is_built_in(name))
            }) =>
        {
            let (name, rest) = words
                .split_first()
                .map_or_else(Default::default, |(n, r)| (n.clone(), quote::arguments(r)));
            (name, rest)
        }
        (Command::Words(words), _) => cmd(cmd_line(&Command::Words(words.clone()))?),
        (command @ Command::Line(_), WindowsShell::Cmd) => cmd(cmd_line(command)?),
        (Command::Line(line), WindowsShell::Powershell) => {
            ("powershell".to_owned(), powershell::encoded(line))
        }
        (Command::Script(_) | Command::Files(_) | Command::Module(_) | Command::Ping, _) => {
            return Err(Failure::Unsupported(
                "only a command line can be let go of, not a script".to_owned(),
            ));
        }
    };
    let whole = format!("{} {line}", quote::argument(&file));
    if whole.encode_utf16().count() > 30_000 {
        return Err(Failure::Unsupported(
            "the command line is too long to be let go of: put it into a script on the host"
                .to_owned(),
        ));
    }
    program
        .parts(&[
            powershell::INPUT,
            powershell::CHILD,
            powershell::TASK,
            powershell::DETACH,
            powershell::DETACH_RUN,
        ])
        .say("program", file)
        .say("argline", line)
        .say("startline", quote::escaped(&whole))
        .say("commandline", whole);
    Ok(())
}
