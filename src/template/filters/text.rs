//! Filters over text.

use std::sync::Arc;

use super::super::args::Args;
use super::super::error::{Fail, fail};
use super::super::python;
use super::super::val::{Key, Val};
use super::{Filter, deep, shallow};

pub(super) const ALL: &[Filter] = &[
    deep("upper", "s", |args| {
        Ok(Val::from(args.text(0)?.to_uppercase()))
    }),
    deep("lower", "s", |args| {
        Ok(Val::from(args.text(0)?.to_lowercase()))
    }),
    deep("capitalize", "s", |args| {
        Ok(Val::from(python::capitalize(&args.text(0)?)))
    }),
    deep("title", "s", title),
    deep("trim", "value chars", trim),
    deep("replace", "s old new count", replace),
    deep("indent", "s width first blank", indent),
    deep("center", "value width", center),
    deep("truncate", "s length killwords end leeway", truncate),
    deep("wordcount", "s", wordcount),
    deep(
        "wordwrap",
        "s width break_long_words wrapstring break_on_hyphens",
        super::wrap::wordwrap,
    ),
    deep("split", "string sep maxsplit", split),
    deep("format", "value * **", format),
    deep("quote", "a", |args| {
        let value = args.input()?;
        let text = if value.is_none() {
            Arc::from("")
        } else {
            python::text(value)?
        };
        Ok(Val::from(quoted(&text)))
    }),
    deep(
        "comment",
        "text style decoration prefix prefix_count postfix postfix_count beginning end newline",
        comment,
    ),
    deep("escape", "s", |args| Ok(Val::from(escaped(&args.text(0)?)))),
    deep("e", "s", |args| Ok(Val::from(escaped(&args.text(0)?)))),
    deep("forceescape", "s", |args| {
        Ok(Val::from(escaped(&args.text(0)?)))
    }),
    deep("striptags", "value", striptags),
    deep("xmlattr", "d autospace", xmlattr),
    deep("filesizeformat", "value binary", filesizeformat),
    deep("human_readable", "size isbits unit", human_readable),
    deep("human_to_bytes", "size default_unit isbits", human_to_bytes),
    deep("unvault", "vault secret vaultid", |_| fail(NO_VAULT)),
    deep(
        "vault",
        "data secret salt vault_id wrap_object vaultid",
        |_| fail(NO_VAULT),
    ),
    shallow("reverse", "value", reverse),
];

const NO_VAULT: &str = "vaults are opened as variables here, not by filters";

