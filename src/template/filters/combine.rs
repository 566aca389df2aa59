//! Lists with each other: side by side, every one with every other.

use super::super::args::Args;
use super::super::error::{Fail, fail};
use super::super::python;
use super::super::val::Val;

/// How many rows there may be.
const ROWS_MAX: usize = 500_000;

fn lists(args: &Args<'_>) -> Result<Vec<Vec<Val>>, Fail> {
    let mut lists = vec![args.items(0)?];
    for more in &args.rest {
        lists.push(args.cx.items(more)?);
    }
    Ok(lists)
}

fn rows(args: &Args<'_>, rows: Vec<Vec<Val>>) -> Result<Val, Fail> {
    let cells: usize = rows.iter().map(Vec::len).sum();
    args.cx.run.memory(cells.saturating_mul(size_of::<Val>()))?;
    Ok(Val::list(rows.into_iter().map(Val::tuple).collect()))
}

pub(super) fn zip(args: &Args<'_>, longest: bool) -> Result<Val, Fail> {
    let lists = lists(args)?;
    let lengths = lists.iter().map(Vec::len);
    let count = if longest {
        lengths.max()
    } else {
        lengths.min()
    };
    let strict = args.keyword("strict").is_some_and(python::truth);
    if strict && lists.iter().any(|list| Some(list.len()) != count) {
        return fail("zip() argument 2 is not as long as argument 1");
    }
    let fill = args.keyword("fillvalue").cloned().unwrap_or(Val::None);
    let row = |at: usize| {
        let cells = lists.iter();
        cells
            .map(|list| list.get(at).unwrap_or(&fill).clone())
            .collect()
    };
    rows(args, (0..count.unwrap_or(0)).map(row).collect())
}

pub(super) fn product(args: &Args<'_>) -> Result<Val, Fail> {
    let once = lists(args)?;
    let repeat = match args.keyword("repeat") {
        Some(repeat) => usize::try_from(python::int(repeat)?).unwrap_or(0),
        None => 1,
    };
    let mut found: Vec<Vec<Val>> = vec![Vec::new()];
    for _ in 0..repeat {
        for list in &once {
            if found.len().saturating_mul(list.len()) > ROWS_MAX {
                return fail("there are too many combinations");
            }
            found = found
                .iter()
                .flat_map(|row| list.iter().map(|item| longer(row, item)))
                .collect();
        }
    }
    rows(args, found)
}

fn longer(row: &[Val], item: &Val) -> Vec<Val> {
    let mut row = row.to_vec();
    row.push(item.clone());
    row
}

pub(super) fn permutations(args: &Args<'_>) -> Result<Val, Fail> {
    let items = args.items(0)?;
    let size = args.count(1, items.len())?;
    chosen(args, &items, size, &|row, at| !row.contains(&at))
}

pub(super) fn combinations(args: &Args<'_>) -> Result<Val, Fail> {
    let items = args.items(0)?;
    let size = args.count(1, 0)?;
    chosen(args, &items, size, &|row, at| {
        row.last().is_none_or(|last| at > *last)
    })
}

/// Rows of places that fit each other, in order.
fn chosen(
    args: &Args<'_>,
    items: &[Val],
    size: usize,
    fits: &dyn Fn(&[usize], usize) -> bool,
) -> Result<Val, Fail> {
    if size > items.len() {
        return Ok(Val::list(Vec::new()));
    }
    let mut found: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..size {
        let mut next = Vec::new();
        for row in &found {
            for at in (0..items.len()).filter(|at| fits(row, *at)) {
                let mut row = row.clone();
                row.push(at);
                next.push(row);
            }
            if next.len() > ROWS_MAX {
                return fail("there are too many combinations");
            }
        }
        found = next;
    }
    let cells = |row: Vec<usize>| {
        row.into_iter()
            .filter_map(|at| items.get(at).cloned())
            .collect()
    };
    rows(args, found.into_iter().map(cells).collect())
}
