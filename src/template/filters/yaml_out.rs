//! Writing YAML as `PyYAML` does: files that `to_nice_yaml` wrote under Ansible don't change.

use std::fmt::Write as _;

use super::super::args::Args;
use super::super::error::{Fail, fail};
use super::super::eval::undefined;
use super::super::python;
use super::super::val::Val;
use super::yaml_scalars::{Analysis, float, printable, resolves};

pub(super) fn filter(args: &Args<'_>, nice: bool) -> Result<Val, Fail> {
    let indent = args.count(3, if nice { 4 } else { 2 })?;
    let flow = match args.get(1) {
        Some(Val::Bool(yes)) => Some(*yes),
        Some(_) => None,
        None => nice.then_some(false),
    };
    let width = match args.some(4) {
        Some(Val::Float(_)) => usize::MAX,
        _ => args.count(4, 80)?,
    };
    let mut emitter = Emitter {
        out: String::new(),
        column: 0,
        // PyYAML takes what lies between; what doesn't is its default.
        step: if (2..10).contains(&indent) { indent } else { 2 },
        width: if width > indent * 2 { width } else { 80 },
        flow,
        sort: args.flag(5, true),
    };
    let value = args.input()?;
    let wanted = |name| args.keyword(name).is_some_and(python::truth);
    if wanted("explicit_start") {
        emitter.write("---");
        if emitter.is_block(value) {
            emitter.line(0);
        } else {
            emitter.write(" ");
        }
    }
    emitter.node(value, 0, Place::Root)?;
    let mut out = emitter.out;
    out.push('\n');
    if wanted("explicit_end") {
        out.push_str("...\n");
    }
    args.cx.run.memory(out.len())?;
    Ok(Val::from(out))
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    /// Behind a dash; with the indentation of the list.
    Item,
    /// Behind a key.
    Member,
    /// Within `[]` or `{}`.
    Flow,
}

struct Emitter {
    out: String,
    column: usize,
    step: usize,
    width: usize,
    flow: Option<bool>,
    sort: bool,
}

