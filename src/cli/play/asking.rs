//! What a play asks the user at the terminal: `pause`, `vars_prompt`, `--step`.

use std::io;

use rustix::process::{Signal, getpid, kill_process};

use crate::base::prompt::undisturbed;
use crate::cli::keys;
use crate::playbook::run::{Answer, Ask, Keys, Steps, Until};

/// Asks at the terminal, where there is one.
pub(super) struct AtTerminal;

impl Ask for AtTerminal {
    fn line(
        &self,
        question: &str,
        echo: bool,
        stopped: &dyn Fn() -> bool,
    ) -> io::Result<Option<String>> {
        match self.keys(question, echo, Until::Enter, stopped)? {
            Keys::Typed(text) => Ok(Some(text)),
            Keys::Nobody => Ok(None),
            Keys::Interrupted => {
                if !stopped() {
                    // As if nobody had read keys.
                    let _ = kill_process(getpid(), Signal::INT);
                }
                Err(io::Error::new(
                    io::ErrorKind::Interrupted,
                    "User interrupted execution",
                ))
            }
        }
    }

    fn keys(
        &self,
        question: &str,
        echo: bool,
        until: Until,
        stopped: &dyn Fn() -> bool,
    ) -> io::Result<Keys> {
        if !keys::is_there() {
            return Ok(Keys::Nobody);
        }
        undisturbed(|| keys::read(question, echo, until, stopped))
            .unwrap_or_else(|| Err(io::ErrorKind::Other.into()))
    }
}

/// `--step`: asks before each task; without a terminal the answer is no.
pub(super) struct StepByStep;

impl Steps for StepByStep {
    fn perform(&self, task: &str, stopped: &dyn Fn() -> bool) -> Answer {
        let question = format!("Perform task: {task} (N)o/(y)es/(c)ontinue: ");
        let Ok(answer) = AtTerminal.line(&question, true, stopped) else {
            return Answer::Stop;
        };
        match answer.unwrap_or_default().to_ascii_lowercase().as_str() {
            "y" | "yes" => Answer::Yes,
            "c" | "continue" => Answer::Continue,
            _ => Answer::No,
        }
    }
}
