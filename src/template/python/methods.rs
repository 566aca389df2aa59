//! Methods and attributes of Python's types that templates use.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::args::{Args, Keywords};
use super::super::error::{Fail, fail, failure};
use super::super::eval::{Context, NESTING_MAX, defined};
use super::super::object::{LoopState, Object};
use super::super::val::{Dict, Key, List, Val};
use super::strings::{
    capitalize, find, is_space, rsplit_whitespace, split_whitespace, splitlines, swapcase, title,
};
use super::{equal, index, int, items, key, moments, slice, sort_by_key, text};

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
pub(in super::super) fn attribute(value: &Val, name: &Arc<str>) -> Result<Option<Val>, Fail> {
    let methods = match value {
        Val::Str(_) => OF_STR,
        Val::List(_) => OF_LIST,
        Val::Tuple(_) => OF_TUPLE,
        Val::Dict(_) | Val::Lazy(_) => OF_DICT,
        Val::Object(object) => return object_attribute(value, object, name),
        _ => return Ok(None),
    };
    Ok(methods.contains(&&**name).then(|| bound(value, name)))
}

fn bound(value: &Val, name: &Arc<str>) -> Val {
    Val::Object(Arc::new(Object::Method(value.clone(), name.clone())))
}

fn object_attribute(value: &Val, object: &Object, name: &Arc<str>) -> Result<Option<Val>, Fail> {
    Ok(match object {
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
    })
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
        Val::Str(text) => of_str(cx, text, name, positional, keywords),
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

fn method_args<'r>(
    cx: &Context<'r>,
    method: &'static str,
    params: &'static str,
    positional: Vec<Val>,
    keywords: Keywords,
) -> Result<Args<'r>, Fail> {
    Args::bind(*cx, method, params, positional, keywords)
}

fn of_str(
    cx: &Context<'_>,
    whole: &Arc<str>,
    name: &str,
    positional: Vec<Val>,
    keywords: Keywords,
) -> Result<Val, Fail> {
    let word = |text: String| Ok(Val::from(text));
    let yes = |found: bool| Ok(Val::Bool(found));
    let parts = |parts: Vec<String>| Ok(Val::list(parts.into_iter().map(Val::from).collect()));
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
            parts(split(
                whole,
                args.maybe_text(0)?.as_deref(),
                most,
                name == "rsplit",
            )?)
        }
        "splitlines" => parts(splitlines(whole, args.flag(0, false))),
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
