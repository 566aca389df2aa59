//! Asking the user at the terminal: secrets without echo, and yes or no before what is dangerous.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::CliError;
use crate::base::prompt::{Prompt, undisturbed};
use crate::base::secret::Secret;

/// Asks at the controlling terminal, also when standard input is a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminal;

impl Prompt for Terminal {
    fn secret(&self, question: &str) -> io::Result<Secret> {
        undisturbed(|| rpassword::prompt_password(format!("{question}: ")))
            .unwrap_or_else(|| Err(io::ErrorKind::Other.into()))
            .map(Secret::from)
            .map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("{question}: there is no terminal to ask at"),
                )
            })
    }
}

/// Asks for a yes. `assumed` is `--yes`; without it and without a terminal nothing is done.
pub fn confirm(question: &str, assumed: bool) -> Result<(), CliError> {
    if assumed {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(CliError::new(format!(
            "{question} There is no terminal to ask at, nothing was done"
        ))
        .hint("--yes answers"));
    }
    let mut stderr = io::stderr().lock();
    let asked = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    asked.and_then(|()| io::stdin().lock().read_line(&mut answer).map(|_| ()))?;
    if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        Ok(())
    } else {
        Err(CliError::new("not confirmed, nothing was done"))
    }
}
