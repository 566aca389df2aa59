//! A module's program for Unix shells: the prelude and what else it leans on, the parameters as variables,
//! the script. Dash, busybox and the shells of old systems understand it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use rust_embed::RustEmbed;

use super::args::display;
use super::call::Call;
use super::error::ModuleError;
use super::spec::Type;
use crate::base::value::{Map, Value};
use crate::shell::Part;
use crate::shell::quote::word;

/// What programs lean on: `begin` is how each begins, all others define functions and do nothing.
#[derive(RustEmbed)]
#[folder = "src/module/posix"]
struct Parts;

/// How each program begins.
const BEGIN: &str = "begin";

/// Room for a program's variables, in bytes; most have less.
const VARIABLES: usize = 2048;

/// The program of a call: its parts and what comes after them. Its frames begin with `mark`; `script` is
/// [`lean`], and a part too where it is one of ours.
pub(super) fn program(
    call: &Call,
    script: &str,
    mark: &str,
    ours: bool,
) -> Result<(Vec<Part>, String), ModuleError> {
    let used = call.module.uses.iter().map(String::as_str);
    let mut parts: Vec<Part> = std::iter::once("prelude")
        .chain(used.filter(|name| has_part(name)))
        .map(part)
        .collect::<Result<_, _>>()?;
    let begin = part(BEGIN)?.text;
    let length = if ours { 0 } else { script.len() };
    let mut text = String::with_capacity(begin.len() + length + VARIABLES);
    let flag = |flag: bool| if flag { "1" } else { "" };
    let _ = writeln!(
        text,
        "ioms_mark={mark} check={} diff={} ioms_given={}",
        flag(call.situation.check),
        flag(call.situation.diff),
        flag(call.payload.is_some() || call.asks())
    );
    text.push_str(&begin);
    for (name, kind, value) in call.typed() {
        variable(&mut text, &format!("p_{name}"), kind, value)?;
    }
    for (name, value) in &call.extra {
        variable(&mut text, &format!("x_{name}"), Type::Raw, Some(value))?;
    }
    if let Some(payload) = &call.payload {
        let _ = writeln!(
            text,
            "payload_size={} payload_md5={} payload_here={}",
            payload.size,
            crate::base::digest::hex(&payload.md5),
            flag(payload.travels_along().is_some())
        );
    }
    if ours {
        let function = format!("ioms_do_{}", call.module.name);
        let define = || format!("{function}() {{\n{script}}}\n");
        parts.push(known(&function, || Ok(define()))?);
        let _ = writeln!(text, "{function}");
    } else {
        text.push_str(script);
    }
    // What ends otherwise did not come to its end.
    text.push_str("exit 0\n");
    Ok((parts, text))
}

/// An answer's beginning: variables, and how much content follows. Read line by line to the mark.
pub(super) fn answer(variables: &Map, size: u64, mark: &str) -> String {
    let mut text = format!("answer_size={size}\n");
    for (name, value) in variables {
        let variable = variable(&mut text, &format!("r_{name}"), Type::Raw, Some(value));
        if let Err(error) = variable {
            text = format!(
                "answer_size=0 r_verdict=fail r_msg={}\n",
                word(&error.message)
            );
            break;
        }
    }
    let _ = writeln!(text, "{mark}");
    text
}

/// Whether there is such a part for modules to lean on; one that is not may be Windows'.
pub(super) fn has_part(name: &str) -> bool {
    name != BEGIN && Parts::get(&format!("{name}.sh")).is_some()
}

/// A part of the folder, lean.
fn part(name: &str) -> Result<Part, ModuleError> {
    known(name, || {
        let file = Parts::get(&format!("{name}.sh"))
            .ok_or_else(|| ModuleError::new(format!("there is no part `{name}` for modules")))?;
        Ok(lean(&String::from_utf8_lossy(&file.data)))
    })
}

/// The part of this name; each is made once.
fn known(
    name: &str,
    make: impl FnOnce() -> Result<String, ModuleError>,
) -> Result<Part, ModuleError> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Part>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(part) = known.get(name) {
        return Ok(part.clone());
    }
    let part = Part {
        name: name.into(),
        text: make()?.into(),
    };
    known.insert(name.to_owned(), part.clone());
    Ok(part)
}

