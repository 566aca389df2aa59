//! Tests of what a value is, and of values against each other.

use std::sync::Arc;

use super::super::args::Args;
use super::super::error::{Fail, fail};
use super::super::names;
use super::super::python;
use super::super::syntax::Comparison;
use super::super::val::Val;
use super::{Test, test, tolerant};

pub(super) const ALL: &[Test] = &[
    tolerant("defined", "value", |args| Ok(!args.input()?.is_undefined())),
    tolerant("undefined", "value", |args| {
        Ok(args.input()?.is_undefined())
    }),
    test("none", "value", |args| Ok(args.input()?.is_none())),
    test("boolean", "value", |args| {
        Ok(matches!(args.input()?, Val::Bool(_)))
    }),
    test("true", "value", |args| {
        Ok(matches!(args.input()?, Val::Bool(true)))
    }),
    test("false", "value", |args| {
        Ok(matches!(args.input()?, Val::Bool(false)))
    }),
    test("integer", "value", |args| {
        Ok(matches!(args.input()?, Val::Int(_)))
    }),
    test("float", "value", |args| {
        Ok(matches!(args.input()?, Val::Float(_)))
    }),
    test("number", "value", |args| {
        Ok(python::as_number(args.input()?).is_some())
    }),
    test("string", "value", |args| {
        Ok(args.input()?.as_str().is_some())
    }),
    test("mapping", "value", |args| Ok(args.input()?.is_mapping())),
    test("iterable", "value", |args| {
        Ok(python::items(args.input()?).is_ok())
    }),
    test("sequence", "value", |args| {
        let value = args.input()?;
        Ok(value.is_sequence() || value.is_mapping() || value.as_str().is_some())
    }),
    test("callable", "value", |args| {
        Ok(matches!(args.input()?, Val::Object(_)))
    }),
    test("truthy", "value convert_bool", truthy),
    test("falsy", "value convert_bool", |args| {
        truthy(args).map(|yes| !yes)
    }),
    test("nan", "value", |args| {
        Ok(matches!(args.input()?, Val::Float(number) if number.is_nan()))
    }),
    test("odd", "value", |args| {
        Ok(python::int(args.input()?)?.rem_euclid(2) == 1)
    }),
    test("even", "value", |args| {
        Ok(python::int(args.input()?)?.rem_euclid(2) == 0)
    }),
    test("divisibleby", "value num", |args| match args.int(1, 0)? {
        0 => fail("integer modulo by zero"),
        by => Ok(python::int(args.input()?)? % by == 0),
    }),
    test("in", "value seq", |args| compare(args, Comparison::In)),
    test("contains", "value item", |args| {
        args.cx
            .compare(Comparison::In, args.need(1)?, args.input()?)
    }),
    test("eq", "value other", |args| compare(args, Comparison::Eq)),
    test("equalto", "value other", |args| {
        compare(args, Comparison::Eq)
    }),
    test("==", "value other", |args| compare(args, Comparison::Eq)),
    test("ne", "value other", |args| compare(args, Comparison::Ne)),
    test("!=", "value other", |args| compare(args, Comparison::Ne)),
    test("lt", "value other", |args| compare(args, Comparison::Lt)),
    test("lessthan", "value other", |args| {
        compare(args, Comparison::Lt)
    }),
    test("<", "value other", |args| compare(args, Comparison::Lt)),
    test("le", "value other", |args| compare(args, Comparison::Le)),
    test("<=", "value other", |args| compare(args, Comparison::Le)),
    test("gt", "value other", |args| compare(args, Comparison::Gt)),
    test("greaterthan", "value other", |args| {
        compare(args, Comparison::Gt)
    }),
    test(">", "value other", |args| compare(args, Comparison::Gt)),
    test("ge", "value other", |args| compare(args, Comparison::Ge)),
    test(">=", "value other", |args| compare(args, Comparison::Ge)),
    test("sameas", "value other", same),
    test("filter", "value", |args| {
        Ok(names::filter(&args.text(0)?).is_some())
    }),
    test("test", "value", |args| {
        Ok(names::test(&args.text(0)?).is_some())
    }),
    test("any", "value", |args| {
        Ok(args.items(0)?.iter().any(python::truth))
    }),
    test("all", "value", |args| {
        Ok(args.items(0)?.iter().all(python::truth))
    }),
    test("subset", "value b", |args| within(args, 0, 1)),
    test("issubset", "value b", |args| within(args, 0, 1)),
    test("superset", "value b", |args| within(args, 1, 0)),
    test("issuperset", "value b", |args| within(args, 1, 0)),
];

fn compare(args: &Args<'_>, kind: Comparison) -> Result<bool, Fail> {
    args.cx.compare(kind, args.input()?, args.need(1)?)
}

fn truthy(args: &Args<'_>) -> Result<bool, Fail> {
    let value = args.input()?;
    if args.flag(1, false)
        && let Val::Str(text) = value
    {
        match text.to_ascii_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" => return Ok(true),
            "n" | "no" | "off" | "0" | "false" | "f" => return Ok(false),
            _ => {}
        }
    }
    Ok(python::truth(value))
}

fn same(args: &Args<'_>) -> Result<bool, Fail> {
    Ok(match (args.input()?, args.need(1)?) {
        (Val::List(one), Val::List(other)) => Arc::ptr_eq(one, other),
        (Val::Dict(one), Val::Dict(other)) => Arc::ptr_eq(one, other),
        (Val::Object(one), Val::Object(other)) => Arc::ptr_eq(one, other),
        (one, other) => one.type_name() == other.type_name() && python::equal(one, other),
    })
}

fn within(args: &Args<'_>, part: usize, whole: usize) -> Result<bool, Fail> {
    let whole = args.items(whole)?;
    Ok(args
        .items(part)?
        .iter()
        .all(|item| whole.iter().any(|other| python::equal(item, other))))
}
