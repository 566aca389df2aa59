//! Text between quotes, as Jinja reads it: escapes of Python's strings, or none at all.

/// The text of one or more quoted strings that stand next to each other; `None` when it is not that.
pub(super) fn strings(written: &str, verbatim: bool) -> Option<String> {
    let mut text = String::with_capacity(written.len());
    let mut rest = written.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let inner = rest.get(1..)?;
        let end = end_of(inner, quote)?;
        let content = inner.get(..end)?;
        if verbatim {
            text.push_str(content);
        } else {
            unescape(content, &mut text);
        }
        rest = inner.get(end + 1..)?.trim_start();
    }
    Some(text)
}

fn end_of(inner: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// Python's escapes; what is none stays as written.
fn unescape(content: &str, text: &mut String) {
    let mut chars = content.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        let before = chars.clone();
        let decoded = match chars.next() {
            Some('n') => Some('\n'),
            Some('t') => Some('\t'),
            Some('r') => Some('\r'),
            Some('a') => Some('\x07'),
            Some('b') => Some('\x08'),
            Some('f') => Some('\x0c'),
            Some('v') => Some('\x0b'),
            Some('\n') => continue,
            Some(same @ ('\\' | '\'' | '"')) => Some(same),
            Some('x') => digits(&mut chars, 2, 16),
            Some('u') => digits(&mut chars, 4, 16),
            Some('U') => digits(&mut chars, 8, 16),
            Some('0'..='7') => {
                chars = before.clone();
                octal(&mut chars)
            }
            _ => None,
        };
        match decoded {
            Some(c) => text.push(c),
            None => {
                text.push('\\');
                chars = before;
            }
        }
    }
}

fn digits(chars: &mut std::str::Chars<'_>, count: usize, radix: u32) -> Option<char> {
    let mut number = 0;
    for _ in 0..count {
        number = number * radix + chars.next()?.to_digit(radix)?;
    }
    char::from_u32(number)
}

fn octal(chars: &mut std::str::Chars<'_>) -> Option<char> {
    let mut number = 0;
    for _ in 0..3 {
        let Some(digit) = chars.clone().next().and_then(|c| c.to_digit(8)) else {
            break;
        };
        chars.next();
        number = number * 8 + digit;
    }
    char::from_u32(number)
}

#[cfg(test)]
mod tests {
    use super::strings;

    #[test]
    fn escapes_are_pythons_or_none_at_all() {
        let table = [
            (r"'a\nb'", "a\nb", r"a\nb"),
            (r"'a\d'", r"a\d", r"a\d"),
            (r"'\\1'", r"\1", r"\\1"),
            (r"'it\'s'", "it's", r"it\'s"),
            (r#"'a' "b\x41""#, "abA", r"ab\x41"),
            (r"'\u00e9\101'", "éA", r"\u00e9\101"),
        ];
        for (written, escaped, verbatim) in table {
            assert_eq!(strings(written, false).unwrap(), escaped, "{written}");
            assert_eq!(strings(written, true).unwrap(), verbatim, "{written}");
        }
        assert_eq!(strings("x", false), None);
        assert_eq!(strings("'open", false), None);
    }
}
