//! replace: all that matches in a text file.

use std::collections::BTreeSet;

use super::super::call::{Call, Controller};
use super::super::edit::{DiffForm, Edit, Old};
use super::super::error::ModuleError;
use super::Hook;
use crate::base::python_re::{Flags, Pattern, PatternError};
use crate::base::text::{self, Charset};
use crate::base::value::Value;

pub(super) struct Replace;

impl Hook for Replace {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        call.known.insert("rc".into(), Value::Int(0));
        call.edit_with(DiffForm::One, edit);
        Ok(())
    }
}

/// A file's character set, by its name in Python. Bytes that are none of its characters are an error, but
/// in UTF-8: what is not replaced has to stay as it is.
enum Codec {
    Plain(Charset),
    /// UTF-8, where a byte that belongs to no character is one of its own, as with Python's
    /// `surrogateescape`: 256 characters of private use that nothing else uses, from this one on.
    Escaping(u32),
    /// UTF-16; with a mark that says which order of bytes it is, or the order.
    Marked,
    Little,
    Big,
}

impl Codec {
    /// The set of that name, for a file that holds `bytes` and gets what `others` say.
    fn named(name: &str, bytes: &[u8], others: &[&str]) -> Option<Self> {
        let name = name.to_lowercase().replace(['_', ' '], "-");
        Some(match name.as_str() {
            "utf-16" | "utf16" | "u16" => Self::Marked,
            "utf-16-le" | "utf-16le" => Self::Little,
            "utf-16-be" | "utf-16be" => Self::Big,
            "utf-8" | "utf8" if str::from_utf8(bytes).is_err() => {
                Self::Escaping(unused(bytes, others)?)
            }
            _ => Self::Plain(text::encoding(&name)?),
        })
    }

    fn decode(&self, bytes: &[u8]) -> Option<String> {
        let (bytes, unit): (_, fn([u8; 2]) -> u16) = match self {
            Self::Plain(charset) => return charset.exactly(bytes),
            Self::Escaping(first) => return Some(escaped(bytes, *first)),
            Self::Marked => match bytes {
                [0xfe, 0xff, rest @ ..] => (rest, u16::from_be_bytes),
                [0xff, 0xfe, rest @ ..] => (rest, u16::from_le_bytes),
                _ => (bytes, u16::from_le_bytes),
            },
            Self::Little => (bytes, u16::from_le_bytes),
            Self::Big => (bytes, u16::from_be_bytes),
        };
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units = pairs.iter().map(|pair| unit(*pair));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        text.ok().filter(|_| rest.is_empty())
    }

    fn encode(&self, text: &str) -> Option<Vec<u8>> {
        let bytes: fn(u16) -> [u8; 2] = match self {
            Self::Plain(charset) => {
                let (bytes, fits) = charset.encode(text);
                return fits.then_some(bytes);
            }
            Self::Escaping(first) => return Some(unescaped(text, *first)),
            Self::Marked | Self::Little => u16::to_le_bytes,
            Self::Big => u16::to_be_bytes,
        };
        let mark = matches!(self, Self::Marked).then_some(0xfeff);
        let units = mark.into_iter().chain(text.encode_utf16());
        Some(units.flat_map(bytes).collect())
    }
}

/// The first of 256 characters of private use that are in none of the texts.
fn unused(bytes: &[u8], others: &[&str]) -> Option<u32> {
    let valid = bytes.utf8_chunks().map(|chunk| chunk.valid());
    let chars = valid.chain(others.iter().copied()).flat_map(str::chars);
    let used: BTreeSet<u32> = chars.map(|c| u32::from(c) >> 8).collect();
    let mut pages = (0xf00..=0x10ff_u32).rev();
    pages
        .find(|page| !used.contains(page))
        .map(|page| page << 8)
}

/// The text of bytes, with characters from `first` on for those that are no UTF-8.
fn escaped(bytes: &[u8], first: u32) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let single = chunk.invalid().iter();
        text.extend(single.filter_map(|byte| char::from_u32(first + u32::from(*byte))));
    }
    text
}

