//! How an output reads: what character sets are in it, and its text, piece by piece. What is large is
//! read from its file twice rather than kept in memory.

use std::io::{self, Read};

use crate::base::clixml::{self, Filter};
use crate::base::digest::{ContentDigest, Hasher};
use crate::base::text::{Charset, Facts, StreamDecoder};
use crate::event::{Captured, Stream};

const PIECE: usize = 64 * 1024;

/// One stream as people read it, as it comes: decoded, and standard error without CLIXML.
pub(super) struct Legible {
    decoder: StreamDecoder,
    clixml: Option<Filter>,
}

impl Legible {
    /// Of a host that speaks `host`.
    pub(super) fn new(stream: Stream, host: Charset) -> Self {
        Self {
            decoder: StreamDecoder::new(host),
            clixml: (stream == Stream::Stderr).then(Filter::new),
        }
    }

    /// What the host speaks, where that was learnt on the way.
    pub(super) fn speaks(&mut self, host: Charset) {
        self.decoder.speaks(host);
    }

    /// The next bytes in, what is to be read of them out.
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        let text = self.decoder.push(bytes);
        match &mut self.clixml {
            Some(clixml) => clixml.push(&text),
            None => text,
        }
    }

    /// What was held back, at the end; `cut`: where `--max-output` cut, which may have been within a
    /// character.
    pub(super) fn finish(&mut self, cut: bool) -> String {
        let text = if cut {
            self.decoder.finish_cut()
        } else {
            self.decoder.finish()
        };
        match &mut self.clixml {
            Some(clixml) => clixml.push(&text) + &clixml.finish(),
            None => text,
        }
    }

    fn facts(&self) -> Facts {
        self.decoder.facts()
    }

    /// Whether there was CLIXML.
    fn is_clean(&self) -> bool {
        self.clixml.as_ref().is_some_and(Filter::seen)
    }
}

/// How one output reads, by the rules of [`StreamDecoder`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// The character set in it: the host's where some lines are in that.
    pub(super) encoding: Charset,
    /// Some bytes are no characters.
    pub(super) lossy: bool,
    /// The text, encoded again, is the very bytes that came.
    pub(super) exact: bool,
    /// All of it is ASCII, which most character sets agree on.
    pub(super) ascii: bool,
    host: Charset,
    stream: Stream,
}

impl Reading {
    /// Looks an output through; `host` is what the host speaks.
    pub(super) fn of(output: &Captured, stream: Stream, host: Charset) -> io::Result<Self> {
        let mut again = (host != Charset::UTF_8).then(|| (host.encoder(), Hasher::default()));
        let legible = read(output, stream, host, |text| {
            if let Some((encoder, hasher)) = &mut again {
                encoder.push(text, |bytes| hasher.update(bytes));
            }
            Ok(())
        })?;
        let facts = legible.facts();
        let again = again.map(|(_, hasher)| hasher.finish());
        let same = facts.charset == Charset::UTF_8 || again == Some(output.digest);
        Ok(Self {
            encoding: facts.charset,
            lossy: facts.lossy,
            exact: same && !facts.lossy && !facts.marked && !legible.is_clean(),
            ascii: facts.ascii,
            host,
            stream,
        })
    }

    /// Hands out the text piece by piece.
    pub(super) fn decode(
        &self,
        output: &Captured,
        to: impl FnMut(&str) -> io::Result<()>,
    ) -> io::Result<()> {
        read(output, self.stream, self.host, to).map(|_| ())
    }
}

/// Hands out an output's text piece by piece.
pub(super) fn read(
    output: &Captured,
    stream: Stream,
    host: Charset,
    mut to: impl FnMut(&str) -> io::Result<()>,
) -> io::Result<Legible> {
    let mut legible = Legible::new(stream, host);
    pieces(output, |piece, last| {
        let text = if last {
            legible.finish(output.truncated())
        } else {
            legible.push(piece)
        };
        if !text.is_empty() {
            to(&text)?;
        }
        Ok(true)
    })?;
    Ok(legible)
}

/// What makes outputs equal for their reader, and how much it is: the bytes, but of CLIXML, which
/// holds times and numbers of processes, what is shown of it.
pub(super) fn digest(output: &Captured, stream: Stream, host: Charset) -> (ContentDigest, u64) {
    let bytes = (output.digest, output.total);
    if stream == Stream::Stdout || output.truncated() || !holds_clixml(output).unwrap_or(false) {
        return bytes;
    }
    let (mut hasher, mut length) = (Hasher::default(), 0);
    let shown = read(output, stream, host, |text| {
        hasher.update(text.as_bytes());
        length += text.len() as u64;
        Ok(())
    });
    match shown {
        Ok(_) => (hasher.finish(), length),
        Err(_) => bytes,
    }
}

/// Whether CLIXML stands in the beginning of an output.
fn holds_clixml(output: &Captured) -> io::Result<bool> {
    let header = clixml::HEADER.as_bytes();
    let mut found = false;
    if output.kept >= header.len() as u64 {
        pieces(output, |piece, _| {
            found = piece
                .split_inclusive(|byte| *byte == b'\n')
                .any(|line| line.starts_with(header));
            Ok(false)
        })?;
    }
    Ok(found)
}

/// Reads an output in pieces until `take` wants no more; the last is empty.
pub(super) fn pieces(
    output: &Captured,
    mut take: impl FnMut(&[u8], bool) -> io::Result<bool>,
) -> io::Result<()> {
    let mut reader = output.reader()?;
    let size = usize::try_from(output.kept).map_or(PIECE, |kept| kept.clamp(1, PIECE));
    let mut buffer = vec![0; size];
    loop {
        let got = match reader.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if !take(buffer.get(..got).unwrap_or_default(), got == 0)? || got == 0 {
            return Ok(());
        }
    }
}
