//! Regular expressions as Python's `re` has them: look-around and backreferences, with a limit to
//! going back and forth.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use fancy_regex::{Captures, Regex, RegexBuilder};

use super::error::{Fail, failure};
use crate::base::python_re;

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
        let wrong = |error: &dyn std::fmt::Display| {
            failure(format!("`{written}` is not a regular expression: {error}"))
        };
        let given = python_re::Flags {
            ignore_case: flags.ignore_case,
            multiline: flags.multiline,
            dotall: false,
        };
        let (ours, given) =
            python_re::translated(written, given, false).map_err(|error| wrong(&error))?;
        let compiled = RegexBuilder::new(&ours)
            .case_insensitive(given.ignore_case)
            .multi_line(given.multiline)
            .dot_matches_new_line(given.dotall)
            .backtrack_limit(BACKTRACK_MAX)
            .delegate_size_limit(8 << 20)
            .build()
            .map_err(|error| wrong(&error))?;
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

    /// All matches, one behind the other. As in Python an empty one may follow right behind another:
    /// `.*` matches twice.
    pub(super) fn all<'t>(&self, text: &'t str) -> Result<Vec<Captures<'t, str>>, Fail> {
        let mut all = Vec::new();
        let mut at = 0;
        while at <= text.len() {
            let found = self.0.captures_from_pos(text, at);
            let Some(found) = found.map_err(|error| gave_up(&error))? else {
                break;
            };
            let Some(whole) = found.get(0) else { break };
            at = whole.end();
            if whole.range().is_empty() {
                let next = text.get(at..).and_then(|rest| rest.chars().next());
                at += next.map_or(1, char::len_utf8);
            }
            all.push(found);
        }
        Ok(all)
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
