//! A program's questions to the controller while it runs: `ask NAME` in a script. What the program has
//! said so far comes here, variables and content go back down the same channel, so that a task stays
//! one exchange. Hooks set what answers with [`Call::answer_with`]; for texts that change, `edit` does.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::call::{Call, Platform, Situation};
use super::{powershell, sh};
use crate::base::value::Map;
use crate::shell::Piece;
use crate::shell::record::Record;

/// A question of a program.
pub(super) struct Question<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// What the program has said so far.
    pub(super) said: &'a Record,
    /// The task's parameters.
    pub(super) params: &'a Map,
    /// How the task is done.
    pub(super) situation: Situation,
}

/// What a program is told.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    /// Variables for it: `r_NAME`.
    pub(super) variables: Map,
    /// Content that it takes with `answer`, as often as it is asked for, once.
    pub(super) content: Vec<Piece>,
    /// What becomes part of the result, unless the program says otherwise.
    pub(super) result: Map,
}

type Function = dyn Fn(&Question<'_>) -> Answer + Send + Sync;

/// What answers a task's program, and what its answers mean for the result.
#[derive(Clone, Default)]
pub(super) struct Answering {
    function: Option<Arc<Function>>,
    result: Arc<Mutex<Map>>,
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answering")
    }
}

impl Answering {
    /// What the answers so far have said of the result.
    pub(super) fn result(&self) -> Map {
        let result = self.result.lock();
        result.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Call {
    /// Answers the program's questions by this function. It may be called on any thread.
    pub(super) fn answer_with(
        &mut self,
        function: impl Fn(&Question<'_>) -> Answer + Send + Sync + 'static,
    ) {
        self.answering.function = Some(Arc::new(function));
    }

    /// Whether the program may ask.
    pub(super) fn asks(&self) -> bool {
        self.answering.function.is_some()
    }

    /// The same for those who drive the program: bytes as its shell reads them.
    pub(super) fn answers(&self, mark: &str) -> Option<crate::shell::Answers> {
        let function = self.answering.function.clone()?;
        let (params, situation) = (self.params.clone(), self.situation);
        let (result, mark) = (self.answering.result.clone(), mark.to_owned());
        Some(crate::shell::Answers::new(move |name, said| {
            let answer = function(&Question {
                name,
                said,
                params: &params,
                situation,
            });
            let size = answer.content.iter().map(Piece::size).sum();
            let text = match situation.platform {
                Platform::Posix => sh::answer(&answer.variables, size, &mark),
                Platform::Windows => powershell::answer(&answer.variables, size),
            };
            let mut learnt = result.lock().unwrap_or_else(PoisonError::into_inner);
            learnt.extend(answer.result);
            let mut pieces = vec![Piece::Bytes(text.into())];
            pieces.extend(answer.content);
            pieces
        }))
    }
}
