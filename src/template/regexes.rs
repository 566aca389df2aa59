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
pub(super) struct Pattern(Arc<Compiled>);

struct Compiled {
    regex: Regex,
    /// As fancy-regex reads it, with its flags.
    written: (String, python_re::Flags),
    /// The same, but for matches that are empty where the search begins; made when it is needed.
    onwards: OnceLock<Result<Regex, Fail>>,
}

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
        let pattern = Self(Arc::new(Compiled {
            regex: compiled(&ours, given).map_err(|error| wrong(&error))?,
            written: (ours, given),
            onwards: OnceLock::new(),
        }));
        if let Ok(mut kept) = kept.lock() {
            if kept.len() >= KEPT_MAX {
                kept.clear();
            }
            kept.insert(at, pattern.clone());
        }
        Ok(pattern)
    }

    pub(super) fn is_match(&self, text: &str) -> Result<bool, Fail> {
        self.0.regex.is_match(text).map_err(|error| gave_up(&error))
    }

    pub(super) fn captures<'t>(&self, text: &'t str) -> Result<Option<Captures<'t, str>>, Fail> {
        self.0.regex.captures(text).map_err(|error| gave_up(&error))
    }

    /// All matches, one behind the other. As in Python an empty one may follow right behind another,
    /// `.*` matches twice; and where one was empty, another that is not is looked for at the same place.
    pub(super) fn all<'t>(&self, text: &'t str) -> Result<Vec<Captures<'t, str>>, Fail> {
        let mut all = Vec::new();
        let (mut at, mut regex) = (0, &self.0.regex);
        loop {
            let found = regex.captures_from_pos(text, at);
            let Some(found) = found.map_err(|error| gave_up(&error))? else {
                return Ok(all);
            };
            let Some(whole) = found.get(0) else {
                return Ok(all);
            };
            at = whole.end();
            regex = if whole.range().is_empty() {
                self.onwards()?
            } else {
                &self.0.regex
            };
            all.push(found);
        }
    }

    /// How many groups it has, without the whole.
    pub(super) fn groups(&self) -> usize {
        self.0.regex.captures_len() - 1
    }

    /// The number of a named group.
    pub(super) fn group(&self, name: &str) -> Option<usize> {
        let mut names = self.0.regex.capture_names();
        names.position(|group| group == Some(name))
    }

    fn onwards(&self) -> Result<&Regex, Fail> {
        let made = self.0.onwards.get_or_init(|| {
            let (ours, flags) = &self.0.written;
            compiled(&format!(r"(?:{ours})(?!\G)"), *flags).map_err(|error| gave_up(&error))
        });
        made.as_ref().map_err(Clone::clone)
    }
}

fn compiled(written: &str, flags: python_re::Flags) -> Result<Regex, fancy_regex::Error> {
    RegexBuilder::new(written)
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multiline)
        .dot_matches_new_line(flags.dotall)
        .backtrack_limit(BACKTRACK_MAX)
        .delegate_size_limit(8 << 20)
        .build()
}

fn gave_up(error: &fancy_regex::Error) -> Fail {
    failure(format!("the search was given up: {error}"))
}
