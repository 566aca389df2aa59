//! Output as it comes: for one host as ssh would show it, for several each line behind its host's
//! name.

use std::collections::HashMap;
use std::io;

use super::text::TextStream;
use super::words::{explanation, verdict};
use super::{Context, Part};
use crate::event::{Event, HostIx, Outcome, Stamped, Stream};

/// A line longer than this is shown in pieces, in bytes.
const LINE_MAX: usize = 64 * 1024;

pub(super) struct Live {
    /// One host: no names, and nothing waits for the end of its line.
    alone: bool,
    /// What stands on the screen does not end with a newline.
    unfinished: bool,
    streams: HashMap<(HostIx, Stream), Partial>,
}

struct Partial {
    text: TextStream,
    line: Vec<u8>,
}

impl Live {
    pub(super) fn new(alone: bool) -> Self {
        Self {
            alone,
            unfinished: false,
            streams: HashMap::new(),
        }
    }
}

impl Live {
    fn write(&mut self, cx: &mut Context, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let Some(last) = bytes.last() else {
            return Ok(());
        };
        if cx.screen.end(stream).terminal {
            self.unfinished = *last != b'\n';
        }
        match stream {
            Stream::Stdout => cx.screen.out(|out| {
                out.write_all(bytes)?;
                out.flush()
            }),
            Stream::Stderr => cx.screen.err(|err| err.write_all(bytes)),
        }
    }
}

/// Takes whole lines out of `line`, each behind `name`.
fn lines(line: &mut Vec<u8>, name: &str, all: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let end = match rest.iter().position(|byte| *byte == b'\n') {
            Some(newline) => newline + 1,
            None if all => rest.len(),
            // Not within a character.
            None if rest.len() > LINE_MAX => match std::str::from_utf8(rest) {
                Err(error) if error.error_len().is_none() => error.valid_up_to(),
                _ => rest.len(),
            },
            None => break,
        };
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(rest.get(..end).unwrap_or_default());
        if out.last() != Some(&b'\n') {
            out.push(b'\n');
        }
        at += end;
    }
    line.drain(..at);
    out
}

impl Part for Live {
    fn event(&mut self, cx: &mut Context, event: &Stamped) -> io::Result<()> {
        match &event.event {
            Event::Output {
                host,
                stream,
                bytes,
                encoding,
            } => {
                let manner = cx.screen.manner(*stream);
                let partial = self
                    .streams
                    .entry((*host, *stream))
                    .or_insert_with(|| Partial {
                        text: TextStream::new(manner, *stream, *encoding),
                        line: Vec::new(),
                    });
                partial.text.speaks(*encoding);
                let text = partial.text.push(bytes);
                if self.alone {
                    return self.write(cx, *stream, &text);
                }
                partial.line.extend_from_slice(&text);
                let out = lines(&mut partial.line, &cx.shown(*host), false);
                self.write(cx, *stream, &out)
            }
            Event::HostFinished(host, result) => {
                let name = cx.shown(*host);
                for stream in [Stream::Stdout, Stream::Stderr] {
                    if let Some(mut partial) = self.streams.remove(&(*host, stream)) {
                        partial.line.extend_from_slice(&partial.text.finish(false));
                        let out = if self.alone {
                            std::mem::take(&mut partial.line)
                        } else {
                            lines(&mut partial.line, &name, true)
                        };
                        self.write(cx, stream, &out)?;
                    }
                }
                // Why a host has failed is a result.
                let plain = cx.screen.quiet() && result.error.is_none();
                if result.outcome == Outcome::Ok || plain {
                    return Ok(());
                }
                // The words about the host begin a line of their own.
                let unfinished = std::mem::take(&mut self.unfinished);
                let apart = unfinished && cx.screen.end(Stream::Stderr).terminal;
                let style = cx.screen.style(Stream::Stderr, result.outcome);
                cx.screen.err(|err| {
                    err.write_all(if apart { b"\n" } else { b"" })?;
                    writeln!(err, "{style}{name}: {}{style:#}", verdict(result))?;
                    for line in explanation(result).lines() {
                        writeln!(err, "  {line}")?;
                    }
                    Ok(())
                })
            }
            _ => Ok(()),
        }
    }
}
