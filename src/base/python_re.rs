//! Python's `re` on top of fancy-regex: the pattern language is translated, so that what Ansible's users
//! write means what it means there: `$` matches before a last newline, `\Z` is the very end, `[[]` is a
//! set, `{,3}` a count. Backtracking is bounded: a pattern that explodes is an error, not a hang.

mod template;
mod translate;

use fancy_regex::{BytesMode, RegexBuilder};

pub use template::Template;
pub use translate::translated;

/// Flags of `re.compile`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// `re.IGNORECASE`
    pub ignore_case: bool,
    /// `re.MULTILINE`
    pub multiline: bool,
    /// `re.DOTALL`
    pub dotall: bool,
}

/// What is wrong with a pattern or a replacement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(String);

type Made<T> = Result<T, PatternError>;

fn wrong<T>(message: impl Into<String>) -> Made<T> {
    Err(PatternError(message.into()))
}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: fancy_regex::Regex,
    multiline: bool,
}

/// Where a match and its groups are, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Groups in order, the whole match first; those that took no part are `None`.
    pub groups: Vec<Option<(usize, usize)>>,
}

impl Found {
    /// Where the whole match begins.
    pub fn start(&self) -> usize {
        self.whole().0
    }

    /// Where it ends.
    pub fn end(&self) -> usize {
        self.whole().1
    }

    fn whole(&self) -> (usize, usize) {
        self.groups.first().copied().flatten().unwrap_or_default()
    }
}

impl Pattern {
    /// A pattern for text.
    pub fn new(pattern: &str, flags: Flags) -> Made<Self> {
        Self::compile(pattern, flags, BytesMode::Unicode)
    }

    /// A pattern for bytes, as Python compiles `bytes`: classes are ASCII's, a dot is one byte.
    pub fn bytes(pattern: &str, flags: Flags) -> Made<Self> {
        Self::compile(pattern, flags, BytesMode::Ascii)
    }

    fn compile(pattern: &str, flags: Flags, mode: BytesMode) -> Made<Self> {
        let (text, flags) = translated(pattern, flags, mode == BytesMode::Ascii)?;
        let regex = RegexBuilder::new(&text)
            .case_insensitive(flags.ignore_case)
            .multi_line(flags.multiline)
            .dot_matches_new_line(flags.dotall)
            .bytes_mode(mode)
            .build()
            .map_err(|error| PatternError(format!("`{pattern}`: {error}")))?;
        Ok(Self {
            regex,
            multiline: flags.multiline,
        })
    }

    /// Whether `re.MULTILINE` holds, by flag or within the pattern.
    pub fn is_multiline(&self) -> bool {
        self.multiline
    }

    /// The first match at or after `from`, anywhere.
    pub fn search(&self, text: &[u8], from: usize) -> Made<Option<Found>> {
        let found = self.regex.captures_from_pos(text, from);
        let found = found.map_err(|error| PatternError(error.to_string()))?;
        Ok(found.map(|captures| Found {
            groups: (0..captures.len())
                .map(|at| captures.get(at).map(|found| (found.start(), found.end())))
                .collect(),
        }))
    }

    /// Whether it matches at the beginning (`re.match`).
    pub fn matches_start(&self, text: &[u8]) -> Made<bool> {
        Ok(self
            .search(text, 0)?
            .is_some_and(|found| found.start() == 0))
    }

    /// Where the named group of a match is.
    pub fn named(&self, found: &Found, name: &str) -> Option<(usize, usize)> {
        let at = self.number_of(name)?;
        found.groups.get(at).copied().flatten()
    }

    /// The names of groups that have one, with their numbers.
    pub fn names(&self) -> impl Iterator<Item = (&str, usize)> {
        let names = self.regex.capture_names().enumerate();
        names.filter_map(|(at, name)| Some((name?, at)))
    }

    fn number_of(&self, name: &str) -> Option<usize> {
        self.regex
            .capture_names()
            .position(|each| each == Some(name))
    }

    /// `re.subn`: all matches replaced by a template, and how many there were.
    pub fn replace_all(&self, text: &[u8], template: &Template) -> Made<(Vec<u8>, usize)> {
        let mut made = Vec::with_capacity(text.len());
        let (mut at, mut from, mut count) = (0, 0, 0);
        while from <= text.len() {
            let Some(found) = self.search(text, from)? else {
                break;
            };
            made.extend_from_slice(text.get(at..found.start()).unwrap_or_default());
            template.expand_into(text, &found, &mut made);
            count += 1;
            at = found.end();
            from = at;
            if found.start() == found.end() {
                // An empty match: the next one begins a character further.
                let width = width(text, at);
                made.extend_from_slice(text.get(at..at + width).unwrap_or_default());
                at += width.min(text.len() - at);
                from = at + usize::from(width == 0);
            }
        }
        made.extend_from_slice(text.get(at..).unwrap_or_default());
        Ok((made, count))
    }