/// Words begin large, the rest is small; `-`, blanks and brackets end a word.
fn title(args: &Args<'_>) -> Result<Val, Fail> {
    let mut begins = true;
    let mut out = String::new();
    for c in args.text(0)?.chars() {
        if begins {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        begins = python::is_space(c) || "-({[<".contains(c);
    }
    Ok(Val::from(out))
}

fn trim(args: &Args<'_>) -> Result<Val, Fail> {
    let text = args.text(0)?;
    Ok(match args.maybe_text(1)? {
        Some(chars) => Val::str(text.trim_matches(|c| chars.contains(c))),
        None => Val::str(text.trim_matches(python::is_space)),
    })
}

fn replace(args: &Args<'_>) -> Result<Val, Fail> {
    let (text, old, new) = (args.text(0)?, args.text(1)?, args.text(2)?);
    let most = usize::try_from(args.int(3, -1)?).unwrap_or(usize::MAX);
    let times = text.matches(&*old).count().min(most);
    args.cx
        .run
        .memory(text.len() + times.saturating_mul(new.len()))?;
    Ok(Val::from(text.replacen(&*old, &new, most)))
}

fn indent(args: &Args<'_>) -> Result<Val, Fail> {
    let text = args.text(0)?;
    let prefix = match args.some(1) {
        Some(Val::Str(prefix)) => prefix.to_string(),
        _ => {
            let width = args.count(1, 4)?;
            args.cx.run.memory(width)?;
            " ".repeat(width)
        }
    };
    let (first, blank) = (args.flag(2, false), args.flag(3, false));
    args.cx
        .run
        .memory(text.len() + (text.matches('\n').count() + 1) * prefix.len())?;
    let ended = format!("{text}\n");
    let mut lines = python::splitlines(&ended, false).into_iter();
    let mut out = String::new();
    if blank {
        let lines: Vec<String> = lines.collect();
        out.push_str(&lines.join(&format!("\n{prefix}")));
    } else {
        out.push_str(&lines.next().unwrap_or_default());
        for line in lines {
            out.push('\n');
            if !line.is_empty() {
                out.push_str(&prefix);
                out.push_str(&line);
            }
        }
    }
    if first {
        out.insert_str(0, &prefix);
    }
    Ok(Val::from(out))
}

fn center(args: &Args<'_>) -> Result<Val, Fail> {
    let width = args.count(1, 80)?;
    args.cx.run.memory(width)?;
    let text = args.text(0)?;
    python::call_method(
        &args.cx,
        &Val::Str(text),
        &Arc::from("center"),
        vec![Val::from(width)],
        Vec::new(),
    )
}

fn truncate(args: &Args<'_>) -> Result<Val, Fail> {
    let text = args.text(0)?;
    let length = args.count(1, 255)?;
    let end = args.maybe_text(3)?.unwrap_or_else(|| Arc::from("..."));
    let leeway = args.count(4, 5)?;
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= length.saturating_add(leeway) {
        return Ok(Val::Str(text));
    }
    let kept = length.saturating_sub(end.chars().count());
    let cut: String = chars.iter().take(kept).collect();
    if args.flag(2, false) {
        return Ok(Val::from(format!("{cut}{end}")));
    }
    let cut = cut.rsplit_once(' ').map_or(&*cut, |(words, _)| words);
    Ok(Val::from(format!("{cut}{end}")))
}

fn wordcount(args: &Args<'_>) -> Result<Val, Fail> {
    let text = args.text(0)?;
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    Ok(Val::from(words.filter(|word| !word.is_empty()).count()))
}

fn split(args: &Args<'_>) -> Result<Val, Fail> {
    let Val::Str(text) = args.input()? else {
        return fail(format!(
            "'{}' has no method 'split'",
            args.input()?.type_name()
        ));
    };
    let rest = [args.get(1), args.get(2)].into_iter().flatten().cloned();
    python::call_method(
        &args.cx,
        &Val::Str(text.clone()),
        &Arc::from("split"),
        rest.collect(),
        Vec::new(),
    )
}

/// `"%s: %s" | format('a', 'b')`.
fn format(args: &Args<'_>) -> Result<Val, Fail> {
    let pattern = args.text(0)?;
    if !args.rest.is_empty() && !args.keywords.is_empty() {
        return fail("can't handle positional and keyword arguments at the same time");
    }
    let values = if args.keywords.is_empty() {
        Val::tuple(args.rest.clone())
    } else {
        let named = args.keywords.iter().cloned();
        Val::dict(
            named
                .map(|(key, value)| (Key(Val::Str(key)), value))
                .collect(),
        )
    };
    let out = python::percent(&pattern, &values)?;
    args.cx.run.memory(out.len())?;
    Ok(Val::from(out))
}

/// Python's `shlex.quote`.
pub(super) fn quoted(text: &str) -> String {
    let plain = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c));
    if plain {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r#"'"'"'"#))
    }
}

