//! Sets of host names, folded (`web[01-40,42]`) and expanded again, as clush's node sets are.

use std::collections::HashMap;

/// No range expands to more names.
pub const RANGE_MAX: usize = 1_000_000;

/// One name cut into text and digits: `web01.idc2` is `web`, `01`, `.idc`, `2` and nothing.
struct Parts<'a> {
    text: Vec<&'a str>,
    digits: Vec<&'a str>,
}

fn parts(name: &str) -> Parts<'_> {
    let (mut text, mut digits) = (Vec::new(), Vec::new());
    let mut rest = name;
    loop {
        let start = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (before, tail) = rest.split_at(start);
        text.push(before);
        if tail.is_empty() {
            return Parts { text, digits };
        }
        let end = tail
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (number, tail) = tail.split_at(end);
        digits.push(number);
        rest = tail;
    }
}

/// Folds names: `web01 web02 web04 db` is `web[01-02,04],db`. Names fold on the last of their
/// numbers that differs. Duplicates are dropped; the order is that of first appearance, numbers
/// ascending.
pub fn fold<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut shapes: Vec<Vec<Vec<&str>>> = Vec::new();
    let mut texts: Vec<Vec<&str>> = Vec::new();
    let mut index: HashMap<Vec<&str>, usize> = HashMap::new();
    for name in names {
        let Parts { text, digits } = parts(name);
        let at = *index.entry(text.clone()).or_insert_with(|| {
            shapes.push(Vec::new());
            texts.push(text);
            shapes.len() - 1
        });
        if let Some(shape) = shapes.get_mut(at) {
            shape.push(digits);
        }
    }
    let folded: Vec<String> = texts
        .iter()
        .zip(shapes)
        .map(|(text, members)| fold_shape(text, members))
        .collect();
    folded.join(",")
}

/// Folds names that differ in their numbers only.
fn fold_shape(text: &[&str], mut members: Vec<Vec<&str>>) -> String {
    members.sort_by(|one, other| {
        let key = |digits: &&str| (number(digits), digits.len());
        one.iter().map(key).cmp(other.iter().map(key))
    });
    members.dedup();
    // The last number that differs between names is the one to fold on.
    let count = text.len() - 1;
    let first = members.first().cloned().unwrap_or_default();
    let axis = (0..count).rev().find(|at| {
        members
            .iter()
            .any(|digits| digits.get(*at) != first.get(*at))
    });
    let Some(axis) = axis else {
        return assemble(text, &first, None, "");
    };
    let mut groups: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    let mut index: HashMap<Vec<&str>, usize> = HashMap::new();
    for digits in &members {
        let mut others = digits.clone();
        let value = if axis < others.len() {
            others.remove(axis)
        } else {
            ""
        };
        let at = *index.entry(others).or_insert_with(|| {
            groups.push((digits.clone(), Vec::new()));
            groups.len() - 1
        });
        if let Some((_, values)) = groups.get_mut(at) {
            values.push(value);
        }
    }
    let folded: Vec<String> = groups
        .iter()
        .map(|(digits, values)| match values.as_slice() {
            [_] => assemble(text, digits, None, ""),
            values => assemble(text, digits, Some(axis), &ranges(values)),
        })
        .collect();
    folded.join(",")
}

fn number(digits: &str) -> u128 {
    digits.parse().unwrap_or(u128::MAX)
}

fn assemble(text: &[&str], digits: &[&str], axis: Option<usize>, range: &str) -> String {
    let mut name = String::new();
    for (at, text) in text.iter().enumerate() {
        name.push_str(text);
        match digits.get(at) {
            Some(_) if Some(at) == axis => {
                name.push('[');
                name.push_str(range);
                name.push(']');
            }
            Some(digits) => name.push_str(digits),
            None => {}
        }
    }
    name
}

/// `01 02 03 05` is `01-03,05`. The values are ascending.
fn ranges(values: &[&str]) -> String {
    let mut found: Vec<(&str, &str)> = Vec::new();
    for value in values {
        match found.last_mut() {
            Some((start, end)) if follows(start, end, value) => *end = value,
            _ => found.push((value, value)),
        }
    }
    let shown: Vec<String> = found
        .iter()
        .map(|(start, end)| {
            if start == end {
                (*start).to_owned()
            } else {
                format!("{start}-{end}")
            }
        })
        .collect();
    shown.join(",")
}

/// Whether a range that began with `start` and stands at `end` goes on with `next`: the next number
/// in the same writing.
fn follows(start: &str, end: &str, next: &str) -> bool {
    number(end).checked_add(1) == Some(number(next))
        && next.len() < 38
        && next == format!("{:0width$}", number(next), width = pad(start))
}

fn pad(start: &str) -> usize {
    if start.len() > 1 && start.starts_with('0') {
        start.len()
    } else {
        0
    }
}

/// Why a folded set can't be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// Brackets don't match or nothing stands in them.
    #[error("`{0}`: write ranges as name[01-40,42]")]
    Syntax(String),
    /// Backwards.
    #[error("`{0}`: the range runs backwards")]
    Backwards(String),
    /// Too many.
    #[error("`{0}`: the range has over {RANGE_MAX} names")]
    TooMany(String),
}

