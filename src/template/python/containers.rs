//! Lists, mappings and texts as things to go through, to index and to slice.

use super::super::error::{Fail, fail};
use super::super::val::{Key, Val};
use super::int;

/// What a value consists of, as a loop over it sees it.
pub(in super::super) fn items(value: &Val) -> Result<Vec<Val>, Fail> {
    Ok(match value {
        Val::List(list) => list.read().clone(),
        Val::Tuple(items) => items.to_vec(),
        Val::Dict(dict) => dict.read().keys().map(|key| key.0.clone()).collect(),
        Val::Lazy(map) => map.keys().into_iter().map(Val::Str).collect(),
        Val::Str(text) => text.chars().map(|c| Val::from(c.to_string())).collect(),
        Val::Undefined(why) => return Err(super::super::eval::undefined(why)),
        other => return fail(format!("'{}' object is not iterable", other.type_name())),
    })
}

/// The place of an index; negative ones count from the end.
pub(in super::super) fn index(key: &Val, len: usize) -> Option<usize> {
    let at = int(key).ok()?;
    let at = if at < 0 {
        at + i128::try_from(len).ok()?
    } else {
        at
    };
    usize::try_from(at).ok().filter(|at| *at < len)
}

/// A value as a key.
pub(in super::super) fn key(value: &Val) -> Result<Key, Fail> {
    match value {
        Val::List(_) | Val::Dict(_) | Val::Lazy(_) => {
            fail(format!("unhashable type: '{}'", value.type_name()))
        }
        Val::Tuple(items) => {
            for item in &**items {
                key(item)?;
            }
            Ok(Key(value.clone()))
        }
        other => Ok(Key(other.clone())),
    }
}

/// `value[start:stop:step]`; `none` where an end was not given.
pub(in super::super) fn slice(value: &Val, bounds: &[Val; 3]) -> Result<Val, Fail> {
    Ok(match value {
        Val::Str(text) => {
            let chars: Vec<char> = text.chars().collect();
            Val::from(pick(&chars, bounds)?.into_iter().collect::<String>())
        }
        Val::List(list) => Val::list(pick(&list.read(), bounds)?),
        Val::Tuple(items) => Val::tuple(pick(items, bounds)?),
        other => {
            return fail(format!(
                "'{}' object is not subscriptable",
                other.type_name()
            ));
        }
    })
}

fn pick<T: Clone>(items: &[T], bounds: &[Val; 3]) -> Result<Vec<T>, Fail> {
    let bound = |value: &Val| match value {
        Val::None => Ok(None),
        Val::Int(_) | Val::Bool(_) => int(value).map(Some),
        _ => fail("slice indices must be integers or None"),
    };
    let [start, stop, step] = bounds;
    let (start, stop) = (bound(start)?, bound(stop)?);
    let step = bound(step)?.unwrap_or(1);
    let len = i128::try_from(items.len()).unwrap_or(i128::MAX);
    let (lowest, highest) = if step < 0 { (-1, len - 1) } else { (0, len) };
    let place = |end: Option<i128>, default: i128| match end {
        None => default,
        Some(end) if end < 0 => end.saturating_add(len).max(lowest),
        Some(end) => end.min(highest),
    };
    let (from, to) = if step < 0 {
        (place(start, highest), place(stop, -1))
    } else {
        (place(start, 0), place(stop, len))
    };
    if step == 0 {
        return fail("slice step cannot be zero");
    }
    let mut picked = Vec::new();
    let mut at = from;
    while (step > 0 && at < to) || (step < 0 && at > to) {
        if let Some(item) = usize::try_from(at).ok().and_then(|at| items.get(at)) {
            picked.push(item.clone());
        }
        at = at.saturating_add(step);
    }
    Ok(picked)
}
