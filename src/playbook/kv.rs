//! Arguments on one line: `src=a dest="b c" mode={{ m }}`, and what of `ls -l creates=/x` is the
//! command. As Ansible splits them: at blanks outside of quotes and of template marks.

/// What a line of arguments holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// The `name=value` ones, without their quotes, in order.
    pub(super) named: Vec<(String, String)>,
    /// What is left, with the blanks and lines between.
    pub(super) free: Option<String>,
}

/// The options that stand among the words of a command; all else with `=` is the command's.
pub(super) const OF_COMMANDS: &[&str] = &[
    "chdir",
    "creates",
    "executable",
    "removes",
    "stdin",
    "stdin_add_newline",
    "strip_empty_ends",
];

/// Reads a line. For a command (`free_form`) only the options of commands are named arguments.
pub(super) fn parse(text: &str, free_form: bool) -> Result<Line, &'static str> {
    let mut line = Line::default();
    let mut free: Vec<String> = Vec::new();
    for word in split(text)? {
        match named(&word) {
            Named::Value(name, value) if !free_form || OF_COMMANDS.contains(&name.as_str()) => {
                line.named.push((name, value));
            }
            Named::Escaped(plain) => free.push(plain),
            _ => free.push(word),
        }
    }
    if !free.is_empty() {
        line.free = Some(join(&free));
    }
    Ok(line)
}

/// The first word of an `action:` line, and the rest.
pub(super) fn first_word(text: &str) -> Result<(String, String), &'static str> {
    let words = split(text)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (first, rest) = words.split_first().ok_or("no module is named")?;
    Ok((first.trim().to_owned(), rest.join(" ")))
}

enum Named {
    Value(String, String),
    /// Has `\=` only: a word with a plain `=`.
    Escaped(String),
    None,
}

fn named(word: &str) -> Named {
    if !word.contains('=') {
        return Named::None;
    }
    let decoded = unescape(word);
    let mut before = ' ';
    for (at, c) in decoded.char_indices() {
        if c == '=' && at > 0 && before != '\\' {
            let (name, value) = decoded.split_at(at);
            let value = value.strip_prefix('=').unwrap_or(value);
            return Named::Value(name.trim().to_owned(), unquote(value.trim()).to_owned());
        }
        before = c;
    }
    Named::Escaped(decoded.replace("\\=", "="))
}

/// Takes quotes off that stand around the whole.
fn unquote(text: &str) -> &str {
    for quote in ['"', '\''] {
        let inner = text
            .strip_prefix(quote)
            .and_then(|text| text.strip_suffix(quote));
        if let Some(inner) = inner.filter(|inner| !inner.ends_with('\\')) {
            return inner;
        }
    }
    text
}

