//! Filters over mappings.

use indexmap::IndexMap;

use super::super::args::Args;
use super::super::error::{Fail, fail};
use super::super::eval::Context;
use super::super::python;
use super::super::val::{Key, Val};
use super::{Filter, deep, shallow};

pub(super) const ALL: &[Filter] = &[
    shallow("combine", "value * **", combine),
    shallow("dict2items", "mydict key_name value_name", dict2items),
    shallow("items2dict", "mylist key_name value_name", items2dict),
    shallow("items", "value", items),
    deep("dictsort", "value case_sensitive by reverse", dictsort),
    shallow("subelements", "obj subelements skip_missing", subelements),
    shallow("extract", "item container morekeys", extract),
    shallow("rekey_on_member", "data key duplicates", rekey_on_member),
    shallow("dict", "value", |args| {
        let mut entries = IndexMap::new();
        for (key, value) in python::pairs_of(&args.cx, args.input()?)? {
            entries.insert(python::key(&key)?, value);
        }
        Ok(Val::dict(entries))
    }),
];

/// What becomes of two lists under the same key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lists {
    Replace,
    Keep,
    Append,
    Prepend,
    AppendNew,
    PrependNew,
}

fn combine(args: &Args<'_>) -> Result<Val, Fail> {
    let mut recursive = false;
    let mut lists = Lists::Replace;
    for (key, value) in &args.keywords {
        match &**key {
            "recursive" => recursive = python::truth(value),
            "list_merge" => {
                lists = match &*python::text(value)? {
                    "replace" => Lists::Replace,
                    "keep" => Lists::Keep,
                    "append" => Lists::Append,
                    "prepend" => Lists::Prepend,
                    "append_rp" => Lists::AppendNew,
                    "prepend_rp" => Lists::PrependNew,
                    other => {
                        return fail(format!(
                            "merge_hash: 'list_merge' argument can only be equal to 'replace', 'keep', 'append', 'prepend', 'append_rp' or 'prepend_rp', not '{other}'"
                        ));
                    }
                };
            }
            _ => return fail("'recursive' and 'list_merge' are the only valid keyword arguments"),
        }
    }
    // A list of mappings is as good as the mappings.
    let mut mappings = Vec::new();
    for value in std::iter::once(args.input()?).chain(&args.rest) {
        gather(&args.cx, value, &mut mappings)?;
    }
    let mut merged: Option<Val> = None;
    for next in mappings {
        merged = Some(match merged {
            Some(before) => merge(&args.cx, &before, &next, recursive, lists, 0)?,
            None => next,
        });
    }
    Ok(merged.unwrap_or_else(|| Val::dict(IndexMap::new())))
}

fn gather(cx: &Context<'_>, value: &Val, mappings: &mut Vec<Val>) -> Result<(), Fail> {
    if value.is_sequence() {
        for item in cx.items(value)? {
            gather(cx, &item, mappings)?;
        }
    } else {
        mappings.push(value.clone());
    }
    Ok(())
}

/// Members as they are: what is not touched is not rendered.
fn members(cx: &Context<'_>, value: &Val) -> Result<Vec<(Key, Val)>, Fail> {
    match value {
        Val::Dict(dict) => {
            let entries = dict.read();
            cx.run.steps(entries.len() as u64)?;
            Ok(entries
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect())
        }
        other => Ok(cx
            .entries(other)?
            .into_iter()
            .map(|(key, value)| (Key(key), value))
            .collect()),
    }
}

