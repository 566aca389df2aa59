//! Python's `re` on top of fancy-regex: the pattern language is translated, so that what Ansible's users
//! write means what it means there: `$` matches before a last newline, `\Z` is the very end, `[[]` is a
//! set, `{,3}` a count. Backtracking is bounded: a pattern that explodes is an error, not a hang.

use std::fmt::Write as _;

use fancy_regex::{BytesMode, RegexBuilder};

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
        let mut translator = Translator::new(pattern, flags, mode == BytesMode::Ascii);
        let text = translator.translate()?;
        let regex = RegexBuilder::new(&text)
            .case_insensitive(translator.outer.ignore_case)
            .multi_line(translator.outer.multiline)
            .dot_matches_new_line(translator.outer.dotall)
            .bytes_mode(mode)
            .build()
            .map_err(|error| PatternError(format!("`{pattern}`: {error}")))?;
        Ok(Self {
            regex,
            multiline: translator.outer.multiline,
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
    match text.get(at) {
        None => 0,
        Some(_) => {
            let rest = text.get(at + 1..).unwrap_or_default();
            1 + rest.iter().take_while(|byte| **byte & 0xC0 == 0x80).count()
        }
    }
}

/// A replacement: `\1`, `\g<name>`, `\n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(Vec<u8>),
    Group(usize),
}

impl Template {
    fn parse(template: &str, pattern: &Pattern) -> Made<Self> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let groups = pattern.regex.captures_len();
        let mut rest = template;
        while let Some(at) = rest.find('\\') {
            let (before, after) = rest.split_at(at);
            text.push_str(before);
            let mut chars = after.chars();
            chars.next();
            let Some(letter) = chars.next() else {
                return wrong("bad escape (end of pattern)");
            };
            rest = chars.as_str();
            let mut group = |number: usize, text: &mut String| {
                if number >= groups {
                    return wrong(format!("invalid group reference {number}"));
                }
                parts.push(Part::Text(std::mem::take(text).into_bytes()));
                parts.push(Part::Group(number));
                Ok(())
            };
            match letter {
                'g' => {
                    let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
                    let Some((name, after)) = named else {
                        return wrong("missing <");
                    };
                    rest = after;
                    let number = name.parse().ok().or_else(|| pattern.number_of(name));
                    let Some(number) = number else {
                        return wrong(format!("unknown group name '{name}'"));
                    };
                    group(number, &mut text)?;
                }
                '0' => {
                    let (value, after) = octal(rest, 2);
                    text.push(char::from_u32(value).unwrap_or_default());
                    rest = after;
                }
                '1'..='9' => {
                    let second = rest.chars().next().filter(char::is_ascii_digit);
                    let number: String = std::iter::once(letter).chain(second).collect();
                    rest = rest.get(number.len() - 1..).unwrap_or_default();
                    group(number.parse().unwrap_or(usize::MAX), &mut text)?;
                }
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                'a' => text.push('\x07'),
                'b' => text.push('\x08'),
                'f' => text.push('\x0c'),
                'v' => text.push('\x0b'),
                '\\' => text.push('\\'),
                letter if letter.is_ascii_alphabetic() => {
                    return wrong(format!("bad escape \\{letter}"));
                }
                other => {
                    text.push('\\');
                    text.push(other);
                }
            }
        }
        text.push_str(rest);
        parts.push(Part::Text(text.into_bytes()));
        Ok(Self(parts))
    }

    /// The replacement of one match.
    pub fn expand(&self, text: &[u8], found: &Found) -> Vec<u8> {
        let mut made = Vec::new();
        self.expand_into(text, found, &mut made);
        made
    }

    fn expand_into(&self, text: &[u8], found: &Found, made: &mut Vec<u8>) {
        for part in &self.0 {
            match part {
                Part::Text(bytes) => made.extend_from_slice(bytes),
                Part::Group(number) => {
                    if let Some(Some((start, end))) = found.groups.get(*number) {
                        made.extend_from_slice(text.get(*start..*end).unwrap_or_default());
                    }
                }
            }
        }
    }
}

/// Up to `most` octal digits: their value and what follows.
fn octal(text: &str, most: usize) -> (u32, &str) {
    let digits = text
        .bytes()
        .take(most)
        .take_while(|b| (b'0'..=b'7').contains(b))
        .count();
    let (digits, rest) = text.split_at(digits);
    (u32::from_str_radix(digits, 8).unwrap_or(0), rest)
}

