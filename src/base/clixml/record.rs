//! What one record says: its stream and its message, as far as the record is whole.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use super::Segment;

/// What matters of a record.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Its attribute `S`, in lower case: `error`, `warning`, `progress`.
    stream: String,
    /// An object, whose message is one of the following; else a text.
    object: bool,
    /// The text of a record that is one.
    text: String,
    /// `ToString`, which for records is their message.
    shown: Option<String>,
    /// `Message`, where there is no `ToString`.
    message: Option<String>,
    /// Where the error happened, as the console shows it.
    position: Option<String>,
    /// What kind of error.
    id: Option<String>,
}

/// Which of the fields the text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    None,
    Text,
    Shown,
    Message,
    Position,
    Id,
}

impl Record {
    /// Reads a record; of one that was cut off, what there is.
    pub(super) fn read(xml: &str) -> Self {
        let mut record = Self::default();
        let mut reader = Reader::from_str(xml);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        let mut depth = 0_usize;
        let mut field = Field::None;
        let mut text = String::new();
        loop {
            match reader.read_event() {
                Ok(Event::Start(tag)) => {
                    record.keep(field, std::mem::take(&mut text));
                    depth += 1;
                    field = record.begin(&tag, depth);
                }
                Ok(Event::Empty(tag)) => {
                    record.keep(field, std::mem::take(&mut text));
                    field = Field::None;
                    record.begin(&tag, depth + 1);
                }
                Ok(Event::End(_)) => {
                    record.keep(field, std::mem::take(&mut text));
                    field = Field::None;
                    depth = depth.saturating_sub(1);
                }
                Ok(Event::Eof) | Err(_) => break,
                Ok(_) if field == Field::None => {}
                Ok(Event::Text(more)) => text.push_str(&String::from_utf8_lossy(&more)),
                Ok(Event::CData(more)) => text.push_str(&String::from_utf8_lossy(&more)),
                Ok(Event::GeneralRef(name)) => {
                    let known = name.resolve_char_ref().ok().flatten();
                    let name = String::from_utf8_lossy(&name);
                    match (known, resolve_predefined_entity(&name)) {
                        (Some(c), _) => text.push(c),
                        (None, Some(entity)) => text.push_str(entity),
                        (None, None) => {
                            let _ = write!(text, "&{name};");
                        }
                    }
                }
                Ok(_) => {}
            }
        }
        record.keep(field, text);
        record
    }

    /// A start tag: what the text behind it is.
    fn begin(&mut self, tag: &BytesStart<'_>, depth: usize) -> Field {
        let name = tag.local_name();
        if depth == 1 {
            self.stream = attribute(tag, "S").to_ascii_lowercase();
            self.object = name.as_ref() == b"Obj";
            return if self.object {
                Field::None
            } else {
                Field::Text
            };
        }
        if !self.object {
            return Field::None;
        }
        if name.as_ref() == b"ToString" {
            return if depth == 2 {
                Field::Shown
            } else {
                Field::None
            };
        }
        if name.as_ref() != b"S" {
            return Field::None;
        }
        match attribute(tag, "N").as_str() {
            "Message" | "InformationalRecord_Message" => Field::Message,
            "PositionMessage" => Field::Position,
            "FullyQualifiedErrorId" => Field::Id,
            _ => Field::None,
        }
    }

    /// Keeps a field's text; the first that says something.
    fn keep(&mut self, field: Field, text: String) {
        if text.is_empty() {
            return;
        }
        let text = unescape(&text);
        let place = match field {
            Field::None => return,
            Field::Text => return self.text.push_str(&text),
            Field::Shown => &mut self.shown,
            Field::Message => &mut self.message,
            Field::Position => &mut self.position,
            Field::Id => &mut self.id,
        };
        place.get_or_insert(text);
    }

    /// What it says.
    pub(super) fn say(self, to: &mut Vec<Segment>) {
        let stream = self.stream.clone();
        let message = if stream == "error" && self.object {
            self.error()
        } else if self.object {
            self.shown.or(self.message).unwrap_or_default()
        } else {
            self.text
        };
        to.push(match stream.as_str() {
            "progress" => Segment::Progress,
            "error" => Segment::Error(message),
            "warning" => Segment::Warning(message),
            "verbose" => Segment::Verbose(message),
            "debug" => Segment::Debug(message),
            "information" => Segment::Information(message),
            _ => Segment::Output(message),
        });
    }

    /// The message of an error record and where it happened. What native programs wrote is a record
    /// a line: for those the place is noise. Errors of the parser name it themselves.
    fn error(self) -> String {
        let mut message = self.shown.or(self.message).unwrap_or_default();
        let native = self
            .id
            .is_some_and(|id| id.starts_with("NativeCommandError"));
        if let Some(position) = self.position.filter(|_| !native)
            && !message.contains(position.trim_end())
        {
            message.truncate(message.trim_end().len());
            message.push('\n');
            message.push_str(&position);
        }
        message
    }
}

/// An attribute's value; they hold words only.
fn attribute(tag: &BytesStart<'_>, name: &str) -> String {
    tag.try_get_attribute(name)
        .ok()
        .flatten()
        .map(|attribute| String::from_utf8_lossy(&attribute.value).into_owned())
        .unwrap_or_default()
}

/// Text as PowerShell writes it in a record.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '_' if !matches!(rest.peek(), Some('x' | 'X')) => escaped.push('_'),
            c if c != '_' && !c.is_control() && u32::from(c) < 0x10000 => escaped.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(escaped, "_x{unit:04X}_");
                }
            }
        }
    }
    escaped
}

/// The text behind `_xHHHH_` ([MS-PSRP] 2.2.5.3.2): units of UTF-16, those of one character in turn.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let (before, escape) = rest.split_at(at);
        if !before.is_empty() {
            settle(&mut units, &mut plain);
            plain.push_str(before);
        }
        if let Some(unit) = unit(escape) {
            units.push(unit);
            rest = escape.get(7..).unwrap_or_default();
        } else {
            settle(&mut units, &mut plain);
            plain.push_str("_x");
            rest = escape.get(2..).unwrap_or_default();
        }
    }
    settle(&mut units, &mut plain);
    plain.push_str(rest);
    plain
}

fn settle(units: &mut Vec<u16>, plain: &mut String) {
    plain.extend(
        char::decode_utf16(units.drain(..)).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)),
    );
}

/// The unit of an escape at the text's beginning.
fn unit(text: &str) -> Option<u16> {
    let digits = text.get(2..6)?;
    let whole = text.get(6..7)? == "_" && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole
        .then(|| u16::from_str_radix(digits, 16).ok())
        .flatten()
}
