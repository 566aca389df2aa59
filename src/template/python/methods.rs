//! Methods and attributes of Python's types that templates use.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::args::{Args, Keywords};
use super::super::error::{Fail, fail, failure};
use super::super::eval::{Context, NESTING_MAX};
use super::super::object::{LoopState, Object};
use super::super::val::{Dict, Key, List, Val};
use super::{equal, index, int, items, key, moments, sort_by_key};

const OF_STR: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "endswith",
    "find",
    "format",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "upper",
    "zfill",
];
const OF_LIST: &[&str] = &[
    "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse",
    "sort",
];
const OF_TUPLE: &[&str] = &["count", "index"];
const OF_DICT: &[&str] = &[
    "clear",
    "copy",
    "get",
    "items",
    "keys",
    "pop",
    "popitem",
    "setdefault",
    "update",
    "values",
];

/// An attribute that Python knows of a value, a method mostly.
pub(in super::super) fn attribute(value: &Val, name: &Arc<str>) -> Option<Val> {
    let methods = match value {
        Val::Str(_) => OF_STR,
        Val::List(_) => OF_LIST,
        Val::Tuple(_) => OF_TUPLE,
        Val::Dict(_) | Val::Lazy(_) => OF_DICT,
        Val::Object(object) => return object_attribute(value, object, name),
        _ => return None,
    };
    methods.contains(&&**name).then(|| bound(value, name))
}

fn bound(value: &Val, name: &Arc<str>) -> Val {
    Val::Object(Arc::new(Object::Method(value.clone(), name.clone())))
}

fn object_attribute(value: &Val, object: &Object, name: &Arc<str>) -> Option<Val> {
    match object {
        Object::Namespace(members) => members
            .lock()
            .ok()
            .and_then(|members| members.get(name).cloned()),
        Object::Module(members) => members.get(name).cloned(),
        Object::Loop(state) => loop_attribute(value, state, name),
        Object::Cycler { items, at } => match &**name {
            "next" | "reset" => Some(bound(value, name)),
            "current" => items
                .get(at.load(Ordering::Relaxed) % items.len().max(1))
                .cloned(),
            _ => None,
        },
        Object::Macro(closure) if &**name == "name" => Some(Val::Str(closure.name())),
        Object::Moment(..) | Object::Span(_) => moments::attribute(value, object, name),
        _ => None,
    }
}

fn loop_attribute(value: &Val, state: &LoopState, name: &Arc<str>) -> Option<Val> {
    let at = state.at.load(Ordering::Relaxed);
    let count = state.items.len();
    let item = |at: Option<usize>, which: &str| {
        let found = at.and_then(|at| state.items.get(at)).cloned();
        Some(found.unwrap_or_else(|| Val::undefined(format!("there is no {which} item"))))
    };
    Some(match &**name {
        "index" => Val::from(at + 1),
        "index0" => Val::from(at),
        "revindex" => Val::from(count - at),
        "revindex0" => Val::from(count - at - 1),
        "first" => Val::Bool(at == 0),
        "last" => Val::Bool(at + 1 == count),
        "length" => Val::from(count),
        "depth" => Val::from(state.depth),
        "depth0" => Val::from(state.depth - 1),
        "previtem" => return item(at.checked_sub(1), "previous"),
        "nextitem" => return item(Some(at + 1), "next"),
        "cycle" | "changed" => bound(value, name),
        _ => return None,
    })
}

/// Calls a method.
pub(in super::super) fn call_method(
    cx: &Context<'_>,
    receiver: &Val,
    name: &Arc<str>,
    positional: Vec<Val>,
    keywords: Keywords,
) -> Result<Val, Fail> {
    match receiver {
        Val::Str(text) => super::text_methods::call(cx, text, name, positional, keywords),
        Val::List(list) => of_list(cx, list, name, positional, keywords),
        Val::Tuple(items) => counted(items, name, &positional),
        Val::Dict(dict) => of_dict(cx, dict, name, positional, keywords),
        Val::Lazy(map) => match (&**name, positional.first()) {
            ("get", Some(Val::Str(key))) => Ok(cx
                .lazy_member(map, key)?
                .unwrap_or_else(|| positional.get(1).cloned().unwrap_or(Val::None))),
            ("keys", None) => Ok(Val::list(items(receiver)?)),
            ("items", None) => Ok(Val::list(pairs(cx.entries(receiver)?))),
            ("values", None) => {
                let entries = cx.entries(receiver)?;
                Ok(Val::list(
                    entries.into_iter().map(|(_, value)| value).collect(),
                ))
            }
            _ => fail(format!(
                "this mapping can't be changed: `{name}` is not there"
            )),
        },
        Val::Object(object) => match &**object {
            Object::Loop(state) => of_loop(state, name, positional),
            Object::Cycler { items, at } => {
                if &**name == "reset" {
                    at.store(0, Ordering::Relaxed);
                    return Ok(Val::None);
                }
                let now = at.fetch_add(1, Ordering::Relaxed);
                Ok(items
                    .get(now % items.len().max(1))
                    .cloned()
                    .unwrap_or(Val::None))
            }
            _ => moments::call(cx, object, name, positional),
        },
        other => fail(format!("'{}' has no method '{name}'", other.type_name())),
    }
}

