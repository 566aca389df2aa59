//! Filters over lists: choosing, ordering, putting together.

use std::cmp::Ordering;

use super::super::args::Args;
use super::super::error::{Fail, fail};
use super::super::eval::{Context, defined};
use super::super::python;
use super::super::val::Val;
use super::{Filter, deep, shallow};

pub(super) const ALL: &[Filter] = &[
    shallow("list", "value", |args| Ok(Val::list(args.items(0)?))),
    shallow("length", "obj", length),
    shallow("count", "obj", length),
    shallow("first", "seq", |args| first(args, "first")),
    shallow("last", "seq", last),
    deep("join", "value d attribute", join),
    shallow("map", "value * **", super::mapped::map),
    shallow("select", "value *", |args| {
        super::mapped::select(args, true, false)
    }),
    shallow("reject", "value *", |args| {
        super::mapped::select(args, false, false)
    }),
    shallow("selectattr", "value attribute *", |args| {
        super::mapped::select(args, true, true)
    }),
    shallow("rejectattr", "value attribute *", |args| {
        super::mapped::select(args, false, true)
    }),
    deep("sort", "value reverse case_sensitive attribute", sort),
    deep(
        "unique",
        "value case_sensitive attribute",
        super::sets::unique,
    ),
    deep("min", "value case_sensitive attribute", |args| {
        extreme(args, Ordering::Less)
    }),
    deep("max", "value case_sensitive attribute", |args| {
        extreme(args, Ordering::Greater)
    }),
    deep("sum", "iterable attribute start", sum),
    shallow("batch", "value linecount fill_with", batch),
    shallow("slice", "value slices fill_with", slice),
    deep("groupby", "value attribute default case_sensitive", groupby),
    shallow("flatten", "mylist levels skip_nulls", flatten),
    deep("difference", "a b", super::sets::difference),
    deep("intersect", "a b", super::sets::intersect),
    deep("union", "a b", super::sets::union),
    deep(
        "symmetric_difference",
        "a b",
        super::sets::symmetric_difference,
    ),
    shallow("zip", "value * **", |args| super::combine::zip(args, false)),
    shallow("zip_longest", "value * **", |args| {
        super::combine::zip(args, true)
    }),
    shallow("product", "value * **", super::combine::product),
    shallow("permutations", "value r", super::combine::permutations),
    shallow("combinations", "value r", super::combine::combinations),
    shallow("random", "end start step seed", super::random::random),
    shallow("shuffle", "mylist seed", super::random::shuffle),
];

fn length(args: &Args<'_>) -> Result<Val, Fail> {
    Ok(Val::from(match args.input()? {
        Val::Str(text) => text.chars().count(),
        Val::List(list) => list.read().len(),
        Val::Tuple(items) => items.len(),
        Val::Dict(dict) => dict.read().len(),
        Val::Lazy(map) => map.len(),
        other => {
            return fail(format!(
                "object of type '{}' has no len()",
                other.type_name()
            ));
        }
    }))
}

fn first(args: &Args<'_>, which: &str) -> Result<Val, Fail> {
    let found = args.items(0)?.into_iter().next();
    Ok(found.unwrap_or_else(|| Val::undefined(format!("No {which} item, sequence was empty."))))
}

fn last(args: &Args<'_>) -> Result<Val, Fail> {
    let found = args.items(0)?.pop();
    Ok(found.unwrap_or_else(|| Val::undefined("No last item, sequence was empty.")))
}

fn join(args: &Args<'_>) -> Result<Val, Fail> {
    let between = args.maybe_text(1)?;
    let between = between.as_deref().unwrap_or("");
    let mut out = String::new();
    for (at, item) in args.items(0)?.into_iter().enumerate() {
        let item = match args.some(2) {
            Some(attribute) => by_attribute(&args.cx, &item, attribute)?,
            None => item,
        };
        let text = python::text(&item)?;
        args.cx.run.memory(text.len() + between.len())?;
        if at > 0 {
            out.push_str(between);
        }
        out.push_str(&text);
    }
    Ok(Val::from(out))
}

/// What Jinja's `attribute` arguments name: `a.b.0`; undefined where it isn't there.
pub(super) fn by_attribute(cx: &Context<'_>, item: &Val, attribute: &Val) -> Result<Val, Fail> {
    let path = match attribute {
        Val::Str(path) => path.clone(),
        other => return cx.item(item, other),
    };
    let mut at = item.clone();
    for part in path.split('.') {
        let key = match part.parse::<i64>() {
            Ok(number) if !part.starts_with('+') => Val::from(number),
            _ => Val::str(part),
        };
        at = match at {
            Val::Undefined(_) => return Ok(at),
            other => cx.item(&other, &key)?,
        };
    }
    Ok(at)
}

/// Letters compare without their case, unless asked otherwise.
fn folded(value: Val, case_sensitive: bool) -> Val {
    match value {
        Val::Str(text) if !case_sensitive => Val::from(text.to_lowercase()),
        other => other,
    }
}

/// The key that an item is ordered by: itself, an attribute, or several with commas between.
fn key_of(
    cx: &Context<'_>,
    item: &Val,
    attribute: Option<&Val>,
    case_sensitive: bool,
) -> Result<Val, Fail> {
    let Some(attribute) = attribute else {
        return Ok(folded(item.clone(), case_sensitive));
    };
    let parts: Vec<Val> = match attribute {
        Val::Str(text) if text.contains(',') => text.split(',').map(Val::str).collect(),
        other => vec![other.clone()],
    };
    let mut keys = Vec::new();
    for part in parts {
        let key = defined(by_attribute(cx, item, &part)?)?;
        keys.push(folded(key, case_sensitive));
    }
    Ok(match keys.len() {
        1 => keys.pop().unwrap_or(Val::None),
        _ => Val::tuple(keys),
    })
}

