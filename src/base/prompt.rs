//! Asking the user for a secret: the question's shape, filled by the command line.

use std::io;
use std::sync::{Mutex, PoisonError};

use super::secret::Secret;

/// Asks for one secret and waits. `cli` fills it with the terminal; tests with a script; where
/// nobody can answer it is an error. Whoever asks keeps the answer: a question is asked once.
pub trait Prompt: Send + Sync {
    /// Shows `question` (`Passphrase for /root/.ssh/id_ed25519`) and gives the answer.
    fn secret(&self, question: &str) -> io::Result<Secret>;
}

/// Something that holds a moving line still while the work it is given is done.
pub type Hold = Box<dyn Fn(&mut dyn FnMut()) + Send + Sync>;

static HOLD: Mutex<Option<Hold>> = Mutex::new(None);

/// Sets what holds the screen's moving line still while the user is asked; `None`: nothing moves.
pub fn set_hold(hold: Option<Hold>) {
    *HOLD.lock().unwrap_or_else(PoisonError::into_inner) = hold;
}

/// Asks with nothing moving on the screen, which would wipe the question away.
pub fn undisturbed<T>(mut ask: impl FnMut() -> T) -> Option<T> {
    let hold = HOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let mut answer = None;
    match hold.as_ref() {
        Some(hold) => hold(&mut || answer = Some(ask())),
        None => answer = Some(ask()),
    }
    answer
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