/// From Python's pattern language to fancy-regex'.
struct Translator<'a> {
    rest: &'a str,
    made: String,
    outer: Flags,
    /// `multiline` and `verbose` of the groups that are open; the innermost last.
    open: Vec<(bool, bool)>,
    multiline: bool,
    verbose: bool,
    bytes: bool,
}

impl<'a> Translator<'a> {
    fn new(pattern: &'a str, flags: Flags, bytes: bool) -> Self {
        Self {
            rest: pattern,
            made: String::with_capacity(pattern.len() + 16),
            outer: flags,
            open: Vec::new(),
            multiline: flags.multiline,
            verbose: false,
            bytes,
        }
    }

    fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    fn literal(&mut self, c: char) {
        let mut buffer = [0; 4];
        if self.bytes && !c.is_ascii() {
            for byte in c.encode_utf8(&mut buffer).bytes() {
                let _ = write!(self.made, "\\x{byte:02X}");
            }
        } else {
            self.made
                .push_str(&regex::escape(c.encode_utf8(&mut buffer)));
        }
    }

    /// A character by its number: within bytes, a byte.
    fn number(&mut self, value: u32) {
        let _ = write!(self.made, "\\x{{{value:X}}}");
    }

    fn translate(&mut self) -> Made<String> {
        while let Some(c) = self.next() {
            match c {
                '\\' => self.escape(false)?,
                '[' => self.set()?,
                '(' => self.group()?,
                ')' => {
                    if let Some((multiline, verbose)) = self.open.pop() {
                        (self.multiline, self.verbose) = (multiline, verbose);
                    }
                    self.made.push(')');
                }
                '$' if self.multiline => self.made.push_str("(?m:$)"),
                '$' => self.made.push_str(r"(?=\n?\z)"),
                '^' if self.multiline => self.made.push_str("(?m:^)"),
                '^' => self.made.push_str(r"\A"),
                '{' => self.count(),
                '}' | ']' => self.literal(c),
                '#' if self.verbose => {
                    let end = self.rest.find('\n').unwrap_or(self.rest.len());
                    self.rest = self.rest.get(end..).unwrap_or_default();
                }
                c if self.verbose && c.is_whitespace() => {}
                '.' | '*' | '+' | '?' | '|' => self.made.push(c),
                c => self.literal(c),
            }
        }
        Ok(std::mem::take(&mut self.made))
    }

    /// `{2,3}` counts, any other brace is itself.
    fn count(&mut self) {
        let inner = self.rest.split_once('}').map(|(inner, _)| inner);
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let counts = inner.filter(|inner| match inner.split_once(',') {
            Some((least, most)) => digits(least) && digits(most) && *inner != ",",
            None => !inner.is_empty() && digits(inner),
        });
        let Some(inner) = counts else {
            self.made.push_str("\\{");
            return;
        };
        let least = if inner.starts_with(',') { "0" } else { "" };
        let _ = write!(self.made, "{{{least}{inner}}}");
        self.rest = self.rest.get(inner.len() + 1..).unwrap_or_default();
    }

    fn group(&mut self) -> Made<()> {
        let (multiline, verbose) = (self.multiline, self.verbose);
        if self.take("?P<") {
            self.made.push_str("(?P<");
        } else if self.take("?P=") {
            let Some((name, rest)) = self.rest.split_once(')') else {
                return wrong("missing ), unterminated name");
            };
            self.rest = rest;
            let _ = write!(self.made, "\\k<{name}>");
            return Ok(());
        } else if self.take("?#") {
            let end = self.rest.find(')').map_or(self.rest.len(), |at| at + 1);
            self.rest = self.rest.get(end..).unwrap_or_default();
            return Ok(());
        } else if self.take("?(") {
            let Some((name, rest)) = self.rest.split_once(')') else {
                return wrong("missing ), unterminated name");
            };
            self.rest = rest;
            let _ = match name.bytes().all(|b| b.is_ascii_digit()) {
                true => write!(self.made, "(?({name})"),
                false => write!(self.made, "(?(<{name}>)"),
            };
        } else if let Some(kind) = ["?:", "?=", "?!", "?<=", "?<!", "?>"]
            .into_iter()
            .find(|kind| self.rest.starts_with(kind))
        {
            self.take(kind);
            self.made.push('(');
            self.made.push_str(kind);
        } else if self.rest.starts_with('?') {
            return self.flags();
        } else {
            self.made.push('(');
        }
        self.open.push((multiline, verbose));
        Ok(())
    }

