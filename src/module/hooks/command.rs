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

/// On Windows a program gets the rest of its line as it is, and cuts it itself; of words a line is
/// made that it cuts so.
fn windows_line(call: &mut Call) -> Result<(), ModuleError> {
    let (program, line, batch, shown);
    if let Some(Value::List(words)) = call.params.get("argv") {
        let words: Vec<String> = words.iter().map(display).collect();
        let Some((first, rest)) = words.split_first() else {
            return Err(ModuleError::new("no command given"));
        };
        program = first.clone();
        line = windows::arguments(rest);
        batch = windows::batch_arguments(rest).map_err(|_| {
            ModuleError::of("argv", "a word can't be handed to a batch file as it is")
        });
        shown = windows::arguments(&words);
    } else {
        shown = call.text("cmd").unwrap_or_default().trim().to_owned();
        let (first, rest) = match shown
            .strip_prefix('"')
            .and_then(|rest| rest.split_once('"'))
        {
            Some(parts) => parts,
            None => shown
                .split_once([' ', '\t'])
                .unwrap_or((shown.as_str(), "")),
        };
        program = first.to_owned();
        line = rest.trim_start().to_owned();
        batch = Ok(line.clone());
    }
    if program.is_empty() {
        return Err(ModuleError::new("no command given"));
    }
    let is_batch = program.rsplit('.').next().is_some_and(|ending| {
        ending.eq_ignore_ascii_case("bat") || ending.eq_ignore_ascii_case("cmd")
    });
    let batch = match batch {
        Err(error) if is_batch => return Err(error),
        batch => batch.unwrap_or_default(),
    };
    for (name, text) in [("program", program), ("line", line), ("batch", batch)] {
        call.extra.insert(name.into(), Value::Unsafe(text.into()));
    }
    call.known.insert("cmd".into(), Value::Unsafe(shown.into()));
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
