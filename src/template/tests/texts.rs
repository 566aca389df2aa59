//! Tests of text: patterns, versions, addresses.

use std::cmp::Ordering;
use std::sync::Arc;

use super::super::args::Args;
use super::super::error::{Fail, fail};
use super::super::regexes::{Flags, Pattern};
use super::super::val::Val;
use super::super::version;
use super::{Test, test, tolerant};

pub(super) const ALL: &[Test] = &[
    test("match", "value pattern ignorecase multiline", |args| {
        matches(args, Where::Start, 2)
    }),
    test("search", "value pattern ignorecase multiline", |args| {
        matches(args, Where::Anywhere, 2)
    }),
    test(
        "regex",
        "value pattern ignorecase multiline match_type",
        |args| {
            let place = match args.maybe_text(4)?.as_deref() {
                None | Some("search") => Where::Anywhere,
                Some("match") => Where::Start,
                Some("fullmatch") => Where::Whole,
                Some(other) => return fail(format!("Invalid match_type specified: {other}")),
            };
            matches(args, place, 2)
        },
    ),
    test(
        "version",
        "value version operator strict version_type",
        compare_versions,
    ),
    test(
        "version_compare",
        "value version operator strict version_type",
        compare_versions,
    ),
    test("lower", "value", |args| {
        let text = args.text(0)?;
        Ok(text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase))
    }),
    test("upper", "value", |args| {
        let text = args.text(0)?;
        Ok(text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase))
    }),
    test("uri", "value schemes", |args| address(args, |_, _| true)),
    test("url", "value schemes", |args| {
        address(args, |_, rest| {
            rest.strip_prefix("//")
                .is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
        })
    }),
    test("urn", "value", |args| {
        address(args, |scheme, rest| scheme == "urn" && rest.contains(':'))
    }),
    tolerant("vault_encrypted", "value", |args| {
        Ok(matches!(args.input()?, Val::Str(text) if text.starts_with("$ANSIBLE_VAULT;")))
    }),
];

#[derive(Clone, Copy)]
enum Where {
    Anywhere,
    Start,
    Whole,
}

fn matches(args: &Args<'_>, place: Where, flags_at: usize) -> Result<bool, Fail> {
    let flags = Flags {
        ignore_case: args.flag(flags_at, false),
        multiline: args.flag(flags_at + 1, false),
    };
    let written = args.text(1)?;
    let written: Arc<str> = match place {
        Where::Anywhere => written,
        Where::Start => Arc::from(format!(r"\A(?:{written})")),
        Where::Whole => Arc::from(format!(r"\A(?:{written})\Z")),
    };
    Pattern::new(&written, flags)?.is_match(&args.text(0)?)
}

fn compare_versions(args: &Args<'_>) -> Result<bool, Fail> {
    let (one, other) = (args.text(0)?, args.text(1)?);
    if one.is_empty() || other.is_empty() {
        return fail("Input version value cannot be empty");
    }
    let operator = args.maybe_text(2)?;
    let wanted: fn(Ordering) -> bool = match operator.as_deref().unwrap_or("eq") {
        "==" | "=" | "eq" => Ordering::is_eq,
        "<" | "lt" => Ordering::is_lt,
        "<=" | "le" => Ordering::is_le,
        ">" | "gt" => Ordering::is_gt,
        ">=" | "ge" => Ordering::is_ge,
        "!=" | "<>" | "ne" => Ordering::is_ne,
        other => {
            return fail(format!(
                "Invalid operator type ({other}). Must be one of '==', '=', 'eq', '<', 'lt', '<=', 'le', '>', 'gt', '>=', 'ge', '!=', '<>', 'ne'"
            ));
        }
    };
    let kind = match (args.maybe_text(4)?, args.some(3)) {
        (Some(kind), _) => kind,
        (None, Some(Val::Bool(true))) => Arc::from("strict"),
        _ => Arc::from("loose"),
    };
    version::compare(&kind, &one, &other).map(wanted)
}

fn address(args: &Args<'_>, test: fn(&str, &str) -> bool) -> Result<bool, Fail> {
    let text = args.text(0)?;
    let Some((scheme, rest)) = text.split_once(':') else {
        return Ok(false);
    };
    let plain = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let known = match args.some(1) {
        Some(schemes) => args
            .cx
            .items(schemes)?
            .iter()
            .any(|one| one.as_str() == Some(scheme)),
        None => true,
    };
    Ok(plain && known && !rest.is_empty() && test(scheme, rest))
}
