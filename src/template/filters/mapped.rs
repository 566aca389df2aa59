//! Filters that use others on every item: `map`, `select` and their like.

use super::super::args::Args;
use super::super::error::{Fail, fail};
use super::super::python;
use super::super::val::Val;
use super::lists::by_attribute;

/// `map('upper')`, `map(attribute='a.b', default=1)`.
pub(super) fn map(args: &Args<'_>) -> Result<Val, Fail> {
    let items = args.items(0)?;
    if args.rest.is_empty() {
        let Some(attribute) = args.keyword("attribute") else {
            return fail("map requires a filter argument");
        };
        let known = |key: &str| matches!(key, "attribute" | "default");
        if let Some((unknown, _)) = args.keywords.iter().find(|(key, _)| !known(key)) {
            return fail(format!("Unexpected keyword argument '{unknown}'"));
        }
        let default = args.keyword("default");
        let mapped = items.iter().map(|item| {
            let found = by_attribute(&args.cx, item, attribute)?;
            Ok(match (found, default) {
                (Val::Undefined(_), Some(default)) => default.clone(),
                (found, _) => found,
            })
        });
        return Ok(Val::list(mapped.collect::<Result<_, Fail>>()?));
    }
    let (name, rest) = match args.rest.split_first() {
        Some((name, rest)) => (python::text(name)?, rest),
        None => return fail("map requires a filter argument"),
    };
    let mapped = items.into_iter().map(|item| {
        let mut positional = vec![item];
        positional.extend(rest.iter().cloned());
        args.cx
            .filter_named(&name, positional, args.keywords.clone())
    });
    Ok(Val::list(mapped.collect::<Result<_, Fail>>()?))
}

/// `select('match', ...)` and `selectattr('a', 'eq', 1)`, or their opposites.
pub(super) fn select(args: &Args<'_>, wanted: bool, by_attr: bool) -> Result<Val, Fail> {
    let mut kept = Vec::new();
    for item in args.items(0)? {
        let tested = if by_attr {
            by_attribute(&args.cx, &item, args.need(1)?)?
        } else {
            item.clone()
        };
        let passes = match args.rest.split_first() {
            Some((name, rest)) => {
                let mut positional = vec![tested];
                positional.extend(rest.iter().cloned());
                args.cx.test_named(&python::text(name)?, positional)?
            }
            None => python::truth(&super::super::eval::defined(tested)?),
        };
        if passes == wanted {
            kept.push(item);
        }
    }
    Ok(Val::list(kept))
}
