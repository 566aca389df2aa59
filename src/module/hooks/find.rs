//! find: the host lists, the controller chooses by Python's expressions and shell patterns, and the host
//! adds digests of what was chosen, in the same exchange.

use std::collections::HashMap;

use globset::GlobBuilder;

use super::super::answer::{Answer, Question};
use super::super::call::{Call, Controller};
use super::super::error::ModuleError;
use super::super::stat::Line;
use super::Hook;
use crate::base::python_re::{Flags, Pattern};
use crate::base::text;
use crate::base::value::{Map, Value};
use crate::shell::Piece;

pub(super) struct Find;

impl Hook for Find {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        let filter = Filter::of(&call.params)?;
        call.answer_with(move |question| match question.name {
            "choose" => filter.choose(question),
            _ => filter.conclude(question),
        });
        Ok(())
    }
}

/// How names are held against patterns.
enum Names {
    Globs(Vec<globset::GlobMatcher>),
    Patterns(Vec<Pattern>),
}

impl Names {
    fn of(params: &Map, name: &str) -> Result<Option<Self>, ModuleError> {
        let regex = params.get("use_regex") == Some(&Value::Bool(true));
        let texts: Vec<&str> = match params.get(name) {
            Some(Value::List(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if texts.is_empty() {
            return Ok(None);
        }
        if regex {
            let patterns = texts
                .iter()
                .map(|text| Pattern::new(text, Flags::default()));
            let patterns: Result<Vec<Pattern>, _> = patterns.collect();
            let patterns = patterns.map_err(|error| ModuleError::of(name, error.to_string()))?;
            return Ok(Some(Self::Patterns(patterns)));
        }
        let globs = texts.iter().map(|text| {
            // As fnmatch: braces and slashes mean nothing of their own.
            let text = text
                .replace('\\', "[\\\\]")
                .replace('{', "[{]")
                .replace('}', "[}]");
            GlobBuilder::new(&text).literal_separator(false).build()
        });
        let globs: Result<Vec<_>, _> = globs.collect();
        let globs = globs.map_err(|error| ModuleError::of(name, error.to_string()))?;
        Ok(Some(Self::Globs(
            globs.iter().map(globset::Glob::compile_matcher).collect(),
        )))
    }

    fn fit(&self, name: &str) -> bool {
        match self {
            Self::Globs(globs) => globs.iter().any(|glob| glob.is_match(name)),
            Self::Patterns(patterns) => patterns
                .iter()
                .any(|pattern| pattern.matches_start(name.as_bytes()).unwrap_or(false)),
        }
    }
}

struct Filter {
    patterns: Option<Names>,
    excludes: Option<Names>,
    contains: Option<Pattern>,
    read_whole_file: bool,
    age: Option<f64>,
    stamp: String,
    size: Option<i64>,
    kind: Option<u32>,
    hidden: bool,
    mode: Option<(u32, bool)>,
    limit: usize,
    checksum: bool,
}

impl Filter {
    fn of(params: &Map) -> Result<Self, ModuleError> {
        let text = |name: &str| params.get(name).and_then(Value::as_str);
        let flag = |name: &str| params.get(name) == Some(&Value::Bool(true));
        let contains = text("contains").map(|text| Pattern::new(text, Flags::default()));
        let contains = contains.transpose();
        let age = text("age").map(|text| {
            count(
                text,
                &[
                    ('s', 1),
                    ('m', 60),
                    ('h', 3600),
                    ('d', 86400),
                    ('w', 604_800),
                ],
            )
        });
        let size = text("size").map(|text| {
            count(
                text,
                &[
                    ('b', 1),
                    ('k', 1 << 10),
                    ('m', 1 << 20),
                    ('g', 1 << 30),
                    ('t', 1 << 40),
                ],
            )
        });
        let bad = |name: &str| ModuleError::of(name, format!("failed to process {name}"));
        Ok(Self {
            patterns: Names::of(params, "patterns")?,
            excludes: Names::of(params, "excludes")?,
            contains: contains.map_err(|error| ModuleError::of("contains", error.to_string()))?,
            read_whole_file: flag("read_whole_file"),
            #[expect(clippy::cast_precision_loss, reason = "seconds")]
            age: match age {
                None => None,
                Some(age) => Some(age.ok_or_else(|| bad("age"))? as f64),
            },
            stamp: text("age_stamp").unwrap_or("mtime").to_owned(),
            size: match size {
                None => None,
                Some(size) => Some(size.ok_or_else(|| bad("size"))?),
            },
            kind: match text("file_type") {
                Some("directory") => Some(0o040_000),
                Some("link") => Some(0o120_000),
                Some("any") => None,
                _ => Some(0o100_000),
            },
            hidden: flag("hidden"),
            mode: match text("mode") {
                None => None,
                Some(mode) => {
                    let octal = u32::from_str_radix(mode, 8)
                        .map_err(|_| ModuleError::of("mode", "find looks for octal modes only"))?;
                    Some((octal & 0o7777, flag("exact_mode")))
                }
            },
            limit: match params.get("limit") {
                Some(Value::Int(limit)) => usize::try_from(*limit).unwrap_or(usize::MAX),
                _ => usize::MAX,
            },
            checksum: flag("get_checksum"),
        })
    }

    fn fits(&self, line: &Line<'_>, now: f64) -> bool {
        let name = line.path.rsplit('/').next().unwrap_or_default();
        let is_file = line.is(0o100_000);
        let older = |age: f64| {
            let stamp = match self.stamp.as_str() {
                "atime" => line.atime,
                "ctime" => line.ctime,
                _ => line.mtime,
            };
            let old = now - stamp;
            if age >= 0.0 { old >= age } else { old <= -age }
        };
        let sized = |size: i64| {
            if size >= 0 {
                line.size >= size
            } else {
                line.size <= -size
            }
        };
        let mode = line.mode & 0o7777;
        self.kind.is_none_or(|kind| line.is(kind))
            && (self.hidden || !name.starts_with('.'))
            && self.patterns.as_ref().is_none_or(|names| names.fit(name))
            && self.excludes.as_ref().is_none_or(|names| !names.fit(name))
            && self.age.is_none_or(older)
            && (!is_file || self.size.is_none_or(sized))
            && self
                .mode
                .is_none_or(|(wanted, exact)| mode == wanted || (!exact && mode & wanted != 0))
    }

    /// Which files the host is to look into, each ended by NUL.
    fn choose(&self, question: &Question<'_>) -> Answer {
        let seen = Seen::of(question);
        let chosen = self.chosen(question, &seen);
        let wanted = chosen.iter().filter(|line| line.is(0o100_000));
        let wanted: Vec<&str> = wanted.map(|line| line.path).collect();
        let list: String = wanted.iter().flat_map(|path| [*path, "\0"]).collect();
        let odd = wanted.into_iter().filter(|path| is_odd(path));
        let odd = odd.map(|path| Value::Unsafe(path.into())).collect();
        Answer {
            content: vec![Piece::Bytes(list.into())],
            variables: [("odd".into(), Value::List(odd))].into_iter().collect(),
            ..Answer::default()
        }
    }

    fn chosen<'a>(&self, question: &Question<'_>, seen: &'a Seen) -> Vec<Line<'a>> {
        let now = said(question, "ioms/now").trim().parse().unwrap_or(0.0);
        let lines = seen.lines().filter(|line| self.fits(line, now));
        let most = if self.contains.is_some() {
            usize::MAX
        } else {
            self.limit
        };
        lines.take(most).collect()
    }

    /// The result, once the host has added what was asked of it.
    fn conclude(&self, question: &Question<'_>) -> Answer {
        let seen = Seen::of(question);
        let sums = said(question, "ioms/sums");
        let sums: HashMap<&str, &str> = sums
            .lines()
            .filter_map(|line| line.split_once("  "))
            .map(|(sum, path)| (path, sum))
            .collect();
        let mut files = Vec::new();
        let (mut at, mut odd) = (0, 0);
        for line in self.chosen(question, &seen) {
            let mut sum = None;
            if line.is(0o100_000) {
                at += 1;
                if is_odd(line.path) {
                    odd += 1;
                    let said = said(question, &format!("ioms/odd_sum/{odd}"));
                    sum = said.split_whitespace().next().map(str::to_owned);
                } else {
                    sum = sums.get(line.path).map(|sum| (*sum).to_owned());
                }
                let content = question.said.field(&format!("ioms/content/{at}"));
                if !self.contains_it(content.map_or(&[], |bytes| &bytes[..])) {
                    continue;
                }
            }
            // (A link that is looked into has a slash of its own.)
            let mut shown = line.shown(&line.path.replace("//", "/"));
            if let (true, Some(sum)) = (self.checksum, sum) {
                shown.insert("checksum".into(), Value::Unsafe(sum.into()));
            }
            files.push(Value::Map(shown));
            if files.len() >= self.limit {
                break;
            }
        }
        let mut answer = Answer::default();
        let mut put = |name: &str, value: Value| answer.result.insert(name.into(), value);
        put(
            "matched",
            Value::Int(files.len().try_into().unwrap_or(i64::MAX)),
        );
        put(
            "examined",
            Value::Int(seen.lines().count().try_into().unwrap_or(i64::MAX)),
        );
        put("files", Value::List(files));
        let skipped = said(question, "ioms/skipped");
        let skipped = skipped.split_terminator('\0').map(|path| {
            let why = format!("'{path}' is not a directory");
            (path.into(), Value::Unsafe(why.into()))
        });
        put("skipped_paths", Value::Map(skipped.collect()));
        put("msg", Value::Unsafe("All paths examined".into()));
        answer
    }

    fn contains_it(&self, content: &[u8]) -> bool {
        let Some(pattern) = &self.contains else {
            return true;
        };
        let text = String::from_utf8_lossy(content);
        if self.read_whole_file {
            return pattern
                .search(text.as_bytes(), 0)
                .is_ok_and(|found| found.is_some());
        }
        let mut lines = text.split_inclusive('\n');
        lines.any(|line| pattern.matches_start(line.as_bytes()).unwrap_or(false))
    }
}

fn said(question: &Question<'_>, name: &str) -> String {
    let bytes = question.said.field(name).cloned().unwrap_or_default();
    text::decode(&bytes, question.situation.charset)
        .text
        .into_owned()
}

/// What stat said: a line each, and what has a newline in its path apart, each ended by NUL, so that no
/// name passes for another file's line.
struct Seen {
    plain: String,
    odd: String,
}

impl Seen {
    fn of(question: &Question<'_>) -> Self {
        Self {
            plain: said(question, "ioms/seen"),
            odd: said(question, "ioms/odd"),
        }
    }

    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let odd = self.odd.split('\0');
        let odd = odd.map(|record| record.strip_suffix('\n').unwrap_or(record));
        self.plain.split('\n').chain(odd).filter_map(Line::read)
    }
}

/// Whether tools for sums print another name than this.
fn is_odd(path: &str) -> bool {
    path.contains(['\n', '\\'])
}

/// A number with a unit: `-2d`, `10k`.
fn count(text: &str, units: &[(char, i64)]) -> Option<i64> {
    let text = text.trim().to_lowercase();
    let last = text.chars().last()?;
    let unit = units.iter().find(|(letter, _)| *letter == last);
    let (number, times) = match unit {
        Some((_, times)) => (text.get(..text.len() - 1)?, *times),
        None => (text.as_str(), 1),
    };
    number.parse::<i64>().ok()?.checked_mul(times)
}
