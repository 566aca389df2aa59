//! Where a record ends: tags are counted as text goes by, so that nothing is read twice however it
//! is cut. What stands in a record is [`super::record`]'s business.

use super::CLOSE;

/// Within what the text so far ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Within {
    #[default]
    Text,
    /// Behind `<`.
    Opened,
    /// Within a tag; `slash`: the last character was one.
    Tag { kind: Kind, slash: bool },
    /// Within an attribute's value.
    Quoted(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Start,
    End,
    /// `<!x>` and `<?x>`.
    Aside,
}

/// Counts the tags of one record.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// How much of the text was looked at.
    at: usize,
    depth: usize,
    within: Within,
    /// How much of `</Objs>` the tag so far is; `None`: it is another.
    close: Option<usize>,
}

/// What the text so far holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The record ends before this place.
    End(usize),
    /// The document ends before this place, although the record had no end.
    Close(usize),
    /// Neither.
    More,
}

impl Scan {
    /// Looks at what is new of the record's text.
    pub(super) fn find(&mut self, text: &str) -> Found {
        for (at, byte) in text.bytes().enumerate().skip(self.at) {
            self.at = at + 1;
            match self.step(byte) {
                Found::More => {}
                Found::End(_) => return Found::End(self.at),
                Found::Close(_) => return Found::Close(self.at),
            }
        }
        Found::More
    }

    /// What was looked at is dropped by the caller.
    pub(super) fn rebase(&mut self) {
        self.at = 0;
    }

    fn step(&mut self, byte: u8) -> Found {
        if byte == b'<' && !matches!(self.within, Within::Quoted(_)) {
            self.close = Some(0);
        }
        self.close = self
            .close
            .filter(|so_far| CLOSE.as_bytes().get(*so_far) == Some(&byte))
            .map(|so_far| so_far + 1);
        match self.within {
            Within::Text if byte == b'<' => self.within = Within::Opened,
            Within::Opened if byte != b'<' => self.opened(byte),
            Within::Quoted(quote) if byte == quote => {
                self.within = Within::Tag {
                    kind: Kind::Start,
                    slash: false,
                };
            }
            Within::Text | Within::Opened | Within::Quoted(_) => {}
            Within::Tag { kind, slash } => return self.tag(byte, kind, slash),
        }
        Found::More
    }

    fn opened(&mut self, byte: u8) {
        let kind = match byte {
            b'/' => Kind::End,
            b'!' | b'?' => Kind::Aside,
            byte if byte.is_ascii_alphabetic() => Kind::Start,
            _ => {
                self.within = Within::Text;
                return;
            }
        };
        self.within = Within::Tag { kind, slash: false };
    }

    fn tag(&mut self, byte: u8, kind: Kind, slash: bool) -> Found {
        match byte {
            b'"' | b'\'' if kind == Kind::Start => self.within = Within::Quoted(byte),
            b'>' => {
                self.within = Within::Text;
                if self.close == Some(CLOSE.len()) {
                    return Found::Close(0);
                }
                match kind {
                    Kind::End => self.depth = self.depth.saturating_sub(1),
                    Kind::Start if !slash => self.depth += 1,
                    Kind::Start | Kind::Aside => {}
                }
                if self.depth == 0 && kind != Kind::Aside {
                    return Found::End(0);
                }
            }
            _ => {
                self.within = Within::Tag {
                    kind,
                    slash: byte == b'/',
                };
            }
        }
        Found::More
    }
}