/// Escapes as Python writes them: `\n`, `\t`, `\x41`, `\u4e3b`; others stay.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let Some(escaped) = escape(tail) else {
            out.push('\\');
            rest = &tail[1..];
            continue;
        };
        out.push(escaped.0);
        rest = tail.get(escaped.1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The character that an escape at the text's beginning stands for, and its length.
fn escape(text: &str) -> Option<(char, usize)> {
    let digits = |count: usize, radix: u32, from: usize| {
        let digits = text.get(from..from + count)?;
        let code = u32::from_str_radix(digits, radix).ok()?;
        Some((char::from_u32(code)?, from + count))
    };
    match text.as_bytes().get(1)? {
        b'n' => Some(('\n', 2)),
        b't' => Some(('\t', 2)),
        b'r' => Some(('\r', 2)),
        b'a' => Some(('\u{7}', 2)),
        b'b' => Some(('\u{8}', 2)),
        b'f' => Some(('\u{c}', 2)),
        b'v' => Some(('\u{b}', 2)),
        b'\\' => Some(('\\', 2)),
        b'\'' => Some(('\'', 2)),
        b'"' => Some(('"', 2)),
        b'x' => digits(2, 16, 2),
        b'u' => digits(4, 16, 2),
        b'U' => digits(8, 16, 2),
        _ => None,
    }
}

fn join(words: &[String]) -> String {
    let mut out = String::new();
    for word in words {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// The words of a line, each with the further blanks and line ends that follow it, so that joining
/// them with one blank gives the line again.
fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut splitter = Splitter::default();
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        let continued = splitter.line(line);
        if lines.peek().is_some() && !continued {
            splitter.last().push('\n');
        }
    }
    if splitter.within() {
        return Err("a quote or a template mark is opened and not closed");
    }
    Ok(splitter.words)
}

#[derive(Default)]
struct Splitter {
    words: Vec<String>,
    quote: Option<char>,
    /// Depths of `{{`, `{%`, `{#`.
    depths: [usize; 3],
}

impl Splitter {
    fn within(&self) -> bool {
        self.quote.is_some() || self.depths.iter().any(|depth| *depth > 0)
    }

    fn last(&mut self) -> &mut String {
        if self.words.is_empty() {
            self.words.push(String::new());
        }
        let last = self.words.len() - 1;
        &mut self.words[last]
    }

    /// One line; whether it goes on in the next one.
    fn line(&mut self, line: &str) -> bool {
        let mut continued = false;
        for (index, token) in line.split(' ').enumerate() {
            if token.is_empty() {
                if index > 0 {
                    self.last().push(' ');
                }
                continue;
            }
            if token == "\\" && self.quote.is_none() {
                continued = true;
                continue;
            }
            if self.within() {
                let last = self.last();
                if index > 0 {
                    last.push(' ');
                }
                last.push_str(token);
            } else {
                self.words.push(token.to_owned());
            }
            self.note(token);
        }
        continued
    }

    /// What a token opens and closes.
    fn note(&mut self, token: &str) {
        let mut before = ' ';
        for c in token.chars() {
            if matches!(c, '"' | '\'') && before != '\\' {
                self.quote = match self.quote {
                    None => Some(c),
                    Some(open) if open == c => None,
                    open => open,
                };
            }
            before = c;
        }
        for (depth, (open, close)) in
            self.depths
                .iter_mut()
                .zip([("{{", "}}"), ("{%", "%}"), ("{#", "#}")])
        {
            *depth =
                (*depth + token.matches(open).count()).saturating_sub(token.matches(close).count());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str, free_form: bool) -> String {
        let line = parse(text, free_form).unwrap();
        let mut parts: Vec<String> = line
            .named
            .iter()
            .map(|(name, value)| format!("{name}→{value}"))
            .collect();
        parts.extend(line.free.map(|free| format!("[{free}]")));
        parts.join(" ")
    }

    #[test]
    fn arguments_are_split_as_ansible_does() {
        let table = [
            ("src=a dest=b", "src→a dest→b"),
            ("src=\"a b\" dest='c d'", "src→a b dest→c d"),
            (
                "src={{ a }}/{{ b | default('x y') }} mode=0644",
                "src→{{ a }}/{{ b | default('x y') }} mode→0644",
            ),
            (
                "msg={% if x %}a b{% endif %}",
                "msg→{% if x %}a [b{% endif %}]",
            ),
            ("line=a=b", "line→a=b"),
            ("path=/x line=\"one\\ttwo\"", "path→/x line→one\ttwo"),
            ("msg=hello world", "msg→hello [world]"),
            ("name=主机 state=present", "name→主机 state→present"),
            ("a=1\n  b=2", "a→1 b→2"),
            ("x a\\=b y=1", "y→1 [x a=b]"),
            ("flush_handlers", "[flush_handlers]"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text, false), expected, "{text}");
        }
    }

    #[test]
    fn a_command_keeps_its_words_and_blanks() {
        let table = [
            ("ls -l creates=/x", "creates→/x [ls -l]"),
            ("ls  -l   a=b", "[ls  -l   a=b]"),
            ("echo \"a  b\" 'c=d'", "[echo \"a  b\" 'c=d']"),
            ("chdir=/tmp ./run --to=x", "chdir→/tmp [./run --to=x]"),
            ("echo one\necho two", "[echo one\necho two]"),
            ("if x; then\n  y\n    z\nfi", "[if x; then\n  y\n    z\nfi]"),
            // One blank of indentation is lost, there as here.
            ("a\n b", "[a\nb]"),
            ("echo one \\\n  two", "[echo one  two]"),
            (
                "echo {{ a | join(' ') }} creates={{ b }}",
                "creates→{{ b }} [echo {{ a | join(' ') }}]",
            ),
            ("printf 'a\\n'", "[printf 'a\\n']"),
            ("a\\=b c", "[a=b c]"),
            (" lead  creates=/x  tail ", "creates→/x [lead  tail ]"),
            ("a\n\nb creates=x\nc", "creates→x [a\n\nb c]"),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text, true), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_closed_is_an_error() {
        for text in ["a=\"b", "a={{ b", "it's"] {
            assert!(parse(text, false).is_err(), "{text}");
        }
        assert_eq!(
            first_word("copy src=a  dest=b").unwrap(),
            ("copy".into(), "src=a  dest=b".into())
        );
        assert!(first_word("").is_err());
    }

    proptest! {
        #[test]
        fn a_command_without_options_is_itself(text in "[a-z\"'{}%# =-]{0,40}") {
            if let Ok(Line { named, free }) = parse(&text, true) && named.is_empty() {
                let free = free.unwrap_or_default();
                prop_assert_eq!(free.trim(), text.trim());
            }
        }
    }
}
