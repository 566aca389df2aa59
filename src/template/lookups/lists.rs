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
    lookup("nested", "", nested),
    lookup("cartesian", "", nested),
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

fn nested(request: &Request<'_>) -> Result<Vec<Val>, Fail> {
    let lists = lists(request)?;
    if lists.is_empty() {
        return fail("with_nested requires at least one element in the nested list");
    }
    let mut rows: Vec<Vec<Val>> = vec![Vec::new()];
    for list in &lists {
        let count = rows.len().saturating_mul(list.len());
        if count > RESULTS_MAX {
            return fail("there are too many combinations");
        }
        request
            .cx
            .run
            .memory(count * size_of::<Val>() * lists.len())?;
        rows = rows
            .iter()
            .flat_map(|row| {
                list.iter().map(|item| {
                    let mut longer = row.clone();
                    longer.push(item.clone());
                    longer
                })
            })
            .collect();
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
    let members: Vec<Val> = if over.is_mapping() {
        let entries = request.cx.entries(over)?;
        entries.into_iter().map(|(_, value)| value).collect()
    } else {
        request.cx.items(over)?
    };
    let mut found = Vec::new();
    for member in members {
        let entries = request.cx.entries(&member)?;
        let mut at = member.clone();
        for key in path.split('.') {
            at = request.cx.own_item(&at, &Val::str(key))?;
        }
        if at.is_undefined() {
            if skip {
                continue;
            }
            return fail(format!(
                "could not find '{path}' key in iterated item '{}'",
                python::repr(&member)
            ));
        }
        if !at.is_sequence() {
            if skip {
                continue;
            }
            return fail(format!(
                "the key {path} should point to a list, got '{}'",
                at.type_name()
            ));
        }
        let first = path.split('.').next().unwrap_or_default();
        let rest = entries
            .into_iter()
            .filter(|(key, _)| key.as_str() != Some(first));
        let rest = super::super::functions::record(
            rest.filter_map(|(key, value)| Some((Arc::from(key.as_str()?), value))),
        );
        for item in request.cx.items(&at)? {
            found.push(Val::tuple(vec![rest.clone(), item]));
        }
    }
    Ok(found)
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
            (Some(count), None) => (
                self.start,
                self.start + (count - 1) * self.stride.unwrap_or(1),
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