fn pairs(entries: Vec<(Val, Val)>) -> Vec<Val> {
    entries
        .into_iter()
        .map(|(key, value)| Val::tuple(vec![key, value]))
        .collect()
}

fn of_loop(state: &LoopState, name: &str, positional: Vec<Val>) -> Result<Val, Fail> {
    if name == "cycle" {
        let at = state.at.load(Ordering::Relaxed) % positional.len().max(1);
        return positional
            .into_iter()
            .nth(at)
            .ok_or_else(|| failure("no items for cycling given"));
    }
    let Ok(mut last) = state.last_changed.lock() else {
        return Ok(Val::Bool(true));
    };
    let same = last.as_ref().is_some_and(|last| {
        last.len() == positional.len() && last.iter().zip(&positional).all(|(a, b)| equal(a, b))
    });
    *last = Some(positional);
    Ok(Val::Bool(!same))
}

pub(super) fn method_args<'r>(
    cx: &Context<'r>,
    method: &'static str,
    params: &'static str,
    positional: Vec<Val>,
    keywords: Keywords,
) -> Result<Args<'r>, Fail> {
    Args::bind(*cx, method, params, positional, keywords)
}

fn counted(items: &[Val], name: &str, positional: &[Val]) -> Result<Val, Fail> {
    let wanted = positional
        .first()
        .ok_or_else(|| failure(format!("{name}() takes exactly one argument (0 given)")))?;
    match name {
        "count" => Ok(Val::from(
            items.iter().filter(|item| equal(item, wanted)).count(),
        )),
        "index" => items
            .iter()
            .position(|item| equal(item, wanted))
            .map(Val::from)
            .ok_or_else(|| failure(format!("{} is not in list", super::repr(wanted)))),
        _ => fail(format!("'tuple' has no method '{name}'")),
    }
}

/// What is put in must not hold what it is put into, nor nest without end.
fn may_hold(depth: u32, holder: *const (), value: &Val) -> Result<(), Fail> {
    fn holds(value: &Val, holder: *const ()) -> bool {
        match value {
            Val::List(list) => {
                Arc::as_ptr(list).cast::<()>() == holder
                    || list.read().iter().any(|item| holds(item, holder))
            }
            Val::Dict(dict) => {
                Arc::as_ptr(dict).cast::<()>() == holder
                    || dict.read().values().any(|item| holds(item, holder))
            }
            Val::Tuple(items) => items.iter().any(|item| holds(item, holder)),
            _ => false,
        }
    }
    if depth.max(value.depth()) > NESTING_MAX || holds(value, holder) {
        return fail("a list or mapping can't be put into itself, nor nest without end");
    }
    Ok(())
}

