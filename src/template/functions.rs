//! Functions that templates may call.

use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex};

use super::args::Args;
use super::error::{Fail, fail};
use super::lookups;
use super::object::Object;
use super::python;
use super::val::{Key, Val};

/// A function.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) params: &'static str,
    /// Whether it takes undefined arguments.
    pub(super) tolerant: bool,
    pub(super) run: fn(&Args<'_>) -> Result<Val, Fail>,
}

const fn function(
    name: &'static str,
    params: &'static str,
    run: fn(&Args<'_>) -> Result<Val, Fail>,
) -> Function {
    Function {
        name,
        params,
        tolerant: false,
        run,
    }
}

/// All of them.
pub(super) const ALL: &[Function] = &[
    function("range", "start stop step", range),
    function("dict", "mapping **", dict),
    function("namespace", "mapping **", namespace),
    function("cycler", "*", cycler),
    function("joiner", "sep", |args| {
        Ok(Val::Object(Arc::new(Object::Joiner {
            text: args.get(0).cloned().unwrap_or_else(|| Val::str(", ")),
            used: AtomicBool::new(false),
        })))
    }),
    function("now", "utc fmt", now),
    function("undef", "hint", undef),
    function("lookup", "name * **", |args| lookups::function(args, false)),
    function("query", "name * **", |args| lookups::function(args, true)),
    function("q", "name * **", |args| lookups::function(args, true)),
];

fn range(args: &Args<'_>) -> Result<Val, Fail> {
    let first = args.int(0, 0)?;
    let (start, stop) = match args.get(1) {
        Some(_) => (first, args.int(1, 0)?),
        None => (0, first),
    };
    let step = args.int(2, 1)?;
    if step == 0 {
        return fail("range() arg 3 must not be zero");
    }
    let mut items = Vec::new();
    let mut at = start;
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        args.cx.run.memory(size_of::<Val>())?;
        args.cx.run.steps(1)?;
        items.push(Val::Int(at));
        at = at.saturating_add(step);
    }
    Ok(Val::list(items))
}

fn pairs(args: &Args<'_>) -> Result<Vec<(Val, Val)>, Fail> {
    let mut pairs = match args.get(0) {
        Some(value) => python::pairs_of(&args.cx, value)?,
        None => Vec::new(),
    };
    let named = args.keywords.iter();
    pairs.extend(named.map(|(key, value)| (Val::Str(key.clone()), value.clone())));
    Ok(pairs)
}

fn dict(args: &Args<'_>) -> Result<Val, Fail> {
    let mut entries = indexmap::IndexMap::new();
    for (key, value) in pairs(args)? {
        entries.insert(python::key(&key)?, value);
    }
    Ok(Val::dict(entries))
}

fn namespace(args: &Args<'_>) -> Result<Val, Fail> {
    let mut members = indexmap::IndexMap::new();
    for (key, value) in pairs(args)? {
        members.insert(python::text(&key)?, value);
    }
    Ok(Val::Object(Arc::new(Object::Namespace(Mutex::new(
        members,
    )))))
}

fn cycler(args: &Args<'_>) -> Result<Val, Fail> {
    if args.rest.is_empty() {
        return fail("at least one item has to be provided");
    }
    Ok(Val::Object(Arc::new(Object::Cycler {
        items: args.rest.clone(),
        at: AtomicUsize::new(0),
    })))
}

fn now(args: &Args<'_>) -> Result<Val, Fail> {
    let now = python::now(args.flag(0, false));
    match (args.maybe_text(1)?, &now) {
        (Some(format), Val::Object(object)) => match &**object {
            Object::Moment(at, zone) => python::formatted(*at, *zone, &format).map(Val::from),
            _ => Ok(now),
        },
        _ => Ok(now),
    }
}

fn undef(args: &Args<'_>) -> Result<Val, Fail> {
    let hint = args.maybe_text(0)?;
    Ok(Val::undefined(
        hint.as_deref()
            .unwrap_or("Mandatory variable has not been overridden"),
    ))
}

/// A mapping with text for keys, of pairs.
pub(super) fn record(pairs: impl IntoIterator<Item = (Arc<str>, Val)>) -> Val {
    Val::dict(
        pairs
            .into_iter()
            .map(|(key, value)| (Key(Val::Str(key)), value))
            .collect(),
    )
}
