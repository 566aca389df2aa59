//! What commands have in common: words as Python's `shlex` cuts them, and results as Ansible shapes
//! them.

use super::super::args::display;
use super::super::call::{Call, Controller, Platform, Said};
use super::super::error::ModuleError;
use super::Hook;
use crate::base::shlex;
use crate::base::text;
use crate::base::value::{Map, Value};
use crate::shell::windows;

pub(super) struct Command;

impl Hook for Command {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        if call.situation.platform == Platform::Windows {
            return windows_line(call);
        }
        if !call.params.contains_key("argv") {
            let line = call.text("cmd").unwrap_or_default();
            let words = shlex::split(line, false)
                .map_err(|why| ModuleError::of("cmd", format!("`{line}`: {why}")))?;
            let words = words.into_iter().map(|word| Value::Unsafe(word.into()));
            let words = Value::List(words.collect());
            call.params.insert("argv".into(), words);
        }
        match call.params.get("argv") {
            Some(Value::List(words)) if words.is_empty() => {
                Err(ModuleError::new("no command given"))
            }
            Some(words) => {
                call.known.insert("cmd".into(), words.clone());
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn conclude(&self, call: &Call, said: &Said, result: &mut Map) {
        outputs(call, said, result);
    }
}

/// A command as Windows has it.
pub(super) struct WindowsCommand {
    /// The program, as it is written.
    pub(super) program: String,
    /// What follows its name.
    pub(super) line: String,
    /// The whole, for messages.
    pub(super) shown: String,
    /// The words, where they were given as such.
    pub(super) words: Option<Vec<String>>,
}

/// The command that `argv` or `cmd` is.
pub(super) fn windows_command(call: &Call) -> Result<WindowsCommand, ModuleError> {
    let nothing = || ModuleError::new("no command given");
    let command = if let Some(Value::List(words)) = call.params.get("argv") {
        let words: Vec<String> = words.iter().map(display).collect();
        let (first, rest) = words.split_first().ok_or_else(nothing)?;
        WindowsCommand {
            program: first.clone(),
            line: windows::arguments(rest),
            shown: windows::arguments(&words),
            words: Some(words),
        }
    } else {
        let shown = call.text("cmd").unwrap_or_default().trim().to_owned();
        let quoted = shown
            .strip_prefix('"')
            .and_then(|rest| rest.split_once('"'));
        let plain = || shown.split_once([' ', '\t']).unwrap_or((&shown, ""));
        let (program, line) = quoted.unwrap_or_else(plain);
        WindowsCommand {
            program: program.to_owned(),
            line: line.trim_start().to_owned(),
            words: None,
            shown,
        }
    };
    if command.program.is_empty() {
        return Err(nothing());
    }
    Ok(command)
}

/// On Windows a program gets the rest of its line as it is, and cuts it itself; of words a line is
/// made that it cuts so.
fn windows_line(call: &mut Call) -> Result<(), ModuleError> {
    let command = windows_command(call)?;
    let ending = command.program.rsplit('.').next().unwrap_or_default();
    let is_batch = ending.eq_ignore_ascii_case("bat") || ending.eq_ignore_ascii_case("cmd");
    let batch = match &command.words {
        None => command.line.clone(),
        Some(words) => match windows::batch_arguments(words.get(1..).unwrap_or_default()) {
            Ok(line) => line,
            Err(_) if is_batch => {
                let why = "a word can't be handed to a batch file as it is";
                return Err(ModuleError::of("argv", why));
            }
            Err(_) => String::new(),
        },
    };
    call.add("program", command.program);
    call.add("line", command.line);
    call.add("batch", batch);
    call.known
        .insert("cmd".into(), Value::Unsafe(command.shown.into()));
    Ok(())
}

pub(super) struct Shell;

impl Hook for Shell {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        if let Some(line) = call.params.get("cmd").cloned() {
            call.known.insert("cmd".into(), line);
        }
        Ok(())
    }

    fn conclude(&self, call: &Call, said: &Said, result: &mut Map) {
        outputs(call, said, result);
    }
}

/// What programs return: outputs, times, and failure where the status is not 0.
pub(super) fn outputs(call: &Call, said: &Said, result: &mut Map) {
    if result.get("skipped") == Some(&Value::Bool(true)) || !result.contains_key("rc") {
        return;
    }
    if !result.contains_key("stderr") {
        let decoded = text::decode(&said.stderr, said.charset(call.situation.charset));
        result.insert("stderr".into(), Value::Unsafe(decoded.text.into()));
    }
    for stream in ["stdout", "stderr"] {
        let trimmed = match result.get(stream).and_then(Value::as_str) {
            Some(text) if call.params.get("strip_empty_ends") != Some(&Value::Bool(false)) => {
                Value::Unsafe(text.trim_end_matches(['\r', '\n']).into())
            }
            _ => continue,
        };
        result.insert(stream.into(), trimmed);
    }
    if result.get("rc") != Some(&Value::Int(0)) && !result.contains_key("failed") {
        result.insert("failed".into(), Value::Bool(true));
        result.insert("msg".into(), Value::Unsafe("non-zero return code".into()));
    }
    result
        .entry("msg".into())
        .or_insert_with(|| Value::Unsafe("".into()));
    if let Some((began, took)) = said.time {
        let ended = began.checked_add(took).unwrap_or(began);
        result.insert("start".into(), Value::Unsafe(stamp(began).into()));
        result.insert("end".into(), Value::Unsafe(stamp(ended).into()));
        let (seconds, micros) = (took.as_secs(), took.subsec_micros());
        let delta = format!(
            "{}:{:02}:{:02}.{micros:06}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        );
        result.insert("delta".into(), Value::Unsafe(delta.into()));
    }
}

/// `2026-11-25 23:05:12.000001`, in the controller's time.
fn stamp(at: jiff::Timestamp) -> String {
    let zoned = at.to_zoned(jiff::tz::TimeZone::system());
    zoned.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}
