//! Patterns: which hosts. Ansible's (`web:&idc_a:!db`, globs, `~regex`, `web[0:9]`) and folded sets
//! (`web[01-40,42]`).

use std::sync::Arc;

use indexmap::IndexSet;

use super::hostset;
use super::model::Inventory;
use crate::base::glob;

/// A pattern that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A regular expression is wrong.
    #[error("pattern `{0}`: not a regular expression: {1}")]
    Regex(String, String),
    /// Brackets are wrong.
    #[error("pattern `{0}`: {1}")]
    Syntax(String, String),
    /// Something to come.
    #[error("pattern `{0}`: selecting by facts with {{...}} is not there yet")]
    State(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    Not,
}

/// A pattern, read.
#[derive(Debug, Clone)]
pub struct Pattern {
    pieces: Vec<(Operator, String)>,
}

/// Hosts that were chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Their indexes, in the order that Ansible counts them; hosts that are named but in no
    /// inventory are not here, but for Ansible's implicit `localhost`: `None`.
    hosts: IndexSet<Option<usize>>,
    /// Pieces that matched nothing.
    pub unmatched: Vec<String>,
}

/// Cuts a text at separators that stand outside of brackets.
pub fn split_top<'a>(text: &'a str, separators: &[char]) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let (mut depth, mut start) = (0usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '[' | '{' | '(' => depth += 1,
            ']' | '}' | ')' => depth = depth.saturating_sub(1),
            c if depth == 0 && separators.contains(&c) => {
                pieces.push(text.get(start..at).unwrap_or_default());
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    pieces.push(text.get(start..).unwrap_or_default());
    pieces
}

impl Pattern {
    /// Reads a pattern. Files and standard input (`@file`, `-`) are read by the caller: their lines
    /// are patterns too.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        // Addresses such as fe80::1 hold colons: then only commas separate. Spaces separate where
        // no comma does.
        let ipv6 = |piece: &str| piece.parse::<std::net::Ipv6Addr>().is_ok();
        let separators: &[char] = if text.contains([',', '\n']) {
            &[':']
        } else {
            &[':', ' ', '\t']
        };
        let pieces = split_top(text, &[',', '\n']).into_iter().flat_map(|piece| {
            let piece = piece.trim();
            if ipv6(piece.trim_start_matches(['!', '&'])) {
                vec![piece]
            } else {
                split_top(piece, separators)
            }
        });
        let pieces = pieces
            .map(str::trim)
            .filter(|piece| !piece.is_empty())
            .map(|piece| {
                let (operator, rest) = match piece.chars().next() {
                    Some('!') => (Operator::Not, piece.get(1..).unwrap_or_default()),
                    Some('&') => (Operator::And, piece.get(1..).unwrap_or_default()),
                    _ => (Operator::Or, piece),
                };
                if rest.starts_with('{') {
                    return Err(PatternError::State(piece.to_owned()));
                }
                Ok((operator, rest.to_owned()))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { pieces })
    }

    /// The hosts it means: first all unions, then what must also hold, then what must not; as in
    /// Ansible. A pattern of restrictions alone begins with everybody.
    pub fn evaluate(&self, inventory: &Inventory) -> Result<Selection, PatternError> {
        let mut selection = Selection::default();
        let of = |operator| {
            self.pieces
                .iter()
                .filter(move |(each, _)| *each == operator)
        };
        if of(Operator::Or).next().is_none() && !self.pieces.is_empty() {
            let all = group_hosts("all", inventory).unwrap_or_default();
            selection.hosts = all.into_iter().map(Some).collect();
        }
        for (_, piece) in of(Operator::Or) {
            let found = chosen(piece, inventory)?;
            let known = inventory.group_index.contains_key(piece.as_str())
                || matches!(piece.as_str(), "all" | "*");
            if found.is_empty() && !known {
                selection.unmatched.push(piece.clone());
            }
            selection.hosts.extend(found);
        }
        for (_, piece) in of(Operator::And) {
            let found = chosen(piece, inventory)?;
            selection.hosts.retain(|host| found.contains(host));
        }
        for (_, piece) in of(Operator::Not) {
            let found = chosen(piece, inventory)?;
            selection.hosts.retain(|host| !found.contains(host));
        }
        Ok(selection)
    }
}

/// The hosts of one part of a pattern; `None`: the implicit localhost.
fn chosen(piece: &str, inventory: &Inventory) -> Result<IndexSet<Option<usize>>, PatternError> {
    let found = match_piece(piece, inventory)?;
    if found.is_empty() && matches!(piece, "localhost" | "127.0.0.1" | "::1") {
        return Ok(IndexSet::from([None]));
    }
    Ok(found.into_iter().map(Some).collect())
}

impl Selection {
    /// The names, in inventory order.
    pub fn names(&self, inventory: &Inventory) -> Vec<Arc<str>> {
        let mut hosts: Vec<Option<usize>> = self.hosts.iter().copied().collect();
        hosts.sort_unstable_by_key(|host| host.unwrap_or(usize::MAX));
        named(&hosts, inventory)
    }

    /// The names in Ansible's order, which is that of the pattern's parts and of the hosts of a
    /// group: that of plays.
    pub fn counted_names(&self, inventory: &Inventory) -> Vec<Arc<str>> {
        let hosts: Vec<Option<usize>> = self.hosts.iter().copied().collect();
        named(&hosts, inventory)
    }

    /// Only those that are also chosen by `other`.
    pub fn restrict(&mut self, other: &Self) {
        self.hosts.retain(|host| other.hosts.contains(host));
    }

    /// Only those that are not chosen by `other`.
    pub fn exclude(&mut self, other: &Self) {
        self.hosts.retain(|host| !other.hosts.contains(host));
    }

    /// Only hosts whose names are wanted.
    pub fn retain(&mut self, inventory: &Inventory, wanted: impl Fn(&str) -> bool) {
        self.hosts.retain(|host| wanted(&name(*host, inventory)));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.hosts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }
}

fn named(hosts: &[Option<usize>], inventory: &Inventory) -> Vec<Arc<str>> {
    hosts.iter().map(|host| name(*host, inventory)).collect()
}

fn name(host: Option<usize>, inventory: &Inventory) -> Arc<str> {
    host.map_or_else(|| "localhost".into(), |host| inventory.name_of(host))
}

/// Evaluates a pattern, then limits, then exclusions.
pub fn select(
    inventory: &Inventory,
    pattern: &str,
    limits: &[String],
    excludes: &[String],
) -> Result<Selection, PatternError> {
    let mut selection = Pattern::parse(pattern)?.evaluate(inventory)?;
    for limit in limits {
        let limit = Pattern::parse(limit)?.evaluate(inventory)?;
        selection.restrict(&limit);
        selection.unmatched.extend(limit.unmatched);
    }
    for exclude in excludes {
        let exclude = Pattern::parse(exclude)?.evaluate(inventory)?;
        selection.exclude(&exclude);
    }
    Ok(selection)
}

fn match_piece(piece: &str, inventory: &Inventory) -> Result<IndexSet<usize>, PatternError> {
    if let Some(regex) = piece.strip_prefix('~') {
        // As Python's re.match: anchored at the start.
        let regex = regex::Regex::new(&format!("^(?:{regex})")).map_err(|error| {
            PatternError::Regex(piece.to_owned(), last_line(&error.to_string()))
        })?;
        return Ok(match_names(inventory, |name| regex.is_match(name)));
    }
    let host = inventory.host_index.get(piece);
    if let Some(mut hosts) = group_hosts(piece, inventory) {
        // A name with a point may be a group's and a host's; else the group's hides the host's.
        hosts.extend(host.filter(|_| piece.contains('.')));
        return Ok(hosts);
    }
    if let Some(host) = host {
        return Ok(IndexSet::from([*host]));
    }
    if let Some((base, inner)) = piece
        .strip_suffix(']')
        .and_then(|rest| rest.rsplit_once('['))
    {
        return match_brackets(piece, base, inner, inventory);
    }
    if piece.contains(['*', '?']) {
        return Ok(match_names(inventory, |name| glob::matches(piece, name)));
    }
    if piece.contains('[') {
        return match_set(piece, inventory);
    }
    Ok(IndexSet::new())
}

/// `NAME[...]`: a subscript where NAME is a group or a glob and a colon or one number stands in the
/// brackets; with `-` or `,` a range of names; a glob where NAME holds `*` or `?` or the brackets
/// begin with `!`.
fn match_brackets(
    piece: &str,
    base: &str,
    inner: &str,
    inventory: &Inventory,
) -> Result<IndexSet<usize>, PatternError> {
    let Some(subscript) = Subscript::parse(inner) else {
        return if inner.starts_with('!') || piece.contains(['*', '?']) {
            Ok(match_names(inventory, |name| glob::matches(piece, name)))
        } else {
            match_set(piece, inventory)
        };
    };
    let hosts = match group_hosts(base, inventory) {
        Some(hosts) => hosts,
        None if base.contains(['*', '?', '[']) => {
            match_names(inventory, |name| glob::matches(base, name))
        }
        None => return match_set(piece, inventory),
    };
    let hosts: Vec<usize> = hosts.into_iter().collect();
    Ok(subscript.of(&hosts).iter().copied().collect())
}

/// `[0]`, `[-1]`, `[0:9]`, `[3:]`: Ansible's, whose slices include their end.
enum Subscript {
    One(i64),
    Slice(Option<i64>, Option<i64>),
}

impl Subscript {
    fn parse(inner: &str) -> Option<Self> {
        let number = |text: &str| -> Option<i64> {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| text.parse().ok())?
        };
        let bound = |text: &str| match text {
            "" => Some(None),
            text => number(text).map(Some),
        };
        match inner.split_once(':') {
            None => number(inner).map(Self::One),
            Some((first, last)) => Some(Self::Slice(bound(first)?, bound(last)?)),
        }
    }

    fn of<'a>(&self, hosts: &'a [usize]) -> &'a [usize] {
        let count = i64::try_from(hosts.len()).unwrap_or(i64::MAX);
        let absolute = |at: i64| if at < 0 { count.saturating_add(at) } else { at };
        let (first, last) = match self {
            Self::One(at) => (absolute(*at), absolute(*at)),
            Self::Slice(first, last) => (
                // Before the first there is none: a slice begins there, a single host is missing.
                first.map_or(0, |at| absolute(at).max(0)),
                last.map_or(count - 1, absolute),
            ),
        };
        let start = usize::try_from(first).ok();
        let end = usize::try_from(last.min(count - 1).saturating_add(1)).ok();
        match (start, end) {
            (Some(start), Some(end)) => hosts.get(start..end).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// A folded set of names.
fn match_set(piece: &str, inventory: &Inventory) -> Result<IndexSet<usize>, PatternError> {
    let names = hostset::expand(piece)
        .map_err(|error| PatternError::Syntax(piece.to_owned(), error.to_string()))?;
    let mut found = IndexSet::new();
    for name in names {
        if let Some(host) = inventory.host_index.get(name.as_str()) {
            found.insert(*host);
        } else if let Some(hosts) = group_hosts(&name, inventory) {
            found.extend(hosts);
        }
    }
    Ok(found)
}

/// The hosts of a group, in Ansible's order.
fn group_hosts(name: &str, inventory: &Inventory) -> Option<IndexSet<usize>> {
    let hosts = inventory.counted_hosts_of_group(name)?;
    Some(hosts.into_iter().collect())
}

/// Hosts whose name, or the name of a group of theirs, fits; those of groups first, as in Ansible.
fn match_names(inventory: &Inventory, fits: impl Fn(&str) -> bool) -> IndexSet<usize> {
    let mut found = IndexSet::new();
    for group in inventory.group_names().filter(|name| fits(name)) {
        found.extend(inventory.counted_hosts_of_group(group).unwrap_or_default());
    }
    let names = inventory.host_names().enumerate();
    found.extend(names.filter(|(_, name)| fits(name)).map(|(at, _)| at));
    found
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().trim().to_owned()
}
