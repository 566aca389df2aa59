//! Secret text that never shows itself: not in `Debug`, not in `Display`, wiped when dropped.

use std::fmt;

use zeroize::Zeroizing;

/// What stands in place of a secret wherever one would be shown.
pub const MASK: &str = "********";

/// A password, passphrase or vault value. Only [`Secret::expose`] gives the text.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself; for the wire only, never for a message, an argument or a log.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::hash::Hash for Secret {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

/// Names whose values may be secrets: shows the names.
pub struct NamesOnly<'a, T>(pub &'a [(String, T)]);

impl<T> fmt::Debug for NamesOnly<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_secret_is_never_shown() {
        let secret = super::Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?}"), "******** ********");
        let pairs = [("TOKEN".to_owned(), "hunter2".to_owned())];
        let names = super::NamesOnly(&pairs);
        assert_eq!(format!("{names:?}"), "[\"TOKEN\"]");
    }
}