fn sort(args: &Args<'_>) -> Result<Val, Fail> {
    let case_sensitive = args.flag(2, false);
    let items = args.items(0)?;
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        let key = key_of(&args.cx, &item, args.some(3), case_sensitive)?;
        keyed.push((defined(key)?, item));
    }
    python::sort_by_key(&mut keyed, args.flag(1, false))?;
    Ok(Val::list(keyed.into_iter().map(|(_, item)| item).collect()))
}

fn extreme(args: &Args<'_>, wanted: Ordering) -> Result<Val, Fail> {
    let case_sensitive = args.flag(1, false);
    let mut best: Option<(Val, Val)> = None;
    for item in args.items(0)? {
        let key = defined(key_of(&args.cx, &item, args.some(2), case_sensitive)?)?;
        let better = match &best {
            None => true,
            Some((than, _)) => match python::ordering(&key, than) {
                Some(found) => found == wanted,
                None => {
                    let sign = if wanted == Ordering::Less { '<' } else { '>' };
                    return fail(format!(
                        "'{sign}' not supported between instances of '{}' and '{}'",
                        key.type_name(),
                        than.type_name()
                    ));
                }
            },
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or_else(
        || Val::undefined("No aggregated item, sequence was empty."),
        |(_, item)| item,
    ))
}

fn sum(args: &Args<'_>) -> Result<Val, Fail> {
    let mut total = args.get(2).cloned().unwrap_or(Val::Int(0));
    for item in args.items(0)? {
        let item = match args.some(1) {
            Some(attribute) => defined(by_attribute(&args.cx, &item, attribute)?)?,
            None => defined(item)?,
        };
        total = python::binary(args.cx.run, super::super::syntax::Op::Add, &total, &item)?;
    }
    Ok(total)
}

fn batch(args: &Args<'_>) -> Result<Val, Fail> {
    let size = args.count(1, 0)?;
    if size == 0 {
        return fail("batch needs a count of at least 1");
    }
    let mut rows: Vec<Vec<Val>> = args.items(0)?.chunks(size).map(<[Val]>::to_vec).collect();
    if let (Some(fill), Some(last)) = (args.some(2), rows.last_mut()) {
        args.cx.run.memory(size.saturating_mul(size_of::<Val>()))?;
        last.resize(size, fill.clone());
    }
    Ok(Val::list(rows.into_iter().map(Val::list).collect()))
}

fn slice(args: &Args<'_>) -> Result<Val, Fail> {
    let items = args.items(0)?;
    let slices = args.count(1, 0)?;
    if slices == 0 {
        return fail("slice needs a count of at least 1");
    }
    args.cx
        .run
        .memory(slices.saturating_mul(size_of::<Val>()))?;
    let (each, more) = (items.len() / slices, items.len() % slices);
    let mut rows = Vec::new();
    let mut offset = 0;
    for at in 0..slices {
        let start = offset + at * each;
        if at < more {
            offset += 1;
        }
        let end = offset + (at + 1) * each;
        let mut row = items.get(start..end).unwrap_or_default().to_vec();
        if let Some(fill) = args.some(2)
            && at >= more
        {
            row.push(fill.clone());
        }
        rows.push(Val::list(row));
    }
    Ok(Val::list(rows))
}

fn groupby(args: &Args<'_>) -> Result<Val, Fail> {
    let case_sensitive = args.flag(3, false);
    let attribute = args.need(1)?;
    let mut keyed = Vec::new();
    for item in args.items(0)? {
        let key = match by_attribute(&args.cx, &item, attribute)? {
            undefined @ Val::Undefined(_) => args.some(2).cloned().unwrap_or(undefined),
            found => found,
        };
        let key = defined(key)?;
        keyed.push((
            folded(key.clone(), case_sensitive),
            Val::tuple(vec![key, item]),
        ));
    }
    python::sort_by_key(&mut keyed, false)?;
    let mut groups: Vec<(Val, Val, Vec<Val>)> = Vec::new();
    for (key, pair) in keyed {
        let (shown, item) = match &pair {
            Val::Tuple(pair) => match &**pair {
                [shown, item] => (shown.clone(), item.clone()),
                _ => continue,
            },
            _ => continue,
        };
        match groups.last_mut() {
            Some((last, _, members)) if python::equal(last, &key) => members.push(item),
            _ => groups.push((key, shown, vec![item])),
        }
    }
    Ok(Val::list(
        groups
            .into_iter()
            .map(|(_, shown, members)| Val::tuple(vec![shown, Val::list(members)]))
            .collect(),
    ))
}

fn flatten(args: &Args<'_>) -> Result<Val, Fail> {
    let levels = match args.some(1) {
        Some(levels) => usize::try_from(python::int(levels)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    let skip_nulls = args.flag(2, true);
    let mut flat = Vec::new();
    flattened(
        args,
        args.input()?,
        levels.saturating_add(1),
        skip_nulls,
        &mut flat,
    )?;
    Ok(Val::list(flat))
}

fn flattened(
    args: &Args<'_>,
    value: &Val,
    levels: usize,
    skip_nulls: bool,
    flat: &mut Vec<Val>,
) -> Result<(), Fail> {
    for item in args.cx.items(value)? {
        let nothing = item.is_none() || matches!(item.as_str(), Some("None" | "null"));
        if skip_nulls && nothing {
            continue;
        }
        if levels > 1 && item.is_sequence() {
            flattened(args, &item, levels - 1, skip_nulls, flat)?;
        } else {
            flat.push(item);
        }
    }
    Ok(())
}
