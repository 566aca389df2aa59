//! Lookups over what they are given: the `with_*` loops.

use std::sync::Arc;

use rand::seq::IndexedRandom as _;

use super::super::error::{Fail, fail, failure};
use super::super::python;
use super::super::syntax::Op;
use super::super::val::Val;
use super::{Lookup, Request, lookup};

/// How many results a lookup may have.
const RESULTS_MAX: usize = 1_000_000;

pub(super) const ALL: &[Lookup] = &[
    lookup("items", "", |request| flattened(request, 1)),
    lookup("list", "", |request| Ok(request.terms.clone())),
    lookup("flattened", "", |request| flattened(request, usize::MAX)),
    lookup("indexed_items", "", |request| {
        let items = flattened(request, 1)?;
        let numbered = items.into_iter().enumerate();
        Ok(numbered
            .map(|(at, item)| Val::tuple(vec![Val::from(at), item]))
            .collect())
    }),
    lookup("together", "", together),
    lookup("nested", "", |request| combinations(request, true)),
    lookup("cartesian", "", |request| combinations(request, false)),
    lookup("dict", "", dict),
    lookup("subelements", "", subelements),
    lookup("sequence", "start end count stride format", sequence),
    lookup("random_choice", "", |request| {
        Ok(match request.terms.choose(&mut rand::rng()) {
            Some(chosen) => vec![chosen.clone()],
            None => Vec::new(),
        })
    }),
];

fn flattened(request: &Request<'_>, levels: usize) -> Result<Vec<Val>, Fail> {
    let mut flat = Vec::new();
    for term in &request.terms {
        flatten(request, term, levels, &mut flat)?;
    }
    Ok(flat)
}

fn flatten(
    request: &Request<'_>,
    value: &Val,
    levels: usize,
    flat: &mut Vec<Val>,
) -> Result<(), Fail> {
    if levels > 0 && value.is_sequence() {
        for item in request.cx.items(value)? {
            flatten(request, &item, levels - 1, flat)?;
        }
    } else {
        flat.push(value.clone());
    }
    Ok(())
}

fn lists(request: &Request<'_>) -> Result<Vec<Vec<Val>>, Fail> {
    let terms = request.terms.iter();
    terms
        .map(|term| match term {
            // A bare value is a list of one.
            Val::List(_) | Val::Tuple(_) => request.cx.items(term),
            other => Ok(vec![other.clone()]),
        })
        .collect()
}

fn together(request: &Request<'_>) -> Result<Vec<Val>, Fail> {
    let lists = lists(request)?;
    if lists.is_empty() {
        return fail("with_together requires at least one element in each list");
    }
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    Ok((0..longest)
        .map(|at| {
            let row = lists
                .iter()
                .map(|list| list.get(at).cloned().unwrap_or(Val::None));
            Val::tuple(row.collect())
        })
        .collect())
}

/// One of each list, in all ways. Members that are lists are laid out flat: by one level, and of several
/// lists that are `nested` by two, as Ansible does. Ansible takes a text in the only list of `nested` apart,
/// too, into its characters; here it stays whole.
fn combinations(request: &Request<'_>, nested: bool) -> Result<Vec<Val>, Fail> {
    let lists = lists(request)?;
    if lists.is_empty() {
        return fail("with_nested requires at least one element in the nested list");
    }
    let mut rows: Vec<Vec<Val>> = vec![Vec::new()];
    let levels = if nested && lists.len() > 1 { 2 } else { 1 };
    for list in &lists {
        let count = rows.len().saturating_mul(list.len());
        if count > RESULTS_MAX {
            return fail("there are too many combinations");
        }
        request
            .cx
            .run
            .memory(count * size_of::<Val>() * lists.len())?;
        let pairs = rows
            .iter()
            .flat_map(|row| list.iter().map(move |item| (row, item)));
        rows = pairs
            .map(|(row, item)| {
                let mut longer = row.clone();
                flatten(request, item, levels, &mut longer)?;
                Ok(longer)
            })
            .collect::<Result<_, Fail>>()?;
    }
    Ok(rows.into_iter().map(Val::list).collect())
}

