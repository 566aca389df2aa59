//! Methods of text.

use std::sync::Arc;

use super::super::args::Keywords;
use super::super::error::{Fail, fail};
use super::super::eval::{Context, defined};
use super::super::val::Val;
use super::methods::method_args;
use super::strings::{
    capitalize, find, is_space, rsplit_whitespace, split_whitespace, splitlines, swapcase, title,
};
use super::{int, slice, text};

/// Calls a method of a text.
pub(super) fn call(
    cx: &Context<'_>,
    whole: &Arc<str>,
    name: &str,
    positional: Vec<Val>,
    keywords: Keywords,
) -> Result<Val, Fail> {
    let word = |text: String| Ok(Val::from(text));
    let yes = |found: bool| Ok(Val::Bool(found));
    if name == "format" {
        let member = |value: &Val, key: &str, item: bool| {
            let key = match key.parse::<i64>() {
                Ok(number) if item => Val::from(number),
                _ => Val::str(key),
            };
            defined(cx.item(value, &key)?)
        };
        let positional = positional
            .iter()
            .map(|value| cx.settle(value))
            .collect::<Result<Vec<_>, _>>()?;
        let formatted = super::str_format(whole, &positional, &keywords, &member)?;
        cx.run.memory(formatted.len())?;
        return word(formatted);
    }
    let all = |test: fn(char) -> bool| !whole.is_empty() && whole.chars().all(test);
    let cased = |test: fn(char) -> bool| {
        whole.chars().any(char::is_alphabetic)
            && whole
                .chars()
                .filter(|c| c.is_uppercase() || c.is_lowercase())
                .all(test)
    };
    match name {
        "upper" => return word(whole.to_uppercase()),
        "lower" | "casefold" => return word(whole.to_lowercase()),
        "capitalize" => return word(capitalize(whole)),
        "title" => return word(title(whole)),
        "swapcase" => return word(swapcase(whole)),
        "isdigit" | "isdecimal" | "isnumeric" => return yes(all(char::is_numeric)),
        "isalpha" => return yes(all(char::is_alphabetic)),
        "isalnum" => return yes(all(char::is_alphanumeric)),
        "isspace" => return yes(all(is_space)),
        "isascii" => return yes(whole.is_ascii()),
        "isupper" => return yes(cased(char::is_uppercase)),
        "islower" => return yes(cased(char::is_lowercase)),
        "istitle" => return yes(!whole.is_empty() && title(whole) == **whole),
        "isidentifier" => {
            let begins = whole.starts_with(|c: char| c.is_alphabetic() || c == '_');
            return yes(begins && whole.chars().all(|c| c.is_alphanumeric() || c == '_'));
        }
        "join" => {
            let args = method_args(cx, "join", "iterable", positional, keywords)?;
            let joined = args
                .items(0)?
                .iter()
                .map(|item| match item {
                    Val::Str(text) => Ok(text.clone()),
                    other => fail(format!(
                        "sequence item: expected str instance, {} found",
                        other.type_name()
                    )),
                })
                .collect::<Result<Vec<_>, _>>()?
                .join(whole);
            cx.run.memory(joined.len())?;
            return word(joined);
        }
        _ => {}
    }
    with_arguments(cx, whole, name, positional, keywords)
}