impl Emitter {
    fn write(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn line(&mut self, indent: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }

    fn pad(&mut self, indent: usize) {
        while self.column < indent {
            self.write(" ");
        }
    }

    /// `indent` is that of the collection around.
    fn node(&mut self, value: &Val, indent: usize, place: Place) -> Result<(), Fail> {
        match value {
            Val::List(_) | Val::Tuple(_) => {
                let items = python::items(value)?;
                if items.is_empty() || place == Place::Flow || self.is_flow(&items) {
                    return self.flow_list(&items, indent, place);
                }
                self.block_list(&items, indent, place)
            }
            Val::Dict(dict) => {
                let mut entries: Vec<(Val, Val)> = dict
                    .read()
                    .iter()
                    .map(|(key, value)| (key.0.clone(), value.clone()))
                    .collect();
                if self.sort {
                    let mut keyed: Vec<(Val, Val)> = entries
                        .iter()
                        .map(|(key, value)| {
                            (key.clone(), Val::tuple(vec![key.clone(), value.clone()]))
                        })
                        .collect();
                    if python::sort_by_key(&mut keyed, false).is_ok() {
                        entries.sort_by(|(one, _), (other, _)| {
                            python::ordering(one, other).unwrap_or(std::cmp::Ordering::Equal)
                        });
                    }
                }
                let values: Vec<Val> = entries.iter().map(|(_, value)| value.clone()).collect();
                if entries.is_empty() || place == Place::Flow || self.is_flow(&values) {
                    return self.flow_map(&entries, indent, place);
                }
                self.block_map(&entries, indent, place)
            }
            scalar => self.scalar(scalar, indent, place, false),
        }
    }

    fn is_flow(&self, members: &[Val]) -> bool {
        self.flow.unwrap_or_else(|| {
            !members
                .iter()
                .any(|member| member.is_sequence() || member.is_mapping())
        })
    }

    fn block_list(&mut self, items: &[Val], indent: usize, place: Place) -> Result<(), Fail> {
        // A list behind a key stands at the key's own indentation.
        let own = match place {
            Place::Item => indent + self.step,
            _ => indent,
        };
        for (at, item) in items.iter().enumerate() {
            if at > 0 || place == Place::Member {
                self.line(own);
            } else {
                self.pad(own);
            }
            self.write("-");
            if !self.is_block(item) {
                self.write(" ");
            }
            self.node(item, own, Place::Item)?;
        }
        Ok(())
    }

    /// Whether a value is a collection with a line for each member.
    fn is_block(&self, value: &Val) -> bool {
        let members: Vec<Val> = match value {
            Val::Dict(dict) => dict.read().values().cloned().collect(),
            Val::List(_) | Val::Tuple(_) => python::items(value).unwrap_or_default(),
            _ => return false,
        };
        !members.is_empty() && !self.is_flow(&members)
    }

    fn block_map(
        &mut self,
        entries: &[(Val, Val)],
        indent: usize,
        place: Place,
    ) -> Result<(), Fail> {
        let own = match place {
            Place::Root | Place::Flow => indent,
            Place::Item | Place::Member => indent + self.step,
        };
        for (at, (key, value)) in entries.iter().enumerate() {
            if at > 0 || place == Place::Member {
                self.line(own);
            } else {
                self.pad(own);
            }
            self.scalar(key, own, Place::Member, true)?;
            self.write(":");
            if !self.is_block(value) {
                self.write(" ");
            }
            self.node(value, own, Place::Member)?;
        }
        Ok(())
    }

    fn flow_list(&mut self, items: &[Val], indent: usize, place: Place) -> Result<(), Fail> {
        let inner = self.inner(indent, place);
        self.write("[");
        for (at, item) in items.iter().enumerate() {
            self.flow_gap(at, inner);
            self.node(item, inner, Place::Flow)?;
        }
        self.write("]");
        Ok(())
    }

    fn flow_map(
        &mut self,
        entries: &[(Val, Val)],
        indent: usize,
        place: Place,
    ) -> Result<(), Fail> {
        let inner = self.inner(indent, place);
        self.write("{");
        for (at, (key, value)) in entries.iter().enumerate() {
            self.flow_gap(at, inner);
            self.scalar(key, inner, Place::Flow, true)?;
            self.write(": ");
            self.node(value, inner, Place::Flow)?;
        }
        self.write("}");
        Ok(())
    }

    fn inner(&self, indent: usize, place: Place) -> usize {
        match place {
            Place::Root => self.step,
            _ => indent + self.step,
        }
    }

    fn flow_gap(&mut self, at: usize, indent: usize) {
        if at > 0 {
            self.write(",");
        }
        if self.column > self.width {
            self.line(indent);
        } else if at > 0 {
            self.write(" ");
        }
    }

    fn scalar(&mut self, value: &Val, indent: usize, place: Place, key: bool) -> Result<(), Fail> {
        let plain = match value {
            Val::None => "null".to_owned(),
            Val::Bool(yes) => yes.to_string(),
            Val::Int(number) => number.to_string(),
            Val::Float(number) => float(*number),
            Val::Undefined(why) => return Err(undefined(why)),
            Val::Str(text) => {
                self.string(text, self.inner(indent, place), place == Place::Flow, key);
                return Ok(());
            }
            other if other.type_name() == "datetime" => python::text(other)?.to_string(),
            other => {
                return fail(format!(
                    "cannot represent an object of type '{}' as YAML",
                    other.type_name()
                ));
            }
        };
        self.write(&plain);
        Ok(())
    }

    fn string(&mut self, text: &str, indent: usize, flow: bool, key: bool) {
        let found = Analysis::of(text);
        let split = !key;
        if !found.multiline
            && (if flow {
                found.flow_plain
            } else {
                found.block_plain
            })
            && !text.is_empty()
            && !resolves(text)
        {
            self.plain(text, indent, split);
        } else if found.single_quoted && !(key && found.multiline) {
            self.single_quoted(text, indent, split);
        } else {
            self.double_quoted(text, indent, split);
        }
    }

    /// Words, with a line end instead of a single blank where the line is full.
    fn plain(&mut self, text: &str, indent: usize, split: bool) {
        for (at, word) in text.split(' ').enumerate() {
            if at > 0 {
                self.gap(text, at, indent, split);
            }
            self.write(word);
        }
    }

    fn gap(&mut self, text: &str, word: usize, indent: usize, split: bool) {
        let words: Vec<&str> = text.split(' ').collect();
        let single = words.get(word).is_some_and(|after| !after.is_empty())
            && words.get(word - 1).is_some_and(|before| !before.is_empty());
        if single && split && self.column > self.width {
            self.line(indent);
        } else {
            self.write(" ");
        }
    }

    fn single_quoted(&mut self, text: &str, indent: usize, split: bool) {
        self.write("'");
        let lines: Vec<&str> = text.split('\n').collect();
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            let escaped = line.replace('\'', "''");
            self.plain_quoted(&escaped, indent, split);
            // A line end is written as an empty line more; then the text goes on, indented.
            let mut ends = 0;
            while at + ends + 1 < lines.len() {
                ends += 1;
                if lines.get(at + ends).is_some_and(|line| !line.is_empty()) {
                    break;
                }
            }
            if ends == 0 {
                break;
            }
            self.out.push('\n');
            for _ in 1..ends {
                self.out.push('\n');
            }
            self.line(indent);
            at += ends;
        }
        self.write("'");
    }

