//! Text with places to fill: `"%s" % x` and `"{}".format(x)`.

use std::sync::Arc;

use super::super::error::{Fail, fail, failure};
use super::super::val::Val;
use super::numbers::Number;
use super::{as_number, parse_float, repr, text};

/// How long a filled place may be made.
const WIDTH_MAX: usize = 1 << 20;

/// How a value is to be written.
#[derive(Debug, Default, Clone)]
struct Spec {
    left: bool,
    center: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    comma: bool,
    fill: Option<char>,
    width: usize,
    precision: Option<usize>,
}

/// `pattern % value`.
pub(in super::super) fn percent(pattern: &str, value: &Val) -> Result<String, Fail> {
    let values: Vec<Val> = match value {
        Val::Tuple(items) => items.to_vec(),
        other => vec![other.clone()],
    };
    let mut next = values.iter();
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut by_name = false;
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut named = None;
        if chars.next_if_eq(&'(').is_some() {
            let name: String = chars.by_ref().take_while(|c| *c != ')').collect();
            named = Some(name);
        }
        let mut spec = Spec::default();
        while let Some(flag) = chars.next_if(|c| "-0+ #".contains(*c)) {
            match flag {
                '-' => spec.left = true,
                '0' => spec.zero = true,
                '+' => spec.plus = true,
                ' ' => spec.space = true,
                _ => spec.alternate = true,
            }
        }
        spec.width = match chars.next_if_eq(&'*') {
            Some(_) => star(&mut next, &mut spec)?,
            None => number(&mut chars)?.unwrap_or(0),
        };
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(match chars.next_if_eq(&'*') {
                Some(_) => star(&mut next, &mut Spec::default())?,
                None => number(&mut chars)?.unwrap_or(0),
            });
        }
        while chars.next_if(|c| "hlL".contains(*c)).is_some() {}
        let Some(kind) = chars.next() else {
            return fail("incomplete format");
        };
        if kind == '%' {
            out.push('%');
            continue;
        }
        let member;
        let value = match &named {
            Some(name) => {
                by_name = true;
                let Val::Dict(dict) = value else {
                    return fail("format requires a mapping");
                };
                member = dict
                    .get_str(name)
                    .ok_or_else(|| failure(format!("KeyError: '{name}'")))?;
                &member
            }
            None => next
                .next()
                .ok_or_else(|| failure("not enough arguments for format string"))?,
        };
        out.push_str(&written(value, kind, &spec)?);
    }
    if next.next().is_some() && !by_name && !value.is_mapping() {
        return fail("not all arguments converted during string formatting");
    }
    Ok(out)
}

fn star<'a>(next: &mut impl Iterator<Item = &'a Val>, spec: &mut Spec) -> Result<usize, Fail> {
    let value = next
        .next()
        .ok_or_else(|| failure("not enough arguments for format string"))?;
    let number = super::int(value)?;
    if number < 0 {
        spec.left = true;
    }
    bounded(usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX))
}

fn bounded(width: usize) -> Result<usize, Fail> {
    if width > WIDTH_MAX {
        return fail("the width is too large");
    }
    Ok(width)
}

fn number(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Option<usize>, Fail> {
    let mut number = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        number = Some(bounded(
            number.unwrap_or(0_usize).saturating_mul(10) + digit as usize,
        )?);
    }
    Ok(number)
}

fn written(value: &Val, kind: char, spec: &Spec) -> Result<String, Fail> {
    let needs = |what: &str| {
        failure(format!(
            "%{kind} format: {what} is required, not {}",
            value.type_name()
        ))
    };
    let body = match kind {
        's' | 'r' | 'a' => {
            let whole = if kind == 's' {
                text(value)?
            } else {
                Arc::from(repr(value))
            };
            let cut: String = match spec.precision {
                Some(precision) => whole.chars().take(precision).collect(),
                None => whole.to_string(),
            };
            return Ok(padded(
                cut,
                &Spec {
                    zero: false,
                    ..spec.clone()
                },
            ));
        }
        'c' => match value {
            Val::Str(text) if text.chars().count() == 1 => text.to_string(),
            Val::Int(code) => u32::try_from(*code)
                .ok()
                .and_then(char::from_u32)
                .map(String::from)
                .ok_or_else(|| failure("%c arg not in range(0x110000)"))?,
            _ => return fail("%c requires int or char"),
        },
        'd' | 'i' | 'u' => match as_number(value) {
            Some(Number::Int(number)) => {
                signed(number < 0, &number.unsigned_abs().to_string(), spec)
            }
            #[expect(clippy::cast_possible_truncation, reason = "%d cuts as Python's does")]
            Some(Number::Float(number)) if number.is_finite() => {
                let whole = number.trunc() as i128;
                signed(whole < 0, &whole.unsigned_abs().to_string(), spec)
            }
            _ => return Err(needs("a real number")),
        },
        'x' | 'X' | 'o' | 'b' => match as_number(value) {
            Some(Number::Int(number)) => signed(
                number < 0,
                &radix(number.unsigned_abs(), kind, spec.alternate),
                spec,
            ),
            _ => return Err(needs("an integer")),
        },
        'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
            let number = as_number(value).map(Number::as_float).ok_or_else(|| {
                failure(format!("must be real number, not {}", value.type_name()))
            })?;
            let digits = floating(number.abs(), kind, spec.precision.unwrap_or(6));
            signed(number.is_sign_negative(), &digits, spec)
        }
        other => {
            return fail(format!("unsupported format character '{other}'"));
        }
    };
    Ok(padded(body, spec))
}

