//! What a module's script says of its work, as frames between random marks: what native programs print
//! can't be taken for them. Pure; the same on all systems.
//!
//! ```text
//! MARK NAME KIND SIZE\n  SIZE bytes  \n      a field
//! MARK NAME o\n  ...  \nMARK             a stream of unknown length, up to the next frame
//! MARK need\n                            the script waits for its payload
//! MARK ask NAME\n                        the script waits for the controller's answer
//! MARK page N\n                          the code page in which the host's programs write
//! MARK end\n                             the script is through
//! ```
//!
//! NAME is a path of words with `/` between them: `stat/exists`. The word `+` begins a new element of a
//! list, `-` means its last one: `files/+/path`, then `files/-/size`. KIND is `s` (text as the host's
//! programs write it), `u` (text in UTF-8), `b` (`1` or `0`), `i` (an integer), `f` (a number), `n`
//! (nothing), `j` (JSON) or `x` (bytes).

use std::collections::VecDeque;

use bytes::{Buf as _, Bytes, BytesMut};

use super::find;

/// How long the line of a frame may be, in bytes.
const HEAD_MAX: usize = 4096;

/// How much a record may hold, in bytes: a hostile host must not fill the memory.
const RECORD_MAX: usize = 64 << 20;

/// How many questions a script may ask.
const QUESTIONS_MAX: usize = 1000;

/// How much is kept of what programs print between frames, in bytes.
const NOISE_MAX: usize = 64 << 10;

/// What kind of value a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text in the host's encoding.
    Text,
    /// Text in UTF-8, whatever the host's encoding.
    Utf8,
    /// Yes or no.
    Bool,
    /// An integer.
    Int,
    /// A number.
    Float,
    /// Nothing.
    Null,
    /// JSON.
    Json,
    /// Bytes that are no text.
    Bytes,
}

impl Record {
    /// A field as it came; the last of that name.
    pub fn field(&self, name: &str) -> Option<&Bytes> {
        let field = self.fields.iter().rev().find(|field| field.name == name)?;
        Some(&field.bytes)
    }
}

impl Kind {
    fn of(letter: &str) -> Option<Self> {
        Some(match letter {
            "s" => Self::Text,
            "u" => Self::Utf8,
            "b" => Self::Bool,
            "i" => Self::Int,
            "f" => Self::Float,
            "n" => Self::Null,
            "j" => Self::Json,
            "x" => Self::Bytes,
            _ => return None,
        })
    }
}

/// One field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its path.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Its value as it came.
    pub bytes: Bytes,
}

/// All that a script said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The fields, in order.
    pub fields: Vec<Field>,
    /// What was printed outside of them, the first of it.
    pub noise: Bytes,
    /// The code page in which the host's programs write, where the script said it.
    pub page: Option<u16>,
    /// Whether the script came to its end.
    pub ended: bool,
    /// Whether a stream was cut at the limit that was given.
    pub truncated: bool,
}

/// Why what a host says is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A frame that isn't one.
    #[error("the host's record is broken: `{0}`")]
    Broken(String),
    /// More than is believable.
    #[error("the host's record is longer than {RECORD_MAX} bytes")]
    TooLong,
}

/// Reads a record as it comes.
#[derive(Debug)]
pub struct RecordReader {
    mark: Vec<u8>,
    seen: BytesMut,
    record: Record,
    /// The stream that is open.
    stream: Option<(String, BytesMut)>,
    stream_max: usize,
    held: usize,
    needs: bool,
    questions: VecDeque<String>,
    asked: usize,
}

impl RecordReader {
    /// For frames that begin with `mark`. Streams are kept up to `stream_max` bytes.
    pub fn new(mark: &str, stream_max: usize) -> Self {
        Self {
            mark: format!("{mark} ").into_bytes(),
            seen: BytesMut::new(),
            record: Record::default(),
            stream: None,
            stream_max,
            held: 0,
            needs: false,
            questions: VecDeque::new(),
            asked: 0,
        }
    }