/// The bytes again.
fn unescaped(text: &str, first: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c).checked_sub(first).map(u8::try_from) {
            Some(Ok(byte)) => bytes.push(byte),
            _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

fn wrong(error: PatternError) -> ModuleError {
    ModuleError::new(format!("Unable to process replace due to error: {error}"))
}

fn edit(old: &Old<'_>) -> Result<Edit, ModuleError> {
    let encoding = old.param("encoding").unwrap_or("utf-8");
    let bytes = old.content.unwrap_or_default();
    let said = ["regexp", "replace", "after", "before"].map(|name| old.param(name).unwrap_or(""));
    let codec = Codec::named(encoding, bytes, &said)
        .ok_or_else(|| ModuleError::of("encoding", format!("unknown encoding: {encoding}")))?;
    let decoded = codec.decode(bytes);
    let content = decoded
        .as_deref()
        .ok_or_else(|| ModuleError::new(format!("{} is no {encoding}", old.path)))?;
    let multiline = Flags {
        multiline: true,
        ..Flags::default()
    };
    let regexp = old.param("regexp").unwrap_or_default();
    let pattern = Pattern::new(regexp, multiline).map_err(wrong)?;
    let template = pattern
        .template(old.param("replace").unwrap_or_default())
        .map_err(wrong)?;
    let (from, to) = match section(old, content)? {
        Ok(section) => section,
        Err(message) => return Ok(Edit::nothing(message)),
    };
    let part = content.get(from..to).unwrap_or_default();
    let (replaced, count) = pattern
        .replace_all(part.as_bytes(), &template)
        .map_err(wrong)?;
    if count == 0 || replaced == part.as_bytes() {
        return Ok(Edit::nothing(""));
    }
    let mut new = content.as_bytes().get(..from).unwrap_or_default().to_vec();
    new.extend_from_slice(&replaced);
    new.extend_from_slice(content.as_bytes().get(to..).unwrap_or_default());
    let new = codec
        .encode(&String::from_utf8_lossy(&new))
        .ok_or_else(|| ModuleError::new(format!("{encoding} can't say the new content")))?;
    Ok(Edit::new(new, format!("{count} replacements made")))
}

/// The part of the text that `after` and `before` leave; a message where they match nothing.
fn section(old: &Old<'_>, text: &str) -> Result<Result<(usize, usize), String>, ModuleError> {
    let given = |name: &str| old.param(name).filter(|text| !text.is_empty());
    let pattern = match (given("after"), given("before")) {
        (Some(after), Some(before)) => format!("{after}(?P<subsection>.*?){before}"),
        (Some(after), None) => format!("{after}(?P<subsection>.*)"),
        (None, Some(before)) => format!("(?P<subsection>.*){before}"),
        (None, None) => return Ok(Ok((0, text.len()))),
    };
    let dotall = Flags {
        dotall: true,
        ..Flags::default()
    };
    let compiled = Pattern::new(&pattern, dotall).map_err(wrong)?;
    let found = compiled.search(text.as_bytes(), 0).map_err(wrong)?;
    let section = found.and_then(|found| compiled.named(&found, "subsection"));
    Ok(section.ok_or_else(|| {
        format!("Pattern for before/after params did not match the given file: {pattern}")
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::edit::tests;
    use super::*;

    #[track_caller]
    fn becomes(params: &serde_json::Value, content: &str, wanted: &str, message: &str) {
        tests::becomes(edit, params, content, (wanted, message));
    }

    #[test]
    fn all_that_matches_is_replaced() {
        let params = json!({"regexp": r"^(\s*)old\.(\w+)$", "replace": r"\1new.\2"});
        becomes(
            &params,
            "old.a\n  old.b\nxold.c\n",
            "new.a\n  new.b\nxold.c\n",
            "2 replacements made",
        );
        becomes(&params, "none\n", "none\n", "");
        becomes(
            &json!({"regexp": "a"}),
            "banana\n",
            "bnn\n",
            "3 replacements made",
        );
        becomes(&json!({"regexp": "a", "replace": "a"}), "a\n", "a\n", "");
        becomes(
            &json!({"regexp": "é(.)", "replace": r"\1"}),
            "éx",
            "x",
            "1 replacements made",
        );
    }

    #[test]
    fn other_character_sets_are_read_and_written_as_python_does() {
        let in_set = |name: &str, content: &[u8]| {
            let Value::Map(params) = Value::from_json(
                &json!({"regexp": "b.", "replace": "\u{1f600}y", "encoding": name}),
            ) else {
                panic!("parameters are a mapping");
            };
            let old = Old {
                params: &params,
                path: "/f",
                content: Some(content),
                record: None,
            };
            let edit = edit(&old).map_err(|error| error.message)?;
            Ok::<_, String>(edit.content.unwrap_or_else(|| content.to_vec()))
        };
        let little = b"\xff\xfea\0\x3d\xd8\0\xdey\0".to_vec();
        assert_eq!(in_set("utf-16", b"\xff\xfea\0b\0c\0"), Ok(little.clone()));
        assert_eq!(in_set("UTF_16", b"\xfe\xff\0a\0b\0c"), Ok(little.clone()));
        assert_eq!(
            in_set("utf-16-le", b"a\0b\0c\0"),
            Ok(little.get(2..).unwrap().to_vec())
        );
        assert_eq!(
            in_set("utf-16-be", b"\0a\0b\0c"),
            Ok(b"\0a\xd8\x3d\xde\0\0y".to_vec())
        );
        assert_eq!(in_set("utf-16", b"a\0b"), Err("/f is no utf-16".to_owned()));
        // What looks like UTF-8 is none where another set is meant.
        assert_eq!(in_set("latin-1", b"\xc3\xa9"), Ok(b"\xc3\xa9".to_vec()));
        assert_eq!(
            in_set("latin-1", b"bc"),
            Err("latin-1 can't say the new content".to_owned())
        );
        // A byte that is no UTF-8 stays, and counts as one character.
        assert_eq!(
            in_set("utf-8", b"\xe9bc\xff"),
            Ok(b"\xe9\xf0\x9f\x98\x80y\xff".to_vec())
        );
        assert_eq!(
            in_set("utf-8", b"b\xff."),
            Ok(b"\xf0\x9f\x98\x80y.".to_vec())
        );
    }

    #[test]
    fn characters_of_private_use_are_characters() {
        let replaced = |content: &[u8], replace: &str| {
            let params = json!({"regexp": "b.", "replace": replace});
            let Value::Map(params) = Value::from_json(&params) else {
                panic!("parameters are a mapping");
            };
            let old = Old {
                params: &params,
                path: "/f",
                content: Some(content),
                record: None,
            };
            let new = edit(&old).map(|edit| edit.content.unwrap_or_default());
            new.map_err(|error| error.message)
        };
        let [own, last] = ["\u{10ff41}", "\u{10fffd}"];
        let text = |text: String| Ok(text.into_bytes());
        assert_eq!(
            replaced(format!("{own}b.").as_bytes(), "c"),
            text(format!("{own}c"))
        );
        assert_eq!(replaced(b"ab.", last), text(format!("a{last}")));
        // The mark of UTF-8 is one, too.
        assert_eq!(
            replaced("\u{feff}b.".as_bytes(), "c"),
            text("\u{feff}c".to_owned())
        );
        // Beside a byte that is none, too.
        let mixed = [b"\xff", own.as_bytes(), b"b\xfe"].concat();
        let wanted = [b"\xff", own.as_bytes(), last.as_bytes()].concat();
        assert_eq!(replaced(&mixed, last), Ok(wanted));
    }

    #[test]
    fn only_the_part_between_is_meant() {
        let params =
            json!({"regexp": "^(.+)$", "replace": r"# \1", "after": "<a>\n", "before": "</a>"});
        becomes(
            &params,
            "x\n<a>\ny\nz\n</a>\nw\n",
            "x\n<a>\n# y\n# z\n</a>\nw\n",
            "2 replacements made",
        );
        let message =
            "Pattern for before/after params did not match the given file: q(?P<subsection>.*)";
        becomes(&json!({"regexp": "a", "after": "q"}), "a\n", "a\n", message);
    }
}