    /// `(?i)` for the whole pattern, `(?i-s:...)` for a group.
    fn flags(&mut self) -> Made<()> {
        self.take("?");
        let end = self.rest.find([')', ':']).unwrap_or(self.rest.len());
        let (flags, rest) = self.rest.split_at(end);
        let whole = rest.starts_with(')');
        if rest.is_empty() {
            return wrong("missing -, : or )");
        }
        self.rest = rest.get(1..).unwrap_or_default();
        let before = (self.multiline, self.verbose);
        let mut on = true;
        let mut kept = String::new();
        for flag in flags.chars() {
            match flag {
                '-' => {
                    on = false;
                    kept.push('-');
                }
                'i' if whole => self.outer.ignore_case = true,
                's' if whole => self.outer.dotall = true,
                'm' => self.multiline = on,
                'x' => self.verbose = on,
                'i' | 's' => kept.push(flag),
                'a' | 'L' | 'u' => {}
                other => return wrong(format!("unknown extension ?{other}")),
            }
        }
        if whole {
            self.outer.multiline |= self.multiline;
        } else {
            let kept = kept.trim_end_matches('-');
            let _ = write!(self.made, "(?{kept}:");
            self.open.push(before);
        }
        Ok(())
    }

    fn escape(&mut self, set: bool) -> Made<()> {
        let Some(c) = self.next() else {
            return wrong("bad escape (end of pattern)");
        };
        match c {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
                self.made.push('\\');
                self.made.push(c);
            }
            'b' if set => self.number(8),
            'A' | 'b' | 'B' if !set => {
                self.made.push('\\');
                self.made.push(c);
            }
            'Z' if !set => self.made.push_str("\\z"),
            'n' => self.made.push_str("\\n"),
            't' => self.made.push_str("\\t"),
            'r' => self.made.push_str("\\r"),
            'a' => self.number(7),
            'f' => self.number(12),
            'v' => self.number(11),
            'x' | 'u' | 'U' => {
                let length = match c {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let digits = self.rest.get(..length).unwrap_or_default();
                let Ok(value) = u32::from_str_radix(digits, 16) else {
                    return wrong(format!("incomplete escape \\{c}{digits}"));
                };
                self.rest = self.rest.get(length..).unwrap_or_default();
                self.number(value);
            }
            '0' => {
                let (value, rest) = octal(self.rest, 2);
                self.rest = rest;
                self.number(value);
            }
            '1'..='9' if !set => {
                let more = self
                    .rest
                    .bytes()
                    .take(1)
                    .take_while(u8::is_ascii_digit)
                    .count();
                let (digit, rest) = self.rest.split_at(more);
                self.rest = rest;
                // In a group of its own: what follows may be a digit.
                let _ = write!(self.made, "(?:\\{c}{digit})");
            }
            '1'..='7' => {
                let (value, rest) = octal(self.rest, 2);
                let width = self.rest.len() - rest.len();
                self.rest = rest;
                self.number(
                    c.to_digit(8).unwrap_or(0) * 8u32.pow(u32::try_from(width).unwrap_or(0))
                        + value,
                );
            }
            c if c.is_ascii_alphanumeric() => return wrong(format!("bad escape \\{c}")),
            c => self.literal(c),
        }
        Ok(())
    }

    fn set(&mut self) -> Made<()> {
        self.made.push('[');
        if self.take("^") {
            self.made.push('^');
        }
        let mut first = true;
        loop {
            match self.next() {
                None => return wrong("unterminated character set"),
                Some(']') if !first => break,
                Some('\\') => self.escape(true)?,
                Some('-') => match first || self.rest.starts_with(']') {
                    true => self.made.push_str("\\-"),
                    false => self.made.push('-'),
                },
                Some(c @ ('[' | ']' | '^' | '&' | '~' | '|' | '#' | ' ')) => {
                    self.made.push('\\');
                    self.made.push(c);
                }
                Some(c) => self.literal(c),
            }
            first = false;
        }
        self.made.push(']');
        Ok(())
    }
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