/// The methods that take arguments.
#[expect(clippy::too_many_lines, reason = "one arm a method")]
fn with_arguments(
    cx: &Context<'_>,
    whole: &Arc<str>,
    name: &str,
    positional: Vec<Val>,
    keywords: Keywords,
) -> Result<Val, Fail> {
    let word = |text: String| Ok(Val::from(text));
    let yes = |found: bool| Ok(Val::Bool(found));
    let args = match name {
        "split" | "rsplit" => method_args(cx, "split", "sep maxsplit", positional, keywords)?,
        "splitlines" => method_args(cx, "splitlines", "keepends", positional, keywords)?,
        "replace" => method_args(cx, "replace", "old new count", positional, keywords)?,
        "center" | "ljust" | "rjust" | "zfill" => {
            method_args(cx, "center", "width fillchar", positional, keywords)?
        }
        _ => method_args(cx, "str", "sub start end", positional, keywords)?,
    };
    match name {
        "split" | "rsplit" => {
            let most = usize::try_from(args.int(1, -1)?).ok();
            Ok(texts(split(
                whole,
                args.maybe_text(0)?.as_deref(),
                most,
                name == "rsplit",
            )?))
        }
        "splitlines" => Ok(texts(splitlines(whole, args.flag(0, false)))),
        "strip" | "lstrip" | "rstrip" => {
            let chars = args.maybe_text(0)?;
            let gone = |c: char| {
                chars
                    .as_ref()
                    .map_or_else(|| is_space(c), |set| set.contains(c))
            };
            let text: &str = whole;
            let text = if name == "rstrip" {
                text
            } else {
                text.trim_start_matches(gone)
            };
            let text = if name == "lstrip" {
                text
            } else {
                text.trim_end_matches(gone)
            };
            Ok(Val::str(text))
        }
        "startswith" | "endswith" => {
            let candidates = match args.need(0)? {
                Val::Tuple(items) => items.to_vec(),
                other => vec![other.clone()],
            };
            for candidate in candidates {
                let Val::Str(part) = &candidate else {
                    return fail(format!(
                        "{name} first arg must be str or a tuple of str, not {}",
                        candidate.type_name()
                    ));
                };
                let part: &str = part;
                if (name == "startswith" && whole.starts_with(part))
                    || (name == "endswith" && whole.ends_with(part))
                {
                    return yes(true);
                }
            }
            yes(false)
        }
        "removeprefix" => Ok(Val::str(
            whole.strip_prefix(&*args.text(0)?).unwrap_or(whole),
        )),
        "removesuffix" => Ok(Val::str(
            whole.strip_suffix(&*args.text(0)?).unwrap_or(whole),
        )),
        "replace" => {
            let (old, new) = (args.text(0)?, args.text(1)?);
            let most = usize::try_from(args.int(2, -1)?).unwrap_or(usize::MAX);
            let times = whole.matches(&*old).count().min(most);
            cx.run
                .memory(whole.len() + times.saturating_mul(new.len()))?;
            word(whole.replacen(&*old, &new, most))
        }
        "find" | "rfind" | "index" | "rindex" => {
            let ends = [args.get(1), args.get(2)].map(|end| end.cloned().unwrap_or(Val::None));
            let [start, end] = ends;
            let offset = match &start {
                Val::None => 0,
                from => usize::try_from(int(from)?).unwrap_or(0),
            };
            let within = text(&slice(&Val::Str(whole.clone()), &[start, end, Val::None])?)?;
            match find(&within, &args.text(0)?, name.starts_with('r')) {
                Some(at) => Ok(Val::from(at + offset)),
                None if name.ends_with("find") => Ok(Val::Int(-1)),
                None => fail("substring not found"),
            }
        }
        "count" => {
            let part = args.text(0)?;
            Ok(Val::from(if part.is_empty() {
                whole.chars().count() + 1
            } else {
                whole.matches(&*part).count()
            }))
        }
        "partition" | "rpartition" => {
            let mark = args.text(0)?;
            let found = if name == "partition" {
                whole.split_once(&*mark)
            } else {
                whole.rsplit_once(&*mark)
            };
            let (before, mark, after) = match found {
                Some((before, after)) => (before, &*mark, after),
                None if name == "partition" => (&**whole, "", ""),
                None => ("", "", &**whole),
            };
            Ok(Val::tuple([before, mark, after].map(Val::str).to_vec()))
        }
        "center" | "ljust" | "rjust" | "zfill" => {
            let width = args.count(0, 0)?;
            cx.run.memory(width.saturating_mul(4))?;
            let fill = match args.maybe_text(1)? {
                _ if name == "zfill" => '0',
                Some(fill) => fill.chars().next().unwrap_or(' '),
                None => ' ',
            };
            word(pad(whole, width, fill, name))
        }
        other => fail(format!("'str' has no method '{other}'")),
    }
}

fn split(
    whole: &str,
    mark: Option<&str>,
    most: Option<usize>,
    from_end: bool,
) -> Result<Vec<String>, Fail> {
    let Some(mark) = mark else {
        return Ok(if from_end {
            rsplit_whitespace(whole, most)
        } else {
            split_whitespace(whole, most)
        });
    };
    if mark.is_empty() {
        return fail("empty separator");
    }
    let most = most.map_or(usize::MAX, |most| most.saturating_add(1));
    Ok(if from_end {
        let mut parts: Vec<String> = whole.rsplitn(most, mark).map(str::to_owned).collect();
        parts.reverse();
        parts
    } else {
        whole.splitn(most, mark).map(str::to_owned).collect()
    })
}

fn pad(whole: &str, width: usize, fill: char, how: &str) -> String {
    let missing = width.saturating_sub(whole.chars().count());
    let many = |count: usize| fill.to_string().repeat(count);
    match how {
        "ljust" => format!("{whole}{}", many(missing)),
        "rjust" => format!("{}{whole}", many(missing)),
        "zfill" => {
            let signed = whole.starts_with(['+', '-']);
            let (sign, digits) = whole.split_at(usize::from(signed));
            format!("{sign}{}{digits}", many(missing))
        }
        // Python puts the odd one before the text only where the width is odd.
        _ => {
            let before = missing / 2 + (missing & width & 1);
            format!("{}{whole}{}", many(before), many(missing - before))
        }
    }
}

fn texts(parts: Vec<String>) -> Val {
    Val::list(parts.into_iter().map(Val::from).collect())
}
