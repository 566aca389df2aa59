//! Filters over any kind of value: what stands in for what is missing, conversions, types.

use super::super::args::Args;
use super::super::error::{Cause, Fail, TemplateError, fail, failure};
use super::super::python;
use super::super::val::Val;
use super::{Filter, deep, shallow, tolerant};

pub(super) const ALL: &[Filter] = &[
    tolerant("default", "value default_value boolean", default),
    tolerant("d", "value default_value boolean", default),
    tolerant("mandatory", "value msg", mandatory),
    tolerant("ternary", "value true_val false_val none_val", ternary),
    tolerant("type_debug", "value", type_debug),
    shallow("bool", "value", boolean),
    shallow("int", "value default base", int),
    shallow("float", "value default", float),
    deep("string", "value", |args| args.text(0).map(Val::Str)),
    deep("abs", "value", abs),
    deep("round", "value precision method", round),
    deep("pow", "value power", pow),
    deep("log", "value base", log),
    deep("root", "value base", root),
    shallow("attr", "value name", |args| {
        args.cx.attribute(args.input()?, &args.text(1)?)
    }),
    deep("safe", "value", |args| Ok(args.input()?.clone())),
    deep("pprint", "value", |args| {
        Ok(Val::from(python::repr(args.input()?)))
    }),
];

fn default(args: &Args<'_>) -> Result<Val, Fail> {
    let value = args.input()?;
    let absent = match value {
        Val::Undefined(_) => true,
        other => args.flag(2, false) && !python::truth(other),
    };
    if !absent {
        return Ok(value.clone());
    }
    Ok(args.get(1).cloned().unwrap_or_else(|| Val::str("")))
}

fn mandatory(args: &Args<'_>) -> Result<Val, Fail> {
    match args.input()? {
        Val::Undefined(why) => {
            let message = match args.maybe_text(1)? {
                Some(message) => message.to_string(),
                None => {
                    let name = why.message.strip_suffix(" is undefined");
                    match name {
                        Some(name) => format!("Mandatory variable {name} not defined."),
                        None => "Mandatory variable not defined.".to_owned(),
                    }
                }
            };
            Err(Box::new(TemplateError::new(Cause::Other, message)))
        }
        other => Ok(other.clone()),
    }
}

fn ternary(args: &Args<'_>) -> Result<Val, Fail> {
    let value = match args.input()? {
        undefined @ Val::Undefined(_) => return Ok(undefined.clone()),
        other => other,
    };
    if value.is_none()
        && let Some(none) = args.some(3)
    {
        return Ok(none.clone());
    }
    let at = if python::truth(value) { 1 } else { 2 };
    args.need(at).cloned()
}

fn type_debug(args: &Args<'_>) -> Result<Val, Fail> {
    Ok(Val::str(args.input()?.type_name()))
}

/// Ansible's `bool`: words for yes, and whatever counts as 1.
fn boolean(args: &Args<'_>) -> Result<Val, Fail> {
    Ok(match args.input()? {
        Val::Str(text) => Val::Bool(matches!(
            text.trim().to_ascii_lowercase().as_str(),
            "yes" | "on" | "1" | "true" | "t" | "y"
        )),
        value => Val::Bool(python::equal(value, &Val::Int(1))),
    })
}

fn int(args: &Args<'_>) -> Result<Val, Fail> {
    let default = || args.get(1).cloned().unwrap_or(Val::Int(0));
    let base = u32::try_from(args.int(2, 10)?).unwrap_or(10);
    Ok(match args.input()? {
        Val::Bool(yes) => Val::Int(i128::from(*yes)),
        Val::Int(number) => Val::Int(*number),
        Val::Float(number) => cut(*number).unwrap_or_else(default),
        Val::Str(text) => match python::parse_int(text, base) {
            Some(number) => Val::Int(number),
            None => python::parse_float(text)
                .and_then(cut)
                .unwrap_or_else(default),
        },
        _ => default(),
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "int() cuts off what is behind the point; what is too large for it saturates"
)]
fn cut(number: f64) -> Option<Val> {
    number.is_finite().then(|| Val::Int(number.trunc() as i128))
}

fn float(args: &Args<'_>) -> Result<Val, Fail> {
    let default = || args.get(1).cloned().unwrap_or(Val::Float(0.0));
    Ok(match args.input()? {
        Val::Str(text) => python::parse_float(text).map_or_else(default, Val::Float),
        other => python::float(other).map_or_else(|_| default(), Val::Float),
    })
}

fn abs(args: &Args<'_>) -> Result<Val, Fail> {
    match args.input()? {
        Val::Float(number) => Ok(Val::Float(number.abs())),
        value @ (Val::Int(_) | Val::Bool(_)) => python::int(value)?
            .checked_abs()
            .map(Val::Int)
            .ok_or_else(|| failure("the number is too large")),
        other => fail(format!(
            "bad operand type for abs(): '{}'",
            other.type_name()
        )),
    }
}

/// Half goes to the even neighbour with the usual method, as Python rounds.
fn round(args: &Args<'_>) -> Result<Val, Fail> {
    let value = args.input()?;
    let precision = i32::try_from(args.int(1, 0)?).unwrap_or(0).clamp(-300, 300);
    let method = args.maybe_text(2)?;
    let number = python::float(value)?;
    let scale = 10_f64.powi(precision);
    Ok(match method.as_deref().unwrap_or("common") {
        "common" => match value {
            Val::Int(whole) if precision >= 0 => Val::Int(*whole),
            Val::Int(_) => cut((number * scale).round_ties_even() / scale).unwrap_or(Val::Int(0)),
            _ => Val::Float(rounded(number, precision)),
        },
        "ceil" => Val::Float((number * scale).ceil() / scale),
        "floor" => Val::Float((number * scale).floor() / scale),
        _ => return fail("method must be common, ceil or floor"),
    })
}

fn rounded(number: f64, precision: i32) -> f64 {
    match usize::try_from(precision) {
        // Printing rounds the exact binary value, which is what Python does.
        Ok(0) => number.round_ties_even(),
        Ok(digits) => format!("{number:.digits$}").parse().unwrap_or(number),
        Err(_) => {
            let scale = 10_f64.powi(-precision);
            (number / scale).round_ties_even() * scale
        }
    }
}

fn pow(args: &Args<'_>) -> Result<Val, Fail> {
    Ok(Val::Float(
        python::float(args.input()?)?.powf(python::float(args.need(1)?)?),
    ))
}

fn log(args: &Args<'_>) -> Result<Val, Fail> {
    let number = python::float(args.input()?)?;
    let base = args.some(1).map(python::float).transpose()?;
    if number <= 0.0 {
        return fail("math domain error");
    }
    Ok(Val::Float(match base {
        Some(10.0) => number.log10(),
        Some(base) => number.ln() / base.ln(),
        None => number.ln(),
    }))
}

fn root(args: &Args<'_>) -> Result<Val, Fail> {
    let number = python::float(args.input()?)?;
    let base = args.some(1).map(python::float).transpose()?.unwrap_or(2.0);
    #[expect(clippy::float_cmp, reason = "2 as it was written")]
    let result = if base == 2.0 {
        number.sqrt()
    } else {
        number.powf(1.0 / base)
    };
    if result.is_nan() {
        return fail("math domain error");
    }
    Ok(Val::Float(result))
}
