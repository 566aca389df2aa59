//! JSON that may also land on a terminal: JSON escapes the control characters of ASCII by itself,
//! here also those beyond and what turns the direction of writing. The values stay the same.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

struct Careful;

impl Formatter for Careful {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.bytes().all(|byte| byte < 0x7f) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| harmful(*c)) {
            let (before, after) = rest.split_at(at);
            writer.write_all(before.as_bytes())?;
            write!(writer, "\\u{:04x}", u32::from(c))?;
            rest = after.get(c.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// All of them are in the basic plane: one `\uXXXX` each.
fn harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Writes a value.
pub(super) fn write<T: Serialize + ?Sized>(out: &mut dyn Write, value: &T) -> io::Result<()> {
    value
        .serialize(&mut Serializer::with_formatter(out, Careful))
        .map_err(io::Error::from)
}

/// Writes the inside of a string: pieces in turn make one.
pub(super) fn write_inside(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let mut quoted = Vec::with_capacity(text.len() + text.len() / 8 + 2);
    write(&mut quoted, text)?;
    let inside = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    out.write_all(inside)
}

/// Writes an object without its closing brace.
pub(super) fn write_open<T: Serialize + ?Sized>(out: &mut dyn Write, object: &T) -> io::Result<()> {
    let mut text = Vec::new();
    write(&mut text, object)?;
    text.pop();
    out.write_all(&text)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_a_terminal_might_obey_is_escaped_and_stays_the_same_value() {
        let text = "a\u{9b}31m\u{7f}\u{202e}\u{2028}\x1b\"\\é中\n";
        let mut out = Vec::new();
        super::write(&mut out, text).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out, r#""a\u009b31m\u007f\u202e\u2028\u001b\"\\é中\n""#);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }
}