    /// A replacement with references to this pattern's groups.
    pub fn template(&self, template: &str) -> Made<Template> {
        Template::parse(template, self)
    }
}

/// How many bytes the character at `at` takes; none at the end.
fn width(text: &[u8], at: usize) -> usize {
    let Some((_, rest)) = text.get(at..).and_then(<[u8]>::split_first) else {
        return 0;
    };
    1 + rest.iter().take_while(|byte| **byte & 0xC0 == 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Flags = Flags {
        ignore_case: false,
        multiline: false,
        dotall: false,
    };

    fn sub(pattern: &str, template: &str, text: &str) -> String {
        let multiline = Flags {
            multiline: true,
            ..NONE
        };
        let pattern = Pattern::new(pattern, multiline).unwrap();
        let template = pattern.template(template).unwrap();
        String::from_utf8(pattern.replace_all(text.as_bytes(), &template).unwrap().0).unwrap()
    }

    fn found(pattern: &str, text: &str) -> Option<(usize, usize)> {
        let pattern = Pattern::bytes(pattern, NONE).unwrap();
        let found = pattern.search(text.as_bytes(), 0).unwrap()?;
        Some((found.start(), found.end()))
    }

    #[test]
    fn patterns_mean_what_python_means() {
        // Each line was asked of Python.
        for (pattern, text, wanted) in [
            ("a$", "a\n", Some((0, 1))),
            (r"a\Z", "a\n", None),
            ("a$", "a\nb", None),
            ("(?m)a$", "a\nb", Some((0, 1))),
            ("(?i)ABC", "xabc", Some((1, 4))),
            ("[[]x[]]", "[x]", Some((0, 3))),
            ("[]a]+", "]a", Some((0, 2))),
            ("[^]]+", "ab]", Some((0, 2))),
            ("[a-]+", "-a", Some((0, 2))),
            ("[&~|]{2}", "&&", Some((0, 2))),
            ("a{,2}b", "aab", Some((0, 3))),
            ("a{x}", "a{x}", Some((0, 4))),
            (r"\<b\>", "<b>", Some((0, 3))),
            (r"(?P<q>['\x22]).*?(?P=q)", "x'a'b'", Some((1, 4))),
            (r"(a)\1", "aa", Some((0, 2))),
            ("(?<=x)a(?!b)", "xabxac", Some((4, 5))),
            ("(?x) a b # c\n c", "abc", Some((0, 3))),
            (r"(<)?a(?(1)>|$)", "<a>", Some((0, 3))),
            ("é", "xé", Some((1, 3))),
            (r"\w+", "é1", Some((2, 3))),
            ("^.$", "é", None),
            (r"\bfoo\b", "a foo b", Some((2, 5))),
            (r"^\s*#?\s*Port\s+\d+", "  # Port 22", Some((0, 11))),
            (r"\/etc\/x\=\:\,", "/etc/x=:,", Some((0, 9))),
            (r"[\w.\-]+@", "a.b-c@", Some((0, 6))),
        ] {
            assert_eq!(found(pattern, text), wanted, "{pattern} in {text}");
        }
    }

    #[test]
    fn replacements_refer_to_groups() {
        assert_eq!(
            sub(r"^(\w+)=(.*)$", r"\2:\g<1>\n", "a=1\nb=2"),
            "1:a\n\n2:b\n"
        );
        assert_eq!(sub(r"(?P<k>a)|(z)", r"<\g<k>\2>", "az"), "<a><z>");
        assert_eq!(sub("x*", "-", "abé"), "-a-b-é-");
        assert_eq!(sub("x*", "-", "axb"), "-a--b-");
        assert_eq!(sub("^", "# ", "a\nb\n"), "# a\n# b\n# ");
    }

    #[test]
    fn what_is_wrong_is_said_and_nothing_hangs() {
        assert!(Pattern::new("(", NONE).is_err());
        assert!(
            Pattern::new(r"\q", NONE)
                .unwrap_err()
                .to_string()
                .contains("bad escape")
        );
        let pattern = Pattern::new("a", NONE).unwrap();
        assert!(
            pattern
                .template(r"\1")
                .unwrap_err()
                .to_string()
                .contains("group reference 1")
        );
        let bad = Pattern::new(r"^(a+)+\1$", NONE).unwrap();
        assert!(
            bad.search("a".repeat(64).as_bytes(), 0)
                .is_ok_and(|found| found.is_some())
        );
        let bad = Pattern::new(r"(?:(a|a)+)+\1b", NONE).unwrap();
        assert!(bad.search("a".repeat(64).as_bytes(), 0).is_err());
    }
}
