//! What PowerShell writes on standard error when that is no console: CLIXML, records of errors,
//! warnings and progress as XML, between which native programs write their plain text. Read as it
//! comes, from hosts, so nothing in it is believed and no more than one record is held. Knows text;
//! knows nothing of where it comes from and how it is shown.
//!
//! The format is [MS-PSRP] 2.2.5 with a line `#< CLIXML` before it. Windows PowerShell writes errors
//! as the lines of its console (`<S S="Error">`), PowerShell since 6 as whole `ErrorRecord` objects.

mod filter;
mod record;
mod scan;

pub use filter::Filter;

pub use record::escape;

use record::Record;
use scan::{Found, Scan};

/// The line before a document.
pub const HEADER: &str = "#< CLIXML";
/// Where a document begins, and where it ends.
const OPEN: &str = "<Objs";
const CLOSE: &str = "</Objs>";
/// No start tag of a document is longer, in bytes.
const OPEN_MAX: usize = 4096;
/// Of a larger record only the beginning is read, in bytes; what it says stands there.
const RECORD_MAX: usize = 256 * 1024;
/// The elements that records are ([MS-PSRP] 2.2.5.1 and 2.2.5.2).
const ELEMENTS: &[&str] = &[
    "Obj", "S", "C", "B", "DT", "TS", "By", "SB", "U16", "I16", "U32", "I32", "U64", "I64", "Sg",
    "Db", "D", "BA", "G", "URI", "Nil", "Version", "XD", "SBK", "SS", "PR", "Ref",
];
const NAME_MAX: usize = 8;

/// A piece of a stream that holds CLIXML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Not CLIXML: what a native program wrote. A line may come in pieces.
    Text(String),
    /// An error: of Windows PowerShell one line of it, else the whole message.
    Error(String),
    /// A warning.
    Warning(String),
    /// A verbose message.
    Verbose(String),
    /// A message for debugging.
    Debug(String),
    /// An information record. What was to be seen of it stands on standard output too.
    Information(String),
    /// Output, or a stream that is not known.
    Output(String),
    /// How something goes on.
    Progress,
}

/// Where the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Outside of a document.
    Outside,
    /// Within one, between records.
    Inside,
    /// Within a record.
    Record,
    /// Within a record that is too large, the beginning of which was read.
    Beyond,
}

/// Reads a stream piece by piece.
#[derive(Debug)]
pub struct Clixml {
    place: Place,
    /// What can't be understood yet.
    held: String,
    scan: Scan,
    /// Outside: at the beginning of a line, where the header may stand.
    line_start: bool,
    /// Inside: text of a native program, whose blanks count.
    raw: bool,
    /// A newline right behind a document belongs to it.
    swallow: bool,
    /// A header was seen: documents may follow anywhere.
    seen: bool,
}

impl Default for Clixml {
    fn default() -> Self {
        Self::new()
    }
}

impl Clixml {
    /// At the beginning of a stream.
    pub fn new() -> Self {
        Self {
            place: Place::Outside,
            held: String::new(),
            scan: Scan::default(),
            line_start: true,
            raw: false,
            swallow: false,
            seen: false,
        }
    }

    /// Whether there was CLIXML.
    pub fn seen(&self) -> bool {
        self.seen
    }

    /// The next text in, what it says out.
    pub fn push(&mut self, text: &str, to: &mut Vec<Segment>) {
        let mut all = std::mem::take(&mut self.held);
        all.push_str(text);
        let used = self.read(&all, false, to);
        all.drain(..used);
        self.held = all;
    }

    /// The end: what was held back, as far as it says something.
    pub fn finish(&mut self, to: &mut Vec<Segment>) {
        let all = std::mem::take(&mut self.held);
        self.read(&all, true, to);
    }