fn merge(
    cx: &Context<'_>,
    one: &Val,
    other: &Val,
    recursive: bool,
    lists: Lists,
    depth: u32,
) -> Result<Val, Fail> {
    if !one.is_mapping() || !other.is_mapping() {
        return fail(format!(
            "failed to combine variables, expected dicts but got a '{}' and a '{}'",
            one.type_name(),
            other.type_name()
        ));
    }
    if depth > super::super::eval::NESTING_MAX {
        return fail("the mappings nest too deep");
    }
    let mut merged: IndexMap<Key, Val> = members(cx, one)?.into_iter().collect();
    for (key, value) in members(cx, other)? {
        let Some(before) = merged.get(&key).cloned() else {
            merged.insert(key, value);
            continue;
        };
        if !recursive && lists == Lists::Replace {
            merged.insert(key, value);
            continue;
        }
        let (before, value) = (cx.force(&before)?, cx.force(&value)?);
        let result = if before.is_mapping() && value.is_mapping() && recursive {
            merge(cx, &before, &value, recursive, lists, depth + 1)?
        } else if before.is_sequence() && value.is_sequence() && lists != Lists::Replace {
            Val::list(merge_lists(cx, &before, &value, lists)?)
        } else {
            value
        };
        merged.insert(key, result);
    }
    Ok(Val::dict(merged))
}

fn merge_lists(cx: &Context<'_>, one: &Val, other: &Val, how: Lists) -> Result<Vec<Val>, Fail> {
    let (one, other) = (cx.items(&cx.settle(one)?)?, cx.items(&cx.settle(other)?)?);
    let without = |items: &[Val], gone: &[Val]| -> Vec<Val> {
        let kept = items.iter();
        kept.filter(|item| !gone.iter().any(|other| python::equal(item, other)))
            .cloned()
            .collect()
    };
    Ok(match how {
        Lists::Replace => other,
        Lists::Keep => one,
        Lists::Append => [one, other].concat(),
        Lists::Prepend => [other, one].concat(),
        Lists::AppendNew => [without(&one, &other), other].concat(),
        Lists::PrependNew => {
            let rest = without(&one, &other);
            [other, rest].concat()
        }
    })
}

fn dict2items(args: &Args<'_>) -> Result<Val, Fail> {
    let value = args.input()?;
    if !value.is_mapping() {
        return fail(format!(
            "dict2items requires a dictionary, got {} instead.",
            value.type_name()
        ));
    }
    let key_name = args.maybe_text(1)?;
    let value_name = args.maybe_text(2)?;
    let key_name = key_name.as_deref().unwrap_or("key");
    let value_name = value_name.as_deref().unwrap_or("value");
    let rows = members(&args.cx, value)?.into_iter();
    Ok(Val::list(
        rows.map(|(key, value)| Val::record([(key_name, key.0), (value_name, value)]))
            .collect(),
    ))
}

fn items2dict(args: &Args<'_>) -> Result<Val, Fail> {
    let value = args.input()?;
    if !value.is_sequence() {
        return fail(format!(
            "items2dict requires a list, got {} instead.",
            value.type_name()
        ));
    }
    let key_name = args.maybe_text(1)?;
    let value_name = args.maybe_text(2)?;
    let key_name = key_name.as_deref().unwrap_or("key");
    let value_name = value_name.as_deref().unwrap_or("value");
    let mut entries = IndexMap::new();
    for item in args.items(0)? {
        let part = |name: &str| {
            let found = args.cx.own_item(&item, &Val::str(name))?;
            if found.is_undefined() {
                return fail(format!(
                    "items2dict requires each dictionary in the list to contain the keys '{key_name}' and '{value_name}', got {} instead.",
                    python::repr(value)
                ));
            }
            Ok(found)
        };
        entries.insert(python::key(&part(key_name)?)?, part(value_name)?);
    }
    Ok(Val::dict(entries))
}

fn items(args: &Args<'_>) -> Result<Val, Fail> {
    if !args.input()?.is_mapping() {
        return fail("Can only get item pairs from a mapping.");
    }
    let pairs = members(&args.cx, args.input()?)?.into_iter();
    Ok(Val::list(
        pairs
            .map(|(key, value)| Val::tuple(vec![key.0, value]))
            .collect(),
    ))
}

