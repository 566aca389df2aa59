//! The bytes of one output stream as text, as they come. One and the same machine reads what is
//! under way and what is kept, so both read the same.

use super::charset::{Charset, Decoder};
use super::wide::{MOST, Wide};

/// Of a longer line no more is looked at together, in bytes.
const LINE_MAX: usize = 64 * 1024;

/// Decodes a stream piece by piece: a byte-order mark decides, then it is looked whether this is
/// UTF-16; else each line is strict UTF-8 or, where it is not, in the host's character set. So
/// programs that speak UTF-8 and those that speak the host's may write into one stream. ASCII is
/// handed out at once, all else once it is known how it reads.
///
/// Lines can be told apart before they are decoded: in every code page of Windows a byte below 0x30
/// is no part of a longer character.
pub struct StreamDecoder {
    host: Charset,
    state: State,
    /// What can't be read yet: the stream's beginning, or a line from its first byte beyond ASCII.
    held: Vec<u8>,
    /// How much of what is held is valid UTF-8.
    valid: usize,
    facts: Facts,
}

/// What is known of a stream when it is read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The character set: the host's where at least one line is in it.
    pub charset: Charset,
    /// Some bytes are no characters.
    pub lossy: bool,
    /// All of it is ASCII, without a byte-order mark.
    pub ascii: bool,
    /// It began with a byte-order mark.
    pub marked: bool,
}

enum State {
    /// The beginning, until it is known what it is.
    Begun(Wide),
    /// All of it is in one character set.
    Whole(Decoder),
    /// The host speaks UTF-8: nothing to choose from.
    Utf8,
    /// Each line by itself.
    Lines,
    /// Within a line that is in the host's.
    Line(Decoder),
}

/// What the beginning of a stream says.
enum Beginning {
    Marked(Charset, usize),
    Whole(Charset),
    Lines,
}

impl StreamDecoder {
    /// For a stream of a host that speaks `host`.
    pub fn new(host: Charset) -> Self {
        Self {
            host,
            state: State::Begun(Wide::default()),
            held: Vec::new(),
            valid: 0,
            facts: Facts {
                charset: Charset::UTF_8,
                lossy: false,
                ascii: true,
                marked: false,
            },
        }
    }

    /// What the host speaks, where that was learnt only now: so reads what comes from here on.
    pub fn speaks(&mut self, host: Charset) {
        if host == self.host {
            return;
        }
        self.host = host;
        if matches!(self.state, State::Utf8) && host.is_ascii_compatible() {
            self.state = State::Lines;
        }
    }

