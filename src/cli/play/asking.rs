//! What a play asks the user at the terminal: `pause`, `vars_prompt`, `--step`.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::base::prompt::undisturbed;
use crate::playbook::run::{Answer, Ask, Steps};

/// Asks at the terminal, where there is one.
pub(super) struct AtTerminal;

impl Ask for AtTerminal {
    fn line(&self, question: &str, echo: bool) -> io::Result<Option<String>> {
        if !io::stdin().is_terminal() {
            return Ok(None);
        }
        let asked = if echo {
            undisturbed(|| line(question))
        } else {
            undisturbed(|| rpassword::prompt_password(question))
        };
        asked
            .unwrap_or_else(|| Err(io::ErrorKind::Other.into()))
            .map(Some)
    }
}

/// `--step`: asks before each task; without a terminal the answer is no.
pub(super) struct StepByStep;

impl Steps for StepByStep {
    fn perform(&self, task: &str) -> Answer {
        let question = format!("Perform task: {task} (N)o/(y)es/(c)ontinue: ");
        let answer = undisturbed(|| line(&question)).and_then(Result::ok);
        match answer.unwrap_or_default().to_ascii_lowercase().as_str() {
            "y" | "yes" => Answer::Yes,
            "c" | "continue" => Answer::Continue,
            _ => Answer::No,
        }
    }
}

fn line(question: &str) -> io::Result<String> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim_end_matches(['\r', '\n']).to_owned())
}