fn dict(request: &Request<'_>) -> Result<Vec<Val>, Fail> {
    let mut found = Vec::new();
    for term in &request.terms {
        let terms = match term {
            Val::List(_) | Val::Tuple(_) => request.cx.items(term)?,
            other => vec![other.clone()],
        };
        for term in terms {
            if !term.is_mapping() {
                return fail(format!(
                    "the 'dict' lookup plugin expects a dictionary, got {}",
                    term.type_name()
                ));
            }
            for (key, value) in request.cx.entries(&term)? {
                found.push(Val::record([("key", key), ("value", value)]));
            }
        }
    }
    Ok(found)
}

fn subelements(request: &Request<'_>) -> Result<Vec<Val>, Fail> {
    // As a loop it is given one list that holds everything.
    let terms = match request.terms.as_slice() {
        [only] => request.cx.items(only)?,
        several => several.to_vec(),
    };
    let [over, path, ..] = terms.as_slice() else {
        return fail("subelements lookup expects a list of two or three items");
    };
    let skip = match terms.get(2) {
        Some(options) => python::truth(&request.cx.own_item(options, &Val::str("skip_missing"))?),
        None => false,
    };
    let path = python::text(path)?;
    let skipped = |member: &Val| -> Result<bool, Fail> {
        let found = request.cx.own_item(member, &Val::str("skipped"))?;
        Ok(!found.is_undefined() && !matches!(found, Val::Bool(false)))
    };
    let members: Vec<Val> = if over.is_mapping() {
        // What a task that was skipped has registered.
        if skipped(over)? {
            return Ok(Vec::new());
        }
        let entries = request.cx.entries(over)?;
        entries.into_iter().map(|(_, value)| value).collect()
    } else {
        request.cx.items(over)?
    };
    let keys: Vec<&str> = path.split('.').collect();
    let mut found = Vec::new();
    for member in members {
        if !member.is_mapping() {
            return fail(format!(
                "subelements lookup expects a dictionary, got '{}'",
                python::text(&member)?
            ));
        }
        if skipped(&member)? {
            continue;
        }
        let Some(items) = list_at(request, &member, &keys, skip)? else {
            continue;
        };
        let rest = without(request, &member, &keys)?;
        for item in request.cx.items(&items)? {
            found.push(Val::tuple(vec![rest.clone(), item]));
        }
    }
    Ok(found)
}

/// The list that keys lead to; none where one is missing and may be.
fn list_at(
    request: &Request<'_>,
    member: &Val,
    keys: &[&str],
    skip: bool,
) -> Result<Option<Val>, Fail> {
    let mut at = member.clone();
    for (depth, key) in keys.iter().enumerate() {
        let below = request.cx.own_item(&at, &Val::str(key))?;
        let last = depth + 1 == keys.len();
        let wrong = if below.is_undefined() {
            let whole = python::repr(&at);
            format!("could not find '{key}' key in iterated item '{whole}'")
        } else if !last && !below.is_mapping() {
            let shown = python::text(&below)?;
            format!("the key {key} should point to a dictionary, got '{shown}'")
        } else if last && !below.is_sequence() {
            let shown = python::text(&below)?;
            return fail(format!(
                "the key {key} should point to a list, got '{shown}'"
            ));
        } else {
            at = below;
            continue;
        };
        return if skip { Ok(None) } else { fail(wrong) };
    }
    Ok(Some(at))
}

/// A mapping without what the keys lead to; what stands beside it stays.
fn without(request: &Request<'_>, value: &Val, keys: &[&str]) -> Result<Val, Fail> {
    let [first, below @ ..] = keys else {
        return Ok(value.clone());
    };
    let mut kept = Vec::new();
    for (key, item) in request.cx.entries(value)? {
        let Some(name) = key.as_str() else { continue };
        if name != *first {
            kept.push((Arc::from(name), item));
        } else if !below.is_empty() {
            kept.push((Arc::from(name), without(request, &item, below)?));
        }
    }
    Ok(super::super::functions::record(kept))
}