    /// Reads as much as can be understood; gives how much that is.
    fn read(&mut self, all: &str, last: bool, to: &mut Vec<Segment>) -> usize {
        let mut at = 0;
        loop {
            let rest = all.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return at;
            }
            let used = match self.place {
                Place::Outside => self.outside(rest, last, to),
                Place::Inside => self.inside(rest, last, to),
                Place::Record => self.record(rest, last, to),
                Place::Beyond => Some(self.beyond(rest)),
            };
            match used {
                Some(used) => at += used,
                None => return at,
            }
        }
    }

    /// Outside of a document; `None`: more is needed.
    fn outside(&mut self, rest: &str, last: bool, to: &mut Vec<Segment>) -> Option<usize> {
        if self.swallow {
            match newline(rest) {
                Newline::Of(length) => {
                    self.swallow = false;
                    return Some(length);
                }
                Newline::Perhaps if !last => return None,
                _ => self.swallow = false,
            }
        }
        if self.line_start {
            if let Some(behind) = rest.strip_prefix(HEADER) {
                match newline(behind) {
                    Newline::Of(length) => {
                        self.seen = true;
                        return Some(HEADER.len() + length);
                    }
                    Newline::Perhaps if !last => return None,
                    Newline::Perhaps => {
                        self.seen = true;
                        return Some(rest.len());
                    }
                    Newline::No => {}
                }
            } else if HEADER.starts_with(rest) && !last {
                return None;
            }
        }
        let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let line = rest.get(..end).unwrap_or_default();
        let stop = if self.seen {
            opening(line, last)
        } else {
            line.len()
        };
        if stop > 0 {
            text(to, line.get(..stop).unwrap_or_default());
            self.line_start = line.get(..stop).is_some_and(|line| line.ends_with('\n'));
            return Some(stop);
        }
        self.open(rest, last, to)
    }

    /// At `<Objs`, or what may become that.
    fn open(&mut self, rest: &str, last: bool, to: &mut Vec<Segment>) -> Option<usize> {
        match rest.find('>') {
            Some(end) if end < OPEN_MAX => {
                let empty = rest.get(..end).is_some_and(|tag| tag.ends_with('/'));
                self.leave_to(if empty { Place::Outside } else { Place::Inside });
                Some(end + 1)
            }
            None if rest.len() < OPEN_MAX && !last => None,
            // The document was cut off in its first tag.
            None if rest.len() < OPEN_MAX => Some(rest.len()),
            _ => {
                text(to, OPEN);
                self.line_start = false;
                Some(OPEN.len())
            }
        }
    }

    fn leave_to(&mut self, place: Place) {
        self.place = place;
        self.raw = false;
        self.line_start = true;
        self.swallow = place == Place::Outside;
    }

    /// Within a document, between records.
    fn inside(&mut self, rest: &str, last: bool, to: &mut Vec<Segment>) -> Option<usize> {
        if !self.raw {
            let blank = rest.len() - rest.trim_start().len();
            if blank > 0 {
                return Some(blank);
            }
        }
        let stop = rest.find('<').unwrap_or(rest.len());
        if stop > 0 {
            self.raw = true;
            text(to, rest.get(..stop).unwrap_or_default());
            return Some(stop);
        }
        if rest.starts_with(CLOSE) {
            self.leave_to(Place::Outside);
            return Some(CLOSE.len());
        }
        match begins_record(rest) {
            Some(true) => {
                self.place = Place::Record;
                self.scan = Scan::default();
                Some(0)
            }
            None if !last => None,
            None => Some(rest.len()),
            Some(false) if CLOSE.starts_with(rest) && !last => None,
            Some(false) if CLOSE.starts_with(rest) => Some(rest.len()),
            Some(false) => {
                self.raw = true;
                text(to, "<");
                Some(1)
            }
        }
    }

    /// Within a record, all of which is in `rest`.
    fn record(&mut self, rest: &str, last: bool, to: &mut Vec<Segment>) -> Option<usize> {
        let most = rest
            .get(..rest.floor_char_boundary(RECORD_MAX))
            .unwrap_or(rest);
        match self.scan.find(most) {
            Found::End(end) => {
                Record::read(rest.get(..end).unwrap_or_default()).say(to);
                self.leave_to(Place::Inside);
                Some(end)
            }
            Found::Close(end) => {
                Record::read(rest.get(..end - CLOSE.len()).unwrap_or_default()).say(to);
                self.leave_to(Place::Outside);
                Some(end)
            }
            Found::More if last || rest.len() > RECORD_MAX => {
                Record::read(most).say(to);
                self.place = Place::Beyond;
                self.scan.rebase();
                Some(most.len())
            }
            Found::More => None,
        }
    }

    /// Within the rest of a record that is not read.
    fn beyond(&mut self, rest: &str) -> usize {
        match self.scan.find(rest) {
            Found::End(end) => {
                self.leave_to(Place::Inside);
                end
            }
            Found::Close(end) => {
                self.leave_to(Place::Outside);
                end
            }
            Found::More => {
                self.scan.rebase();
                rest.len()
            }
        }
    }
}

/// What stands at the beginning of a text.
enum Newline {
    Of(usize),
    /// The text ends before that is known.
    Perhaps,
    No,
}

fn newline(text: &str) -> Newline {
    match text.as_bytes() {
        [b'\n', ..] => Newline::Of(1),
        [b'\r', b'\n', ..] => Newline::Of(2),
        [] | [b'\r'] => Newline::Perhaps,
        _ => Newline::No,
    }
}

/// Where in a line a document begins or, at the line's end, may begin; else the line's length.
fn opening(line: &str, last: bool) -> usize {
    for (at, _) in line.match_indices('<') {
        let rest = line.get(at..).unwrap_or_default();
        let found = match rest.strip_prefix(OPEN).map(|behind| behind.chars().next()) {
            Some(Some(next)) => next == '>' || next == '/' || next.is_whitespace(),
            Some(None) => !last,
            None => OPEN.starts_with(rest) && !last,
        };
        if found {
            return at;
        }
    }
    line.len()
}

/// Whether a record begins at this `<`; `None`: more is needed.
fn begins_record(rest: &str) -> Option<bool> {
    let name: String = rest
        .chars()
        .skip(1)
        .take_while(char::is_ascii_alphanumeric)
        .take(NAME_MAX)
        .collect();
    let behind = rest.get(1 + name.len()..).unwrap_or_default();
    match behind.chars().next() {
        None if ELEMENTS.iter().any(|element| element.starts_with(&name)) => None,
        None => Some(false),
        Some(next) => {
            let ends = next == '>' || next == '/' || next.is_whitespace();
            Some(ends && ELEMENTS.contains(&name.as_str()))
        }
    }
}

fn text(to: &mut Vec<Segment>, more: &str) {
    match to.last_mut() {
        Some(Segment::Text(text)) => text.push_str(more),
        _ => to.push(Segment::Text(more.to_owned())),
    }
}

#[cfg(test)]
mod tests;