fn radix(number: u128, kind: char, alternate: bool) -> String {
    let mark = if alternate {
        format!("0{kind}")
    } else {
        String::new()
    };
    match kind {
        'x' => format!("{mark}{number:x}"),
        'X' => format!("{mark}{number:X}"),
        'o' => format!("{mark}{number:o}"),
        _ => format!("{mark}{number:b}"),
    }
}

fn signed(negative: bool, digits: &str, spec: &Spec) -> String {
    let sign = match (negative, spec.plus, spec.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    };
    format!("{sign}{digits}")
}

fn floating(number: f64, kind: char, precision: usize) -> String {
    if !number.is_finite() {
        return super::float_text(number);
    }
    let precision = precision.min(300);
    let shown = match kind.to_ascii_lowercase() {
        'f' => format!("{number:.precision$}"),
        'e' => exponent(number, precision),
        _ => general(number, precision.max(1)),
    };
    if kind.is_ascii_uppercase() {
        shown.to_ascii_uppercase()
    } else {
        shown
    }
}

fn exponent(number: f64, precision: usize) -> String {
    let shown = format!("{number:.precision$e}");
    let (digits, power) = shown.split_once('e').unwrap_or((&shown, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let sign = if power < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", power.abs())
}

fn general(number: f64, precision: usize) -> String {
    let shown = exponent(number, precision - 1);
    let power: i32 = shown
        .split_once('e')
        .and_then(|(_, power)| power.parse().ok())
        .unwrap_or(0);
    let trimmed = |text: String| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        }
    };
    let most = i32::try_from(precision).unwrap_or(i32::MAX);
    if power < -4 || power >= most {
        let (digits, rest) = shown.split_once('e').unwrap_or((&shown, "+00"));
        return format!("{}e{rest}", trimmed(digits.to_owned()));
    }
    let decimals = usize::try_from(most - 1 - power).unwrap_or(0);
    trimmed(format!("{number:.decimals$}"))
}

