//! Outputs of hosts on their way to a reader: as bytes for files and pipes, as harmless text for a
//! terminal. Streams: what is large is never in memory whole.

use std::borrow::Cow;
use std::io::{self, Write};

use super::reading::{Legible, pieces};
use crate::base::clixml;
use crate::base::text::{Charset, terminal_safe};
use crate::event::{Captured, HostResult, Stream};

/// How bytes of hosts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// As they came; decoded of a host that speaks another encoding than UTF-8, and from where
    /// CLIXML begins.
    Bytes,
    /// Decoded, control characters and all.
    Text,
    /// Decoded, control characters shown.
    Safe,
}

impl Manner {
    /// Of a host that speaks this: bytes that no pipe's reader would understand are decoded.
    fn of(self, encoding: Charset) -> Self {
        match self {
            Self::Bytes if encoding != Charset::UTF_8 => Self::Text,
            other => other,
        }
    }
}

/// Text for one line of a screen: a name, a word. Newlines and tabs are shown too.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    let safe = terminal_safe(text);
    if safe.contains(['\n', '\t']) {
        return Cow::Owned(safe.replace('\n', "\\x0a").replace('\t', "\\x09"));
    }
    safe
}

/// Text on its way to a screen, piece by piece.
#[derive(Default)]
struct Shower {
    safe: bool,
    /// A carriage return at the end of a piece: what follows says what it means.
    returned: bool,
}

impl Shower {
    fn show(&mut self, mut text: String, last: bool) -> String {
        if !self.safe {
            return text;
        }
        if std::mem::take(&mut self.returned) {
            text.insert(0, '\r');
        }
        if !last && text.ends_with('\r') {
            text.pop();
            self.returned = true;
        }
        terminal_safe(&text).into_owned()
    }
}

/// Bytes that are passed on until CLIXML begins.
struct Watch {
    line_start: bool,
    /// What may be the beginning of CLIXML.
    held: Vec<u8>,
}

impl Watch {
    /// The next bytes in; out those that are passed on, and from CLIXML on those that are not.
    fn push<'a>(&mut self, bytes: &'a [u8]) -> (Cow<'a, [u8]>, Option<Vec<u8>>) {
        let mut all = Cow::Borrowed(bytes);
        if !self.held.is_empty() {
            all = Cow::Owned([std::mem::take(&mut self.held).as_slice(), bytes].concat());
        }
        let (passed, clixml) = self.find(&all);
        let rest = all.get(passed..).unwrap_or_default().to_vec();
        let passed = match all {
            Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(..passed).unwrap_or(bytes)),
            Cow::Owned(mut bytes) => {
                bytes.truncate(passed);
                Cow::Owned(bytes)
            }
        };
        if clixml {
            return (passed, Some(rest));
        }
        self.held = rest;
        (passed, None)
    }

    /// How much is passed on, and whether CLIXML begins there.
    fn find(&mut self, all: &[u8]) -> (usize, bool) {
        let header = clixml::HEADER.as_bytes();
        let mut at = 0;
        loop {
            let rest = all.get(at..).unwrap_or_default();
            if self.line_start && (rest.starts_with(header) || header.starts_with(rest)) {
                return (at, rest.starts_with(header));
            }
            let newline = rest.iter().position(|byte| *byte == b'\n');
            self.line_start = newline.is_some();
            let Some(newline) = newline else {
                return (all.len(), false);
            };
            at += newline + 1;
        }
    }
}

/// How a stream is written.
enum Writing {
    /// As it came; standard error until CLIXML begins.
    Bytes(Option<Watch>),
    Text(Box<Legible>),
}

/// One output stream on its way.
pub(super) struct TextStream {
    stream: Stream,
    encoding: Charset,
    writing: Writing,
    shower: Shower,
}