fn comment(args: &Args<'_>) -> Result<Val, Fail> {
    let style = args.maybe_text(1)?.unwrap_or_else(|| Arc::from("plain"));
    let (decoration, beginning, end) = match &*style {
        "plain" => ("# ", "", ""),
        "erlang" => ("% ", "", ""),
        "c" => ("// ", "", ""),
        "cblock" => (" * ", "/*", " */"),
        "xml" => (" - ", "<!--", "-->"),
        other => return fail(format!("Invalid style '{other}'.")),
    };
    let given = |at, default: &str| {
        Ok::<_, Fail>(args.maybe_text(at)?.unwrap_or_else(|| Arc::from(default)))
    };
    let decoration = given(2, decoration)?;
    let stripped = decoration.trim_end();
    let (prefix, postfix) = (given(3, stripped)?, given(5, stripped)?);
    let (prefix_count, postfix_count) = (args.count(4, 1)?, args.count(6, 1)?);
    let (beginning, end) = (given(7, beginning)?, given(8, end)?);
    let newline = given(9, "\n")?;
    let text = args.text(0)?;
    args.cx.run.memory(
        (prefix_count + postfix_count).saturating_mul(prefix.len().max(postfix.len()) + 1),
    )?;
    let mut out = String::new();
    if !beginning.is_empty() {
        out.push_str(&beginning);
        out.push_str(&newline);
    }
    if !prefix.is_empty() {
        out.push_str(&format!("{prefix}{newline}").repeat(prefix_count));
    }
    let body = format!(
        "{decoration}{}",
        text.replace('\n', &format!("\n{decoration}"))
    );
    let body = body.replace(&format!("{decoration}\n"), &format!("{stripped}\n"));
    let body = match body.strip_suffix(&*decoration) {
        Some(before) if before.ends_with('\n') => format!("{before}{stripped}"),
        _ => body,
    };
    out.push_str(&body);
    out.push_str(&format!("{newline}{postfix}").repeat(postfix_count));
    if !end.is_empty() {
        if !postfix.is_empty() {
            out.push_str(&newline);
        }
        out.push_str(&end);
    }
    Ok(Val::from(out))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('>', "&gt;")
        .replace('<', "&lt;")
        .replace('\'', "&#39;")
        .replace('"', "&#34;")
}

fn striptags(args: &Args<'_>) -> Result<Val, Fail> {
    let text = args.text(0)?;
    let mut out = String::new();
    let mut rest: &str = &text;
    while let Some(at) = rest.find('<') {
        let (before, after) = rest.split_at(at);
        let close = if after.starts_with("<!--") {
            after.find("-->").map(|at| at + 3)
        } else {
            after.find('>').map(|at| at + 1)
        };
        out.push_str(before);
        match close {
            Some(end) => rest = after.get(end..).unwrap_or_default(),
            None => {
                rest = after;
                break;
            }
        }
    }
    out.push_str(rest);
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = words
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#39;", "'")
        .replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&nbsp;", "\u{a0}")
        .replace("&amp;", "&");
    Ok(Val::from(plain))
}

fn xmlattr(args: &Args<'_>) -> Result<Val, Fail> {
    let mut written = Vec::new();
    for (key, value) in args.cx.entries(args.input()?)? {
        if value.is_none() || value.is_undefined() {
            continue;
        }
        let key = python::text(&key)?;
        if key.contains(|c: char| python::is_space(c) || "/>=".contains(c)) {
            return fail(format!("Invalid character in attribute name: '{key}'"));
        }
        written.push(format!(
            "{}=\"{}\"",
            escaped(&key),
            escaped(&python::text(&value)?)
        ));
    }
    let joined = written.join(" ");
    Ok(Val::from(if args.flag(1, true) && !joined.is_empty() {
        format!(" {joined}")
    } else {
        joined
    }))
}

fn filesizeformat(args: &Args<'_>) -> Result<Val, Fail> {
    let bytes = match args.input()? {
        Val::Str(text) => python::parse_float(text).unwrap_or(0.0),
        other => python::float(other)?,
    };
    let binary = args.flag(1, false);
    let base = if binary { 1024.0 } else { 1000.0 };
    #[expect(clippy::float_cmp, reason = "exactly one byte")]
    if bytes == 1.0 {
        return Ok(Val::str("1 Byte"));
    }
    if bytes < base {
        return Ok(Val::from(format!("{} Bytes", bytes.trunc())));
    }
    let units = if binary {
        ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
    } else {
        ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
    };
    let mut unit = base;
    for (at, name) in units.iter().enumerate() {
        if bytes < unit * base || at + 1 == units.len() {
            return Ok(Val::from(format!("{:.1} {name}", bytes / unit)));
        }
        unit *= base;
    }
    Ok(Val::str(""))
}