/// A script without its comments and indentation: hosts read it byte by byte. A line in a text that
/// must keep its blanks can't begin with them.
pub(super) fn lean(script: &str) -> String {
    let mut text = String::with_capacity(script.len());
    for line in script.lines() {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// A variable of the program; one that was not given is unset. Lists and mappings are words for
/// `eval "set -- $p_name"`.
fn variable(
    text: &mut String,
    name: &str,
    kind: Type,
    value: Option<&Value>,
) -> Result<(), ModuleError> {
    let _ = match value {
        None | Some(Value::Null) => writeln!(text, "unset {name}"),
        Some(Value::List(items)) => writeln!(text, "{name}={}", word(&words(items)?)),
        Some(Value::Map(map)) => {
            let mut parts = Vec::new();
            for (key, value) in map {
                parts.push(Value::Unsafe(key.clone()));
                parts.push(value.clone());
            }
            writeln!(text, "{name}={}", word(&words(&parts)?))
        }
        Some(Value::Bool(flag)) => writeln!(text, "{name}={}", if *flag { "1" } else { "" }),
        Some(scalar) => {
            let shown = plain(&display(scalar))?;
            match shown.strip_prefix('~').filter(|_| kind == Type::Path) {
                Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                    writeln!(text, "{name}=\"$HOME\"{}", quoted(rest))
                }
                _ => writeln!(text, "{name}={}", word(&shown)),
            }
        }
    };
    Ok(())
}

fn quoted(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        word(text)
    }
}

/// Values as shell words on one line; what is in them of lists and mappings, as JSON.
fn words(items: &[Value]) -> Result<String, ModuleError> {
    let words: Result<Vec<String>, ModuleError> = items
        .iter()
        .map(|item| {
            let shown = match item {
                Value::Bool(flag) => if *flag { "1" } else { "" }.to_owned(),
                Value::List(_) | Value::Map(_) => item.to_json().to_string(),
                scalar => display(scalar),
            };
            Ok(word(&plain(&shown)?))
        })
        .collect();
    Ok(words?.join(" "))
}

/// A text that a shell's variable can hold.
fn plain(text: &str) -> Result<String, ModuleError> {
    if text.contains('\0') {
        return Err(ModuleError::new(
            "an argument holds a zero byte, which no shell can hold",
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::module::library;

    /// All parts but how programs begin: name and text.
    fn definitions() -> impl Iterator<Item = (String, String)> {
        let names = Parts::iter().map(|file| file.trim_end_matches(".sh").to_owned());
        names
            .filter(|name| name != BEGIN)
            .map(|name| (name.clone(), part(&name).unwrap().text.to_string()))
    }

    #[test]
    fn parts_define_functions_and_do_nothing() {
        // Names alone: some shells have variables that are another value each time.
        let variables = |text: &str| {
            let output = std::process::Command::new("/bin/sh")
                .args([
                    "-c",
                    r#"eval "$0"; t=; set | sed -n 's/^\([A-Za-z_0-9]*\)=.*/\1/p'"#,
                    text,
                ])
                .env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap_or_default())
                .output()
                .unwrap();
            assert!(output.status.success() && output.stderr.is_empty());
            let names = String::from_utf8(output.stdout).unwrap();
            names.lines().map(str::to_owned).collect::<HashSet<_>>()
        };
        let none = variables(":");
        assert!(none.contains("t"));
        for (name, text) in definitions() {
            assert_eq!(variables(&text), none, "{name}");
        }
    }

    /// The functions that a text defines.
    fn functions(text: &str) -> impl Iterator<Item = &str> {
        let lines = text.lines();
        let functions = lines.filter_map(|line| line.trim_start().split_once("() {"));
        functions.map(|(function, _)| function)
    }

    #[test]
    fn no_two_parts_define_the_same_function() {
        let mut of = HashMap::new();
        for (name, text) in definitions() {
            for function in functions(&text) {
                let before = of.insert(function.to_owned(), name.clone());
                assert!(before.is_none(), "{function}: {name} and {before:?}");
            }
        }
        assert!(of.len() > 100);
        // In a shell that is shared a module finds the parts of all before it. Those it uses it may change.
        for module in library::names().filter_map(|name| library::builtin(&name)) {
            for function in functions(module.posix.as_deref().unwrap_or_default()) {
                let part = of.get(function);
                let ours = part.is_none_or(|part| module.uses.contains(part));
                assert!(ours, "{function} in {} and in {part:?}", module.name);
            }
        }
    }
}