fn of_list(
    cx: &Context<'_>,
    list: &Arc<List>,
    name: &str,
    positional: Vec<Val>,
    keywords: Keywords,
) -> Result<Val, Fail> {
    let holder = Arc::as_ptr(list).cast::<()>();
    let depth = Val::List(list.clone()).depth();
    match name {
        "count" | "index" => {
            cx.settle(&Val::List(list.clone()))?;
            return counted(&list.read(), name, &positional);
        }
        "copy" => return Ok(Val::list(list.read().clone())),
        "sort" => {
            let args = method_args(cx, "sort", "key reverse", positional, keywords)?;
            cx.settle(&Val::List(list.clone()))?;
            let mut keyed: Vec<(Val, Val)> = list
                .read()
                .iter()
                .map(|item| (item.clone(), item.clone()))
                .collect();
            sort_by_key(&mut keyed, args.flag(1, false))?;
            *list.write() = keyed.into_iter().map(|(_, item)| item).collect();
            return Ok(Val::None);
        }
        _ => {}
    }
    let first = positional.first();
    let need = || first.ok_or_else(|| failure(format!("{name}() takes an argument")));
    match name {
        "append" => {
            let value = need()?;
            may_hold(depth, holder, value)?;
            cx.run.memory(size_of::<Val>())?;
            list.write().push(value.clone());
            list.deepen(value);
        }
        "extend" => {
            let more = cx.items(need()?)?;
            cx.run.memory(more.len() * size_of::<Val>())?;
            for value in &more {
                may_hold(depth, holder, value)?;
                list.deepen(value);
            }
            list.write().extend(more);
        }
        "insert" => {
            let value = positional
                .get(1)
                .ok_or_else(|| failure("insert expected 2 arguments"))?;
            may_hold(depth, holder, value)?;
            let mut items = list.write();
            let count = i128::try_from(items.len()).unwrap_or(i128::MAX);
            let at = int(need()?)?;
            let at = if at < 0 {
                (at + count).max(0)
            } else {
                at.min(count)
            };
            items.insert(usize::try_from(at).unwrap_or(0), value.clone());
            drop(items);
            list.deepen(value);
        }
        "pop" => {
            let mut items = list.write();
            let at = index(first.unwrap_or(&Val::Int(-1)), items.len())
                .ok_or_else(|| failure("pop index out of range"))?;
            let popped = items.remove(at);
            drop(items);
            return cx.force(&popped);
        }
        "remove" => {
            let wanted = need()?;
            let at = list.read().iter().position(|item| equal(item, wanted));
            match at {
                Some(at) => _ = list.write().remove(at),
                None => return fail("list.remove(x): x not in list"),
            }
        }
        "clear" => list.write().clear(),
        "reverse" => list.write().reverse(),
        other => return fail(format!("'list' has no method '{other}'")),
    }
    Ok(Val::None)
}

fn of_dict(
    cx: &Context<'_>,
    dict: &Arc<Dict>,
    name: &str,
    positional: Vec<Val>,
    keywords: Keywords,
) -> Result<Val, Fail> {
    let holder = Arc::as_ptr(dict).cast::<()>();
    let whole = Val::Dict(dict.clone());
    let depth = whole.depth();
    let put = |at: Key, value: Val| {
        may_hold(depth, holder, &value)?;
        cx.run.memory(2 * size_of::<Val>())?;
        dict.deepen(&value);
        dict.write().insert(at, value);
        Ok::<_, Fail>(())
    };
    if name == "update" {
        if let Some(more) = positional.first() {
            for (at, value) in pairs_of(cx, more)? {
                put(key(&at)?, value)?;
            }
        }
        for (at, value) in keywords {
            put(Key(Val::Str(at)), value)?;
        }
        return Ok(Val::None);
    }
    let args = method_args(cx, "dict", "key default", positional, keywords)?;
    let default = || args.get(1).cloned();
    match name {
        "get" => match dict.get(args.need(0)?) {
            Some(value) => cx.force(&value),
            None => Ok(default().unwrap_or(Val::None)),
        },
        "keys" => Ok(Val::list(items(&whole)?)),
        "values" => {
            let entries = cx.entries(&whole)?;
            Ok(Val::list(
                entries.into_iter().map(|(_, value)| value).collect(),
            ))
        }
        "items" => Ok(Val::list(pairs(cx.entries(&whole)?))),
        "copy" => Ok(Val::dict(dict.read().clone())),
        "clear" => {
            dict.write().clear();
            Ok(Val::None)
        }
        "setdefault" => {
            let at = args.need(0)?;
            if let Some(value) = dict.get(at) {
                return cx.force(&value);
            }
            let value = default().unwrap_or(Val::None);
            put(key(at)?, value.clone())?;
            Ok(value)
        }
        "pop" => {
            let at = args.need(0)?;
            let removed = dict.write().shift_remove(&key(at)?);
            match removed.or_else(default) {
                Some(value) => cx.force(&value),
                None => fail(format!("KeyError: {}", super::repr(at))),
            }
        }
        "popitem" => match dict.write().pop() {
            Some((at, value)) => Ok(Val::tuple(vec![at.0, value])),
            None => fail("popitem(): dictionary is empty"),
        },
        other => fail(format!("'dict' has no method '{other}'")),
    }
}

/// Pairs of a mapping or of a list of pairs.
pub(in super::super) fn pairs_of(cx: &Context<'_>, value: &Val) -> Result<Vec<(Val, Val)>, Fail> {
    if value.is_mapping() {
        return cx.entries(value);
    }
    cx.items(value)?
        .iter()
        .map(|pair| match items(pair)?.as_slice() {
            [key, value] => Ok((key.clone(), value.clone())),
            other => fail(format!(
                "dictionary update sequence element has length {}; 2 is required",
                other.len()
            )),
        })
        .collect()
}
