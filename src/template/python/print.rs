//! Values as text: `str()` and `repr()` of Python's, and what a template prints.

use std::fmt::Write as _;
use std::sync::Arc;

use super::super::error::Fail;
use super::super::eval::{Context, defined, undefined};
use super::super::lower::Form;
use super::super::object::Object;
use super::super::val::{Key, Undef, Val};
use super::{float_text, moment_text};

/// Python's `str()`. What is undefined, also within, is an error.
pub(in super::super) fn text(value: &Val) -> Result<Arc<str>, Fail> {
    match value {
        Val::Str(text) => Ok(text.clone()),
        Val::Undefined(why) => Err(undefined(why)),
        Val::List(_) | Val::Tuple(_) | Val::Dict(_) => {
            if let Some(why) = undefined_within(value) {
                return Err(undefined(&why));
            }
            Ok(Arc::from(repr(value)))
        }
        Val::Object(object) => match &**object {
            Object::Moment(at, zone) => Ok(Arc::from(moment_text(*at, *zone, ' '))),
            _ => Ok(Arc::from(repr(value))),
        },
        other => Ok(Arc::from(repr(other))),
    }
}

/// The first member that is undefined.
pub(in super::super) fn undefined_within(value: &Val) -> Option<Arc<Undef>> {
    match value {
        Val::Undefined(why) => Some(why.clone()),
        Val::List(list) => list.read().iter().find_map(undefined_within),
        Val::Tuple(items) => items.iter().find_map(undefined_within),
        Val::Dict(dict) => dict.read().values().find_map(undefined_within),
        _ => None,
    }
}

/// Python's `repr()`.
pub(in super::super) fn repr(value: &Val) -> String {
    let mut out = String::new();
    write_repr(value, &mut out);
    out
}

fn write_repr(value: &Val, out: &mut String) {
    match value {
        Val::Undefined(_) => out.push_str("Undefined"),
        Val::None => out.push_str("None"),
        Val::Omit => out.push_str("<<Omit>>"),
        Val::Bool(true) => out.push_str("True"),
        Val::Bool(false) => out.push_str("False"),
        Val::Int(number) => _ = write!(out, "{number}"),
        Val::Float(number) => out.push_str(&float_text(*number)),
        Val::Str(text) => quoted(text, out),
        Val::List(list) => sequence(list.read().iter(), ['[', ']'], out),
        Val::Tuple(items) => {
            if let [only] = &**items {
                out.push('(');
                write_repr(only, out);
                out.push_str(",)");
            } else {
                sequence(items.iter(), ['(', ')'], out);
            }
        }
        Val::Dict(dict) => {
            out.push('{');
            for (at, (Key(key), value)) in dict.read().iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write_repr(key, out);
                out.push_str(": ");
                write_repr(value, out);
            }
            out.push('}');
        }
        Val::Lazy(_) | Val::Thunk(_) => _ = write!(out, "<{}>", value.type_name()),
        Val::Object(object) => match &**object {
            Object::Moment(at, zone) => {
                _ = write!(out, "datetime({})", moment_text(*at, *zone, ' '));
            }
            other => _ = write!(out, "<{}>", other.type_name()),
        },
    }
}

fn sequence<'a>(items: impl Iterator<Item = &'a Val>, marks: [char; 2], out: &mut String) {
    out.push(marks[0]);
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write_repr(item, out);
    }
    out.push(marks[1]);
}

fn quoted(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || (0x7f..0xa1).contains(&(c as u32)) || c == '\u{ad}' => {
                _ = write!(out, "\\x{:02x}", c as u32);
            }
            '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => {
                _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

/// A value as it leaves a template: tuples are lists, what is to be omitted is gone.
pub(in super::super) fn finalized(value: &Val) -> Val {
    match value {
        Val::Tuple(items) => Val::list(kept(items.iter())),
        Val::List(list) => Val::list(kept(list.read().iter())),
        Val::Dict(dict) => Val::dict(
            dict.read()
                .iter()
                .filter(|(_, value)| !matches!(value, Val::Omit))
                .map(|(key, value)| (key.clone(), finalized(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn kept<'a>(items: impl Iterator<Item = &'a Val>) -> Vec<Val> {
    items
        .filter(|item| !matches!(item, Val::Omit))
        .map(finalized)
        .collect()
}

/// What statements printed, as text: what a macro gives, or a `{% set %}` block.
pub(in super::super) fn captured(cx: &Context<'_>, out: Vec<Val>) -> Result<Val, Fail> {
    native(cx, out).map(|value| value.unwrap_or_else(|| Val::str("")))
}

/// One thing printed is itself; several are joined as text. Nothing is nothing.
fn native(cx: &Context<'_>, mut out: Vec<Val>) -> Result<Option<Val>, Fail> {
    if out.len() > 1 {
        out.retain(|node| !node.is_none());
    }
    if out.len() <= 1 {
        return Ok(out.pop());
    }
    joined(cx, &out).map(|text| Some(Val::from(text)))
}

fn joined(cx: &Context<'_>, out: &[Val]) -> Result<String, Fail> {
    let mut whole = String::new();
    for node in out {
        let piece = match node {
            Val::Undefined(why) if why.lenient => continue,
            Val::Str(text) => text.clone(),
            Val::None | Val::Omit => continue,
            other => text(&finalized(&cx.settle(other)?))?,
        };
        cx.run.memory(piece.len())?;
        whole.push_str(&piece);
    }
    Ok(whole)
}

/// The value of a whole template; of its source the line ends count, as they were written.
pub(in super::super) fn concatenate(
    cx: &Context<'_>,
    out: Vec<Val>,
    form: &Form,
    source: &str,
) -> Result<Val, Fail> {
    let value = match form {
        Form::Expression => out.into_iter().next().map_or(Ok(Val::None), defined)?,
        Form::Value => native(cx, out)?.unwrap_or(Val::None),
        Form::File(_) => Val::from(joined(cx, &out)?),
    };
    let keeps = match form {
        Form::Expression => false,
        Form::Value => true,
        Form::File(options) => options.keep_trailing_newline,
    };
    match value {
        Val::Str(text) if keeps => {
            let newline = match form {
                Form::File(options) => &*options.newline,
                _ => "\n",
            };
            // As Ansible counts: `\n` alone, so that of several `\r\n` only the last is one.
            let ending = |text: &str| text.len() - text.trim_end_matches('\n').len();
            let lost = ending(source).saturating_sub(ending(&text));
            if lost == 0 {
                return Ok(Val::Str(text));
            }
            Ok(Val::from(format!("{text}{}", newline.repeat(lost))))
        }
        Val::Undefined(why) => Err(undefined(&why)),
        other => Ok(other),
    }
}