fn padded(body: String, spec: &Spec) -> String {
    let missing = spec.width.saturating_sub(body.chars().count());
    if missing == 0 {
        return body;
    }
    let fill = spec.fill.unwrap_or(' ').to_string();
    if spec.center {
        let before = missing / 2;
        return format!(
            "{}{body}{}",
            fill.repeat(before),
            fill.repeat(missing - before)
        );
    }
    if spec.left {
        return body + &fill.repeat(missing);
    }
    if spec.zero {
        let signs = body.len() - body.trim_start_matches(['-', '+', ' ']).len();
        let (sign, digits) = body.split_at(signs);
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    fill.repeat(missing) + &body
}

/// `"{} {name:>5}".format(...)`.
pub(in super::super) fn str_format(
    pattern: &str,
    positional: &[Val],
    named: &[(Arc<str>, Val)],
    member: &dyn Fn(&Val, &str, bool) -> Result<Val, Fail>,
) -> Result<String, Fail> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut auto = 0_usize;
    while let Some(c) = chars.next() {
        match c {
            '{' if chars.next_if_eq(&'{').is_some() => out.push('{'),
            '}' if chars.next_if_eq(&'}').is_some() => out.push('}'),
            '}' => return fail("Single '}' encountered in format string"),
            '{' => {
                let mut field = String::new();
                loop {
                    match chars.next() {
                        Some('}') => break,
                        Some(c) => field.push(c),
                        None => return fail("expected '}' before end of string"),
                    }
                }
                let (field, spec) = field.split_once(':').unwrap_or((&field, ""));
                let (field, conversion) = match field.split_once('!') {
                    Some((field, conversion)) => (field, Some(conversion)),
                    None => (field, None),
                };
                let value = field_value(field, positional, named, &mut auto, member)?;
                let value = match conversion {
                    Some("r" | "a") => Val::from(repr(&value)),
                    Some(_) => Val::Str(text(&value)?),
                    None => value,
                };
                out.push_str(&spec_written(&value, spec)?);
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

fn field_value(
    field: &str,
    positional: &[Val],
    named: &[(Arc<str>, Val)],
    auto: &mut usize,
    member: &dyn Fn(&Val, &str, bool) -> Result<Val, Fail>,
) -> Result<Val, Fail> {
    let end = field.find(['.', '[']).unwrap_or(field.len());
    let (name, mut rest) = field.split_at(end);
    let value = if name.is_empty() {
        *auto += 1;
        positional.get(*auto - 1).cloned()
    } else if let Ok(at) = name.parse::<usize>() {
        positional.get(at).cloned()
    } else {
        named
            .iter()
            .find(|(key, _)| &**key == name)
            .map(|(_, value)| value.clone())
    };
    let mut value = value.ok_or_else(|| {
        failure(if name.is_empty() || name.parse::<usize>().is_ok() {
            "Replacement index out of range for positional args tuple".to_owned()
        } else {
            format!("'{name}'")
        })
    })?;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (key, after) = inner
                .split_once(']')
                .ok_or_else(|| failure("Missing ']' in format string"))?;
            value = member(&value, key, true)?;
            rest = after;
        } else {
            let inner = rest.get(1..).unwrap_or_default();
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            let (key, after) = inner.split_at(end);
            value = member(&value, key, false)?;
            rest = after;
        }
    }
    Ok(value)
}

fn spec_written(value: &Val, written_spec: &str) -> Result<String, Fail> {
    let mut spec = Spec::default();
    let mut chars = written_spec.chars().peekable();
    let is_align = |c: &char| "<>^=".contains(*c);
    let mut ahead = chars.clone();
    if let (Some(fill), Some(_)) = (ahead.next(), ahead.next().filter(is_align)) {
        spec.fill = Some(fill);
        chars.next();
    }
    let align = chars.next_if(is_align);
    match chars.next_if(|c| "+- ".contains(*c)) {
        Some('+') => spec.plus = true,
        Some(' ') => spec.space = true,
        _ => {}
    }
    spec.alternate = chars.next_if_eq(&'#').is_some();
    if chars.next_if_eq(&'0').is_some() && align.is_none() {
        spec.zero = true;
    }
    spec.width = number(&mut chars)?.unwrap_or(0);
    spec.comma = chars.next_if(|c| *c == ',' || *c == '_').is_some();
    if chars.next_if_eq(&'.').is_some() {
        spec.precision = number(&mut chars)?;
    }
    let numeric = as_number(value).is_some() && !matches!(value, Val::Bool(_));
    match align {
        Some('<') => spec.left = true,
        Some('^') => spec.center = true,
        Some('=') => spec.zero = true,
        Some(_) => {}
        None => spec.left = !numeric,
    }
    let kind = chars.next();
    if kind == Some('%') {
        let number = parse_float(&text(value)?).unwrap_or(0.0) * 100.0;
        let digits = floating(number.abs(), 'f', spec.precision.unwrap_or(6));
        return Ok(padded(
            signed(number < 0.0, &format!("{digits}%"), &spec),
            &spec,
        ));
    }
    let kind = kind.unwrap_or(match value {
        Val::Int(_) => 'd',
        Val::Float(_) if spec.precision.is_some() => 'g',
        _ => 's',
    });
    if numeric && kind == 's' {
        return Ok(padded(text(value)?.to_string(), &spec));
    }
    if spec.comma {
        let plain = written(
            value,
            kind,
            &Spec {
                width: 0,
                comma: false,
                ..spec.clone()
            },
        )?;
        return Ok(padded(grouped(&plain), &spec));
    }
    written(value, kind, &spec)
}

fn grouped(number: &str) -> String {
    let start = number.len() - number.trim_start_matches(['-', '+', ' ']).len();
    let (sign, digits) = number.split_at(start);
    let (whole, rest) = match digits.find('.') {
        Some(at) => digits.split_at(at),
        None => (digits, ""),
    };
    let mut out = String::new();
    for (at, c) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    format!("{sign}{out}{rest}")
}