    /// The next bytes in, their text out.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        let mut rest = bytes;
        while let (State::Begun(wide), Some((byte, behind))) = (&mut self.state, rest.split_first())
        {
            self.held.push(*byte);
            rest = behind;
            if let Some(beginning) = beginning(self.host, wide, &self.held, *byte) {
                self.begin(beginning, &mut text);
            }
        }
        self.read(rest, &mut text);
        text
    }

    /// What was held back, at the stream's end.
    pub fn finish(&mut self) -> String {
        self.end(false)
    }

    /// What was held back, where the stream was cut: a character may have been too, which says
    /// nothing of the line before it.
    pub fn finish_cut(&mut self) -> String {
        self.end(true)
    }

    /// What is known of the stream; all of it after its end.
    pub fn facts(&self) -> Facts {
        self.facts
    }

    fn end(&mut self, cut: bool) -> String {
        let mut text = String::new();
        if let State::Begun(wide) = &self.state {
            let beginning = ending(self.host, wide, &self.held);
            self.begin(beginning, &mut text);
        }
        match &mut self.state {
            State::Whole(decoder) | State::Line(decoder) => {
                self.facts.lossy |= decoder.push(&[], true, &mut text);
            }
            State::Lines if self.valid < self.held.len() && !cut => self.give_up(&mut text, true),
            State::Lines => self.utf8(self.held.len(), &mut text),
            State::Utf8 if !self.held.is_empty() => {
                self.held.clear();
                self.facts.lossy = true;
                text.push(char::REPLACEMENT_CHARACTER);
            }
            State::Utf8 | State::Begun(_) => {}
        }
        text
    }

    /// It is known what the stream is: reads what was held.
    fn begin(&mut self, beginning: Beginning, text: &mut String) {
        let mut from = 0;
        let whole = match beginning {
            Beginning::Marked(charset, length) => {
                (from, self.facts.marked, self.facts.ascii) = (length, true, false);
                // Programs without a mark may follow one with it.
                Some(charset).filter(|charset| *charset != Charset::UTF_8)
            }
            Beginning::Whole(charset) => Some(charset),
            Beginning::Lines => None,
        };
        self.state = match whole {
            Some(charset) => {
                self.facts.charset = charset;
                self.facts.ascii &= charset.is_ascii_compatible();
                State::Whole(charset.decoder())
            }
            None if self.host != Charset::UTF_8 && self.host.is_ascii_compatible() => State::Lines,
            None => State::Utf8,
        };
        let held = std::mem::take(&mut self.held);
        self.read(held.get(from..).unwrap_or_default(), text);
    }

    fn read(&mut self, mut bytes: &[u8], text: &mut String) {
        self.facts.ascii &= bytes.is_ascii();
        while !bytes.is_empty() {
            match &mut self.state {
                State::Begun(_) => return,
                State::Whole(decoder) => {
                    self.facts.lossy |= decoder.push(bytes, false, text);
                    return;
                }
                State::Line(decoder) => {
                    let end = line_end(bytes);
                    let (line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                    self.facts.lossy |= decoder.push(line, end.is_some(), text);
                    if end.is_some() {
                        self.state = State::Lines;
                    }
                    bytes = rest;
                }
                State::Utf8 if self.held.is_empty() => return self.lossy(bytes, text),
                State::Utf8 => {
                    let mut held = std::mem::take(&mut self.held);
                    held.extend_from_slice(bytes);
                    return self.lossy(&held, text);
                }
                State::Lines if self.held.is_empty() => bytes = self.lines(bytes, text),
                State::Lines => bytes = self.line(bytes, text),
            }
        }
    }

    /// At the beginning of a line or within its ASCII; gives what is left.
    fn lines<'a>(&mut self, bytes: &'a [u8], text: &mut String) -> &'a [u8] {
        let valid = match std::str::from_utf8(bytes) {
            Ok(_) => bytes.len(),
            Err(error) => error.valid_up_to(),
        };
        // Whole lines that are UTF-8, and the ASCII behind them.
        let good = bytes.get(..valid).unwrap_or_default();
        let lines = good
            .iter()
            .rposition(|byte| is_end(*byte))
            .map_or(0, |at| at + 1);
        let (lines, rest) = bytes.split_at(lines);
        let ascii = rest
            .iter()
            .position(|byte| !byte.is_ascii())
            .unwrap_or(rest.len());
        let (ascii, rest) = rest.split_at(ascii);
        for good in [lines, ascii] {
            text.push_str(&String::from_utf8_lossy(good));
        }
        let (held, rest) = rest.split_at(rest.len().min(1));
        self.hold(held, text);
        rest
    }

    /// Within a line, behind its first byte beyond ASCII; gives what is left.
    fn line<'a>(&mut self, bytes: &'a [u8], text: &mut String) -> &'a [u8] {
        let end = line_end(bytes);
        let room = LINE_MAX - self.held.len();
        let take = end.unwrap_or(bytes.len()).min(room);
        let (more, rest) = bytes.split_at(take);
        let ends = end == Some(take);
        if self.hold(more, text) && (ends || self.held.len() == LINE_MAX) {
            self.utf8(self.valid, text);
        }
        rest
    }

    /// Holds more of a line; false when it turned out to be in the host's character set.
    fn hold(&mut self, more: &[u8], text: &mut String) -> bool {
        self.held.extend_from_slice(more);
        let unknown = self.held.get(self.valid..).unwrap_or_default();
        match std::str::from_utf8(unknown) {
            Ok(_) => self.valid = self.held.len(),
            Err(error) if error.error_len().is_none() => self.valid += error.valid_up_to(),
            Err(_) => {
                let ends = self.held.last().is_some_and(|byte| is_end(*byte));
                self.give_up(text, ends);
                return false;
            }
        }
        true
    }

    /// What is held is in the host's character set; so is the line's rest.
    fn give_up(&mut self, text: &mut String, ends: bool) {
        let held = std::mem::take(&mut self.held);
        self.valid = 0;
        let mut decoder = self.host.decoder();
        self.facts.charset = self.host;
        self.facts.lossy |= decoder.push(&held, ends, text);
        self.state = if ends {
            State::Lines
        } else {
            State::Line(decoder)
        };
    }

    /// This is to be UTF-8; the beginning of a character is held.
    fn lossy(&mut self, bytes: &[u8], text: &mut String) {
        let mut rest = bytes;
        while let Err(error) = std::str::from_utf8(rest) {
            let (valid, behind) = rest.split_at(error.valid_up_to());
            text.push_str(&String::from_utf8_lossy(valid));
            let Some(unfit) = error.error_len() else {
                self.held = behind.to_vec();
                return;
            };
            text.push(char::REPLACEMENT_CHARACTER);
            self.facts.lossy = true;
            rest = behind.get(unfit..).unwrap_or_default();
        }
        text.push_str(&String::from_utf8_lossy(rest));
    }

    /// So much of what is held is UTF-8.
    fn utf8(&mut self, length: usize, text: &mut String) {
        let rest = self.held.split_off(length);
        let held = std::mem::replace(&mut self.held, rest);
        self.valid = 0;
        self.facts.lossy |= std::str::from_utf8(&held).is_err();
        text.push_str(&String::from_utf8_lossy(&held));
    }
}

