//! From Python's pattern language to fancy-regex'.

use std::fmt::Write as _;

use super::{Flags, Made, wrong};

/// A pattern as fancy-regex reads it, and the flags that hold with those within the pattern. `bytes`:
/// for bytes, not text.
pub fn translated(pattern: &str, flags: Flags, bytes: bool) -> Made<(String, Flags)> {
    let mut translator = Translator::new(pattern, flags, bytes);
    Ok((translator.translate()?, translator.outer))
}

/// Up to `most` octal digits: their value and what follows.
pub(super) fn octal(text: &str, most: usize) -> (u32, &str) {
    let digits = text
        .bytes()
        .take(most)
        .take_while(|b| (b'0'..=b'7').contains(b))
        .count();
    let (digits, rest) = text.split_at(digits);
    (u32::from_str_radix(digits, 8).unwrap_or(0), rest)
}

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
            let _ = if name.bytes().all(|b| b.is_ascii_digit()) {
                write!(self.made, "(?({name})")
            } else {
                write!(self.made, "(?(<{name}>)")
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
                Some('-') if first || self.rest.starts_with(']') => self.made.push_str("\\-"),
                Some('-') => self.made.push('-'),
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
