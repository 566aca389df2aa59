//! CLIXML as people read it: errors as their text, warnings and verbose messages behind their word,
//! as PowerShell's console shows them; progress is left out, and so are information records, which
//! are on standard output where they were to be seen.

use super::{Clixml, Segment};

/// Text in, the same text without CLIXML out.
#[derive(Debug, Default)]
pub struct Filter {
    reader: Clixml,
    /// Blank lines of an error; shown if more of it follows.
    blank: usize,
    /// What was shown does not end with a newline.
    unfinished: bool,
}

impl Filter {
    /// At the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there was CLIXML: what is shown is not what came.
    pub fn seen(&self) -> bool {
        self.reader.seen()
    }

    /// The next text in, what is to be shown of it out.
    pub fn push(&mut self, text: &str) -> String {
        let mut segments = Vec::new();
        self.reader.push(text, &mut segments);
        self.show(segments)
    }

    /// What was held back, at the end.
    pub fn finish(&mut self) -> String {
        let mut segments = Vec::new();
        self.reader.finish(&mut segments);
        self.show(segments)
    }

    /// How much is held back, in bytes.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.reader.held.len()
    }

    fn show(&mut self, segments: Vec<Segment>) -> String {
        let mut shown = String::new();
        for segment in segments {
            match segment {
                Segment::Text(text) => {
                    self.blank = 0;
                    self.unfinished = !text.ends_with('\n');
                    shown.push_str(&text);
                }
                Segment::Error(text) => self.error(&text, &mut shown),
                Segment::Output(text) => self.lines("", &text, &mut shown),
                Segment::Warning(text) => self.lines("WARNING: ", &text, &mut shown),
                Segment::Verbose(text) => self.lines("VERBOSE: ", &text, &mut shown),
                Segment::Debug(text) => self.lines("DEBUG: ", &text, &mut shown),
                Segment::Information(_) | Segment::Progress => {}
            }
        }
        shown
    }

    fn error(&mut self, text: &str, shown: &mut String) {
        if text.trim().is_empty() {
            self.blank += 1;
            return;
        }
        let blank = std::mem::take(&mut self.blank);
        shown.extend(std::iter::repeat_n('\n', blank));
        self.lines("", text, shown);
    }

    /// A record: lines of its own.
    fn lines(&mut self, word: &str, text: &str, shown: &mut String) {
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() && word.is_empty() {
            return;
        }
        self.blank = 0;
        if std::mem::take(&mut self.unfinished) {
            shown.push('\n');
        }
        shown.push_str(word);
        shown.push_str(&text.replace("\r\n", "\n"));
        shown.push('\n');
    }
}
