//! Text as Python's `str` sees it.

/// What `str.isspace` takes for space.
pub(in super::super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// `str.split()` without a separator.
pub(in super::super) fn split_whitespace(text: &str, most: Option<usize>) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        if most == Some(parts.len()) {
            parts.push(rest.trim_end_matches(is_space).to_owned());
            break;
        }
        let end = rest.find(is_space).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        parts.push(part.to_owned());
        rest = after.trim_start_matches(is_space);
    }
    parts
}

/// `str.rsplit()` without a separator.
pub(super) fn rsplit_whitespace(text: &str, most: Option<usize>) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.trim_end_matches(is_space);
    while !rest.is_empty() {
        if most == Some(parts.len()) {
            parts.push(rest.trim_start_matches(is_space).to_owned());
            break;
        }
        let start = rest
            .char_indices()
            .rev()
            .find(|(_, c)| is_space(*c))
            .map_or(0, |(at, c)| at + c.len_utf8());
        let (before, part) = rest.split_at(start);
        parts.push(part.to_owned());
        rest = before.trim_end_matches(is_space);
    }
    parts.reverse();
    parts
}

/// `str.splitlines()`.
pub(in super::super) fn splitlines(text: &str, keep: bool) -> Vec<String> {
    let ends = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some(at) = rest.find(ends) else {
            lines.push(rest.to_owned());
            break;
        };
        let (line, after) = rest.split_at(at);
        let width = match after {
            _ if after.starts_with("\r\n") => 2,
            _ => after.chars().next().map_or(1, char::len_utf8),
        };
        let (end, after) = after.split_at(width);
        lines.push(if keep {
            format!("{line}{end}")
        } else {
            line.to_owned()
        });
        rest = after;
    }
    lines
}

/// `str.capitalize()`.
pub(in super::super) fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first
            .to_uppercase()
            .chain(chars.flat_map(char::to_lowercase))
            .collect(),
        None => String::new(),
    }
}

/// `str.title()`: every run of letters begins large.
pub(in super::super) fn title(text: &str) -> String {
    let mut within = false;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if within {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        within = c.is_alphabetic();
    }
    out
}

/// `str.swapcase()`.
pub(super) fn swapcase(text: &str) -> String {
    text.chars()
        .flat_map(|c| -> Vec<char> {
            if c.is_uppercase() {
                c.to_lowercase().collect()
            } else {
                c.to_uppercase().collect()
            }
        })
        .collect()
}

/// The place of a part, in characters.
pub(super) fn find(text: &str, part: &str, from_end: bool) -> Option<usize> {
    let at = if from_end {
        text.rfind(part)
    } else {
        text.find(part)
    }?;
    text.get(..at).map(|before| before.chars().count())
}