/// Ansible's units, the largest first.
const UNITS: &[(char, u32)] = &[
    ('Y', 8),
    ('Z', 7),
    ('E', 6),
    ('P', 5),
    ('T', 4),
    ('G', 3),
    ('M', 2),
    ('K', 1),
    ('B', 0),
];

fn human_readable(args: &Args<'_>) -> Result<Val, Fail> {
    let size = match args.input()? {
        Val::Str(text) => python::parse_float(text),
        other => python::float(other).ok(),
    };
    let Some(size) = size else {
        return fail(format!(
            "human_readable() can't interpret following string: {}",
            python::text(args.input()?)?
        ));
    };
    let wanted = args
        .maybe_text(2)?
        .and_then(|unit| unit.chars().next())
        .map(|c| c.to_ascii_uppercase());
    let base = if args.flag(1, false) { "bits" } else { "Bytes" };
    for (letter, power) in UNITS {
        let limit = 1024_f64.powi(i32::try_from(*power).unwrap_or(0));
        let fits = wanted.map_or_else(|| size >= limit || *letter == 'B', |unit| unit == *letter);
        if fits {
            let suffix = match letter {
                'B' => base.to_owned(),
                letter => format!("{letter}{}", base.get(..1).unwrap_or_default()),
            };
            return Ok(Val::from(format!("{:.2} {suffix}", size / limit)));
        }
    }
    fail("human_readable() can't interpret the unit")
}

fn human_to_bytes(args: &Args<'_>) -> Result<Val, Fail> {
    let written = args.text(0)?;
    let wrong = || {
        fail(format!(
            "human_to_bytes() can't interpret the input: human_to_bytes() can't interpret following string: {written}"
        ))
    };
    let trimmed = written.trim();
    let end = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(end);
    let Ok(number) = number.parse::<f64>() else {
        return wrong();
    };
    let unit = unit.trim();
    let default = args.maybe_text(1)?;
    let unit = match (unit, &default) {
        ("", Some(default)) => default.to_string(),
        ("", None) => return Ok(whole(number)),
        (unit, _) => unit.to_owned(),
    };
    let first = unit.chars().next().map(|c| c.to_ascii_uppercase());
    let power = UNITS
        .iter()
        .find(|(letter, _)| Some(*letter) == first)
        .map(|(_, power)| *power);
    let (class, name) = if args.flag(2, false) {
        ("b", "bit")
    } else {
        ("B", "byte")
    };
    let Some(power) = power else {
        return fail(format!(
            "human_to_bytes() can't interpret the input: human_to_bytes() failed to convert {written} (unit = {unit}). The suffix must be one of Y, Z, E, P, T, G, M, K, B"
        ));
    };
    let rest = unit.get(1..).unwrap_or_default();
    if !rest.is_empty() && !unit.to_lowercase().contains(name) && !rest.starts_with(class) {
        let letter = first.unwrap_or('B');
        let expected = if letter == 'B' {
            format!("{class} or {name}")
        } else {
            format!("{letter}{class} or {letter}")
        };
        return fail(format!(
            "human_to_bytes() can't interpret the input: human_to_bytes() failed to convert {written}. Value is not a valid string (expect {expected})"
        ));
    }
    Ok(whole(
        number * 1024_f64.powi(i32::try_from(power).unwrap_or(0)),
    ))
}

#[expect(clippy::cast_possible_truncation, reason = "rounded, and saturates")]
fn whole(number: f64) -> Val {
    Val::Int(number.round_ties_even() as i128)
}

fn reverse(args: &Args<'_>) -> Result<Val, Fail> {
    match args.input()? {
        Val::Str(text) => Ok(Val::from(text.chars().rev().collect::<String>())),
        _ => {
            let mut items = args.items(0)?;
            items.reverse();
            Ok(Val::list(items))
        }
    }
}
