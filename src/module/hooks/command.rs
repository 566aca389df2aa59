//! What commands have in common: words as Python's `shlex` cuts them, and results as Ansible shapes
//! them.

use super::super::call::{Call, Controller, Said};
use super::super::error::ModuleError;
use super::Hook;
use crate::base::shlex;
use crate::base::text;
use crate::base::value::{Map, Value};

pub(super) struct Command;

impl Hook for Command {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
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
    let decoded = text::decode(&said.stderr, call.situation.charset);
    result.insert("stderr".into(), Value::Unsafe(decoded.text.into()));
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