fn dictsort(args: &Args<'_>) -> Result<Val, Fail> {
    let by = args.maybe_text(2)?;
    let by_value = match by.as_deref().unwrap_or("key") {
        "key" => false,
        "value" => true,
        _ => return fail("You can only sort by either \"key\" or \"value\""),
    };
    let case_sensitive = args.flag(1, false);
    let mut keyed: Vec<(Val, Val)> = args
        .cx
        .entries(args.input()?)?
        .into_iter()
        .map(|(key, value)| {
            let by = if by_value { &value } else { &key };
            let by = match by {
                Val::Str(text) if !case_sensitive => Val::from(text.to_lowercase()),
                other => other.clone(),
            };
            (by, Val::tuple(vec![key, value]))
        })
        .collect();
    python::sort_by_key(&mut keyed, args.flag(3, false))?;
    Ok(Val::list(keyed.into_iter().map(|(_, pair)| pair).collect()))
}

fn subelements(args: &Args<'_>) -> Result<Val, Fail> {
    let over = args.input()?;
    let members: Vec<Val> = if over.is_mapping() {
        let entries = args.cx.entries(over)?;
        entries.into_iter().map(|(_, value)| value).collect()
    } else if over.is_sequence() {
        args.items(0)?
    } else {
        return fail("obj must be a list of dicts or a nested dict");
    };
    let path: Vec<Val> = match args.need(1)? {
        Val::Str(path) => path.split('.').map(Val::str).collect(),
        other => args.cx.items(other)?,
    };
    let skip = args.flag(2, false);
    let mut found = Vec::new();
    for member in members {
        let mut at = member.clone();
        for key in &path {
            at = args.cx.own_item(&at, key)?;
        }
        if at.is_undefined() {
            if skip {
                continue;
            }
            return fail(format!(
                "could not find {} key in iterated item {}",
                path.first().map(python::repr).unwrap_or_default(),
                python::repr(&member)
            ));
        }
        if !at.is_sequence() {
            return fail(format!(
                "the key {} should point to a list, got {}",
                path.first().map(python::repr).unwrap_or_default(),
                at.type_name()
            ));
        }
        for item in args.cx.items(&at)? {
            found.push(Val::tuple(vec![member.clone(), item]));
        }
    }
    Ok(Val::list(found))
}

/// `key | extract(container, morekeys)`.
fn extract(args: &Args<'_>) -> Result<Val, Fail> {
    let mut at = args.cx.item(args.need(1)?, args.input()?)?;
    let more = match args.some(2) {
        None => Vec::new(),
        Some(keys) if keys.is_sequence() => args.cx.items(keys)?,
        Some(key) => vec![key.clone()],
    };
    for key in more {
        if at.is_undefined() {
            return Ok(at);
        }
        at = args.cx.item(&at, &key)?;
    }
    Ok(at)
}

fn rekey_on_member(args: &Args<'_>) -> Result<Val, Fail> {
    let over = args.input()?;
    let members: Vec<Val> = if over.is_mapping() {
        let entries = args.cx.entries(over)?;
        entries.into_iter().map(|(_, value)| value).collect()
    } else {
        args.items(0)?
    };
    let name = args.text(1)?;
    let duplicates = args.maybe_text(2)?;
    let overwrite = match duplicates.as_deref().unwrap_or("error") {
        "error" => false,
        "overwrite" => true,
        other => {
            return fail(format!(
                "duplicates parameter to rekey_on_member has unknown value: {other}"
            ));
        }
    };
    let mut entries = IndexMap::new();
    for member in members {
        let key = args.cx.own_item(&member, &Val::Str(name.clone()))?;
        if key.is_undefined() {
            return fail(format!("Key '{name}' was not found"));
        }
        let key = python::key(&key)?;
        if !overwrite && entries.contains_key(&key) {
            return fail(format!(
                "Key {} is not unique, cannot correctly turn into dict",
                python::repr(&key.0)
            ));
        }
        entries.insert(key, member);
    }
    Ok(Val::dict(entries))
}