impl TextStream {
    pub(super) fn new(manner: Manner, stream: Stream, encoding: Charset) -> Self {
        let manner = manner.of(encoding);
        let watch = || Watch {
            line_start: true,
            held: Vec::new(),
        };
        Self {
            stream,
            encoding,
            writing: match manner {
                Manner::Bytes => Writing::Bytes((stream == Stream::Stderr).then(watch)),
                _ => Writing::Text(Box::new(Legible::new(stream, encoding))),
            },
            shower: Shower {
                safe: manner == Manner::Safe,
                returned: false,
            },
        }
    }

    /// What the host speaks, where that was learnt on the way.
    pub(super) fn speaks(&mut self, encoding: Charset) {
        if encoding == self.encoding {
            return;
        }
        self.encoding = encoding;
        match &mut self.writing {
            Writing::Text(text) => text.speaks(encoding),
            Writing::Bytes(watch) => {
                let held = watch.take().map(|watch| watch.held).unwrap_or_default();
                let mut text = Legible::new(self.stream, encoding);
                // At most a part of the header: nothing is shown of it yet.
                let _ = text.push(&held);
                self.writing = Writing::Text(Box::new(text));
            }
        }
    }

    /// The next bytes in; what can be written of them out.
    pub(super) fn push<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        match &mut self.writing {
            Writing::Bytes(None) => Cow::Borrowed(bytes),
            Writing::Bytes(Some(watch)) => {
                let (passed, clixml) = watch.push(bytes);
                let Some(clixml) = clixml else { return passed };
                let mut text = Legible::new(self.stream, self.encoding);
                let shown = text.push(&clixml);
                self.writing = Writing::Text(Box::new(text));
                let mut all = passed.into_owned();
                all.extend(self.shower.show(shown, false).into_bytes());
                Cow::Owned(all)
            }
            Writing::Text(text) => {
                let shown = text.push(bytes);
                Cow::Owned(self.shower.show(shown, false).into_bytes())
            }
        }
    }

    /// What was held back, at the end; `cut`: of what was kept.
    pub(super) fn finish(&mut self, cut: bool) -> Vec<u8> {
        match &mut self.writing {
            Writing::Bytes(watch) => watch.take().map(|watch| watch.held).unwrap_or_default(),
            Writing::Text(text) => {
                let shown = text.finish(cut);
                self.shower.show(shown, true).into_bytes()
            }
        }
    }
}

/// Writes both outputs of a host, standard error behind a word where there is any.
pub(super) fn write_outputs(
    result: &HostResult,
    manner: Manner,
    to: &mut dyn Write,
) -> io::Result<()> {
    for (stream, output, word) in [
        (Stream::Stdout, &result.stdout, ""),
        (Stream::Stderr, &result.stderr, "stderr:\n"),
    ] {
        if !output.is_empty() {
            let text = TextStream::new(manner, stream, result.encoding);
            write_captured(output, text, word, to)?;
        }
    }
    Ok(())
}

/// Writes a kept output behind a word, ending with a newline, where there is anything to be shown.
/// One that can't be read is no reason to be silent about the other hosts: the place says so.
fn write_captured(
    output: &Captured,
    mut text: TextStream,
    word: &str,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut last = None;
    let mut written = Ok(());
    let mut write = |bytes: &[u8]| {
        let Some(end) = bytes.last() else { return true };
        let word = if last.is_none() { word } else { "" };
        written = to
            .write_all(word.as_bytes())
            .and_then(|()| to.write_all(bytes));
        last = Some(*end);
        written.is_ok()
    };
    let read = pieces(output, |piece, _| Ok(write(&text.push(piece))));
    write(&text.finish(output.truncated()));
    written?;
    if last.is_some_and(|last| last != b'\n') {
        to.write_all(b"\n")?;
    }
    if let Err(error) = read {
        tracing::error!(%error, "a kept output can't be read");
        if last.is_none() {
            to.write_all(word.as_bytes())?;
        }
        writeln!(to, "[this output can't be read: {error}]")?;
    }
    Ok(())
}
