//! How contents differ: what modules say under `--diff`, as unified differences.

use std::io;
use std::time::Duration;

use serde_json::Value;
use similar::TextDiff;

use super::super::Context;
use super::python_json;
use super::{Tone, say, style};
use crate::base::text::terminal_safe;

/// After so long a difference need no longer be the smallest.
const PATIENCE: Duration = Duration::from_millis(500);

/// Writes a result's differences: one, or a list of them.
pub(super) fn write(cx: &mut Context, diff: &Value) -> io::Result<()> {
    let all = match diff {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut any = false;
    for diff in all {
        any |= one(cx, diff)?;
    }
    if any {
        cx.screen.out(|out| out.write_all(b"\n"))?;
    }
    Ok(())
}

fn one(cx: &mut Context, diff: &Value) -> io::Result<bool> {
    for (mark, text) in [
        (
            "dst_binary",
            "diff skipped: destination file appears to be binary",
        ),
        (
            "src_binary",
            "diff skipped: source file appears to be binary",
        ),
        ("dst_larger", "diff skipped: destination file is too large"),
        ("src_larger", "diff skipped: source file is too large"),
    ] {
        if diff.get(mark).is_some() {
            say(cx, Tone::Skipped, text)?;
            return Ok(true);
        }
    }
    if let Some(prepared) = diff.get("prepared").and_then(Value::as_str) {
        unified(cx, prepared)?;
        return Ok(true);
    }
    let (Some(before), Some(after)) = (diff.get("before"), diff.get("after")) else {
        return Ok(false);
    };
    let (before, after) = (content(before), content(after));
    if before == after {
        return Ok(false);
    }
    let header = |word: &str, name: &str| match diff.get(name).and_then(Value::as_str) {
        Some(header) => format!("{word}: {header}"),
        None => word.to_owned(),
    };
    let text = TextDiff::configure()
        .timeout(PATIENCE)
        .diff_lines(&before, &after)
        .unified_diff()
        .context_radius(3)
        .header(
            &header("before", "before_header"),
            &header("after", "after_header"),
        )
        .to_string();
    unified(cx, &text)?;
    Ok(true)
}

/// A content as text: structures as JSON.
fn content(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => python_json::write(other, true) + "\n",
    }
}

fn unified(cx: &mut Context, text: &str) -> io::Result<()> {
    let tones = [Tone::Ok, Tone::Failed, Tone::Skipped].map(|tone| style(cx, tone));
    let [added, removed, place] = tones;
    let plain = anstyle::Style::new();
    let text = terminal_safe(text).into_owned();
    cx.screen.out(|out| {
        for line in text.lines() {
            let style = match line.as_bytes().first() {
                Some(b'+') => added,
                Some(b'-') => removed,
                Some(b'@') => place,
                _ => plain,
            };
            writeln!(out, "{style}{line}{style:#}")?;
        }
        Ok(())
    })
}
