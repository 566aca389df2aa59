//! Asking the user for a secret: the question's shape, filled by the command line.

use std::io;

use super::secret::Secret;

/// Asks for one secret and waits. `cli` fills it with the terminal; tests with a script; where
/// nobody can answer it is an error. Whoever asks keeps the answer: a question is asked once.
pub trait Prompt: Send + Sync {
    /// Shows `question` (`Passphrase for /root/.ssh/id_ed25519`) and gives the answer.
    fn secret(&self, question: &str) -> io::Result<Secret>;
}

/// For runs with nobody to ask: every question is an error.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Prompt for Nobody {
    fn secret(&self, question: &str) -> io::Result<Secret> {
        Err(io::Error::other(format!(
            "{question}: there is no terminal to ask at"
        )))
    }
}
