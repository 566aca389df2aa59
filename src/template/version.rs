//! Versions and their order: Python's loose and strict ones, and semantic versioning.

use std::cmp::Ordering;

use super::error::{Fail, fail, failure};

/// The order of two versions.
pub(super) fn compare(kind: &str, one: &str, other: &str) -> Result<Ordering, Fail> {
    match kind {
        "loose" => loose(one, other),
        "strict" => Ok(strict(one)?.cmp(&strict(other)?)),
        "semver" | "semantic" => Ok(semantic(one)?.cmp(&semantic(other)?)),
        "pep440" => Ok(pep440(one)?.cmp(&pep440(other)?)),
        other => fail(format!(
            "Invalid version type ({other}). Must be one of loose, strict, semver, semantic, pep440"
        )),
    }
}

#[derive(Debug, PartialEq)]
enum Part {
    Number(u64),
    Word(String),
}

/// Numbers and words, whatever stands between.
fn parts(version: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = version;
    while let Some(first) = rest.chars().next() {
        let kind = |c: char| (c.is_ascii_digit(), c.is_ascii_lowercase());
        let end = match first {
            '.' => {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            c if c.is_ascii_digit() || c.is_ascii_lowercase() => {
                rest.find(|c| kind(c) != kind(first)).unwrap_or(rest.len())
            }
            _ => rest
                .find(|c: char| c.is_ascii_digit() || c.is_ascii_lowercase() || c == '.')
                .unwrap_or(rest.len()),
        };
        let (part, after) = rest.split_at(end);
        parts.push(match part.parse() {
            Ok(number) => Part::Number(number),
            Err(_) => Part::Word(part.to_owned()),
        });
        rest = after;
    }
    parts
}

fn loose(one: &str, other: &str) -> Result<Ordering, Fail> {
    let (one, other) = (parts(one), parts(other));
    for pair in one.iter().zip(&other) {
        let ordering = match pair {
            (Part::Number(one), Part::Number(other)) => one.cmp(other),
            (Part::Word(one), Part::Word(other)) => one.cmp(other),
            (one, _) => {
                let (left, right) = match one {
                    Part::Number(_) => ("int", "str"),
                    Part::Word(_) => ("str", "int"),
                };
                return fail(format!(
                    "Version comparison failed: '<' not supported between instances of '{left}' and '{right}'"
                ));
            }
        };
        if ordering.is_ne() {
            return Ok(ordering);
        }
    }
    Ok(one.len().cmp(&other.len()))
}

/// `1.2.3`, `1.2`, with `a4` or `b2` behind.
fn strict(version: &str) -> Result<(Vec<u64>, (u8, u64)), Fail> {
    let wrong = || {
        failure(format!(
            "Version comparison failed: invalid version number '{version}'"
        ))
    };
    let (plain, pre) = match version.find(['a', 'b']) {
        Some(at) => {
            let (plain, pre) = version.split_at(at);
            let kind = u8::from(pre.starts_with('b'));
            let number = pre
                .get(1..)
                .and_then(|n| n.parse().ok())
                .ok_or_else(wrong)?;
            (plain, (kind, number))
        }
        None => (version, (2, 0)),
    };
    let mut numbers = plain
        .split('.')
        .map(|part| part.parse().map_err(|_| wrong()))
        .collect::<Result<Vec<u64>, _>>()?;
    if !(2..=3).contains(&numbers.len()) {
        return Err(wrong());
    }
    numbers.resize(3, 0);
    Ok((numbers, pre))
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Word(String),
}

/// The numbers, then: with a pre-release it is older than without.
fn semantic(version: &str) -> Result<(Vec<u64>, bool, Vec<Identifier>), Fail> {
    let wrong = || {
        failure(format!(
            "Version comparison failed: invalid semantic version '{version}'"
        ))
    };
    let plain = version.split('+').next().unwrap_or_default();
    let (numbers, pre) = match plain.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (plain, None),
    };
    let numbers = numbers
        .split('.')
        .map(|part| part.parse().map_err(|_| wrong()))
        .collect::<Result<Vec<u64>, _>>()?;
    if numbers.len() != 3 {
        return Err(wrong());
    }
    let identifiers = pre.map_or_else(Vec::new, |pre| {
        pre.split('.')
            .map(|part| match part.parse() {
                Ok(number) => Identifier::Number(number),
                Err(_) => Identifier::Word(part.to_owned()),
            })
            .collect()
    });
    Ok((numbers, pre.is_none(), identifiers))
}

/// Release numbers, then `dev` < `a` < `b` < `rc` < the release < `post`.
fn pep440(version: &str) -> Result<(u64, Vec<u64>, i8, u64), Fail> {
    let wrong = || {
        failure(format!(
            "Version comparison failed: Invalid version: '{version}'"
        ))
    };
    let lower = version.trim().to_ascii_lowercase();
    let plain = lower.strip_prefix('v').unwrap_or(&lower);
    let plain = plain.split('+').next().unwrap_or_default();
    let (epoch, plain) = match plain.split_once('!') {
        Some((epoch, rest)) => (epoch.parse().map_err(|_| wrong())?, rest),
        None => (0, plain),
    };
    let end = plain
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(plain.len());
    let (release, rest) = plain.split_at(end);
    let mut numbers = release
        .trim_end_matches('.')
        .split('.')
        .map(|part| part.parse().map_err(|_| wrong()))
        .collect::<Result<Vec<u64>, _>>()?;
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    let rest = rest.trim_start_matches(['.', '-', '_']);
    let end = rest
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (word, number) = rest.split_at(end);
    let stage = match word.trim_end_matches(['.', '-', '_']) {
        "dev" => -4,
        "a" | "alpha" => -3,
        "b" | "beta" => -2,
        "rc" | "c" | "pre" | "preview" => -1,
        "" if number.is_empty() => 0,
        "post" | "rev" | "r" | "" => 1,
        _ => return Err(wrong()),
    };
    let number = number
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0);
    Ok((epoch, numbers, stage, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_in_ansible() {
        let table = [
            ("loose", "1.10", "1.9", Ordering::Greater),
            ("loose", "1.5.1", "1.5.2b2", Ordering::Less),
            ("loose", "2.0", "2.0.0", Ordering::Less),
            ("strict", "1.0", "1.0.0", Ordering::Equal),
            ("strict", "1.0a1", "1.0", Ordering::Less),
            ("semver", "1.0.0-rc.1", "1.0.0", Ordering::Less),
            ("semver", "1.0.0-2", "1.0.0-a", Ordering::Less),
            ("pep440", "1.0rc1", "1.0", Ordering::Less),
            ("pep440", "1.0.0", "1.0", Ordering::Equal),
        ];
        for (kind, one, other, expected) in table {
            assert_eq!(
                compare(kind, one, other).unwrap(),
                expected,
                "{one} {other}"
            );
        }
        assert!(compare("loose", "x", "1").is_err());
        assert!(compare("strict", "1", "1.0").is_err());
    }
}