/// `start=1 end=10 stride=2 format=web%02d`, `count=5`, or `1-10/2:web%02d`.
fn sequence(request: &Request<'_>) -> Result<Vec<Val>, Fail> {
    let mut found = Vec::new();
    let terms = match request.terms.is_empty() {
        true => vec![Arc::from("")],
        false => request.texts()?,
    };
    for term in terms {
        let mut plan = Plan::default();
        for name in ["start", "end", "count", "stride"] {
            if let Some(value) = request.option(name) {
                plan.set(name, &python::text(value)?)?;
            }
        }
        if let Some(format) = request.text("format")? {
            plan.format = format.to_string();
        }
        plan.read(&term)?;
        let (from, to, by) = plan.bounds()?;
        let count = if by == 0 {
            0
        } else {
            (to - from).abs() / by.abs() + 1
        };
        if usize::try_from(count).unwrap_or(usize::MAX) > RESULTS_MAX {
            return fail("the sequence is too long");
        }
        let mut at = from;
        while (by > 0 && at <= to) || (by < 0 && at >= to) {
            let values = Val::tuple(vec![Val::Int(at)]);
            found.push(python::binary(
                request.cx.run,
                Op::Rem,
                &Val::str(&plan.format),
                &values,
            )?);
            at += by;
        }
    }
    Ok(found)
}

struct Plan {
    start: i128,
    end: Option<i128>,
    count: Option<i128>,
    stride: Option<i128>,
    format: String,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            start: 1,
            end: None,
            count: None,
            stride: None,
            format: "%d".to_owned(),
        }
    }
}

impl Plan {
    fn set(&mut self, name: &str, value: &str) -> Result<(), Fail> {
        if name == "format" {
            value.clone_into(&mut self.format);
            return Ok(());
        }
        let number = python::parse_int(value, 0)
            .filter(|number| number.unsigned_abs() < 1 << 64)
            .ok_or_else(|| failure(format!("can't parse {name}={value} as integer")))?;
        match name {
            "start" => self.start = number,
            "end" => self.end = Some(number),
            "count" => self.count = Some(number),
            "stride" => self.stride = Some(number),
            other => return fail(format!("unrecognized arguments to with_sequence: {other}")),
        }
        Ok(())
    }

    fn read(&mut self, term: &str) -> Result<(), Fail> {
        if term.contains('=') {
            for word in term.split_whitespace() {
                let (name, value) = word
                    .split_once('=')
                    .ok_or_else(|| failure(format!("unrecognized argument: {word}")))?;
                self.set(name, value)?;
            }
            return Ok(());
        }
        if term.is_empty() {
            return Ok(());
        }
        let (range, format) = match term.split_once(':') {
            Some((range, format)) => (range, Some(format)),
            None => (term, None),
        };
        let (range, stride) = match range.split_once('/') {
            Some((range, stride)) => (range, Some(stride)),
            None => (range, None),
        };
        match range.get(1..).and_then(|rest| rest.find('-')) {
            Some(at) => {
                let (start, end) = range.split_at(at + 1);
                self.set("start", start)?;
                self.set("end", end.trim_start_matches('-'))?;
            }
            None => self.set("end", range)?,
        }
        if let Some(stride) = stride {
            self.set("stride", stride)?;
        }
        if let Some(format) = format {
            self.set("format", format)?;
        }
        Ok(())
    }

    fn bounds(&self) -> Result<(i128, i128, i128), Fail> {
        let (start, end) = match (self.count, self.end) {
            (Some(_), Some(_)) => {
                return fail("can't specify both count and end in with_sequence");
            }
            (None, None) => return fail("must specify count or end in with_sequence"),
            (Some(0), None) => return Ok((0, 0, 0)),
            // With a negative stride that is further than `count` numbers: Ansible's reckoning.
            (Some(count), None) => (
                self.start,
                self.start + count * self.stride.unwrap_or(1) - 1,
            ),
            (None, Some(end)) => (self.start, end),
        };
        let stride = self.stride.unwrap_or(1);
        if stride > 0 && end < start {
            return fail("to count backwards make stride negative");
        }
        if stride < 0 && end > start {
            return fail("to count forward don't make stride negative");
        }
        Ok((start, end, stride))
    }
}
