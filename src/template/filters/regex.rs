//! Filters with regular expressions.

use std::sync::Arc;

use fancy_regex::Captures;

use super::super::args::Args;
use super::super::error::{Fail, fail, failure};
use super::super::python;
use super::super::regexes::{Flags, Pattern};
use super::super::val::Val;
use super::{Filter, deep};

pub(super) const ALL: &[Filter] = &[
    deep(
        "regex_replace",
        "value pattern replacement ignorecase multiline count mandatory_count",
        replace,
    ),
    deep("regex_search", "value regex * **", search),
    deep(
        "regex_findall",
        "value regex multiline ignorecase",
        find_all,
    ),
    deep("regex_escape", "string re_type", escape),
];

fn replace(args: &Args<'_>) -> Result<Val, Fail> {
    let text = args.text(0)?;
    let pattern = args.maybe_text(1)?.unwrap_or_else(|| Arc::from(""));
    let replacement = args.maybe_text(2)?.unwrap_or_else(|| Arc::from(""));
    let flags = Flags {
        ignore_case: args.flag(3, false),
        multiline: args.flag(4, false),
    };
    let most = match args.count(5, 0)? {
        0 => usize::MAX,
        most => most,
    };
    let pattern = Pattern::new(&pattern, flags)?;
    let pieces = pieces(&replacement, &pattern)?;
    let mut out = String::new();
    let mut at = 0;
    let mut count = 0;
    for found in pattern.all(&text)?.iter().take(most) {
        let Some(whole) = found.get(0) else { continue };
        out.push_str(text.get(at..whole.start()).unwrap_or_default());
        for piece in &pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Group(group) => {
                    out.push_str(found.get(*group).map_or("", |group| group.as_str()));
                }
            }
        }
        at = whole.end();
        count += 1;
        args.cx
            .run
            .memory(out.len().saturating_sub(text.len()) / 64 + 64)?;
    }
    let wanted = args.count(6, 0)?;
    if wanted > 0 && wanted != count {
        return fail(format!(
            "'{}' should match {wanted} times, but matches {count} times in '{text}'",
            args.text(1)?
        ));
    }
    out.push_str(text.get(at..).unwrap_or_default());
    Ok(Val::from(out))
}

enum Piece {
    Text(String),
    Group(usize),
}

/// `\1`, `\g<1>` and `\g<name>` are groups; `\n` and its like are what they are in Python.
fn pieces(replacement: &str, pattern: &Pattern) -> Result<Vec<Piece>, Fail> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut chars = replacement.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        let group = match chars.next() {
            Some('g') => {
                if chars.next() != Some('<') {
                    return fail("missing <");
                }
                let name: String = chars.by_ref().take_while(|c| *c != '>').collect();
                Some(match name.parse() {
                    Ok(number) => number,
                    Err(_) => pattern
                        .group(&name)
                        .ok_or_else(|| failure(format!("unknown group name '{name}'")))?,
                })
            }
            Some('0') => {
                text.push('\0');
                None
            }
            Some(digit @ '1'..='9') => {
                let mut number = digit.to_digit(10).unwrap_or(0);
                if let Some(second) = chars.next_if(char::is_ascii_digit) {
                    number = number * 10 + second.to_digit(10).unwrap_or(0);
                }
                Some(number as usize)
            }
            Some('n') => {
                text.push('\n');
                None
            }
            Some('t') => {
                text.push('\t');
                None
            }
            Some('r') => {
                text.push('\r');
                None
            }
            Some('\\') => {
                text.push('\\');
                None
            }
            Some(letter) if letter.is_ascii_alphabetic() => {
                return fail(format!("bad escape \\{letter}"));
            }
            Some(other) => {
                text.extend(['\\', other]);
                None
            }
            None => return fail("bad escape (end of pattern)"),
        };
        if let Some(group) = group {
            if group > pattern.groups() {
                return fail(format!("invalid group reference {group}"));
            }
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            pieces.push(Piece::Group(group));
        }
    }
    pieces.push(Piece::Text(text));
    Ok(pieces)
}

fn group(found: &Captures<'_, str>, at: usize) -> Val {
    found
        .get(at)
        .map_or(Val::None, |group| Val::str(group.as_str()))
}

/// Without groups the whole match, with `\\g<name>` or `\\1` a list of them.
fn search(args: &Args<'_>) -> Result<Val, Fail> {
    let mut wanted = Vec::new();
    let pattern = args.text(1)?;
    let word = |name: &str| args.keyword(name).is_some_and(python::truth);
    if let Some((unknown, _)) = args
        .keywords
        .iter()
        .find(|(key, _)| !matches!(&**key, "ignorecase" | "multiline"))
    {
        return fail(format!(
            "regex_search() got an unexpected keyword argument '{unknown}'"
        ));
    }
    let pattern = Pattern::new(
        &pattern,
        Flags {
            ignore_case: word("ignorecase"),
            multiline: word("multiline"),
        },
    )?;
    for value in &args.rest {
        let written = python::text(value)?;
        let name = written
            .strip_prefix("\\g<")
            .and_then(|rest| rest.strip_suffix('>'))
            .or_else(|| written.strip_prefix('\\'));
        let Some(name) = name else {
            return fail("Unknown argument");
        };
        let at = match name.parse::<usize>() {
            Ok(number) if number <= pattern.groups() => number,
            Ok(_) => return fail("no such group"),
            Err(_) => pattern
                .group(name)
                .ok_or_else(|| failure("no such group"))?,
        };
        wanted.push(at);
    }
    let text = args.text(0)?;
    let Some(found) = pattern.captures(&text)? else {
        return Ok(Val::None);
    };
    if wanted.is_empty() {
        return Ok(group(&found, 0));
    }
    Ok(Val::list(
        wanted.into_iter().map(|at| group(&found, at)).collect(),
    ))
}

fn find_all(args: &Args<'_>) -> Result<Val, Fail> {
    let flags = Flags {
        multiline: args.flag(2, false),
        ignore_case: args.flag(3, false),
    };
    let pattern = Pattern::new(&args.text(1)?, flags)?;
    let text = args.text(0)?;
    let groups = pattern.groups();
    let shown = |found: &Captures<'_, str>, at| match group(found, at) {
        Val::None => Val::str(""),
        value => value,
    };
    let found = pattern.all(&text)?;
    args.cx.run.memory(found.len() * size_of::<Val>())?;
    Ok(Val::list(
        found
            .iter()
            .map(|found| match groups {
                0 => shown(found, 0),
                1 => shown(found, 1),
                _ => Val::tuple((1..=groups).map(|at| shown(found, at)).collect()),
            })
            .collect(),
    ))
}

fn escape(args: &Args<'_>) -> Result<Val, Fail> {
    let kind = args.maybe_text(1)?;
    let special = match kind.as_deref().unwrap_or("python") {
        "python" => "()[]{}?*+-|^$\\.&~# \t\n\r\x0b\x0c",
        "posix_basic" => "].[*^$\\",
        "posix_extended" => {
            return fail("Regex type (posix_extended) not yet implemented");
        }
        other => return fail(format!("Invalid regex type ({other})")),
    };
    let mut out = String::new();
    for c in args.text(0)?.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(Val::from(out))
}
