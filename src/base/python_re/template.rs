//! Replacements of `re.sub`, with references to groups.

use super::translate::octal;
use super::{Found, Made, Pattern, wrong};

/// A replacement: `\1`, `\g<name>`, `\n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(Vec<u8>),
    Group(usize),
}

impl Template {
    pub(super) fn parse(template: &str, pattern: &Pattern) -> Made<Self> {
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

    pub(super) fn expand_into(&self, text: &[u8], found: &Found, made: &mut Vec<u8>) {
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
