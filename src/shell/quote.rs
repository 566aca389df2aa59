//! Quoting for the Bourne shell (POSIX.1-2017, XCU 2.2.2): any text as one word, on one line.

/// Whether a word means itself unquoted.
fn plain(word: &str) -> bool {
    !word.is_empty()
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-./=:,@%+".contains(&b))
}

/// `word` as one shell word that a person would write.
pub fn word(word: &str) -> String {
    if plain(word) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Words as one command line.
pub fn words(words: &[String]) -> String {
    words
        .iter()
        .map(|each| word(each))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A script of one line: what it quotes may hold newlines, the line itself does not. Hosts read the
/// script with one `read`.
#[derive(Debug, Default)]
pub(super) struct Line {
    text: String,
    newlines: bool,
}

impl Line {
    /// Adds shell code as it is.
    pub(super) fn code(&mut self, code: &str) -> &mut Self {
        debug_assert!(
            !code.contains('\n'),
            "a script line has no newline of its own"
        );
        self.text.push_str(code);
        self
    }

    /// Adds `text` as one word.
    pub(super) fn quoted(&mut self, text: &str) -> &mut Self {
        self.newlines |= text.contains('\n');
        let text = text.replace('\'', r"'\''").replace('\n', r#"'"$ioms_nl"'"#);
        self.text.push('\'');
        self.text.push_str(&text);
        self.text.push('\'');
        self
    }

    /// Adds what sets variables for all that follows.
    pub(super) fn export(&mut self, variables: &[(String, String)]) -> &mut Self {
        for (name, value) in variables {
            self.code("export ").code(name).code("=").quoted(value);
            self.code("; ");
        }
        self
    }

    /// Adds another line's code.
    pub(super) fn append(&mut self, other: Self) -> &mut Self {
        self.newlines |= other.newlines;
        self.text.push_str(&other.text);
        self
    }

    /// Adds bytes as one word; what is no UTF-8 by the shell's own `printf`.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        use std::fmt::Write as _;
        if bytes.is_empty() {
            return self.quoted("");
        }
        for chunk in bytes.utf8_chunks() {
            if !chunk.valid().is_empty() {
                self.quoted(chunk.valid());
            }
            if !chunk.invalid().is_empty() {
                self.text.push_str("\"$(printf '");
                for byte in chunk.invalid() {
                    let _ = write!(self.text, "\\{byte:03o}");
                }
                self.text.push_str("')\"");
            }
        }
        self
    }

    /// The line, newline included. Newlines within words come from a variable.
    pub(super) fn finish(&self) -> String {
        let preamble = if self.newlines {
            r"ioms_nl=$(printf '\nx'); ioms_nl=${ioms_nl%x}; "
        } else {
            ""
        };
        format!("{preamble}{}\n", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    #[test]
    fn plain_words_stay_as_they_are() {
        assert_eq!(
            words(&["ls".into(), "-l".into(), "/a b".into(), String::new()]),
            "ls -l '/a b' ''"
        );
    }

    #[test]
    fn bytes_that_are_no_text_arrive_in_sh_as_they_are() {
        let bytes = b"a\xff\xe9'b\x80";
        let mut line = Line::default();
        line.code("printf %s ").bytes(bytes);
        let output = Command::new("/bin/sh")
            .args(["-c", line.finish().trim_end_matches('\n')])
            .output()
            .unwrap();
        assert_eq!(output.stdout, bytes);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_text_arrives_in_sh_as_it_is(text in "[^\0]{0,40}") {
            let mut line = Line::default();
            line.code("printf %s ").quoted(&text);
            let script = line.finish();
            prop_assert_eq!(script.matches('\n').count(), 1);
            let output = Command::new("/bin/sh").args(["-c", script.trim_end_matches('\n')]).output().unwrap();
            prop_assert_eq!(output.stdout, text.as_bytes());
            let mut line = Line::default();
            line.code("printf %s ").bytes(text.as_bytes());
            let output = Command::new("/bin/sh").args(["-c", line.finish().trim_end_matches('\n')]).output().unwrap();
            prop_assert_eq!(output.stdout, text.as_bytes());
            let output = Command::new("/bin/sh").args(["-c", &format!("printf %s {}", word(&text))]).output().unwrap();
            prop_assert_eq!(output.stdout, text.as_bytes());
        }
    }
}
