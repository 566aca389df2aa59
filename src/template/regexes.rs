//! Regular expressions as Python's `re` has them: look-around and backreferences, with a limit to
//! going back and forth.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use fancy_regex::{Captures, Regex, RegexBuilder};

use super::error::{Fail, failure};

/// Steps back that a search may take.
const BACKTRACK_MAX: usize = 1_000_000;
/// How many compiled expressions are kept.
const KEPT_MAX: usize = 512;

/// How an expression is to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Flags {
    pub(super) ignore_case: bool,
    pub(super) multiline: bool,
}

/// A compiled expression.
#[derive(Clone)]
pub(super) struct Pattern(Arc<Regex>);

impl Pattern {
    pub(super) fn new(written: &Arc<str>, flags: Flags) -> Result<Self, Fail> {
        type Kept = Mutex<HashMap<(Arc<str>, Flags), Pattern>>;
        static KEPT: OnceLock<Kept> = OnceLock::new();
        let kept = KEPT.get_or_init(Mutex::default);
        let at = (written.clone(), flags);
        if let Ok(kept) = kept.lock()
            && let Some(found) = kept.get(&at)
        {
            return Ok(found.clone());
        }
        let compiled = RegexBuilder::new(&as_ours(written))
            .case_insensitive(flags.ignore_case)
            .multi_line(flags.multiline)
            .backtrack_limit(BACKTRACK_MAX)
            .delegate_size_limit(8 << 20)
            .build()
            .map_err(|error| {
                failure(format!("`{written}` is not a regular expression: {error}"))
            })?;
        let pattern = Self(Arc::new(compiled));
        if let Ok(mut kept) = kept.lock() {
            if kept.len() >= KEPT_MAX {
                kept.clear();
            }
            kept.insert(at, pattern.clone());
        }
        Ok(pattern)
    }

    pub(super) fn is_match(&self, text: &str) -> Result<bool, Fail> {
        self.0.is_match(text).map_err(|error| gave_up(&error))
    }

    pub(super) fn captures<'t>(&self, text: &'t str) -> Result<Option<Captures<'t, str>>, Fail> {
        self.0.captures(text).map_err(|error| gave_up(&error))
    }

    /// All matches, one behind the other.
    pub(super) fn all<'t>(&self, text: &'t str) -> Result<Vec<Captures<'t, str>>, Fail> {
        self.0
            .captures_iter(text)
            .map(|found| found.map_err(|error| gave_up(&error)))
            .collect()
    }

    /// How many groups it has, without the whole.
    pub(super) fn groups(&self) -> usize {
        self.0.captures_len() - 1
    }

    /// The number of a named group.
    pub(super) fn group(&self, name: &str) -> Option<usize> {
        self.0.capture_names().position(|group| group == Some(name))
    }
}

fn gave_up(error: &fancy_regex::Error) -> Fail {
    failure(format!("the search was given up: {error}"))
}

/// What Python writes otherwise: `\Z` is the very end, and within `[]` a `[` and doubled marks are
/// just letters.
fn as_ours(written: &str) -> Cow<'_, str> {
    if !written.contains("\\Z") && !written.contains('[') {
        return Cow::Borrowed(written);
    }
    let mut out = String::with_capacity(written.len() + 8);
    let mut chars = written.chars().peekable();
    let mut within = false;
    while let Some(c) = chars.next() {
        match (c, within) {
            ('\\', _) => {
                out.push('\\');
                match chars.next() {
                    Some('Z') if !within => out.push('z'),
                    Some(next) => out.push(next),
                    None => {}
                }
            }
            ('[', false) => {
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                // A bracket that comes first is a letter.
                if chars.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
                within = true;
            }
            ('[', true) => out.push_str("\\["),
            ('&' | '~', true) => {
                out.push('\\');
                out.push(c);
            }
            (']', true) => {
                out.push(']');
                within = false;
            }
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}
