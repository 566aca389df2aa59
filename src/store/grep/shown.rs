//! The lines of one output as they are shown, piece by piece.

use crate::base::clixml::{self, Filter};
use crate::base::text::{Charset, StreamDecoder, begins_plain};

/// Longer lines are searched in parts, in bytes.
const LINE_MAX: usize = 8 << 20;

/// An output of a host.
pub(super) struct Output {
    /// Whether it is standard error.
    pub(super) error: bool,
    pub(super) digest: Option<String>,
    /// Whether only its beginning was kept.
    pub(super) cut: bool,
}

impl Output {
    pub(super) fn stream(&self) -> &'static str {
        if self.error { "stderr" } else { "stdout" }
    }

    /// What reads the same: the same bytes of hosts that speak the same.
    pub(super) fn key(&self, digest: &str, host: Charset) -> String {
        format!("{digest} {} {} {host}", self.stream(), self.cut)
    }
}

/// An output's lines as they are shown: bytes as they came as long as nothing is to be decoded, and
/// then text, without CLIXML on standard error.
pub(super) struct Shown {
    host: Charset,
    error: bool,
    cut: bool,
    begun: bool,
    text: Option<(StreamDecoder, Option<Filter>)>,
    number: usize,
    /// The beginning of a line.
    rest: Vec<u8>,
}

impl Shown {
    pub(super) fn new(output: &Output, host: Charset) -> Self {
        Self {
            host,
            error: output.error,
            cut: output.cut,
            begun: false,
            text: None,
            number: 1,
            rest: Vec::new(),
        }
    }

    /// From here on it is text.
    fn decode(&mut self) {
        let clixml = self.error.then(Filter::new);
        self.text = Some((StreamDecoder::new(self.host), clixml));
    }

    /// The next piece, whose lines are handed out; false from it ends that.
    pub(super) fn push(
        &mut self,
        piece: &[u8],
        line: &mut impl FnMut(usize, &[u8]) -> bool,
    ) -> bool {
        if !std::mem::replace(&mut self.begun, true)
            && (self.host != Charset::UTF_8 || !begins_plain(piece, self.host))
        {
            self.decode();
        }
        match &mut self.text {
            Some((decoder, clixml)) => {
                let text = decoder.push(piece);
                let text = match clixml {
                    Some(clixml) => clixml.push(&text),
                    None => text,
                };
                self.rest.extend_from_slice(text.as_bytes());
            }
            None => self.rest.extend_from_slice(piece),
        }
        self.lines(line)
    }

    /// Hands out the lines that are whole.
    fn lines(&mut self, line: &mut impl FnMut(usize, &[u8]) -> bool) -> bool {
        let mut at = 0;
        while let Some(tail) = self.rest.get(at..) {
            if self.text.is_none() && self.error && tail.starts_with(clixml::HEADER.as_bytes()) {
                let clixml = tail.to_vec();
                self.rest.clear();
                self.decode();
                return self.push(&clixml, line);
            }
            let Some(length) = tail.iter().position(|byte| *byte == b'\n') else {
                break;
            };
            if !line(self.number, tail.get(..length).unwrap_or_default()) {
                return false;
            }
            self.number += 1;
            at += length + 1;
        }
        self.rest.drain(..at);
        if self.rest.len() > LINE_MAX {
            let part = std::mem::take(&mut self.rest);
            return line(self.number, &part);
        }
        true
    }

    /// What was held back, at the end.
    pub(super) fn finish(&mut self, line: &mut impl FnMut(usize, &[u8]) -> bool) -> bool {
        if let Some((decoder, clixml)) = &mut self.text {
            let text = if self.cut {
                decoder.finish_cut()
            } else {
                decoder.finish()
            };
            let text = match clixml {
                Some(clixml) => clixml.push(&text) + &clixml.finish(),
                None => text,
            };
            self.rest.extend_from_slice(text.as_bytes());
        }
        self.lines(line) && (self.rest.is_empty() || line(self.number, &self.rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of an output, at any cut.
    fn lines(host: &str, error: bool, bytes: &[u8]) -> Vec<(usize, String)> {
        let output = Output {
            error,
            digest: None,
            cut: false,
        };
        let read = |size: usize| {
            let mut shown = Shown::new(&output, Charset::from_label(host).unwrap());
            let mut lines = Vec::new();
            let mut take = |number: usize, text: &[u8]| {
                let text = String::from_utf8_lossy(text);
                lines.push((number, text.trim_end_matches('\r').to_owned()));
                true
            };
            for piece in bytes.chunks(size) {
                assert!(shown.push(piece, &mut take));
            }
            assert!(shown.finish(&mut take));
            lines
        };
        let whole = read(bytes.len());
        // Outputs come in large pieces: the first says whether there is something to decode.
        assert_eq!(read(bytes.len() / 2 + 1), whole);
        whole
    }

    #[test]
    fn what_is_searched_is_what_is_shown() {
        let numbered = |texts: &[&str]| -> Vec<(usize, String)> {
            (1..).zip(texts.iter().map(|text| (*text).into())).collect()
        };
        let gbk = Charset::from_label("936").unwrap();
        let mixed = [&gbk.encode("错误\r\n目录\n").0[..], "完成".as_bytes()].concat();
        let expected = numbered(&["错误", "目录", "完成"]);
        assert_eq!(lines("936", false, &mixed), expected);
        let wide: Vec<u8> = "错误\r\n目录\r\n完成"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let marked = [b"\xff\xfe", &wide[..]].concat();
        assert_eq!(lines("utf-8", false, &marked), expected);
        assert_eq!(
            lines("utf-8", false, "\u{feff}a\nb\n".as_bytes()),
            numbered(&["a", "b"])
        );
        let clixml = "native\r\n#< CLIXML\r\n<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\"><S S=\"Error\">no_x000D__x000A_</S><S S=\"warning\">low</S></Objs>";
        for host in ["utf-8", "936"] {
            assert_eq!(
                lines(host, true, clixml.as_bytes()),
                numbered(&["native", "no", "WARNING: low"]),
                "{host}"
            );
        }
        assert_eq!(lines("utf-8", false, clixml.as_bytes()).len(), 3);
        assert_eq!(lines("utf-8", false, clixml.as_bytes())[1].1, "#< CLIXML");
    }
}
