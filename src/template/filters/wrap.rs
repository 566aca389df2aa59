//! Breaking text into lines, as Python's `textwrap` does with the settings that Jinja gives it.

use super::super::args::Args;
use super::super::error::Fail;
use super::super::python;
use super::super::val::Val;

pub(super) fn wordwrap(args: &Args<'_>) -> Result<Val, Fail> {
    let text = args.text(0)?;
    let width = args.count(1, 79)?.max(1);
    let break_long = args.flag(2, true);
    let between = args.maybe_text(3)?;
    let between = between.as_deref().unwrap_or("\n");
    let hyphens = args.flag(4, true);
    let lines: Vec<String> = python::splitlines(&text, false)
        .iter()
        .map(|line| wrapped(line, width, break_long, hyphens).join(between))
        .collect();
    Ok(Val::from(lines.join(between)))
}

/// Words and the blanks between them; with hyphens a word ends behind one.
fn chunks(line: &str, hyphens: bool) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    let mut last_space = None;
    for c in line.chars() {
        let space = python::is_space(c);
        let broken = hyphens
            && !space
            && chunks.last().is_some_and(|chunk| {
                let mut letters = chunk.chars().rev();
                letters.next() == Some('-') && letters.next().is_some_and(char::is_alphabetic)
            })
            && c.is_alphabetic();
        match chunks.last_mut() {
            Some(chunk) if last_space == Some(space) && !broken => chunk.push(c),
            _ => chunks.push(c.to_string()),
        }
        last_space = Some(space);
    }
    chunks
}

fn wrapped(line: &str, width: usize, break_long: bool, hyphens: bool) -> Vec<String> {
    let mut rest: std::collections::VecDeque<String> = chunks(line, hyphens).into();
    let mut lines = Vec::new();
    let length = |text: &str| text.chars().count();
    let blank = |text: &str| text.chars().all(python::is_space);
    while !rest.is_empty() {
        let mut current = String::new();
        if !lines.is_empty() && rest.front().is_some_and(|chunk| blank(chunk)) {
            rest.pop_front();
        }
        while let Some(chunk) = rest.front() {
            if length(&current) + length(chunk) > width {
                break;
            }
            current.push_str(&rest.pop_front().unwrap_or_default());
        }
        if let Some(chunk) = rest.front().filter(|chunk| length(chunk) > width).cloned() {
            if break_long {
                let space = width.saturating_sub(length(&current)).max(1);
                let at = chunk
                    .char_indices()
                    .nth(space)
                    .map_or(chunk.len(), |(at, _)| at);
                let (head, tail) = chunk.split_at(at);
                current.push_str(head);
                rest.pop_front();
                rest.push_front(tail.to_owned());
            } else if current.is_empty() {
                current.push_str(&chunk);
                rest.pop_front();
            }
        }
        let trimmed = current.trim_end_matches(python::is_space);
        if !trimmed.is_empty() || (lines.is_empty() && rest.is_empty() && !current.is_empty()) {
            lines.push(trimmed.to_owned());
        }
    }
    lines
}