/// What the stream is, once that is known from its beginning, of which this is the last byte.
fn beginning(host: Charset, wide: &mut Wide, held: &[u8], byte: u8) -> Option<Beginning> {
    const MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    let told = wide.push(byte);
    if let Some((charset, length)) = Charset::from_mark(held) {
        return Some(Beginning::Marked(charset, length));
    }
    if MARKS.iter().any(|mark| mark.starts_with(held)) {
        return None;
    }
    if host.is_wide() {
        return (byte == 0 || held.len() == MOST).then(|| ending(host, wide, held));
    }
    if !host.is_ascii_compatible() {
        return Some(Beginning::Whole(host));
    }
    told.map(|wide| {
        if wide {
            Beginning::Whole(Charset::UTF_16LE)
        } else {
            Beginning::Lines
        }
    })
}

/// What the stream is, where all that is known of it is this.
fn ending(host: Charset, wide: &Wide, held: &[u8]) -> Beginning {
    if host.is_wide() {
        // Whoever says that a host speaks UTF-16 means some of its programs.
        let utf8 = match std::str::from_utf8(held) {
            Ok(_) => true,
            Err(error) => error.error_len().is_none(),
        };
        return if utf8 && !held.contains(&0) {
            Beginning::Lines
        } else {
            Beginning::Whole(host)
        };
    }
    if !host.is_ascii_compatible() {
        return Beginning::Whole(host);
    }
    if wide.end() {
        return Beginning::Whole(Charset::UTF_16LE);
    }
    Beginning::Lines
}

fn is_end(byte: u8) -> bool {
    // A bar of progress returns to its line's beginning.
    matches!(byte, b'\n' | b'\r')
}

/// The place behind the first end of a line.
fn line_end(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| is_end(*byte)).map(|at| at + 1)
}

#[cfg(test)]
mod tests;