/// Expands one name with ranges: `web[01-03,7].idc[a-b]`. Numbers keep their leading zeros; letters
/// run too; `[1-10/2]` and `[1:10:2]` go in steps; `:` is `-`.
pub fn expand(pattern: &str) -> Result<Vec<String>, RangeError> {
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some(open) = rest.find('[') {
        let syntax = || RangeError::Syntax(pattern.to_owned());
        let (before, tail) = rest.split_at(open);
        let close = tail.find(']').ok_or_else(syntax)?;
        let inner = tail.get(1..close).unwrap_or_default();
        rest = tail.get(close + 1..).unwrap_or_default();
        let mut values = Vec::new();
        for piece in inner.split(',') {
            values.extend(piece_values(piece, pattern)?);
            if values.len() > RANGE_MAX {
                return Err(RangeError::TooMany(pattern.to_owned()));
            }
        }
        if names.len().saturating_mul(values.len()) > RANGE_MAX {
            return Err(RangeError::TooMany(pattern.to_owned()));
        }
        names = names
            .iter()
            .flat_map(|name| {
                values
                    .iter()
                    .map(move |value| format!("{name}{before}{value}"))
            })
            .collect();
    }
    if rest.contains(']') {
        return Err(RangeError::Syntax(pattern.to_owned()));
    }
    for name in &mut names {
        name.push_str(rest);
    }
    Ok(names)
}

fn piece_values(piece: &str, pattern: &str) -> Result<Vec<String>, RangeError> {
    let syntax = || RangeError::Syntax(pattern.to_owned());
    let (range, step) = match piece.split_once('/') {
        Some((range, step)) => (range, step.parse().map_err(|_| syntax())?),
        None => (piece, 1),
    };
    let mut bounds = range.split(['-', ':']);
    let (start, end, colon_step) = (bounds.next(), bounds.next(), bounds.next());
    let step: usize = match colon_step {
        Some(step) => step.parse().map_err(|_| syntax())?,
        None => step,
    };
    let (Some(start), true) = (start, step > 0 && bounds.next().is_none()) else {
        return Err(syntax());
    };
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let Some(end) = end else {
        let plain = !start.is_empty() && start.chars().all(char::is_alphanumeric);
        return if plain {
            Ok(vec![start.to_owned()])
        } else {
            Err(syntax())
        };
    };
    let start = if start.is_empty() { "0" } else { start };
    if digits(start) && digits(end) {
        let (from, to) = (number(start), number(end));
        if from > to {
            return Err(RangeError::Backwards(pattern.to_owned()));
        }
        if (to - from) / step as u128 > RANGE_MAX as u128 {
            return Err(RangeError::TooMany(pattern.to_owned()));
        }
        let width = pad(start);
        return Ok((from..=to)
            .step_by(step)
            .map(|n| format!("{n:0width$}"))
            .collect());
    }
    let letter = |text: &str| {
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if c.is_ascii_alphabetic() => Some(c),
            _ => None,
        }
    };
    match (letter(start), letter(end)) {
        (Some(from), Some(to)) if from <= to => {
            Ok((from..=to).step_by(step).map(String::from).collect())
        }
        (Some(_), Some(_)) => Err(RangeError::Backwards(pattern.to_owned())),
        _ => Err(syntax()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_fold_as_people_write_them() {
        let table: &[(&[&str], &str)] = &[
            (&["web01", "web02", "web04", "db"], "web[01-02,04],db"),
            (&["web9", "web10", "web11"], "web[9-11]"),
            (&["web09", "web10", "web011"], "web[09-10,011]"),
            (
                &["web1.idc1", "web2.idc1", "web1.idc2"],
                "web1.idc[1-2],web2.idc1",
            ),
            (&["10.0.0.1", "10.0.0.2"], "10.0.0.[1-2]"),
            (&["a", "a"], "a"),
            (&["主机1", "主机2"], "主机[1-2]"),
            (&[], ""),
        ];
        for (names, folded) in table {
            assert_eq!(fold(names.iter().copied()), *folded);
        }
    }

    #[test]
    fn ranges_expand_with_padding_letters_and_steps() {
        assert_eq!(expand("web[08-10]").unwrap(), ["web08", "web09", "web10"]);
        assert_eq!(expand("r[a-c]n[1-2]").unwrap().len(), 6);
        assert_eq!(expand("n[1-10/3]").unwrap(), ["n1", "n4", "n7", "n10"]);
        assert_eq!(expand("n[1:10:3]").unwrap(), ["n1", "n4", "n7", "n10"]);
        assert_eq!(expand("plain").unwrap(), ["plain"]);
        assert!(matches!(expand("n[5-1]"), Err(RangeError::Backwards(_))));
        assert!(matches!(
            expand("n[0-99999999999]"),
            Err(RangeError::TooMany(_))
        ));
        assert!(matches!(
            expand("n[0-9999][0-9999]"),
            Err(RangeError::TooMany(_))
        ));
        assert!(expand("n[").is_err() && expand("n[]").is_err() && expand("n]").is_err());
    }

    proptest! {
        #[test]
        fn what_is_folded_expands_to_the_same_names(
            names in proptest::collection::btree_set("[a-c]{1,2}[0-9]{1,3}(\\.[a-b][0-9]{1,2})?", 0..40)
        ) {
            let folded = fold(names.iter().map(String::as_str));
            let mut expanded = BTreeSet::new();
            for piece in super::super::pattern::split_top(&folded, &[',']) {
                expanded.extend(expand(piece).unwrap());
            }
            expanded.remove("");
            prop_assert_eq!(expanded, names);
        }

        #[test]
        fn expanding_never_panics(text in ".{0,30}") {
            let _ = expand(&text);
        }
    }
}
