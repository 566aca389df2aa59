//! The arguments of ssh that Ansible's variables hold: options become settings.

use std::path::PathBuf;

use super::ssh_config::{Settings, SshConfigError, words};

/// What arguments say beside options.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SshArgs {
    /// `-F`.
    pub(super) config: Option<PathBuf>,
}

impl SshArgs {
    /// Reads arguments, quoted as a shell's; options go to `preset`.
    pub(super) fn parse(
        text: &str,
        origin: &str,
        preset: &mut Settings,
    ) -> Result<Self, SshConfigError> {
        let words = words(text).map_err(|message| SshConfigError::wrong(origin, message))?;
        let mut rest = words.iter();
        let mut found = Self::default();
        while let Some(word) = rest.next() {
            let mut letters = word.chars();
            let (dash, letter) = (letters.next(), letters.next());
            let inline = letters.as_str();
            let letter = match (dash, letter) {
                // Compression, terminals, loudness, X11: nothing of ours depends on them.
                (Some('-'), Some('C' | 'T' | 'q' | 'v' | 'x' | 'a')) => continue,
                (Some('-'), Some(letter @ ('o' | 'J' | 'F' | 'i' | 'p' | 'l'))) => letter,
                _ => {
                    return Err(SshConfigError::unsupported(
                        origin,
                        format!(
                            "the ssh argument `{word}` is not understood: -o, -J, -F, -i, -p and -l are"
                        ),
                    ));
                }
            };
            let value = if inline.is_empty() {
                rest.next().map_or("", String::as_str)
            } else {
                inline
            };
            if value.is_empty() {
                return Err(SshConfigError::wrong(
                    origin,
                    format!("`-{letter}` has no value"),
                ));
            }
            match letter {
                'o' => preset.option(value, origin)?,
                'J' => preset.put("ProxyJump", value, origin),
                'F' => found.config = Some(value.into()),
                'i' => preset.put("IdentityFile", value, origin),
                'p' => preset.put("Port", value, origin),
                _ => preset.put("User", value, origin),
            }
        }
        Ok(found)
    }
}