    fn plain_quoted(&mut self, text: &str, indent: usize, split: bool) {
        let words: Vec<&str> = text.split(' ').collect();
        let last = words.len() - 1;
        for (at, word) in words.iter().enumerate() {
            if at > 0 {
                let single = !word.is_empty() && words.get(at - 1).is_some_and(|w| !w.is_empty());
                let edge = at == last && word.is_empty();
                if single && !edge && split && self.column > self.width {
                    self.line(indent);
                } else {
                    self.write(" ");
                }
            }
            self.write(word);
        }
    }

    fn double_quoted(&mut self, text: &str, indent: usize, split: bool) {
        self.write("\"");
        let chars: Vec<char> = text.chars().collect();
        let mut behind_blank = false;
        for (at, c) in chars.iter().enumerate() {
            let inside = at > 0 && at + 1 < chars.len();
            let breaks = *c == ' ' && !behind_blank && inside && split && self.column > self.width;
            behind_blank = *c == ' ';
            if breaks {
                // The line end is read as this blank; one more would be lost without a backslash.
                self.line(indent);
                if chars.get(at + 1) == Some(&' ') {
                    self.write("\\");
                }
                continue;
            }
            let escaped = match c {
                '\0' => "\\0".to_owned(),
                '\x07' => "\\a".to_owned(),
                '\x08' => "\\b".to_owned(),
                '\t' => "\\t".to_owned(),
                '\n' => "\\n".to_owned(),
                '\x0b' => "\\v".to_owned(),
                '\x0c' => "\\f".to_owned(),
                '\r' => "\\r".to_owned(),
                '\x1b' => "\\e".to_owned(),
                '"' => "\\\"".to_owned(),
                '\\' => "\\\\".to_owned(),
                '\u{85}' => "\\N".to_owned(),
                '\u{a0}' => "\\_".to_owned(),
                '\u{2028}' => "\\L".to_owned(),
                '\u{2029}' => "\\P".to_owned(),
                c if printable(*c) => c.to_string(),
                c => {
                    let code = *c as u32;
                    let mut text = String::new();
                    _ = match code {
                        0..=0xff => write!(text, "\\x{code:02X}"),
                        0x100..=0xffff => write!(text, "\\u{code:04X}"),
                        _ => write!(text, "\\U{code:08X}"),
                    };
                    text
                }
            };
            self.write(&escaped);
        }
        self.write("\"");
    }
}
