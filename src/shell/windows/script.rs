//! By what a script of the user's is run on Windows: by its ending. Pure; the host says whether it
//! has the interpreter.

use super::powershell::Program;
use super::quote;
use crate::shell::conversation::Failure;
use crate::shell::plan::Script;

/// What runs on every Windows, and what is looked for there.
const ENDINGS: &str = ".ps1, .bat, .cmd, .vbs, .js, .wsf, .py, .pl, .rb, .sh, .exe";

/// How a script is run.
#[derive(Debug, PartialEq, Eq)]
struct Way {
    /// How its bytes are fitted: `ps1`, `cmd`, `wsh`, or as they are.
    kind: &'static str,
    /// The programs of which the first that is there runs it; none: it is run itself.
    interpreter: Vec<String>,
    /// What stands before its path.
    flags: String,
}

/// Tells a program of the script.
pub(super) fn say(program: &mut Program, script: &Script) -> Result<(), Failure> {
    let way = way(script)?;
    let mut name = file_name(&script.name);
    if way.kind == "ps1" && !name.to_ascii_lowercase().ends_with(".ps1") {
        name.push_str(".ps1");
    }
    program
        .say("name", name)
        .say("size", script.body.len().to_string())
        .say("kind", way.kind);
    for name in way.interpreter {
        program.say("interpreter", name);
    }
    program.say("flags", way.flags);
    match way.kind {
        "ps1" => program.say("call", quote::powershell_arguments(&script.args)),
        "cmd" => program.say("cmdline", quote::batch_arguments(&script.args)?),
        _ => program.say("argline", quote::arguments(&script.args)),
    };
    Ok(())
}

/// The script's name as a file of Windows: what such names can't hold is `_`.
fn file_name(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_control() || "<>:\"/\\|?*".contains(c) {
                '_'
            } else {
                c
            }
        })
        .collect::<String>()
        .trim_end_matches(['.', ' '])
        .to_owned()
}

fn way(script: &Script) -> Result<Way, Failure> {
    let ending = script
        .name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase())
        .unwrap_or_default();
    let by = |kind, names: &[&str], flags: &str| {
        Ok(Way {
            kind,
            interpreter: names.iter().map(|name| (*name).to_owned()).collect(),
            flags: flags.to_owned(),
        })
    };
    match ending.as_str() {
        "ps1" => by("ps1", &[], ""),
        "bat" | "cmd" => by("cmd", &["cmd.exe"], ""),
        "vbs" | "js" | "wsf" => by("wsh", &["cscript.exe"], "//nologo "),
        "py" => by("plain", &["py", "python", "python3"], ""),
        "pl" => by("plain", &["perl"], ""),
        "rb" => by("plain", &["ruby"], ""),
        "sh" => by("plain", &["sh", "bash"], ""),
        "bash" => by("plain", &["bash"], ""),
        "exe" | "com" => by("plain", &[], ""),
        _ => first_line(script).ok_or_else(|| {
            Failure::NoInterpreter(format!(
                "nothing on Windows runs {}: the ending chooses the interpreter ({ENDINGS})",
                script.name
            ))
        }),
    }
}

/// What the first line names, where the ending says nothing.
fn first_line(script: &Script) -> Option<Way> {
    let first = script.body.split(|b| *b == b'\n').next()?;
    let rest = String::from_utf8_lossy(first.strip_prefix(b"#!")?).into_owned();
    let mut words = rest.split_whitespace();
    let mut program = words.next()?;
    if program.ends_with("/env") {
        program = words.find(|word| !word.starts_with('-'))?;
    }
    let name = program.rsplit('/').next()?;
    let (kind, names): (_, &[&str]) = match name {
        "pwsh" | "powershell" => ("ps1", &[]),
        "python" | "python3" | "python2" => ("plain", &["py", "python", "python3"]),
        other => ("plain", &[other]),
    };
    Some(Way {
        kind,
        interpreter: names.iter().map(|name| (*name).to_owned()).collect(),
        flags: words.fold(String::new(), |flags, word| {
            flags + &quote::argument(word) + " "
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(name: &str, body: &'static str) -> Script {
        Script {
            name: name.to_owned(),
            body: body.into(),
            args: Vec::new(),
        }
    }

    #[test]
    fn the_ending_chooses_and_the_first_line_where_there_is_none() {
        let chosen = |name, body| way(&script(name, body)).unwrap();
        assert_eq!(chosen("a.PS1", "#!/bin/sh").kind, "ps1");
        assert_eq!(chosen("a.b.cmd", "").interpreter, ["cmd.exe"]);
        assert_eq!(chosen("a.vbs", "").flags, "//nologo ");
        assert_eq!(chosen("a.exe", "MZ").interpreter, [""; 0]);
        let py = chosen("tool", "#!/usr/bin/env -S python3 -u\n");
        assert_eq!(
            (py.interpreter[0].as_str(), py.flags.as_str()),
            ("py", "-u ")
        );
        assert_eq!(chosen("tool", "#!/bin/bash\r\n").interpreter, ["bash"]);
        assert_eq!(chosen("tool", "#!/usr/bin/env pwsh").kind, "ps1");
    }

    #[test]
    fn what_nothing_runs_is_told_with_the_endings_that_work() {
        let refused = way(&script("notes.txt", "hello")).unwrap_err();
        assert!(
            matches!(refused, Failure::NoInterpreter(why) if why.contains(".ps1") && why.contains("notes.txt"))
        );
    }

    #[test]
    fn a_name_that_windows_can_not_have_is_made_one() {
        assert_eq!(file_name("a:b?.ps1"), "a_b_.ps1");
        assert_eq!(file_name("安装 1.ps1"), "安装 1.ps1");
    }
}