    /// Takes what came on standard output.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), RecordError> {
        self.seen.extend_from_slice(bytes);
        while self.step()? {}
        Ok(())
    }

    /// Whether the script has asked for its payload.
    pub fn needs_payload(&self) -> bool {
        self.needs
    }

    /// Whether the script has said its end.
    pub fn has_ended(&self) -> bool {
        self.record.ended
    }

    /// A question that the script has asked, and what it had said by then. A script waits for the
    /// answer before it says more.
    pub fn question(&mut self) -> Option<(String, Record)> {
        Some((self.questions.pop_front()?, self.record.clone()))
    }

    /// No more will come.
    pub fn finish(mut self) -> Record {
        let rest = self.seen.split();
        self.between(&rest);
        self.close_stream();
        self.record
    }

    fn step(&mut self) -> Result<bool, RecordError> {
        let Some(at) = find(&self.seen, &self.mark) else {
            // All but what may be the beginning of a mark and the newline before it.
            let sure = self.seen.len().saturating_sub(self.mark.len() + 1);
            let before = self.seen.split_to(sure);
            self.between(&before);
            return Ok(false);
        };
        let rest = self.seen.get(at + self.mark.len()..).unwrap_or_default();
        let Some(length) = rest.iter().position(|b| *b == b'\n') else {
            if rest.len() > HEAD_MAX {
                return Err(broken(rest));
            }
            return Ok(false);
        };
        let head = String::from_utf8_lossy(rest.get(..length).unwrap_or_default()).into_owned();
        let words: Vec<&str> = head.trim_end().split(' ').collect();
        let start = at + self.mark.len() + length + 1;
        match words.as_slice() {
            ["end"] => self.opened(at, start, |reader| reader.record.ended = true),
            ["need"] => self.opened(at, start, |reader| reader.needs = true),
            ["page", number] => {
                let page = number.parse().ok();
                self.opened(at, start, |reader| reader.record.page = page);
            }
            ["ask", name] => {
                let name = (*name).to_owned();
                self.asked += 1;
                // A script waits for its answer before it asks again.
                if self.asked > QUESTIONS_MAX || !self.questions.is_empty() {
                    return Err(RecordError::TooLong);
                }
                self.opened(at, start, |reader| reader.questions.push_back(name));
            }
            [name, "o"] => {
                let name = (*name).to_owned();
                self.opened(at, start, |reader| {
                    reader.stream = Some((name, BytesMut::new()));
                });
            }
            [name, letter, size] => {
                let kind = Kind::of(letter).ok_or_else(|| broken(head.as_bytes()))?;
                let size: usize = size.parse().map_err(|_| broken(head.as_bytes()))?;
                if size > RECORD_MAX {
                    return Err(RecordError::TooLong);
                }
                if self.seen.len() < start.saturating_add(size) {
                    return Ok(false);
                }
                let name = (*name).to_owned();
                self.opened(at, start, |_| {});
                let bytes = self.seen.split_to(size).freeze();
                if self.seen.first() == Some(&b'\n') {
                    self.seen.advance(1);
                }
                self.keep(name, kind, bytes)?;
            }
            _ => return Err(broken(head.as_bytes())),
        }
        Ok(true)
    }

    /// A frame begins: what came before it is a stream's, but for the newline before the mark.
    fn opened(&mut self, at: usize, start: usize, then: impl FnOnce(&mut Self)) {
        let mut before = self.seen.split_to(start).freeze();
        before.truncate(at);
        let text = before.strip_suffix(b"\n").unwrap_or(&before);
        self.between(text);
        self.close_stream();
        then(self);
    }

    fn between(&mut self, bytes: &[u8]) {
        if let Some((_, stream)) = &mut self.stream {
            let room = self.stream_max.saturating_sub(stream.len());
            let room = room.min(RECORD_MAX.saturating_sub(self.held));
            self.record.truncated |= bytes.len() > room;
            self.held += bytes.len().min(room);
            stream.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            return;
        }
        let room = NOISE_MAX.saturating_sub(self.record.noise.len());
        if room > 0 && !bytes.is_empty() {
            let mut noise = BytesMut::from(&self.record.noise[..]);
            noise.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            self.record.noise = noise.freeze();
        }
    }

    fn close_stream(&mut self) {
        if let Some((name, bytes)) = self.stream.take() {
            self.record.fields.push(Field {
                name,
                kind: Kind::Text,
                bytes: bytes.freeze(),
            });
        }
    }

    fn keep(&mut self, name: String, kind: Kind, bytes: Bytes) -> Result<(), RecordError> {
        self.held += name.len() + bytes.len() + 64;
        if self.held > RECORD_MAX {
            return Err(RecordError::TooLong);
        }
        self.record.fields.push(Field { name, kind, bytes });
        Ok(())
    }
}

fn broken(head: &[u8]) -> RecordError {
    let head = String::from_utf8_lossy(head.get(..80).unwrap_or(head)).into_owned();
    RecordError::Broken(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Record {
        let mut reader = RecordReader::new("M", 100);
        for piece in pieces {
            reader.take(piece).unwrap();
        }
        reader.finish()
    }

    fn shown(record: &Record) -> Vec<(String, Kind, String)> {
        record
            .fields
            .iter()
            .map(|field| {
                let text = String::from_utf8_lossy(&field.bytes).into_owned();
                (field.name.clone(), field.kind, text)
            })
            .collect()
    }

    #[test]
    fn fields_streams_and_the_end_are_told_apart_at_any_border() {
        let said = b"motd\nM a/b s 3\nx\ny\nM out o\nhel\nlo\nM rc i 1\n0\nM need\nM end\n";
        let whole = read(&[said]);
        let text = |name: &str, kind, text: &str| (name.to_owned(), kind, text.to_owned());
        assert_eq!(
            shown(&whole),
            [
                text("a/b", Kind::Text, "x\ny"),
                text("out", Kind::Text, "hel\nlo"),
                text("rc", Kind::Int, "0"),
            ]
        );
        assert!(whole.ended && whole.noise.starts_with(b"motd"));
        for border in 0..said.len() {
            let (one, two) = said.split_at(border);
            assert_eq!(shown(&read(&[one, two])), shown(&whole), "cut at {border}");
        }
    }

    #[test]
    fn a_question_comes_with_what_was_said_before_it() {
        let mut reader = RecordReader::new("M", 100);
        reader.take(b"M old s 1\nx\n\nM ask edit\n").unwrap();
        let (name, record) = reader.question().unwrap();
        assert_eq!(
            (name.as_str(), &record.field("old").unwrap()[..]),
            ("edit", &b"x"[..])
        );
        assert!(reader.question().is_none());
    }

    #[test]
    fn a_script_that_dies_leaves_a_record_without_an_end() {
        let record = read(&[b"M out o\nhalf of i"]);
        assert_eq!(shown(&record)[0].2, "half of i");
        assert!(!record.ended);
    }

    #[test]
    fn what_no_script_says_is_refused() {
        let mut reader = RecordReader::new("M", 100);
        assert!(reader.take(b"M a s 99999999999\n").is_err());
        assert!(RecordReader::new("M", 9).take(b"M a q 1\n").is_err());
        let cut = {
            let mut reader = RecordReader::new("M", 4);
            reader.take(b"M out o\n123456\nM end\n").unwrap();
            reader.finish()
        };
        assert!(cut.truncated && shown(&cut)[0].2 == "1234");
    }
}
